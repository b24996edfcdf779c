"""Recipes and code sizes side by side, PCA among them, all judged on the same held-out rows."""

from hourglass.comparison.comparing import RESULTS, compare
from hourglass.comparison.result import Comparison

__all__ = ["RESULTS", "Comparison", "compare"]
