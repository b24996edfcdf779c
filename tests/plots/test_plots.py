"""What the figures promise: readable without colour, nothing global, every kind of data and label."""

import io
import math
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from sklearn.datasets import load_digits, load_iris

from hourglass import Embedder, plots
from hourglass.exploration import DimensionUse, LatentMap, manifold, traversal
from hourglass.modalities import Images, Tables
from hourglass.plots.labels import MAX_COLOURS
from hourglass.plots.scheme import MARKERS

HISTORY = [
    {"epoch": i + 1, "train": {"reconstruction": 9.0 / (i + 1), "kl": 0.1 * i}, "held_out": {"kl": 0.1 * i}}
    for i in range(30)
]


def drawn(figure: Figure) -> int:
    file = io.BytesIO()
    figure.savefig(file, format="svg")
    return len(file.getvalue())


def texts(figure: Figure) -> str:
    return " ".join(t.get_text() for t in figure.findobj(lambda a: hasattr(a, "get_text")))


def a_map(n: int, method: str = "pca", axes: tuple[str, str] = ("first", "second")) -> LatentMap:
    return LatentMap(np.random.default_rng(0).normal(size=(n, 2)), np.arange(n), method, axes)


def table_of(n: int = 120) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    size = rng.normal(size=n)
    frame = pd.DataFrame({
        "length": 10 + size,
        "kind": np.where(size > 0.3, "large", np.where(size < -0.3, "small", "middling")).astype(object),
        "ill": (rng.random(n) < 0.3).astype(float),
        "width": 2 * size + rng.normal(size=n),
        "still": 4.0,
    })  # fmt: skip
    frame.loc[::7, "kind"] = None
    frame.loc[::5, "width"] = np.nan
    return frame


@pytest.fixture(scope="module")
def table() -> tuple[Embedder, pd.DataFrame]:
    X = table_of()
    return Embedder(n_latent=2, max_epochs=3, random_state=0, n_threads=1).fit(X), X


@pytest.fixture(scope="module")
def pictures() -> tuple[Embedder, np.ndarray]:
    X = load_digits().images[:100]
    return Embedder(n_latent=2, max_epochs=1, random_state=0, n_threads=1).fit(X), X


def test_importing_plots_leaves_pyplot_and_settings_alone():
    # rcParams.copy, because reading the backend out of them imports pyplot
    code = (
        "import matplotlib, sys; before = matplotlib.rcParams.copy(); import hourglass.plots, hourglass.report;"
        "assert 'matplotlib.pyplot' not in sys.modules; assert before == matplotlib.rcParams.copy()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_losses_tell_training_from_held_out_without_colour():
    figure = plots.loss_curves(HISTORY, best_epoch=20)
    assert len(figure.axes) == 2  # a panel a term
    train, held_out = figure.axes[1].lines[:2]
    assert train.get_linestyle() != held_out.get_linestyle()
    assert train.get_marker() != held_out.get_marker()
    np.testing.assert_array_equal(train.get_ydata(), [h["train"]["kl"] for h in HISTORY])
    assert "20" in figure.axes[-1].get_xlabel()
    assert drawn(figure)


def test_losses_of_one_epoch_and_of_none():
    assert drawn(plots.loss_curves(HISTORY[:1]))
    with pytest.raises(ValueError, match="history is empty"):
        plots.loss_curves([])


@pytest.mark.parametrize("n", [1, 2, 12, 40, 120])
@pytest.mark.parametrize("unit", ["nats", "deviation"])
def test_bars_go_from_the_most_informative_dimension_down(n, unit):
    values = np.random.default_rng(0).random(n)
    figure = plots.dimension_bars(DimensionUse(values, unit, values > 0.5))
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    np.testing.assert_allclose(heights, np.sort(values)[::-1])
    hollow = [to_rgb(bar.get_facecolor()) != to_rgb(plots.LIGHT.colours[0]) for bar in figure.axes[0].patches]
    assert sum(hollow) == (values <= 0.5).sum()
    assert drawn(figure)


@pytest.mark.parametrize(
    "labels, names, numeric",
    [
        ([1, 0, 1], ("0", "1"), False),
        (["b", None, "a"], ("a", "b"), False),
        ([True, False, True], ("False", "True"), False),
        ([1.0, math.nan, 2.0], ("1", "2"), False),
        (np.linspace(0, 1, 5), (), True),
        (np.arange(200), (), True),
        (pd.Series(["x", "y"]), ("x", "y"), False),
        (np.array([[1], [2]]), ("1", "2"), False),
    ],
)
def test_labels_are_classes_or_numbers(labels, names, numeric):
    found = plots.group(labels)
    assert found.names == names
    assert (found.numbers is not None) == numeric


def test_an_example_without_a_label_is_in_no_class():
    np.testing.assert_array_equal(plots.group(["b", None, "a"]).codes, [1, -1, 0])
    np.testing.assert_array_equal(plots.group([2.0, math.nan]).codes, [0, -1])


def test_labels_of_two_columns_are_refused():
    with pytest.raises(ValueError, match="one for each example"):
        plots.group(np.zeros((4, 2)))


@pytest.mark.parametrize("n_classes", [1, 2, 12])
def test_classes_bear_their_names_and_shapes(n_classes):
    n = 20 * n_classes
    labels = plots.group(np.arange(n) % n_classes)
    figure = plots.latent_scatter(a_map(n), labels)
    axes = figure.axes[0]
    assert {a.get_text() for a in axes.texts} >= set(labels.names)
    assert bool(figure.legends) == (1 < n_classes <= MAX_COLOURS)
    assert drawn(figure)


@pytest.mark.parametrize("n_classes", [13, 30])
def test_the_names_of_many_classes_do_not_lie_on_each_other(n_classes):
    n = 20 * n_classes
    labels = plots.group(np.arange(n) % n_classes)
    figure = plots.latent_scatter(a_map(n), labels)
    named = [a for a in figure.axes[0].texts if a.get_text() in labels.names]
    assert len(named) > n_classes / 3
    assert not figure.legends
    assert drawn(figure)
    boxes = [a.get_window_extent().padded(-2) for a in named]
    assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])


