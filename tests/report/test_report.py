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

from hourglass import Detector, Embedder, Tables, load, report
from hourglass.exploration.maps import map_of_codes
from hourglass.readers import Data
from hourglass.report.cells import groups_of
from hourglass.report.report_data import report_data
from hourglass.report.sections import SECTIONS
from hourglass.report.words import command_line, likelihood_in_words, loss_in_words, python_call, recipe_in_words
from hourglass.run_files import Origin
from hourglass.variants import VAE, kl
from hourglass.views import Lines, Texts

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
        lambda draw, alt_text: f'<img src="data:image/png;base64," alt="{escape(alt_text)}">',
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
    for heading in ("Reconstructions", "Latent space", "Latent dimensions", "Samples", "How to make this model again"):
        assert heading in page.text
    assert ("The latent plane" in page.text) == (embedder.n_latent_ == 2)
    assert "nan" not in re.sub(r"\w*nan\w+|\w+nan", "", page.text)


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


def test_at_most_a_few_thousand_rows_are_shown(vae, tmp_path, monkeypatch, undrawn):
    monkeypatch.setattr("hourglass.report.report_data.MAX_EXAMPLES", 100)
    shown = report_data(vae, PICTURES, LABELS)
    assert (shown.n_shown, shown.n_given) == (100, 200)
    places = [int(name.removeprefix("picture ")) for name in shown.names]
    assert len(set(places)) == 100
    np.testing.assert_allclose(shown.codes, vae.transform(PICTURES[places]), atol=1e-6)
    np.testing.assert_array_equal(shown.labels.codes, LABELS[places])
    page = Page(report.write(vae, PICTURES, tmp_path, labels=LABELS))
    assert "Shown on 100 of the 200 pictures given, chosen from all parts of the data" in page.text


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


def test_a_kind_of_data_without_a_view_shows_its_codes(tmp_path, undrawn, monkeypatch):
    monkeypatch.setattr("hourglass.views.registry.VIEWS", {})
    path = report.write(fitted(PICTURES), PICTURES, tmp_path, labels=LABELS)
    check_self_contained(path)
    text = Page(path).text
    assert "Latent space" in text and "KL of each dimension" in text and "How to make this model again" in text
    assert "Reconstructions" not in text and "Generated" not in text


@pytest.mark.parametrize("condition", [None, LABELS % 3], ids=["plain", "conditional"])
def test_lines_have_panels_too(monkeypatch, condition):
    monkeypatch.setitem(
        report.sections.views.VIEWS, "images", lambda modality, X: Lines(np.asarray(X, float), tuple("abcdefgh"))
    )
    data = report_data(fitted(PICTURES, condition), PICTURES, condition=condition)
    sections = [SECTIONS[name](data) for name in ("reconstructions", "map", "dimensions", "samples")]
    panels = [panel for section in sections for panel in section.panels]
    titles = {panel.title for panel in panels}
    assert titles >= {"Originals and reconstructions", "The hardest pictures", "The latent plane", "Samples"}
    for panel in panels:
        assert panel.figure(report.sections.cells.plots.LIGHT).axes


def test_texts_have_panels_too_and_are_escaped(tmp_path, monkeypatch, undrawn):
    monkeypatch.setitem(
        report.sections.views.VIEWS, "images", lambda modality, X: Texts(tuple(f"{HOSTILE}{len(x)}" for x in X))
    )
    path = report.write(fitted(PICTURES), PICTURES, tmp_path)
    assert "<script" not in path.read_text()
    assert f"{HOSTILE}8" in check_self_contained(path).text


def test_an_unlabelled_map_of_many_dimensions_needs_few_rows():
    assert map_of_codes(np.zeros((2, 5), dtype=np.float32)).points.shape == (2, 2)


def test_the_page_tells_the_call_that_makes_the_model_again(tmp_path, undrawn):
    given = fitted(np.arange(40.0).reshape(20, 2) % 7, modality=Tables(categories=["x0"]))
    assert python_call(given) == (
        "Embedder(max_epochs=1, modality='tables categories=x0', n_latent=2, n_threads=1, random_state=0).fit(X)"
    )
    page = Page(report.write(given, np.arange(40.0).reshape(20, 2) % 7, tmp_path))
    assert python_call(given) in page.text
    assert "Tables(" not in page.text and "Recipe(" not in page.text


