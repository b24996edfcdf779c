"""Everything that is compared is judged on the same rows, and nothing is fitted twice."""

import json
from html import escape

import numpy as np
import pytest
from matplotlib.figure import Figure
from sklearn.decomposition import PCA

from hourglass import Embedder
from hourglass.comparison import FILES, Comparison, compare
from hourglass.comparison.evaluation import Row
from hourglass.comparison.writing import write
from hourglass.diagnostics.synthesis import MEANINGS

QUICK = {"max_epochs": 2, "hidden": (8,)}


@pytest.fixture(scope="module")
def X() -> np.ndarray:
    generator = np.random.default_rng(0)
    z = generator.normal(size=(200, 2))
    return (z @ generator.normal(size=(2, 6)) + 0.1 * generator.normal(size=(200, 6))).astype(np.float32)


@pytest.fixture(scope="module")
def found(X):
    return compare(X, recipes=["ae", "vae"], n_latents=[1, 2], seeds=2, **QUICK)


def test_one_row_per_fit_and_one_for_the_baseline_and_for_pca_of_each_size(found) -> None:
    rows = [(row["recipe"], row["n_latent"], row["seed"]) for row in found.rows]
    fits = [(name, size, seed) for name in ("ae", "vae") for size in (1, 2) for seed in (0, 1)]
    assert rows == [("baseline", 0, 0), ("pca", 1, 0), ("pca", 2, 0), *fits]
    assert found.n_test == 40
    assert all((row["rate"] is not None) == (row["recipe"] == "vae") for row in found.rows)


def split(X):
    """Training and test rows as `compare` chooses them."""
    order = np.random.default_rng(0).permutation(len(X))
    n = round(0.2 * len(X))
    return X[order[n:]], X[order[:n]]


def test_pca_and_the_baseline_are_fitted_on_training_rows_and_judged_on_the_others(X, found) -> None:
    train, test = split(X)
    mean, scale = train.mean(0), train.std(0)
    train, test = (train - mean) / scale, (test - mean) / scale
    pca = PCA(2).fit(train)
    projected = pca.inverse_transform(pca.transform(test))
    error = np.square(test - projected).sum() / np.square(test - train.mean(0)).sum()
    row = next(r for r in found.rows if r["recipe"] == "pca" and r["n_latent"] == 2)
    assert row["unexplained_variance"] == row["unexplained"] == pytest.approx(error, rel=1e-3)
    nats = 0.5 * (np.square(test).sum(1) + X.shape[1] * np.log(2 * np.pi))  # the scaled columns have variance 1
    assert found.baseline == pytest.approx(nats.mean(), rel=1e-3)


def test_a_linear_autoencoder_comes_near_pca_and_two_numbers_are_recommended(X) -> None:
    found = compare(
        X, recipes=["ae"], n_latents=[1, 2, 3], hidden=(), max_epochs=150, learning_rate=0.01, batch_size=32
    )
    error = {(r["recipe"], r["n_latent"]): r["unexplained_variance"] for r in found.rows}
    assert error["ae", 2] == pytest.approx(error["pca", 2], rel=0.2)
    assert error["ae", 1] > 3 * error["ae", 2]
    nats = [p["nats"] for p in found.curve("ae")]
    assert found.baseline - nats[1] > 3 * (found.baseline - nats[0])


def test_a_variational_code_pays_for_its_size_and_two_numbers_are_recommended(X) -> None:
    found = compare(
        X, recipes=["vae"], n_latents=[1, 2, 4], hidden=(), max_epochs=40, learning_rate=0.01, batch_size=32
    )
    assert found.recommended == 2
    assert "Size 2 of vae: it" in found.reason


def test_the_standard_error_shrinks_with_the_rows() -> None:
    X = np.random.default_rng(0).normal(size=(4000, 3)).astype(np.float32)
    few, many = (compare(X[:n], recipes=["ae"], n_latents=[1], **QUICK).curve("ae")[0] for n in (250, 4000))
    assert few["uncertainty"] / many["uncertainty"] == pytest.approx(4, rel=0.5)