def test_no_two_classes_share_colour_and_marker():
    looks = [(plots.LIGHT.colours[i % len(plots.LIGHT.colours)], MARKERS[i]) for i in range(MAX_COLOURS)]
    assert len(set(looks)) == MAX_COLOURS


def test_numbers_get_a_scale_and_unlabelled_points_stay():
    figure = plots.latent_scatter(a_map(50), plots.group(np.where(np.arange(50) < 5, np.nan, np.linspace(0, 1, 50))))
    assert len(figure.axes) == 2
    assert sum(len(c.get_offsets()) for c in figure.axes[0].collections) == 50
    assert drawn(figure)


@pytest.mark.parametrize("labels", [None, np.arange(60) % 3, np.linspace(0, 1, 60)])
def test_a_map_of_one_dimension(labels):
    figure = plots.latent_scatter(
        a_map(60, "code", ("dimension 0", "")), None if labels is None else plots.group(labels), plots.DARK
    )
    assert drawn(figure)


def test_a_map_of_some_rows_takes_their_labels():
    some = LatentMap(np.zeros((2, 2)), np.array([1, 3]), "tsne", ("", ""))
    figure = plots.latent_scatter(some, plots.group(["a", "b", "a", "b"]))
    assert {t.get_text() for t in figure.axes[0].texts} == {"b"}


@pytest.mark.parametrize("shape", [(9, 6, 6), (9, 1, 6, 5), (9, 3, 6, 6), (9, 6, 6, 4), (9, 2, 6, 6), (9, 300, 200)])
def test_pictures_of_any_shape_are_shown_from_black_to_white(shape):
    X = np.random.default_rng(0).integers(3, 200, shape).astype(np.uint16)
    modality = Images().infer(X)
    shown = plots.pictures.to_rgb(modality, X)
    assert shown.shape[0] == 9
    assert shown.shape[3] == 3
    assert shown.min() >= 0
    assert shown.max() <= 1
    assert drawn(plots.pictures.samples(modality, [X], columns=4))


