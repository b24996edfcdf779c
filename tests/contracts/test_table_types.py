"""What comes back from a model of a table is of the types, labels and values that went in."""

import warnings

import numpy as np
import pandas
import polars
import pyarrow
import pytest
import torch

from hourglass import Embedder, Tables, load, readers

N = 60
RNG = np.random.default_rng(0)
Z = RNG.normal(size=N)
HIGH = np.where(Z > 0, "high", "low")

PANDAS = pandas.DataFrame(
    {
        "int64": np.rint(10 * Z).astype(np.int64),
        "int8": np.rint(10 * Z).astype(np.int8),
        "uint16": np.rint(1000 + 10 * Z).astype(np.uint16),
        "one or two": np.where(Z > 0, 1, 2),
        "float64": Z,
        "float32": Z.astype(np.float32),
        "bool": Z > 0,
        "str": HIGH,
        "same": np.full(N, 7),
        "Int64": pandas.array(np.rint(10 * Z).astype(int), dtype="Int64"),
        "UInt8": pandas.array(np.where(Z > 0, 3, 4), dtype="UInt8"),
        "Float32": pandas.array(Z, dtype="Float32"),
        "boolean": pandas.array(Z > 0, dtype="boolean"),
        "string": pandas.array(HIGH, dtype="string"),
        "arrow int": pandas.array(np.rint(10 * Z).astype(int), dtype="int16[pyarrow]"),
        "arrow bool": pandas.array(Z > 0, dtype="bool[pyarrow]"),
        "arrow text": pandas.array(HIGH, dtype="string[pyarrow]"),
        "category": pandas.Categorical(HIGH, categories=["low", "none", "high"], ordered=True),
        "codes": pandas.Categorical(np.where(Z > 0, 30, 4)),
        "truths": pandas.Categorical(Z > 0),
        "objects": np.array([None if z > 1 else bool(z > 0) for z in Z], dtype=object),
    },
    index=[f"row {i}" for i in range(N)],
)
POLARS = polars.DataFrame(
    {
        "Int16": polars.Series(np.rint(10 * Z), dtype=polars.Int16),
        "UInt64": polars.Series(np.rint(1000 + 10 * Z), dtype=polars.UInt64),
        "Float32": polars.Series(Z, dtype=polars.Float32),
        "Boolean": polars.Series(Z > 0),
        "String": polars.Series(HIGH.tolist()),
        "Categorical": polars.Series(HIGH.tolist(), dtype=polars.Categorical),
        "Enum": polars.Series(HIGH.tolist(), dtype=polars.Enum(["low", "none", "high"])),
    }
)
ARROW = pyarrow.table(
    {
        "int32": pyarrow.array(np.rint(10 * Z).astype(np.int32)),
        "with holes": pyarrow.array([None if z > 1 else round(10 * z) for z in Z]),
        "float": pyarrow.array(Z.astype(np.float32)),
        "bool": pyarrow.array(Z > 0),
        "string": pyarrow.array(HIGH.tolist()),
        "large": pyarrow.array(HIGH.tolist(), pyarrow.large_string()),
        "dictionary": pyarrow.array(HIGH.tolist()).dictionary_encode(),
    }
)


def types_of(table):
    return table.schema.types if isinstance(table, pyarrow.Table) else list(table.dtypes)