def test_seeds_are_part_of_the_uncertainty(found) -> None:
    for name in ("ae", "vae"):
        for point in found.curve(name):
            nats = [r["nats"] for r in found.rows if (r["recipe"], r["n_latent"]) == (name, point["n_latent"])]
            assert point["nats"] == pytest.approx(np.mean(nats))
            over_seeds = np.std(nats, ddof=1) / 2**0.5
            assert point["uncertainty"] == pytest.approx(max(point["standard_error"], over_seeds))


@pytest.fixture
def people_table():
    import pyarrow as pa

    generator = np.random.default_rng(0)
    age = generator.normal(40, 9, 60)
    age[::7] = np.nan
    return pa.table({"age": age, "height": generator.normal(170, 9, 60), "city": ["Rome", "Oslo", "Lima"] * 20})


def test_tables_with_missing_cells_and_texts_are_told_in_both_figures(people_table) -> None:
    found = compare(people_table, recipes=["vae"], **QUICK)
    (row,) = (row for row in found.rows if row["recipe"] == "vae")
    assert row["n_latent"] == 2
    assert row["unexplained"] == pytest.approx((2 * row["unexplained_variance"] + row["unexplained_categories"]) / 3)
    headings, lines = found.table()
    assert headings[:6] == ["recipe", "size", "variance", "categories", "nats", "±"]
    assert lines[0][:4] == ["baseline", "", "1.0000", "1.0000"]
    assert any(line.startswith("categories: wrong categorical cells") for line in found.legend())


def test_the_recipe_is_chosen_by_all_columns_and_not_by_the_numeric_ones() -> None:
    """The code of the first keeps the two numbers, that of the second the twelve categories."""
    point = dict.fromkeys(Row.__annotations__)
    point |= {"seed": 0, "standard_error": 0.1, "reconstruction": 1.0, "rate": None, "active_units": None, "epochs": 1}
    row = lambda recipe, size, variance, categories, nats: {  # noqa: E731
        **point, "recipe": recipe, "n_latent": size, "unexplained_variance": variance,
        "unexplained_categories": categories, "unexplained": (2 * variance + 12 * categories) / 14, "nats": nats,
        "seconds": 1.0, "ended": "max_epochs",
    }  # fmt: skip
    rows = (row("baseline", 0, 1.0, 1.0, 30.0), row("a", 4, 0.0, 1.0, 20.0), row("b", 4, 0.5, 0.1, 12.0))
    assert Comparison(rows, 100).recipe == "b"


def test_columns_without_figures_are_left_out_of_table_and_legend(found) -> None:
    headings, lines = found.table()
    assert "categories" not in headings and "variance" in headings
    assert all(len(line) == len(headings) for line in lines)
    assert {line.partition(":")[0] for line in found.legend()} == set(headings) - {"recipe", "size"}


def test_a_condition_that_knows_the_rows_leaves_little_to_explain() -> None:
    generator = np.random.default_rng(0)
    group = np.arange(400) % 4
    X = 3.0 * generator.normal(size=(4, 5))[group] + 0.1 * generator.normal(size=(400, 5))
    options = {"recipes": ["vae"], "n_latents": [1], "max_epochs": 20, "hidden": (16,), "batch_size": 32}
    options["learning_rate"] = 0.01
    without = compare(X, **options).curve("vae")[0]
    told = compare(X, condition=group, **options).curve("vae")[0]
    shuffled = compare(X, condition=generator.permutation(group), **options).curve("vae")[0]
    assert told["unexplained"] < 0.3 * without["unexplained"]
    assert told["unexplained"] < 0.3 * shuffled["unexplained"]
    assert told["nats"] < min(without["nats"], shuffled["nats"])


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
    titles = [axes.get_title(loc="left") for axes in figure.axes if axes.get_title(loc="left")]
    assert [title.split()[0] for title in titles] == ["Unexplained", "Nats", "Rate"]  # no categories


