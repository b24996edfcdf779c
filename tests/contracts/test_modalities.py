"""What every modality keeps, over all the package exports: raw data to tensors and back, and ends that fit."""

import json
import warnings
from math import prod

import numpy as np
import pandas
import polars
import pyarrow
import pytest
import torch
import torch.nn.functional as F

from hourglass import modalities
from hourglass.modalities import MODALITIES, Images, Music, Series, Tables, Text, TileMaps, modality_for
from hourglass.model import Decode
from hourglass.readers import read
from hourglass.readers.containers import canonical
from hourglass.readers.music import Piece, of_roll

N = 24
RNG = np.random.default_rng(0)
NUMBERS = RNG.normal(size=(N, 3)) * [1e-3, 1.0, 1e4] + [5.0, 0.0, -1e3]
HOLED = np.where(RNG.random((N, 3)) < 0.3, np.nan, NUMBERS)
WHEN = 1.7e9 + np.arange(N) * 0.5  # a time stamp: float32 cannot hold it beside its mean

MIXED = {
    "size": [None if k % 5 == 0 else 1.5 * k for k in range(N)],
    "year": [1990 + k for k in range(N)],
    "when": WHEN.tolist(),
    "flag": [k % 3 == 0 for k in range(N)],
    "maybe": [None if k % 4 == 0 else k % 3 == 0 for k in range(N)],
    "level": [2.0 if k % 2 else 7.0 for k in range(N)],
    "sex": ["f" if k % 2 else "m" for k in range(N)],
    "colour": [None if k == 3 else ("red", "green", "blue")[k % 3] for k in range(N)],
    "same": [4.0] * N,
    "single": ["only"] * N,
}
OBJECTS = np.array([[1.0, "a"], [2.5, "b"], [None, "c"], [4.0, None]] * 6, dtype=object)

TABLES = {
    "numpy float64": NUMBERS,
    "numpy float32": NUMBERS.astype(np.float32),
    "numpy holed": HOLED,
    "numpy integers": RNG.integers(-50, 50, (N, 4)),
    "numpy uint8": RNG.integers(0, 255, (N, 4)).astype(np.uint8),
    "numpy booleans": RNG.random((N, 3)) < 0.5,
    "numpy objects": OBJECTS,
    "numpy time stamps": np.stack([WHEN, NUMBERS[:, 0]], 1),
    "numpy Fortran order": np.asfortranarray(NUMBERS),
    "numpy read-only": np.broadcast_to(NUMBERS[:, :1], (N, 3)),
    "list": NUMBERS.tolist(),
    "torch float32": torch.from_numpy(NUMBERS).float(),
    "torch float64": torch.from_numpy(NUMBERS),
    "torch integers": torch.from_numpy(RNG.integers(-50, 50, (N, 4))),
    "pandas": pandas.DataFrame(MIXED),
    "pandas numbers": pandas.DataFrame(NUMBERS, columns=["a", "b", "c"]),
    "pandas nullable": pandas.DataFrame(MIXED).convert_dtypes(),
    "pandas categories": pandas.DataFrame({"a": pandas.Categorical(MIXED["colour"]), "b": MIXED["year"]}),
    "pandas category of numbers": pandas.DataFrame({"a": pandas.Categorical([3, 1, 2] * 8), "b": MIXED["year"]}),
    "pandas odd index": pandas.DataFrame(NUMBERS, index=np.arange(N)[::-1] * 3),
    "polars": polars.DataFrame(MIXED),
    "polars categories": polars.DataFrame({"a": polars.Series(MIXED["colour"], dtype=polars.Categorical)}),
    "polars integers": polars.DataFrame({"a": polars.Series(range(N), dtype=polars.Int16)}),
    "arrow": pyarrow.table(MIXED),
    "arrow dictionary": pyarrow.table({"a": pyarrow.array(MIXED["colour"]).dictionary_encode(), "b": MIXED["year"]}),
}


def levels(shape, dtype):
    values = RNG.random((N, *shape)) ** 2
    return (values * np.iinfo(dtype).max).astype(dtype) if np.dtype(dtype).kind == "u" else values.astype(dtype)


IMAGES = {f"{name} {dtype}": levels(shape, dtype)
          for name, shape in {"NHW": (6, 7), "NCHW": (3, 6, 7), "NHWC": (6, 7, 3), "one channel": (1, 6, 7)}.items()
          for dtype in ("uint8", "uint16", "float32", "float64")}  # fmt: skip