def raw_near(modality, X):
    """Raw numbers that lie between those of the data, as a decoder puts them out."""
    raw = modality.examples(X).rows().double()
    deviation = torch.tensor([c.scale for c in modality.columns])
    return raw.nan_to_num(0.0) + 0.3 * deviation * torch.randn(raw.shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("X", [PANDAS, POLARS, ARROW], ids=["pandas", "polars", "arrow"])
def test_samples_have_the_types_at_fit(X):
    modality = Tables().infer(X)
    again = Tables.from_json(modality.to_json())
    sampled = again.restore(raw_near(modality, X), sampled=True)
    assert types_of(sampled) == types_of(X)


@pytest.mark.parametrize("X", [PANDAS, POLARS, ARROW], ids=["pandas", "polars", "arrow"])
def test_reconstructions_have_the_types_of_what_is_not_a_whole_number(X):
    modality = Tables().infer(X)
    back = modality.restore(raw_near(modality, X), like=X)
    for column, before, after in zip(modality.columns, types_of(X), types_of(back), strict=True):
        if column.type.is_whole and not column.constant:  # the expected value
            assert str(after).lower() in ("float64", "double"), column.name
        else:
            assert after == before, column.name


def test_the_levels_of_a_categorical_type_are_kept_with_their_order():
    modality = Tables().infer(PANDAS)
    sampled = modality.restore(raw_near(modality, PANDAS), sampled=True)
    assert sampled["category"].cat.categories.tolist() == ["low", "none", "high"] and sampled["category"].cat.ordered
    assert sampled["codes"].cat.categories.tolist() == [4, 30]
    assert set(sampled["truths"]) == {True, False}


@pytest.mark.parametrize("dtype", ["int64", "uint8", "int16", "float32", "float64", "float16", "bool"])
def test_arrays_keep_their_type(dtype):
    numbers = np.stack([np.rint(20 + 5 * Z), np.rint(20 - 5 * Z)], 1)
    X = (numbers > 20 if dtype == "bool" else numbers).astype(dtype)
    modality = Tables().infer(X)
    assert modality.restore(raw_near(modality, X), sampled=True).dtype == dtype
    wanted = "float64" if np.dtype(dtype).kind in "iu" else dtype
    assert modality.restore(raw_near(modality, X), like=X).dtype == wanted


@pytest.mark.parametrize("labels", [[0, 1], [10, 2], [1.5, 2.5], [("a", 1), ("a", 2)], ["x", 3]])
def test_labels_of_pandas_that_are_not_texts(labels):
    frame = pandas.DataFrame(np.stack([Z, -Z], 1), columns=labels)
    modality = Tables.from_json(Tables().infer(frame).to_json())
    raw = raw_near(modality, frame)
    assert modality.restore(raw, sampled=True).columns.tolist() == labels
    assert not (modality.restore(raw, like=frame) - frame).isna().any().any()


def test_a_model_of_one_container_used_with_another():
    modality = Tables().infer(pyarrow.Table.from_pandas(PANDAS, preserve_index=False))
    back = modality.restore(raw_near(modality, PANDAS), like=PANDAS)
    assert isinstance(back, pandas.DataFrame) and back.index.equals(PANDAS.index)
    assert back["category"].dtype == PANDAS["category"].dtype and back["bool"].dtype == bool
    assert isinstance(modality.restore(raw_near(modality, PANDAS)), pyarrow.Table)


def test_an_estimator_keeps_the_types(tmp_path):
    model = Embedder(2, max_epochs=2, hidden=(8,), random_state=0, n_threads=1).fit(PANDAS)
    model.save(tmp_path)
    for estimator in (model, load(tmp_path)):
        assert estimator.sample(5, random_state=0).dtypes.tolist() == PANDAS.dtypes.tolist()
        assert estimator.reconstruct(PANDAS)["bool"].dtype == bool
        assert estimator.inverse_transform(np.zeros((3, 2)))["category"].dtype == PANDAS["category"].dtype


def test_booleans_in_a_file_are_true_and_false(tmp_path):
    modality = Tables().infer(ARROW)
    readers.write(tmp_path / "sampled.csv", modality.restore(raw_near(modality, ARROW), sampled=True))
    cells = (tmp_path / "sampled.csv").read_text().splitlines()[1].split(",")
    assert cells[3] in ("true", "false")
    assert "." not in cells[0]


# ---- what is filled in is what the model takes -------------------------------------------------------------------

HOLED = {
    "pandas": PANDAS.mask(RNG.random(PANDAS.shape) < 0.2),
    "two values": pandas.DataFrame({"a": Z, "owner": RNG.choice([0.0, 1.0, np.nan], N)}),
    "halves": pandas.DataFrame({"a": Z, "owner": RNG.choice([0.5, 2.0, np.nan], N)}),
    "whole": pandas.DataFrame({"a": Z, "age": np.where(Z > 1, np.nan, np.rint(10 * Z))}),
    "array": np.stack([Z, np.where(Z > 0, np.nan, np.rint(10 * Z)), RNG.choice([0.0, 1.0, np.nan], N)], 1),
    "polars": POLARS.with_columns(polars.when(Z > 1).then(None).otherwise(polars.all()).name.keep()),
    "arrow": ARROW,
    "objects": np.array([[1.0, "a"], [2.5, "b"], [None, "c"], [4.0, None]] * 5, dtype=object),
}


@pytest.mark.parametrize("name", HOLED)
def test_what_is_filled_in_could_have_been_there(name):
    X = HOLED[name]
    modality = Tables().infer(X)
    raw = raw_near(modality, X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        full = modality.fill(X, modality.examples(X), raw)
        assert not modality.examples(full).rows().isnan().any()
    assert not Tables().infer(full).any_missing


def test_two_values_and_whole_numbers_in_floating_point():
    full = Tables().infer(HOLED["two values"]).fill(
        HOLED["two values"], None, torch.full((N, 2), 0.6, dtype=torch.float64))  # fmt: skip
    assert set(full["owner"]) == {0.0, 1.0} and full["owner"].dtype == np.float64
    whole = HOLED["whole"]
    full = Tables().infer(whole).fill(whole, None, torch.full((N, 2), 3.4, dtype=torch.float64))
    assert (full["age"][whole["age"].isna()] == 3).all()


def test_counts_are_filled_in_with_counts():
    X = np.stack([Z, np.where(Z > 1, np.nan, RNG.poisson(3, N))], 1)
    modality = Tables(counts=("x1",)).infer(X)
    modality.examples(modality.fill(X, None, torch.full((N, 2), 2.4, dtype=torch.float64)))


# ---- whole numbers that floats cannot hold -----------------------------------------------------------------------

LARGE = [2**53 + 1, 2**53, 2**53 + 3, 2**53 + 2]


@pytest.mark.parametrize("kind", [pandas.DataFrame, polars.DataFrame, pyarrow.table, "array"])
@pytest.mark.parametrize("holes", [False, True])
def test_large_whole_numbers_as_categories_are_exact(kind, holes):
    codes = LARGE * 5
    if kind == "array":
        X = np.array([codes, range(20)]).T
        modality = Tables(categories=("x0",)).infer(X)
    else:
        codes = [*codes[:-1], None] if holes else codes
        X = pandas.DataFrame({"code": pandas.array(codes, dtype="Int64"), "a": np.arange(20.0)}) if (
            kind is pandas.DataFrame) else kind({"code": codes, "a": np.arange(20.0)})  # fmt: skip
        modality = Tables(categories=("code",)).infer(X)
    modality = Tables.from_json(modality.to_json())
    assert modality.columns[0].categories == tuple(sorted(LARGE))
    sampled = modality.restore(modality.examples(X).rows(), sampled=True)
    column = sampled[:, 0] if kind == "array" else sampled["code"]
    values = [None if v is None or v is pandas.NA else int(v) for v in readers.containers.as_list(column)]
    assert values == codes


@pytest.mark.parametrize("dtype", ["int64", "uint64"])
@pytest.mark.parametrize("holes", [False, True])
def test_large_whole_numbers_keep_their_differences(dtype, holes):
    base = 2**62 if dtype == "int64" else 2**63 + 2**62
    values = [base + int(v) for v in np.rint(30 * Z)]
    if holes:
        values[3] = None
    X = pyarrow.table({"id": pyarrow.array(values, dtype), "a": Z})
    modality = Tables().infer(X)
    column = modality.columns[0]
    assert column.kind == "numeric" and column.scale == pytest.approx(np.rint(30 * Z).std(), rel=0.05)
    x = modality.scaling()(modality.examples(X).rows())[:, 0]
    assert float(x[~x.isnan()].std(correction=0)) == pytest.approx(1.0, abs=1e-4)
    back = modality.restore(modality.examples(X).rows(), sampled=True)
    assert back["id"].to_pylist() == values and str(back["id"].type) == dtype
