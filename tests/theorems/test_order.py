"""The order of rows does not matter, nor columns and channels that never change: they move no figure of the others."""

import numpy as np
import pandas
import pyarrow
import pyarrow.parquet
import pytest
import torch

from hourglass import Embedder, ParquetStream, Tables
from hourglass.modalities import Images

RNG = np.random.default_rng(0)
N = 6_000
CLASS = np.arange(N) * 4 // N  # sorted
TABLE = 5.0 * RNG.normal(size=(4, 6))[CLASS] + RNG.normal(size=(N, 2)) @ RNG.normal(size=(2, 6))
MIXED = TABLE[RNG.permutation(N)]
SETTINGS = {"hidden": (16,), "max_epochs": 2, "batch_size": 128, "random_state": 0, "n_threads": 1}


def figures(X, **options):
    summary = Embedder(2, **SETTINGS, **options).fit(X).summary_
    return summary.unexplained_variance, summary.pca_unexplained_variance


def of_parquet(folder, rows):
    path = folder / "rows.parquet"
    table = pyarrow.table({f"c{j}": rows[:, j] for j in range(rows.shape[1])})
    pyarrow.parquet.write_table(table, path, row_group_size=500)
    return figures(ParquetStream(path))


def test_sorted_rows_are_judged_as_mixed_ones_are(tmp_path):
    expected = figures(MIXED, validation_fraction=0.0)
    assert figures(TABLE, validation_fraction=0.0) == pytest.approx(expected, rel=0.15)
    assert of_parquet(tmp_path, TABLE) == pytest.approx(of_parquet(tmp_path, MIXED), rel=0.15)


@pytest.mark.parametrize("likelihood", ["gaussian", "laplace"])
def test_constant_columns_do_not_move_the_others(likelihood):
    varying = MIXED[:600]
    plain, more = (
        Embedder(2, likelihood=likelihood, **SETTINGS | {"max_epochs": 100, "batch_size": 64}).fit(X)
        for X in (varying, np.hstack([varying, np.full((600, 40), 3.0)]))
    )
    assert more.summary_.kl == pytest.approx(plain.summary_.kl, rel=0.25)
    assert more.summary_.unexplained_variance == pytest.approx(plain.summary_.unexplained_variance, rel=0.25)


def test_constant_columns_make_no_room_for_a_larger_code():
    padded = np.hstack([TABLE[:500], np.ones((500, 40))])
    assert Embedder(**SETTINGS).fit(padded).n_latent_ == Embedder(**SETTINGS).fit(TABLE[:500]).n_latent_ <= 3


def test_a_constant_channel_sets_no_floor():
    colour = RNG.integers(0, 255, (30, 8, 8, 3)).astype(np.uint8)
    opaque = np.concatenate([colour, np.full((30, 8, 8, 1), 255, np.uint8)], axis=-1)
    one, other = (Images().infer(X).likelihood(None, "shared").floor for X in (colour, opaque))
    assert one == pytest.approx(other, rel=1e-6)
    assert one < 0.01


def test_a_fixed_variance_is_one_whatever_the_likelihood():
    modality = Tables().infer(TABLE)
    for name in ("gaussian", "laplace"):
        noise = modality.likelihood(name, 0.25)(torch.zeros(20_000, 6)).sample()
        assert float(noise.var()) == pytest.approx(0.25, rel=0.05)


def test_the_names_of_categories_do_not_matter():
    """Where no column is a number, an error is a cell that comes back as another."""
    code = RNG.integers(0, 6, 600)
    options = SETTINGS | {"recipe": "ae", "max_epochs": 30, "batch_size": 32, "learning_rate": 0.003}
    found = []
    for names in ("abcdef", "fdbeca"):
        table = pandas.DataFrame({"a": [names[i] for i in code], "b": np.where(code % 2, "y", "n"), "c": code > 3})
        summary = Embedder(2, **options).fit(table).summary_
        assert np.isnan(summary.pca_unexplained_variance) and summary.n_numeric == 0 and summary.n_categorical == 3
        found.append(summary)
    one, other = found
    assert one.unexplained_categories == pytest.approx(other.unexplained_categories, abs=0.05)
    assert max(one.unexplained_categories, other.unexplained_categories) < 0.1
    assert one.categorical_baseline == pytest.approx(other.categorical_baseline, rel=1e-5)


def test_the_advice_says_what_the_condition_told():
    fitted = Embedder(2, **SETTINGS).fit(MIXED[:200], condition=np.arange(200) % 3)
    assert fitted.advice_[0].startswith("With 2 latent dimensions and the condition, the model keeps")
