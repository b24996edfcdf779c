"""What the figures promise: readable without colour, nothing global, every kind of data and label."""

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
from hourglass.exploration import DimensionUse, LatentMap, Manifold, manifold, traversal
from hourglass.modalities import Tables
from hourglass.plots.labels import MAX_COLOURS
from hourglass.plots.scheme import MARKERS, WIDTH
from hourglass.views import Cells, Lines, Pictures, view_of

HISTORY = [
    {"epoch": i + 1, "train": {"reconstruction": 9.0 / (i + 1), "kl": 0.1 * i}, "held_out": {"kl": 0.1 * i}}
    for i in range(30)
]


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


def cells_of(X: pd.DataFrame | np.ndarray) -> Cells:
    return view_of(Tables().infer(X))(X)


def grid_of(side: int) -> Manifold:
    places = np.linspace(-2, 2, side)
    return Manifold(places, places, np.zeros((side * side, 2)), None)


PICTURES = Pictures(load_digits().images[:100, None], 0.0, 16.0)
WAVES = Lines(np.sin(np.linspace(0, 9, 40) * np.arange(1, 13)[:, None, None] / 3) * [[1.0], [20.0]], ("slow", "high"))


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


def test_losses_of_one_epoch_and_of_none():
    figure = plots.loss_curves(HISTORY[:1])
    assert figure.axes[0].lines[0].get_xydata().tolist() == [[1.0, 9.0]]
    with pytest.raises(ValueError, match="history is empty"):
        plots.loss_curves([])


@pytest.mark.parametrize("n", [1, 2, 12, 40, 120])
@pytest.mark.parametrize("unit", ["nats", "standard deviation"])
def test_bars_go_from_the_most_informative_dimension_down(n, unit):
    values = np.random.default_rng(0).random(n)
    figure = plots.dimension_bars(DimensionUse(values, unit, values > 0.5))
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    np.testing.assert_allclose(heights, np.sort(values)[::-1])
    hollow = [to_rgb(bar.get_facecolor()) != to_rgb(plots.LIGHT.colours[0]) for bar in figure.axes[0].patches]
    assert sum(hollow) == (values <= 0.5).sum()
    assert ("unused" in texts(figure)) == bool(sum(hollow))


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
    offsets = [c.get_offsets() for c in axes.collections if len(c.get_offsets())]
    assert sum(map(len, offsets)) == n  # every point once


@pytest.mark.parametrize("n_classes", [13, 30])
def test_the_names_of_many_classes_do_not_lie_on_each_other(n_classes):
    n = 20 * n_classes
    labels = plots.group(np.arange(n) % n_classes)
    figure = plots.latent_scatter(a_map(n), labels)
    named = [a for a in figure.axes[0].texts if a.get_text() in labels.names]
    assert len(named) > n_classes / 3
    assert not figure.legends
    figure.draw_without_rendering()
    boxes = [a.get_window_extent().padded(-2) for a in named]
    assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])


def test_no_two_classes_share_colour_and_marker():
    looks = [(plots.LIGHT.colours[i % len(plots.LIGHT.colours)], MARKERS[i]) for i in range(MAX_COLOURS)]
    assert len(set(looks)) == MAX_COLOURS


def test_numbers_get_a_scale_and_unlabelled_points_stay():
    figure = plots.latent_scatter(a_map(50), plots.group(np.where(np.arange(50) < 5, np.nan, np.linspace(0, 1, 50))))
    assert len(figure.axes) == 2
    assert sum(len(c.get_offsets()) for c in figure.axes[0].collections) == 50


def test_a_number_far_out_leaves_the_other_colours_apart():
    numbers = np.append(np.linspace(0, 1, 299), 1e6)
    figure = plots.latent_scatter(a_map(300), plots.group(numbers))
    dots = next(c for c in figure.axes[0].collections if c.get_array() is not None and len(c.get_array()))
    assert dots.norm.vmax < 2


@pytest.mark.parametrize("labels, n_rows", [(None, 0), (np.arange(60) % 3, 3), (np.linspace(0, 1, 60), 0)])
def test_a_map_of_one_dimension_has_a_row_per_class(labels, n_rows):
    latent = LatentMap(np.random.default_rng(0).random((60, 2)), np.arange(60), "code", ("dimension 0", ""))
    figure = plots.latent_scatter(latent, None if labels is None else plots.group(labels), plots.DARK)
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == [str(i) for i in range(n_rows)]
    assert figure.axes[0].get_xlabel() == "dimension 0"
    if n_rows:  # points of a class are on its row
        heights = [c.get_offsets()[:, 1] for c in figure.axes[0].collections if len(c.get_offsets()) == 20]
        assert [round(float(h.mean())) for h in heights] == [0, -1, -2]


