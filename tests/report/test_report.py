"""What a report promises: one page that needs nothing else, for every kind of data, whatever stands in it."""

import re
from html import escape
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import NotFittedError

from hourglass import Embedder, Tables, load, report
from hourglass.exploration.maps import map_of_codes
from hourglass.report.general import call_of

DIGITS = load_digits()
PICTURES, LABELS = DIGITS.images[:200], DIGITS.target[:200]
IRIS = load_iris()
HOSTILE = '<script>alert("x")</script>'


class Page(HTMLParser):
    """The elements of a page, with their attributes, and its text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def fitted(X, condition=None, **options) -> Embedder:
    options = {"n_latent": 2, "max_epochs": 1, "random_state": 0, "n_threads": 1} | options
    return Embedder(**options).fit(X, condition=condition)


@pytest.fixture(scope="module")
def vae() -> Embedder:
    return fitted(PICTURES)


@pytest.fixture(autouse=True)
def _quick_tsne(monkeypatch):
    monkeypatch.setattr("hourglass.exploration.maps.STEPS", 250)


@pytest.fixture
def undrawn(monkeypatch):
    """Figures are drawn once elsewhere; here only what stands around them is asked for."""
    monkeypatch.setattr(
        "hourglass.report.page.picture",
        lambda draw, alternative: f'<img src="data:image/png;base64," alt="{escape(alternative)}">',
    )


def hostile_table(n: int = 90) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({
        HOSTILE: rng.normal(size=n),
        "kind": np.array([HOSTILE, "b & c", "d"], dtype=object)[rng.integers(0, 3, n)],
        "yes": rng.random(n) < 0.5,
        "size": rng.normal(size=n) * 1e4,
    })  # fmt: skip
    for name in frame.columns[:2]:
        frame.loc[rng.random(n) < 0.2, name] = None
    return frame


def check_self_contained(path: Path) -> Page:
    page = Page(path)
    for _, attributes in page.elements:
        for name in ("src", "href", "srcset", "poster", "action", "data"):
            if name in attributes:
                assert attributes[name].startswith(("data:image/", "#")), attributes[name][:80]
    markup = re.sub(r"base64,[A-Za-z0-9+/=]*", "", path.read_text(encoding="utf-8"))
    assert not re.search(r"https?://|@import|url\(", markup)
    assert not page.all("script")
    anchors = {a["href"][1:] for a in page.all("a")}
    assert anchors <= {a["id"] for _, a in page.elements if "id" in a}
    assert all(image["alt"] for image in page.all("img"))
    return page


CASES = {
    "pictures": (PICTURES, {}, {"labels": LABELS}),
    "pictures with a condition": (PICTURES, {"condition": LABELS}, {"condition": LABELS, "labels": LABELS}),
    "pictures with a condition of numbers": (
        PICTURES, {"condition": PICTURES.mean((1, 2))}, {"condition": PICTURES.mean((1, 2))}
    ),
    "one dimension": (PICTURES, {"n_latent": 1}, {"labels": LABELS}),
    "forty dimensions": (PICTURES, {"n_latent": 40}, {"labels": LABELS}),
    "colour": (np.random.default_rng(0).random((40, 12, 12, 3)), {}, {}),
    "table": (IRIS.data, {"recipe": "sparse", "n_latent": 1}, {"labels": IRIS.target_names[IRIS.target]}),
    "table with a condition": (IRIS.data, {"condition": IRIS.target}, {"condition": IRIS.target}),
    "mixed table": (hostile_table(), {}, {"labels": hostile_table()["kind"]}),
    "mixed table of three": (hostile_table(), {"n_latent": 3, "recipe": "ae"}, {}),
    "few rows": (IRIS.data[:6], {"recipe": "contractive"}, {"labels": IRIS.data[:6, 0]}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_page_is_made_of_everything(name, tmp_path):
    X, options, given = CASES[name]
    embedder = fitted(X, **options)
    page = check_self_contained(report.write(embedder, X, tmp_path, **given))
    for sentence in embedder.advice_:
        assert sentence in page.text
    for heading in ("What comes back", "The space of codes", "New examples", "How it was made"):
        assert heading in page.text
    assert ("The plane of codes" in page.text) == (embedder.n_latent_ == 2)


def test_where_the_page_goes(vae, tmp_path, undrawn):
    assert report.write(vae, PICTURES, tmp_path / "run") == tmp_path / "run" / "report.html"
    assert report.write(vae, PICTURES, tmp_path / "new" / "page.html") == tmp_path / "new" / "page.html"
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == ["page.html"]  # nothing half-written beside it


def test_a_failure_leaves_the_old_page(vae, tmp_path, monkeypatch, undrawn):
    path = report.write(vae, PICTURES, tmp_path)
    before = path.read_bytes()
    with pytest.raises(ValueError):
        report.write(vae, PICTURES[:, :4], tmp_path)
    assert path.read_bytes() == before


def test_texts_of_the_data_are_escaped(tmp_path):
    X = hostile_table()
    path = report.write(fitted(X), X, tmp_path, labels=X["kind"], title=HOSTILE)
    markup = path.read_text(encoding="utf-8")
    assert "<script" not in markup
    assert "&lt;script&gt;" in markup
    page = Page(path)
    assert HOSTILE in page.text
    assert "missing" in page.text
    assert "b & c" in page.text


def test_a_saved_model_has_a_page_too(vae, tmp_path, undrawn):
    vae.save(tmp_path / "run")
    page = check_self_contained(report.write(load(tmp_path / "run"), PICTURES, tmp_path / "run", labels=LABELS))
    assert "n_latent=2" in page.text
    assert vae.fingerprint_ in page.text


def test_figures_come_for_light_and_dark_paper(vae, tmp_path):
    page = Page(report.write(vae, PICTURES, tmp_path))
    images, sources = page.all("img"), page.all("source")
    assert len(images) == len(sources) >= 8
    assert all("prefers-color-scheme: dark" in source["media"] for source in sources)


def test_at_most_a_few_thousand_rows_are_looked_at(vae, tmp_path, monkeypatch, undrawn):
    monkeypatch.setattr("hourglass.report.report_data.MAX_ROWS_SHOWN", 100)
    seen = []
    transform = vae.transform
    monkeypatch.setattr(vae, "transform", lambda X, **k: seen.append(len(X)) or transform(X, **k))
    page = Page(report.write(vae, PICTURES, tmp_path, labels=LABELS))
    assert seen == [100]
    assert "100 of the 200" in page.text


def test_the_callers_random_state_is_left_alone(vae, tmp_path):
    import torch

    np.random.seed(3)  # noqa: NPY002
    torch.manual_seed(3)
    before = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    report.write(vae, PICTURES, tmp_path)
    np.testing.assert_array_equal(np.random.get_state()[1], before[0])  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), before[1])


def test_wrong_companions_are_named(vae, tmp_path):
    with pytest.raises(ValueError, match="labels has 3 entries, but X has 200"):
        report.write(vae, PICTURES, tmp_path, labels=[1, 2, 3])
    with pytest.raises(ValueError, match="condition"):
        report.write(vae, PICTURES, tmp_path, condition=LABELS)
    with pytest.raises(ValueError, match="pass condition="):
        report.write(fitted(PICTURES, condition=LABELS), PICTURES, tmp_path)
    with pytest.raises(NotFittedError):
        report.write(Embedder(), PICTURES, tmp_path)
    assert not list(tmp_path.iterdir())


def test_files_are_read(tmp_path, undrawn):
    X = hostile_table().drop(columns=[HOSTILE])
    X.to_csv(tmp_path / "data.csv", index=False)
    embedder = fitted(str(tmp_path / "data.csv"))
    check_self_contained(report.write(embedder, tmp_path / "data.csv", tmp_path))


def test_a_stream_is_shown_by_rows_of_every_part(tmp_path, undrawn):
    from hourglass import ParquetStream

    X = hostile_table().drop(columns=[HOSTILE])
    X.to_parquet(tmp_path / "data.parquet", row_group_size=len(X) // 3)
    stream = ParquetStream(tmp_path / "data.parquet")
    embedder = Embedder(n_latent=2, max_epochs=1, random_state=0).fit(stream, condition="yes")
    path = report.write(embedder, stream, tmp_path, condition="yes", labels="kind")
    check_self_contained(path)
    assert f"Shown on all {len(X)} rows given" in Page(path).text


def test_a_modality_without_panels_of_its_own(tmp_path, undrawn, monkeypatch):
    monkeypatch.setattr(report.page, "KINDS", {})
    path = report.write(fitted(PICTURES), PICTURES, tmp_path, labels=LABELS)
    check_self_contained(path)
    assert "The space of codes" in Page(path).text and "How it was made" in Page(path).text


def test_an_unlabelled_map_of_many_dimensions_needs_few_rows():
    assert map_of_codes(np.zeros((2, 5), dtype=np.float32)).points.shape == (2, 2)


def test_the_page_tells_the_call_that_makes_the_model_again():
    given = fitted(np.arange(40.0).reshape(20, 2) % 7, modality=Tables(categories=["x0"]))
    assert call_of(given) == (
        "Embedder(max_epochs=1, modality=Tables(counts=(), categories=('x0',), discrete=False), "
        "n_latent=2, n_threads=1, random_state=0).fit(X)"
    )
