"""Texts of times at several offsets from UTC: one clock for all of them, and one note that says which."""

import warnings

import numpy as np
import pandas as pd
import pytest

from hourglass.modalities import Tables

WHEN = [
    f"2024-{month:02d}-{day:02d} 10:00+0{1 + (4 <= month <= 9)}:00" for month in range(1, 13) for day in range(1, 9)
]
TABLE = pd.DataFrame({"when": WHEN, "v": np.random.default_rng(0).normal(size=len(WHEN))})


def test_times_of_several_offsets_are_the_same_moments_at_the_first_one() -> None:
    with pytest.warns(UserWarning, match=r"'when' holds times of several offsets from UTC.*at \+01:00") as said:
        table = Tables().infer(TABLE)
    assert len(said) == 1
    back = table.restore(table._tensor(TABLE))
    assert list(pd.to_datetime(back["when"], utc=True)) == list(pd.to_datetime(TABLE["when"], utc=True))
    assert all(text.endswith("+01:00") for text in back["when"])


def test_chunks_say_the_same_and_one_offset_says_nothing() -> None:
    with pytest.warns(UserWarning, match="several offsets"):  # each chunk has one
        Tables().infer(iter([TABLE[:24], TABLE[24:40]]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Tables().infer(TABLE[:24])
