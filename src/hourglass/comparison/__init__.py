"""Recipes and code sizes side by side, with PCA and a baseline without a code, all on the same held-out data."""

from hourglass.comparison.comparing import compare
from hourglass.comparison.result import Comparison
from hourglass.comparison.writing import FILES, RESULTS

__all__ = ["FILES", "RESULTS", "Comparison", "compare"]
