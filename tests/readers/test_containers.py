"""Rows of every container that data may come in."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch

from hourglass.readers.containers import take


@pytest.mark.parametrize("container", [
    np.asarray, torch.tensor, list, lambda v: pd.Series(v, index=list("abcd")), pl.Series,
    lambda v: pd.DataFrame({"a": v}), lambda v: pl.DataFrame({"a": v}), lambda v: pa.table({"a": v}),
])  # fmt: skip
def test_rows_are_taken_from_anything(container):
    taken = take(container([5, 6, 7, 8]), [2, 0, 2])
    taken = taken["a"] if hasattr(taken, "columns") or hasattr(taken, "column_names") else taken
    assert [int(v.as_py() if hasattr(v, "as_py") else v) for v in taken] == [7, 5, 7]
