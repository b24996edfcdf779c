"""A fitted estimator and its data -> one HTML page that needs nothing else."""

from hourglass.report.page import write

__all__ = ["write"]