IMAGES |= {
    "torch uint8": torch.from_numpy(levels((6, 7), "uint8")),
    "torch float": torch.from_numpy(levels((3, 6, 7), "float32")),
    "booleans": levels((6, 7), "float32") > 0.5,
    "two-valued": (levels((6, 7), "float32") > 0.5) * np.uint8(255),
    "signed": levels((6, 7), "float32") - 3.0,
    "int16": levels((6, 7), "uint8").astype(np.int16) - 100,
    "read-only": np.broadcast_to(levels((1, 6, 7), "uint8"), (N, 1, 6, 7)),
    "a view": levels((12, 14), "uint8")[:, ::2, ::-2],
}

LINES = [f"{('open', 'close')[k % 2]} file, line {k % 3}: {('ok', 'it is late', 'é!')[k % 3]}" for k in range(N)]
TEXTS = {"lines": np.array(LINES, dtype=object), "an empty one": np.array(["", *LINES[1:]], dtype=object)}
PLACES = RNG.integers(0, 4, (N, 6, 7))
TILE_MAPS = {
    "texts": ["\n".join("".join(row) for row in grid) for grid in np.array(list("-X?E"))[PLACES].tolist()],
    "integers": PLACES.astype(np.int16) * 100 - 1,
    "uint8": PLACES.astype(np.uint8),
    "list": list(PLACES),
    "holed": np.where(RNG.random(PLACES.shape) < 0.2, np.nan, PLACES),
}
TILE_MAPS["short lines"] = [f"{text[:-3]}" for text in TILE_MAPS["texts"]]

WAVES = RNG.normal(size=(N, 12, 2)).cumsum(1) * [1.0, 1e4] + [0.0, 5e4]
SERIES = {
    "arrays": list(WAVES),
    "holed arrays": list(np.where(RNG.random(WAVES.shape) < 0.2, np.nan, WAVES)),
    "a stack": WAVES.astype(np.float32),
    "frames": [pandas.DataFrame({"a": w[:, 0], "on": w[:, 1] > 5e4, "kind": ["x", "y", "z"] * 4}) for w in WAVES],
}

SETS = [RNG.random((8, 128)) < 0.03 * (np.arange(128) % 90 > 50) for _ in range(N)]
MUSIC = {"sets": [of_roll(s, None, 1) for s in SETS], "notes": [of_roll(s, s, 1) for s in SETS]}

CASES = [(Tables(), name, X) for name, X in TABLES.items()]
CASES += [(Series(), name, X) for name, X in SERIES.items()]
CASES += [(Music(grid=1), name, X) for name, X in MUSIC.items()]
CASES += [(TileMaps(), name, X) for name, X in TILE_MAPS.items()]
CASES += [(Tables(discrete=True), "discrete", pandas.DataFrame({"k": [4, 7, 9, None] * 6, "x": NUMBERS[:, 0]}))]
CASES += [(Tables(categories=("x0",)), "categories", RNG.choice([0.5, 3.0, 7.0, 11.0], (N, 2)))]
CASES += [(Tables(counts=("x0",)), "counts", RNG.poisson(3.0, (N, 2)))]
CASES += [(Images(), name, X) for name, X in IMAGES.items()]
CASES += [(Images(binarise="dynamic"), f"dynamic {name}", IMAGES[name]) for name in ("NHW uint8", "NCHW float32")]
CASES += [(Text(unit=unit), f"{unit} {name}", X) for name, X in TEXTS.items() for unit in ("word", "character")]
cases = pytest.mark.parametrize(
    ("modality", "X"), [(m, X) for m, _, X in CASES], ids=[f"{m.name}-{name}" for m, name, _ in CASES]
)


def test_every_modality_is_tested_and_exported():
    assert {m.name for m, _, _ in CASES} == set(MODALITIES)
    assert {type(m) for m, _, _ in CASES} == set(MODALITIES.values())
    assert all(getattr(modalities, kind.__name__) is kind for kind in MODALITIES.values())


