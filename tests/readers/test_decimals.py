"""Numbers are written with as many decimals as their column has."""

import gzip
import math

import numpy as np
import pandas
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hourglass import Embedder, readers
from hourglass.modalities import Tables
from hourglass.readers.decimals import decimals_of

RNG = np.random.default_rng(0)
PRICES = RNG.normal(50, 20, 200).round(2)
SMALL = {"max_epochs": 1, "hidden": (4,), "random_state": 0, "n_threads": 1}


@pytest.mark.parametrize(
    ("numbers", "decimals"),
    [
        ([1.0, -20.0, 0.0], 0),
        (PRICES, 2),
        ([0.5, 0.25, 1e6], 2),
        ([1e-9, 0.5], 9),
        ([0.1234567891], None),
        (RNG.normal(size=2000), None),
        ([*np.zeros(5000), 0.125], 3),
        ([1.7e12 + 0.5], 1),
        ([1e300, 0.5], None),
    ],
)
def test_decimals_of_numbers(numbers, decimals):
    assert decimals_of(np.asarray(numbers, float)) == decimals


def test_decimals_survive_float32():
    assert decimals_of(PRICES.astype(np.float32).astype(float), single=True) == 2


def test_text_has_all_decimals_and_parquet_keeps_numbers(tmp_path):
    table = pa.table({"price": [18.599999, math.nan, -0.001], "n": [4.4, 5.6, 6.0], "town": ["a", "b", "c"]})
    decimals = {"price": 2, "n": 0}
    readers.write_chunks(tmp_path / "x.csv", [(table, None), (table[:1], None)], decimals=decimals)
    lines = (tmp_path / "x.csv").read_text().splitlines()
    assert lines == ['"price","n","town"', '18.60,4,"a"', ',6,"b"', '0.00,6,"c"', '18.60,4,"a"']
    small = pa.table({"six": [0.0, 1e-6], "seven": [0.0, 1e-7]})
    readers.write_chunks(tmp_path / "y.csv", [(small, None)], decimals={"six": 6, "seven": 7})
    assert (tmp_path / "y.csv").read_text().splitlines()[1:] == ["0.000000,0", "0.000001,1e-7"]
    readers.write_chunks(tmp_path / "x.tsv.gz", [(table, None)], decimals=decimals)
    assert gzip.decompress((tmp_path / "x.tsv.gz").read_bytes()).decode().splitlines()[1] == '18.60\t4\t"a"'
    readers.write_chunks(tmp_path / "x.parquet", [(table, None)], decimals=decimals)
    assert pq.read_table(tmp_path / "x.parquet")["price"].to_pylist()[0] == 18.6


def test_what_is_filled_in_or_drawn_has_the_decimals_of_its_column():
    table = pandas.DataFrame({"price": PRICES, "ratio": RNG.random(200), "qty": RNG.integers(1, 9, 200)})
    assert [c.decimals for c in Tables().infer(table).columns] == [2, None, 0]
    table.loc[::7, ["price", "ratio"]] = np.nan
    model = Embedder(1, **SMALL).fit(table)
    for found in (model.impute(table), model.sample(50, random_state=0), *model.impute(table, n_draws=2)):
        assert decimals_of(found["price"].to_numpy()) == 2
    assert decimals_of(model.reconstruct(table)["price"].to_numpy()) is None