def test_a_page_of_a_command_tells_the_command(tmp_path, undrawn):
    X = hostile_table()[["kind", "size"]]
    model = fitted(X)
    model.origin_ = Origin(arguments={
        "data": "/data/my people.csv", "n_latent": 2, "drop": ["id", "a note"], "stream": True, "map": False,
        "condition": None,
    })  # fmt: skip
    page = Page(report.write(model, X, tmp_path))
    assert "hourglass fit '/data/my people.csv' --n-latent 2 --drop id 'a note' --stream" in page.text
    assert "Embedder(" not in page.text
    assert "Variational autoencoder of my people.csv" in page.text


def test_a_command_without_data_is_a_call():
    assert command_line({"data": "digits"}) == "hourglass fit digits"


def test_recipes_and_likelihoods_are_said_in_words():
    assert recipe_in_words(fitted(PICTURES, recipe="vae kl=0.1")) == "variational autoencoder with kl=0.1"
    own = fitted(PICTURES, recipe=VAE.with_term(kl, weight=0.3))
    assert recipe_in_words(own) == "autoencoder of your own"
    assert loss_in_words(own.recipe_) == "reconstruction + 0.3 × KL from the prior"
    assert recipe_in_words(fitted(PICTURES, recipe=VAE)) == "variational autoencoder"
    noisy = fitted(PICTURES, recipe="denoising")
    assert loss_in_words(noisy.recipe_) == "reconstruction; the encoder sees corrupted examples (gaussian noise)"
    assert likelihood_in_words(own.model_.decode.likelihood, "column") == "Gaussian"
    mixed = fitted(hostile_table()).model_.decode.likelihood
    assert likelihood_in_words(mixed, "column") == "Gaussian (2 columns), Bernoulli (1 column), categorical (1 column)"


def test_generated_rows_are_measured_beside_real_ones_and_point_masses_are_counted_once(tmp_path, undrawn):
    generator = np.random.default_rng(0)
    spiked = np.where(generator.random(600) < 0.5, 0.0, generator.normal(size=600))
    X = np.stack([spiked, generator.normal(size=600)], 1)
    page = report.write(Embedder(1, hidden=(4,), max_epochs=2, random_state=0).fit(X), X, tmp_path).read_text()
    assert "Generated rows compared with real ones" in page and "two-sample AUC" in page
    assert "Gaussian (1 column), point masses (1 column)" in page
    few = report.write(Embedder(1, hidden=(4,), max_epochs=2, random_state=0).fit(X[:50]), X[:50], tmp_path).read_text()
    assert "Generated rows compared" not in few


def test_the_hardest_pictures_are_named_in_their_order(tmp_path, undrawn):
    X = PICTURES.copy()
    model = fitted(X)
    X[17], X[90] = np.random.default_rng(0).permuted(X[17]), 16 - X[90]
    names = [f"<b>{i}</b>.png" for i in range(len(X))]
    page = Page(report.write(model, X, tmp_path, names=names))
    errors = np.square(X - model.reconstruct(X)).mean((1, 2))
    listed = re.findall(r"<b>\d+</b>\.png", page.text)
    assert listed == [names[i] for i in np.argsort(-errors)[:8]]
    assert "<b>90</b>.png" in listed
    with pytest.raises(ValueError, match="names has 3 entries"):
        report.write(model, X, tmp_path, names=["a", "b", "c"])


def test_the_least_typical_rows_of_a_table_say_why(tmp_path, undrawn):
    rng = np.random.default_rng(0)
    size = rng.normal(size=300)
    X = pd.DataFrame({"size": size, "twice": 2 * size + 0.1 * rng.normal(size=300),
                      "kind": np.where(size > 0, "large", "small")})  # fmt: skip
    model = fitted(X, n_latent=1, max_epochs=60)
    X.loc[33, ["twice", "kind"]] = 9.0, "large"
    X.loc[33, "size"] = -1.0
    data = report_data(model, X)
    np.testing.assert_allclose(data.scores, model.score_samples(X), rtol=1e-5)
    panel = next(p for p in SECTIONS["reconstructions"](data).panels if p.title == "Least typical rows")
    first = panel.html[panel.html.index("<tbody>") :].split("</tr>")[0]
    assert "row 33" in first
    assert re.search("(size: -1|twice: 9|kind: large), expected", first)


def test_a_category_that_is_new_is_shown_and_a_reason(tmp_path, undrawn):
    X = pd.DataFrame({"kind": ["a", "b"] * 60, "size": np.r_[np.zeros(60), np.ones(60)], "still": 7.0})
    model = fitted(X)
    X.loc[[0, 55], "kind"] = HOSTILE
    X.loc[1, "still"] = 8.0
    with pytest.warns(UserWarning, match="not there at fit"):
        text = Page(report.write(model, X, tmp_path)).text
    assert text.count(f"kind: {HOSTILE} (new), expected") == 2
    assert "still: 8, expected 7" in text
    assert "row 55" in text