def cells_of(X):
    """{column: list of values, None for missing}, or an array of numbers."""
    if isinstance(X, pandas.DataFrame):
        return {str(n): [None if pandas.isna(v) else v for v in X[n].tolist()] for n in X.columns}
    if isinstance(X, list) and isinstance(X[0], Piece):
        return {"notes": [note for piece in X for note in sorted(piece.notes.tolist())]}
    if isinstance(X, list) and isinstance(X[0], pandas.DataFrame):
        return cells_of(pandas.concat(X))
    if isinstance(X, polars.DataFrame):
        return {n: [None if v != v else v for v in values] for n, values in X.to_dict(as_series=False).items()}
    if isinstance(X, pyarrow.Table):
        return {n: [None if v != v else v for v in values] for n, values in X.to_pydict().items()}
    array = np.asarray(X)
    if array.dtype.kind == "U":
        return {"maps": array.tolist()}
    if array.dtype == object:
        return {str(k): [None if v != v else v for v in column] for k, column in enumerate(array.T.tolist())}
    return array.astype(np.float64)


def assert_same_cells(one, other, scale):
    if isinstance(one, np.ndarray):
        np.testing.assert_allclose(other, one, rtol=1e-6, atol=1e-6 * scale)
        return
    assert list(one) == list(other)
    for name, values in one.items():
        for a, b in zip(values, other[name], strict=True):
            if a is None or isinstance(a, (str, list)):
                assert a == b, name
            else:
                assert float(b) == pytest.approx(float(a), rel=1e-6, abs=1e-6), name


@cases
def test_there_and_back_is_the_identity(modality, X):
    modality = modality.infer(X)
    raw = modality.examples(X).rows()
    assert raw.shape == (N, *modality.shape)
    scaling = modality.scaling()
    x = scaling(raw)
    assert x.dtype == torch.float32 and x.shape == raw.shape
    back = modality.restore(scaling.inverse(x))
    if modality.name == "tilemaps":  # lines of a text that were short are as short again
        back = modality.stitch(modality.examples(X), scaling.inverse(x), X)
    if isinstance(X, list) and (modality.name == "tilemaps" or isinstance(X[0], (pandas.DataFrame, Piece))):
        assert isinstance(back, list) and len(back) == N
    elif isinstance(X, (pandas.DataFrame, polars.DataFrame, pyarrow.Table)):
        assert type(back) is type(X)
    else:
        assert isinstance(back, np.ndarray)
        assert back.shape == np.shape(X)
    one = cells_of(X)
    scale = float(np.nanmax(np.abs(one))) if isinstance(one, np.ndarray) else 1.0
    assert_same_cells(one, cells_of(back), scale)


@cases
def test_numbers_in_model_space_have_mean_zero_and_deviation_one(modality, X):
    modality = modality.infer(X)
    x = modality.scaling()(modality.examples(X).rows())
    if modality.name == "images":
        if not modality._bernoulli:
            channels = x.movedim(1, 0).flatten(1)
            torch.testing.assert_close(channels.mean(1), torch.zeros(len(channels)), atol=1e-4, rtol=0)
            torch.testing.assert_close(channels.std(1, correction=0), torch.ones(len(channels)), atol=1e-4, rtol=0)
        else:
            assert float(x.min()) == 0.0 and float(x.max()) == 1.0
        return
    if modality.name == "series":
        for i, column in enumerate(modality.channels.columns):
            known = x[:, i][~x[:, i].isnan()]
            assert column.kind != "numeric" or float(known.std(correction=0)) == pytest.approx(1.0, abs=1e-3)
        return
    if modality.name == "music":
        assert set(x[x.isfinite()].tolist()) == {0.0, 1.0}
        return
    if modality.name == "tilemaps":
        assert set(x[x.isfinite()].tolist()) == set(range(len(modality.tiles)))
        return
    for i, column in enumerate(modality.columns):
        known = x[~x[:, i].isnan(), i]
        if column.kind == "numeric" and not column.constant:
            assert float(known.mean()) == pytest.approx(0.0, abs=1e-3)
            assert float(known.std(correction=0)) == pytest.approx(1.0, abs=1e-3)
        if column.kind == "binary":
            assert set(known.tolist()) == {0.0, 1.0}
        if column.kind == "category":
            assert set(known.tolist()) == set(range(len(column.categories)))


@cases
def test_a_modality_is_a_frozen_value_and_json(modality, X):
    learnt = modality.infer(X)
    assert learnt == modality.infer(X) and hash(learnt) == hash(modality.infer(X))
    written = json.loads(json.dumps(learnt.to_json(), allow_nan=False))
    again = type(learnt).from_json(written)
    assert again == learnt
    assert torch.equal(again.examples(X).rows().nan_to_num(), learnt.examples(X).rows().nan_to_num())
    with pytest.raises(AttributeError):
        learnt.shape = (3,)


