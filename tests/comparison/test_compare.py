"""Everything that is compared is judged on the same rows, and nothing is fitted twice."""

import json

import numpy as np
import pytest
from matplotlib.figure import Figure
from sklearn.decomposition import PCA

from hourglass import Embedder
from hourglass.comparison import compare

QUICK = {"max_epochs": 2, "hidden": (8,)}


@pytest.fixture(scope="module")
def X() -> np.ndarray:
    generator = np.random.default_rng(0)
    z = generator.normal(size=(200, 2))
    return (z @ generator.normal(size=(2, 6)) + 0.1 * generator.normal(size=(200, 6))).astype(np.float32)


@pytest.fixture(scope="module")
def found(X):
    return compare(X, recipes=["ae", "vae"], n_latents=[1, 2], seeds=2, **QUICK)


def test_one_row_a_fit_and_one_for_pca_of_each_size(found) -> None:
    told = [(row["recipe"], row["n_latent"], row["seed"]) for row in found.rows]
    fits = [(name, size, seed) for name in ("ae", "vae") for size in (1, 2) for seed in (0, 1)]
    assert told == [("pca", 1, 0), ("pca", 2, 0), *fits]
    assert found.n_judged == 40
    assert all((row["rate"] is not None) == (row["recipe"] == "vae") for row in found.rows)


def test_pca_is_fitted_on_the_rows_for_learning_and_judged_on_the_others(X, found) -> None:
    order = np.random.default_rng(0).permutation(len(X))
    judged, learning = X[order[:40]], X[order[40:]]
    mean, scale = learning.mean(0), learning.std(0)
    train, test = (learning - mean) / scale, (judged - mean) / scale
    pca = PCA(2).fit(train)
    made = pca.inverse_transform(pca.transform(test))
    error = np.square(test - made).sum() / np.square(test - train.mean(0)).sum()
    row = next(r for r in found.rows if r["recipe"] == "pca" and r["n_latent"] == 2)
    assert row["distortion"] == pytest.approx(error, rel=1e-3)


def test_a_linear_autoencoder_comes_near_pca_and_two_numbers_are_recommended(X) -> None:
    found = compare(
        X, recipes=["ae"], n_latents=[1, 2, 3], hidden=(), max_epochs=150, learning_rate=0.01, batch_size=32
    )
    error = {(r["recipe"], r["n_latent"]): r["distortion"] for r in found.rows}
    assert error["ae", 2] == pytest.approx(error["pca", 2], rel=0.2)
    assert error["ae", 1] > 3 * error["ae", 2]
    assert found.curve("ae")[1]["standard_error"] < 0.3 * error["ae", 2]


def test_the_standard_error_shrinks_with_the_rows() -> None:
    X = np.random.default_rng(0).normal(size=(4000, 3)).astype(np.float32)
    few, many = (compare(X[:n], recipes=["ae"], n_latents=[1], **QUICK).curve("ae")[0] for n in (250, 4000))
    assert few["standard_error"] / many["standard_error"] == pytest.approx(4, rel=0.5)


def test_tables_with_holes_and_texts(people_table) -> None:
    found = compare(people_table, recipes=["vae"], **QUICK)
    assert [row["n_latent"] for row in found.rows if row["recipe"] == "vae"] == [2]
    assert np.isfinite([row["distortion"] for row in found.rows]).all()


@pytest.fixture
def people_table():
    import pyarrow as pa

    generator = np.random.default_rng(0)
    age = generator.normal(40, 9, 60)
    age[::7] = np.nan
    return pa.table({"age": age, "height": generator.normal(170, 9, 60), "city": ["Rome", "Oslo", "Lima"] * 20})


def test_a_condition_is_told_to_all(X) -> None:
    found = compare(X, recipes=["vae"], n_latents=[1], condition=np.arange(len(X)) % 3, **QUICK)
    assert len(found.rows) == 2


def test_results_are_kept_after_each_fit_and_not_made_twice(X, tmp_path, monkeypatch) -> None:
    fits = []
    fit = Embedder.fit

    def stopping(self, *arguments, **options):
        if len(fits) == 2:
            raise KeyboardInterrupt
        fits.append((self.n_latent, self.random_state))
        return fit(self, *arguments, **options)

    monkeypatch.setattr(Embedder, "fit", stopping)
    options = {"recipes": ["ae"], "n_latents": [1, 2, 3], "folder": tmp_path, **QUICK}
    with pytest.raises(KeyboardInterrupt):
        compare(X, **options)
    kept = json.loads((tmp_path / "compare.json").read_text())["rows"]
    assert [row["n_latent"] for row in kept if row["recipe"] == "ae"] == [1, 2]

    fits.clear()
    resumed = compare(X, resume=True, **options)
    assert [size for size, _ in fits] == [3]
    monkeypatch.undo()
    whole = compare(X, **{**options, "folder": None})
    timeless = [[{**row, "seconds": None} for row in c.rows] for c in (resumed, whole)]
    assert timeless[0] == timeless[1]
    with pytest.raises(ValueError, match="other data"):
        compare(X + 1, resume=True, **options)


def test_plot_tells_lines_apart_without_colour(found) -> None:
    figure = found.plot()
    assert isinstance(figure, Figure)
    lines = [
        line for line in figure.axes[0].get_lines() if line.get_linestyle() != "None" and line.get_marker() != "None"
    ]
    assert len({(line.get_marker(), line.get_linestyle()) for line in lines}) == 3
    assert len(figure.axes) == 2


def test_files(found, tmp_path) -> None:
    found.write(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == set(found.files)
    about = json.loads((tmp_path / "compare.json").read_text())
    assert about["recommended"] == found.recommended
    assert len((tmp_path / "compare.csv").read_text().splitlines()) == 1 + len(found.rows)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"recipes": []}, "recipes is empty"),
        ({"recipes": ["vea"]}, "did you mean vae"),
        ({"n_latents": [0]}, "n_latents"),
        ({"seeds": 0}, "seeds=0"),
        ({"test_fraction": 1.0}, "test_fraction"),
        ({"resume": True}, "folder="),
    ],
)
def test_wrong_arguments_are_named(X, options: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        compare(X, **options)


def test_too_few_rows(X) -> None:
    with pytest.raises(ValueError, match="at least 10"):
        compare(X[:5])
