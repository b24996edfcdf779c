"""Recipes and code sizes side by side, with PCA and a baseline without a code, all on the same held-out data."""

from hourglass.comparison.comparing import RESULTS, compare
from hourglass.comparison.result import Comparison

__all__ = ["RESULTS", "Comparison", "compare"]