def test_a_mosaic_keeps_order_and_pixels():
    pictures = np.linspace(0, 1, 6)[:, None, None, None] * np.ones((6, 8, 8, 3))
    sheet = plots.pictures.mosaic(pictures, 3, 100)
    high, wide = sheet.shape[:2]
    seen = [sheet[high // 4 + r * high // 2, wide // 6 + c * wide // 3, 0] for r in range(2) for c in range(3)]
    np.testing.assert_allclose(seen, np.linspace(0, 1, 6), atol=1e-6)
    assert set(np.unique(sheet[..., 3])) == {0, 1}  # clear ground between pictures


@pytest.mark.parametrize("scheme", [plots.LIGHT, plots.DARK])
def test_figures_of_pictures(pictures, scheme):
    embedder, X = pictures
    modality = embedder.modality_
    walks = [traversal(embedder, d, steps=5) for d in range(2)]
    figures = [
        plots.pictures.reconstructions(modality, X[:11], embedder.reconstruct(X[:11]), scheme=scheme),
        plots.pictures.manifold(modality, manifold(embedder, 4), scheme=scheme),
        plots.pictures.traversals(modality, walks, ["one", "two"], scheme=scheme),
        plots.pictures.samples(modality, [X[:3], X[3:6]], ["zero", "one"], scheme=scheme),
    ]
    for figure in figures:
        assert drawn(figure)
    assert "original" in texts(figures[0])
    assert "two" in texts(figures[2])
    assert "zero" in texts(figures[3])


@pytest.mark.parametrize("scheme", [plots.LIGHT, plots.DARK])
def test_figures_of_a_mixed_table_with_missing_cells(table, scheme):
    embedder, X = table
    modality = embedder.modality_
    figures = [
        plots.tables.reconstructions(modality, X, embedder.reconstruct(X), scheme=scheme),
        plots.tables.manifold(modality, manifold(embedder, 9), scheme=scheme),
        plots.tables.traversals(modality, [traversal(embedder, d) for d in range(2)], ["one", "two"], scheme=scheme),
        plots.tables.samples(modality, X, embedder.sample(50, random_state=0), scheme=scheme),
    ]
    for figure in figures:
        assert drawn(figure)
    assert "length" in texts(figures[0])
    assert "still" not in texts(figures[0])  # a constant column cannot be wrong
    assert "two" in texts(figures[2])


def test_column_errors_are_zero_for_a_copy_and_one_for_the_best_guess():
    X = table_of()
    modality = Tables().infer(X)
    copy = plots.tables.column_errors(modality, X, X)
    np.testing.assert_allclose(copy.errors[:4], 0)
    assert np.isnan(copy.errors[4])
    guess = X.assign(
        length=X["length"].mean(), kind=X["kind"].mode()[0], ill=X["ill"].mean(), width=X["width"].mean()
    )  # fmt: skip
    np.testing.assert_allclose(plots.tables.column_errors(modality, X, guess).errors[:4], 1, rtol=1e-6)


def test_cells_are_written_in_the_words_of_their_column():
    X = table_of()
    modality = Tables().infer(X)
    numbers = plots.tables.to_numeric(modality, X)
    kind = modality.columns[1]
    assert plots.tables.format_cell(kind, numbers[1, 1]) == X["kind"][1]
    assert plots.tables.format_cell(kind, numbers[0, 1]) == "missing"
    assert plots.tables.format_cell(modality.columns[0], 1234.5) == "1,234"
    assert plots.tables.format_cell(modality.columns[0], 0.12345) == "0.123"


def test_a_table_of_many_columns_shows_some():
    X = np.random.default_rng(0).normal(size=(40, 60))
    modality = Tables().infer(X)
    figure = plots.tables.reconstructions(modality, X, X[::-1])
    assert len(figure.axes[0].patches) == plots.tables.MAX_BARS
    assert drawn(plots.tables.samples(modality, X, X))


def test_a_code_that_says_nothing_can_still_be_drawn():
    X = load_iris().data
    embedder = Embedder(n_latent=2, max_epochs=1, random_state=0, n_threads=1).fit(X)
    walk = traversal(embedder, 0)
    flat = type(walk)(0, walk.values, walk.codes, np.repeat(X[:1], len(walk.values), axis=0))
    assert drawn(plots.tables.traversals(embedder.modality_, [flat], ["flat"]))
    grid = manifold(embedder, 3)
    level = type(grid)(grid.x, grid.y, grid.codes, np.repeat(X[:1], 9, axis=0))
    assert drawn(plots.tables.manifold(embedder.modality_, level))
