"""A fitted estimator and its data -> one HTML page that needs nothing else."""

from hourglass.report.page import write
from hourglass.report.report_data import MAX_EXAMPLES

__all__ = ["MAX_EXAMPLES", "write"]
