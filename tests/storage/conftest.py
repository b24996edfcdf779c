"""Saved models that several tests copy and change."""

import numpy as np
import pytest
from model_folders import GROUP, PICTURES, RNG, X, unfitted

from hourglass import Tables


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A model of a mixed table with a condition."""
    frame = {"a": np.where(np.arange(60) % 7 == 0, np.nan, X[:, 0]), "n": RNG.poisson(3.0, 60).astype(float)}
    frame = np.column_stack([*frame.values(), GROUP == 1])
    modality = Tables(counts=("x1",))
    folder = tmp_path_factory.mktemp("table")
    return unfitted(modality=modality).fit(frame, condition=GROUP).save(folder)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return unfitted(network="conv").fit(PICTURES).save(tmp_path_factory.mktemp("pictures"))