def test_the_legend_lies_outside_the_panels(found) -> None:
    figure = found.plot()
    figure.canvas.draw()
    (legend,) = figure.legends
    box = legend.get_window_extent()
    assert not any(axes.get_legend() for axes in figure.axes)
    assert not any(box.overlaps(axes.get_window_extent()) for axes in figure.axes)


def test_files(found, tmp_path) -> None:
    write(found, tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == set(FILES)
    about = json.loads((tmp_path / "compare.json").read_text())
    assert about["recommended"] == found.recommended
    page = (tmp_path / "compare.html").read_text()
    assert "http://" not in page.replace("http://www.w3.org", "") and "https://" not in page and "<script" not in page
    headings, lines = found.table()
    for text in (found.recipe, *headings, *lines[-1], *found.legend()):
        assert escape(text) in page
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


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda kept: kept.pop("rows"), r"rows: expected list\[Row\], got None"),
        (lambda kept: kept["rows"][0].pop("recipe"), r"rows\[0\]\.recipe is missing"),
        (lambda kept: kept["rows"][0].update(n_latent="2"), r"rows\[0\]\.n_latent: expected int"),
        (lambda kept: kept["rows"][1].update(nats=[]), r"rows\[1\]\.nats: expected float"),
        (lambda kept: kept.update(n_test=1.5), "n_test: expected int"),
    ],
)
def test_kept_results_that_are_corrupt_are_named(X, change, says, tmp_path) -> None:
    options = {"recipes": ["ae"], "n_latents": [1], "folder": tmp_path, **QUICK}
    compare(X, **options)
    path = tmp_path / "compare.json"
    kept = json.loads(path.read_text())
    change(kept)
    path.write_text(json.dumps(kept))
    with pytest.raises(ValueError, match=rf"compare\.json is corrupt.*{says}"):
        compare(X, resume=True, **options)


def test_generated_rows_are_compared_with_independent_columns(tmp_path) -> None:
    generator = np.random.default_rng(0)
    X = generator.normal(size=(500, 1)) + 0.2 * generator.normal(size=(500, 3))  # one number says most of it
    settings = {"recipes": ["ae"], "n_latents": [1, 2], "hidden": (8,), "max_epochs": 3, "batch_size": 32}
    found = compare(X, task="synthesise", folder=tmp_path, **settings)
    assert set(MEANINGS) <= set(found.rows[0])
    assert json.loads((tmp_path / "compare.json").read_text())["task"] == "synthesise"
    auc = {(row["recipe"], row["n_latent"]): row["detection"] for row in found.rows}
    assert max(auc["ae", 1], auc["ae", 2]) < auc["baseline", 0] - 0.1
    assert auc["pca", 2] is None
    assert (found.recipe, found.recommended) == ("ae", 1)
    assert f"{max(auc['ae', 1], 0.5):.3f}" in found.reason and f"{auc['baseline', 0]:.3f}" in found.reason
    headings, lines = found.table()
    assert headings[:3] == ["recipe", "size", "AUC"] and [line[0] for line in lines] == ["baseline", "ae", "ae"]
    assert len(found.legend()) == len(headings) - 2
    assert isinstance(found.plot(), Figure)
    assert compare(X, task="synthesise", folder=tmp_path, resume=True, **settings).rows == found.rows
    with pytest.raises(ValueError, match="other data, recipes or options"):
        compare(X, folder=tmp_path, resume=True, **settings)


def test_a_task_that_cannot_be(X) -> None:
    with pytest.raises(ValueError, match="task='draw' is unknown; choose 'reconstruct' or 'synthesise'"):
        compare(X, task="draw")
    pictures = np.arange(320, dtype=np.uint8).reshape(20, 4, 4)
    with pytest.raises(ValueError, match="task='synthesise' compares the columns of a table, and pictures have none"):
        compare(pictures, task="synthesise", modality="images")