@cases
@pytest.mark.parametrize("network", [None, "mlp", "conv"])
@pytest.mark.parametrize("hidden", [None, (), (7, 5)])
def test_the_ends_fit(modality, X, network, hidden):
    modality = modality.infer(X)
    if network not in (None, *modality.networks):
        with pytest.raises(ValueError, match=f"network='{network}' is not for {modality.name}; choose 'mlp'"):
            modality.encoder(hidden, network, "silu")
        return
    x = modality.scaling().training_view(modality.examples(X).rows())[:4]
    features = modality.encoder(hidden, network, "silu")(x)
    encoder = modality.encoder(hidden, network, "silu")
    assert features.shape == (4, encoder.n_features) and bool(features.isfinite().all())
    likelihood = modality.likelihood(None, "shared")
    assert likelihood.shape == modality.shape
    decoder = modality.decoder(3, likelihood.parameter_shape, hidden, network, "silu")
    log_prob = Decode(decoder, likelihood)(torch.randn(4, 3)).log_prob(x)
    assert log_prob.shape == (4,) and bool(log_prob.isfinite().all())


@cases
def test_what_noise_may_touch_and_what_hides(modality, X):
    modality = modality.infer(X)
    numeric = modality.noise_mask()
    assert numeric.shape == modality.shape and numeric.dtype == torch.bool
    if modality.name == "tables":
        assert numeric.tolist() == [c.kind == "numeric" and not c.constant for c in modality.columns]
        assert np.isnan(modality.mask_value)
    elif modality.name == "series":
        numbers = [column.kind == "numeric" for column in modality.channels.columns]
        assert np.isnan(modality.mask_value) and numeric.all(1).tolist() == numeric.any(1).tolist() == numbers
    elif modality.name in ("text", "tilemaps", "music"):
        assert np.isnan(modality.mask_value) and not numeric.any()
    else:
        assert modality.mask_value == 0.0 and int(numeric.sum()) == prod(modality.shape)