def test_a_map_of_some_rows_takes_their_labels():
    some = LatentMap(np.zeros((2, 2)), np.array([1, 3]), "tsne", ("", ""))
    figure = plots.latent_scatter(some, plots.group(["a", "b", "a", "b"]))
    assert {t.get_text() for t in figure.axes[0].texts} == {"b"}


def test_a_mosaic_keeps_order_and_pixels():
    pictures = np.linspace(0, 1, 6)[:, None, None, None] * np.ones((6, 8, 8, 3))
    sheet = plots.pictures.mosaic(pictures, 3, 100)
    high, wide = sheet.shape[:2]
    seen = [sheet[high // 4 + r * high // 2, wide // 6 + c * wide // 3, 0] for r in range(2) for c in range(3)]
    np.testing.assert_allclose(seen, np.linspace(0, 1, 6), atol=1e-6)
    assert set(np.unique(sheet[..., 3])) == {0, 1}  # clear ground between pictures


def shown(figure: Figure) -> np.ndarray:
    """The pixels of the first sheet of pictures on a figure."""
    return figure.axes[0].images[0].get_array()


def test_large_pictures_are_thinned_to_what_can_be_shown():
    large = np.zeros((4, 300, 200, 3))
    large[:, :150] = 1
    sheet = plots.pictures.mosaic(large, 4, 100)
    assert sheet.shape[1] <= 2 * 100
    assert {round(float(v), 2) for v in np.unique(sheet[..., 0])} <= {0.0, 0.5, 1.0}


def test_originals_stand_above_their_reconstructions():
    black = Pictures(np.zeros((11, 1, 4, 4)), 0.0, 1.0)
    white = Pictures(np.ones((11, 1, 4, 4)), 0.0, 1.0)
    figure = plots.pictures.reconstructions(black, white)
    assert len(figure.axes) == 4  # two pairs of rows
    drawn = [axes.images[0].get_array() for axes in figure.axes]
    assert [float(sheet[..., :3].max()) for sheet in drawn] == [0.0, 1.0, 0.0, 1.0]
    assert texts(figure).split() == ["original", "reconstruction"] * 2


def test_the_plane_of_pictures_bears_the_codes_at_its_edges():
    grid = grid_of(4)
    figure = plots.pictures.manifold(grid, PICTURES[np.arange(16)])
    (axes,) = figure.axes
    assert [t.get_text() for t in axes.get_xticklabels()] == ["-2", "-0.67", "0.67", "2"]
    sheet = shown(figure)
    first = sheet[: sheet.shape[0] // 4, : sheet.shape[1] // 4, 0]
    assert set(np.unique(first.round(3))) == set(np.unique(PICTURES[np.array([0])].rgb.astype(np.float32).round(3)))


def test_traversals_and_sets_of_pictures_bear_their_names():
    sets = [PICTURES[np.arange(3)], PICTURES[np.arange(3, 6)]]
    assert texts(plots.pictures.traversals(sets, ["one", "two"])).split() == ["one", "two"]
    figure = plots.pictures.samples(sets, ["zero", "one"])
    assert (len(figure.axes), texts(figure).split()) == (2, ["zero", "one"])
    assert len(plots.pictures.samples(sets, ["", ""]).axes) == 1


def test_thumbnails_do_not_cover_each_other_and_are_those_of_their_places():
    latent = a_map(100)
    figure = plots.pictures.thumbnails(latent, PICTURES)
    drawn = figure.axes[0].images
    assert 20 < len(drawn) <= plots.pictures.THUMBNAILS
    boxes = np.array([image.get_extent() for image in drawn])  # left, right, bottom, top
    for i, box in enumerate(boxes):
        left, right, bottom, top = np.delete(boxes, i, axis=0).T
        assert ((left >= box[1]) | (right <= box[0]) | (bottom >= box[3]) | (top <= box[2])).all()
    low, extent = latent.points.min(axis=0), np.ptp(latent.points, axis=0)
    for image, box in zip(drawn, boxes, strict=True):
        centre = np.array([box[:2].mean(), box[2:].mean()])
        nearest = np.abs((latent.points - low) / extent - centre).sum(axis=1).argmin()
        np.testing.assert_allclose(image.get_array(), PICTURES[np.array([nearest])].rgb[0], atol=1e-6)


def test_bars_of_columns_are_their_errors_the_worst_first():
    X = table_of()
    originals, copy = cells_of(X), cells_of(X)
    copy.values[:, 0] = originals.values[:, 0] + X["length"].std(ddof=0) / 2  # a quarter of the variance is lost
    figure = plots.cells.reconstructions(originals, copy)
    names = [t.get_text() for t in figure.axes[0].get_yticklabels()]
    assert names[0] == "length" and "still" not in names  # a constant column cannot be wrong
    widths = [bar.get_width() for bar in figure.axes[0].patches]
    np.testing.assert_allclose(widths, [0.25, 0, 0, 0], atol=1e-9)


def test_column_errors_are_zero_for_a_copy_and_one_for_the_best_guess():
    X = table_of()
    cells = cells_of(X)
    copy = plots.cells.column_errors(cells, cells)
    np.testing.assert_allclose(copy.errors[:4], 0)
    assert np.isnan(copy.errors[4])
    guess = X.assign(
        length=X["length"].mean(), kind=X["kind"].mode()[0], ill=X["ill"].mean(), width=X["width"].mean()
    )  # fmt: skip
    modality = Tables().infer(X)
    found = plots.cells.column_errors(cells, view_of(modality)(guess))
    np.testing.assert_allclose(found.errors[:4], 1, rtol=1e-6)


def test_a_column_of_two_values_is_right_or_wrong():
    """A boolean comes back as the more probable value, a number as what lies between: both are measured alike."""
    X = pd.DataFrame({"ill": [True] * 10 + [False] * 30, "size": np.arange(40.0)})
    cells = cells_of(X)
    made = cells_of(X)
    made.values[:5, 0], made.values[5:, 0] = 0.4, 0.1
    made.values[8:10, 0] = 0.9
    np.testing.assert_allclose(plots.cells.column_errors(cells, made).errors[0], 8 / 10)


def test_a_table_of_many_columns_shows_some():
    cells = cells_of(np.random.default_rng(0).normal(size=(40, 60)))
    figure = plots.cells.reconstructions(cells, cells[np.arange(40)[::-1]])
    assert len(figure.axes[0].patches) == plots.cells.MAX_BARS
    assert sum(axes.axison for axes in plots.cells.samples(cells, cells).axes) == plots.cells.MAX_PANELS


def test_traversals_of_a_table_show_the_columns_that_change_most():
    X = table_of(9)
    walk = cells_of(X)[np.arange(9)]
    walk.values[:] = walk.values[:1]
    walk.values[:, 0] = np.linspace(8, 12, 9)  # length
    walk.values[:, 1] = [0, 0, 0, 1, 1, 1, 2, 2, 2]  # kind: large, middling, small
    figure = plots.cells.traversals([walk], ["dimension 5"])
    written = texts(figure).split()
    assert {"dimension", "length", "8", "12", "kind", "large", "small"} <= set(written)
    assert not {"ill", "width", "still"} & set(written)
    line = next(line for line in figure.axes[0].lines if len(line.get_xdata()) == 9)
    assert (np.diff(line.get_ydata()) > 0).all()


def test_a_code_that_says_nothing_is_drawn_as_one_flat_column():
    cells = cells_of(load_iris().data)
    flat = cells[np.zeros(9, dtype=int)]
    figure = plots.cells.traversals([flat], ["flat"])
    assert {"flat", "x0"} <= set(texts(figure).split())
    assert np.ptp(next(line for line in figure.axes[0].lines if len(line.get_xdata()) == 9).get_ydata()) == 0
    plane = plots.cells.manifold(grid_of(3), flat)
    assert [axes.get_title("left") for axes in plane.axes if axes.axison] == ["x0"]


def test_the_plane_of_a_table_names_areas_and_columns():
    X = table_of(9)
    cells = cells_of(X)
    cells.values[:] = cells.values[:1]
    cells.values[:, 1] = [0, 0, 0, 0, 0, 0, 2, 2, 2]  # large above, small in the row at the bottom
    figure = plots.cells.manifold(grid_of(3), cells)
    (axes,) = (axes for axes in figure.axes if axes.axison)
    assert axes.get_title("left") == "kind"
    places = {t.get_text(): t.get_position()[1] for t in axes.texts}
    assert places["small"] == -2 < places["large"]


def test_shares_of_real_and_generated_rows_are_bars_and_squares():
    X = pd.DataFrame({"kind": ["a"] * 30 + ["b"] * 10, "size": np.arange(40.0)})
    cells = cells_of(X)
    figure = plots.cells.samples(cells, cells[np.r_[0:10, 30:40]])
    size, axes = (a for a in figure.axes if a.axison)
    assert (size.get_title("left"), axes.get_title("left")) == ("size", "kind")
    real, generated = (patch.get_data() for patch in size.patches)  # whole numbers, two in every bin but the last
    np.testing.assert_allclose(real.values[:-1], 2 / 40)
    np.testing.assert_allclose(generated.values[[0, 5, 10, 15, 19]], [0.1, 0, 0, 0.1, 0.1])
    np.testing.assert_allclose([bar.get_width() for bar in axes.patches], [0.75, 0.25])
    np.testing.assert_allclose(axes.lines[0].get_xdata(), [0.5, 0.5])
    assert [t.get_text() for t in axes.get_yticklabels()] == ["a", "b"]


def test_reconstructions_of_lines_lie_over_their_originals():
    moved = Lines(WAVES.values * 0.5, WAVES.names)
    figure = plots.lines.reconstructions(WAVES[np.arange(3)], moved[np.arange(3)], names=["x", "y", "z"])
    panels = [axes for axes in figure.axes if axes.axison]
    assert [axes.get_title("left") for axes in panels] == ["x", "y", "z"]
    assert [t.get_text() for t in panels[0].get_yticklabels()] == ["slow", "high"]
    solid = [line for line in panels[1].lines if line.get_linestyle() == "-"]
    dashed = [line for line in panels[1].lines if line.get_linestyle() != "-"]
    assert len(solid) == len(dashed) == 2
    for c, (original, made) in enumerate(zip(solid, dashed, strict=True)):  # channels one below the other
        np.testing.assert_allclose(made.get_ydata() + c, 0.5 * (original.get_ydata() + c), atol=0.02)


def test_a_channel_of_many_and_one_that_is_missing_are_drawn():
    values = np.random.default_rng(0).normal(size=(2, 9, 20))
    values[:, 1] = np.nan
    figure = plots.lines.samples([Lines(values, tuple("abcdefghi"))])
    panels = [axes for axes in figure.axes if axes.axison]
    assert len(panels) == 2
    assert [t.get_text() for t in panels[0].get_yticklabels()] == list("abcd")
    assert np.isfinite(panels[0].lines[0].get_ydata()).all()


def test_the_plane_of_lines_has_one_at_every_place():
    figure = plots.lines.manifold(grid_of(3), WAVES[np.arange(9)])
    lines = figure.axes[0].lines
    assert len(lines) == 9
    assert [round(float(np.mean(line.get_xdata()))) for line in lines] == [0, 1, 2] * 3
    assert round(float(np.mean(lines[0].get_ydata()))) == 2  # from the top left


@pytest.fixture(scope="module")
def fitted() -> dict[str, Embedder]:
    options = {"n_latent": 2, "max_epochs": 1, "random_state": 0, "n_threads": 1}
    return {
        "pictures": Embedder(**options).fit(load_digits().images[:60]),
        "cells": Embedder(**options).fit(table_of()),
    }


@pytest.mark.parametrize("scheme", [plots.LIGHT, plots.DARK], ids=["light", "dark"])
@pytest.mark.parametrize("kind", ["pictures", "cells", "lines"])
def test_every_figure_is_a_picture_that_a_notebook_shows(kind, scheme, fitted):
    renderer = getattr(plots, kind)
    if kind == "lines":
        view, X, made = (lambda X: X), WAVES, WAVES
        walks, grid, places = [WAVES, WAVES], grid_of(3), WAVES[np.arange(9)]
    else:
        model = fitted[kind]
        view = view_of(model.modality_)
        X = load_digits().images[:11] if kind == "pictures" else table_of()
        made = model.reconstruct(X)
        walks = [view(traversal(model, d, steps=5).examples) for d in range(2)]
        grid = manifold(model, 5)
        places = view(grid.examples)
    figures = [
        renderer.reconstructions(view(X), view(made), scheme=scheme),
        renderer.manifold(grid, places, scheme=scheme),
        renderer.traversals(walks, ["one", "two"], scheme=scheme),
        renderer.samples(*([view(X), view(made)] if kind == "cells" else [[view(made)]]), scheme=scheme),
        plots.dimension_bars(DimensionUse(np.ones(2), "nats", np.ones(2, bool)), scheme),
        plots.loss_curves(HISTORY, 3, scheme),
        plots.latent_scatter(a_map(20), None, scheme),
    ]
    if kind == "pictures":
        figures.append(renderer.thumbnails(a_map(11), view(X), scheme=scheme))
    for figure in figures:
        png = figure._repr_png_()
        width = int.from_bytes(png[16:20], "big")
        assert png[:8] == b"\x89PNG\r\n\x1a\n" and width == 2 * WIDTH


def test_a_series_along_time_has_gaps_and_scores():
    original = WAVES.values[0].copy()
    original[:, 5:9] = np.nan
    figure = plots.lines.along_time(original, WAVES.values[1], np.arange(40.0), WAVES.names, first=100)
    assert len(figure.axes) == 3 and {"slow", "high", "nats"} <= set(texts(figure).split())
    assert figure.axes[0].lines[0].get_xdata()[0] == 100
