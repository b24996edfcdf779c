"""Warnings that point at the user's own line, whatever lies between it and here."""

import sys
import warnings

BETWEEN = ("hourglass", "sklearn")  # scikit-learn wraps the methods of estimators


def warn(message: str) -> None:
    """A UserWarning at the first line outside this package."""
    frame, level = sys._getframe(0), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in BETWEEN:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, UserWarning, stacklevel=level)