@pytest.mark.parametrize("X", TABLES.values(), ids=TABLES)
def test_a_table_filled_in_is_one_that_the_model_takes(X):
    modality, X = Tables().infer(X), canonical(X)
    raw = modality.examples(X).rows().double()
    between = raw.nan_to_num(0.0) + 0.3 * torch.randn(raw.shape, generator=torch.Generator().manual_seed(0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        full = modality.fill(X, modality.examples(X), between)
        assert not modality.examples(full).rows().isnan().any()
    one, other = cells_of(X), cells_of(full)
    if isinstance(one, dict):
        pairs = [(a, b) for name in one for a, b in zip(one[name], other[name], strict=True) if a is not None]
        assert all(a == b for a, b in pairs)
    else:
        known = ~np.isnan(one)
        np.testing.assert_array_equal(one[known], other[known])


def test_kinds_of_columns():
    columns = {c.name: c for c in Tables().infer(pandas.DataFrame(MIXED)).columns}
    assert {n: c.kind for n, c in columns.items()} == {
        "size": "numeric",
        "year": "numeric",
        "when": "numeric",
        "flag": "binary",
        "maybe": "binary",
        "level": "binary",
        "sex": "binary",
        "colour": "category",
        "same": "numeric",
        "single": "category",
    }
    assert {n for n, c in columns.items() if c.missing} == {"size", "maybe", "colour"}
    assert {n for n, c in columns.items() if c.constant} == {"same", "single"}
    assert columns["same"].scale == 1.0
    assert columns["size"].resolution == pytest.approx(1.5)
    assert columns["level"].categories == (2.0, 7.0)


def test_what_is_drawn_could_have_been_there():
    modality = Tables().infer(pandas.DataFrame({"age": [20, 35, 36, 90], "height": [1.5, 1.6, 1.7, 1.8]}))
    raw = torch.tensor([[-3.0, 1.61], [35.4, 9.0]])
    drawn = modality.restore(raw, sampled=True)
    np.testing.assert_allclose(drawn["age"], [20, 35])
    np.testing.assert_allclose(drawn["height"], [1.6, 1.8], rtol=1e-6)
    np.testing.assert_allclose(modality.restore(raw)["age"], [-3.0, 35.4], rtol=1e-6)


def test_the_containers_agree():
    """One table, whichever library holds it, is one tensor."""
    table = {n: v for n, v in MIXED.items() if n != "maybe"}  # pandas has no missing boolean of its own
    frames = [kind(table) for kind in (pandas.DataFrame, polars.DataFrame, pyarrow.table)]
    tensors = [Tables().infer(frame)._tensor(frame) for frame in frames]
    for tensor in tensors[1:]:
        torch.testing.assert_close(tensor, tensors[0], rtol=0, atol=0, equal_nan=True)


def test_a_table_in_chunks_is_learnt_as_a_whole():
    frame = pandas.DataFrame(MIXED)
    whole = Tables().infer(frame)
    chunks = Tables().infer(frame[k : k + 7] for k in range(0, N, 7))
    for one, other in zip(whole.columns, chunks.columns, strict=True):
        assert (one.name, one.kind, one.categories, one.missing, one.constant) == (
            other.name,
            other.kind,
            other.categories,
            other.missing,
            other.constant,
        )
        assert other.offset == pytest.approx(one.offset) and other.scale == pytest.approx(one.scale)


def test_the_modality_of_data():
    assert isinstance(modality_for(read(NUMBERS)), Tables)
    assert isinstance(modality_for(read(LINES)), Text)
    assert isinstance(modality_for(read(pandas.DataFrame(MIXED))), Tables)
    assert isinstance(modality_for(read(IMAGES["NHW uint8"])), Images)
    assert isinstance(modality_for(read(IMAGES["torch float"])), Images)
    assert isinstance(modality_for(read(IMAGES["NHW uint8"].tolist())), Images)


def test_variance_is_floored_at_the_resolution_of_the_column():
    X = np.round(RNG.normal(size=(200, 2)) * 4) / 2  # steps of a half
    modality = Tables().infer(X)
    likelihood = modality.likelihood("gaussian", "feature")
    likelihood.update_scale(torch.zeros(5, 2), torch.zeros(5, 2), 1.0)
    floor = torch.tensor([c.resolution / c.scale / 12**0.5 for c in modality.columns])
    assert [c.resolution for c in modality.columns] == [0.5, 0.5]
    torch.testing.assert_close((0.5 * likelihood.log_variance).exp().flatten(), floor)


@pytest.mark.parametrize("name", ["NHW uint8", "NHWC uint8", "signed"])
def test_grey_pictures_under_a_bernoulli_are_judged_by_the_cross_entropy_of_their_levels(name):
    modality = Images().infer(IMAGES[name])
    likelihood = modality.likelihood("bernoulli", "shared")
    scaling, raw = modality.scaling(likelihood), modality._tensor(IMAGES[name])
    x = scaling.training_view(raw)
    torch.testing.assert_close(x, (raw - modality.black).float() / (modality.white - modality.black))
    logits = torch.randn(x.shape)
    wanted = -F.binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1).sum(1)
    torch.testing.assert_close(likelihood(logits).log_prob(x), wanted, rtol=1e-4, atol=1e-3)


def test_levels_beyond_those_at_fit_are_no_likelier_than_black_and_white():
    modality = Images().infer(IMAGES["NHW uint8"])
    scaling = modality.scaling(modality.likelihood("bernoulli", "shared"))
    beyond = torch.tensor([modality.black - 9, modality.black, modality.white, modality.white + 9])
    assert scaling(beyond).tolist() == [0, 0, 1, 1]
    gaussian = Images().infer(IMAGES["two-valued"])
    assert gaussian.scaling(gaussian.likelihood("gaussian", "shared"))(torch.tensor(510.0)) == 2


@pytest.mark.parametrize("value", [1, 255])
def test_the_resolution_of_two_valued_pictures_goes_by_their_own_levels(value):
    modality = Images().infer(IMAGES["two-valued"] // 255 * np.uint8(value))
    assert modality.likelihood("gaussian", "shared").floor == pytest.approx(1 / value / 12**0.5)


@pytest.mark.parametrize("name", ["NHW uint8", "NHW float32"])
def test_dynamic_binarisation_tosses_each_pixel_by_its_grey_level(name):
    modality = Images(binarise="dynamic").infer(IMAGES[name])
    scaling, raw = modality.scaling(), modality._tensor(IMAGES[name])
    torch.manual_seed(0)
    draws = torch.stack([scaling.training_view(raw) for _ in range(400)])
    assert set(draws.unique().tolist()) == {0.0, 1.0}
    p = scaling(raw)
    error = (draws.mean(0) - p) / (p * (1 - p) / 400).sqrt().clamp_min(1e-3)
    assert float(error.abs().max()) < 5.0
    assert float(error.square().mean()) == pytest.approx(1.0, abs=0.2)
    assert bool((draws[:, p == 0] == 0).all()) and bool((draws[:, p == 1] == 1).all())