def test_the_list_of_columns_says_kinds_gaps_and_what_is_explained(tmp_path):
    X = hostile_table(200)
    X["still"] = 3.0
    model = fitted(X)
    panel = next(p for p in SECTIONS["reconstructions"](report_data(model, X)).panels if p.title == "Columns")
    rows = [re.sub("<[^>]+>", " ", row).split() for row in panel.html.split("<tr>")[2:]]
    listed = {row[0]: row[1:] for row in rows}
    gaps = f"{X['kind'].isna().mean():.0%}"
    assert listed["kind"][:3] == ["3", "categories", gaps]
    assert listed["yes"][:3] == ["two", "values", "none"]
    assert listed["size"][:2] == ["numeric", "none"]
    assert listed["still"] == ["constant", "none", "–"]


def test_an_unlabelled_map_is_coloured_by_the_column_it_separates(tmp_path):
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"noise": rng.normal(size=300), "kind": rng.choice(["a", "b", "c"], 300)})
    X["other"] = X["kind"].map({"a": 0.0, "b": 10.0, "c": 20.0}) + rng.normal(size=300)
    data = report_data(fitted(X, max_epochs=30), X)
    section = SECTIONS["map"](data)
    assert "Coloured by kind, the column that the map separates best." in section.panels[0].caption
    figure = section.panels[0].figure(report.sections.cells.plots.LIGHT)
    assert {"a", "b", "c"} <= {t.get_text() for t in figure.axes[0].texts}
    labelled = SECTIONS["map"](report_data(data.estimator, X, labels=X["noise"]))
    assert "Coloured by" not in labelled.panels[0].caption


def test_columns_colour_as_classes_or_numbers():
    X = hostile_table()
    columns = {column.name: column for column in Tables().infer(X).columns}
    kind = groups_of(columns["kind"], np.array([2.0, np.nan, 0.0]))
    assert (kind.names, kind.codes.tolist()) == ((HOSTILE, "d"), [1, -1, 0])
    assert groups_of(columns["yes"], np.array([1.0, 0.0])).names == ("false", "true")
    assert groups_of(columns["size"], np.array([1.5, np.nan])).numbers[0] == 1.5


def test_figures_without_a_pca_say_why(tmp_path, undrawn):
    X = pd.DataFrame({"a": ["x", "y", "z"] * 40, "b": ["u", "v", "w", "q"] * 30})
    assert "Not compared: PCA is for numbers" in Page(report.write(fitted(X), X, tmp_path)).text
    assert "Not compared: 9 components" in Page(report.write(fitted(IRIS.data, n_latent=9), IRIS.data, tmp_path)).text
    assert "PCA with 2 components keeps" in Page(report.write(fitted(PICTURES), PICTURES, tmp_path)).text


def test_data_of_a_reader_bring_their_names_labels_and_source(vae, tmp_path, undrawn):
    data = Data(PICTURES, LABELS, tuple(f"scan{i}.png" for i in range(200)), "images", source="/some/where/scans")
    text = Page(report.write(vae, data, tmp_path)).text
    assert "scan" in text and "Variational autoencoder of scans" in text and "are the 10 classes" in text


def test_labels_and_conditions_may_be_columns(tmp_path, undrawn):
    X = hostile_table()
    model = fitted(X, condition="yes")
    page = Page(report.write(model, X, tmp_path, condition="yes", labels="kind"))
    assert "Condition: yes" in page.text
    assert "are the 3 classes" in page.text
    assert "never saw" not in page.text  # kind is a column of the data that the model learned from
    assert report_data(model, X, "kind", "yes").originals.names == (HOSTILE, "kind", "size")


def test_examples_that_are_listed_share_no_cell(vae):
    """Of windows at every instant, the worst eight would be one."""
    apart = report_data(vae, PICTURES)
    vars(apart)["independent"] = np.array([5, 50, 90])
    assert set(apart.chosen(16)) == {5, 50, 90}
    scores = np.arange(200.0)
    assert apart.lowest(scores, 2).tolist() == [5, 50]


def test_every_section_of_an_estimator_is_known():
    for name in (*Embedder.sections, *Detector.sections):
        assert name in SECTIONS
