"""Directions in the space of codes that stand for a concept: what makes a member of one class one of another."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hourglass.readers.containers import as_list


def concept(Z: ArrayLike, labels: Any, a: Any, b: Any) -> np.ndarray:
    """The direction from class a to class b: the mean code of b less that of a.

    Added to the code of a member of a, it leads to what that member would be as one of b.

    Parameters
    ----------
    Z : (N, L) codes, as `transform` gives them.
    labels : (N,) the class of every code.
    a, b : two of the classes.

    Returns
    -------
    (L,) float64

    Raises
    ------
    ValueError : for a class that no code has, and for labels that are not one per code.

    Source: Larsen, Sonderby, Larochelle, Winther 2016, arXiv:1512.09300, section 4.1 (visual attribute vectors).

    Examples
    --------
    >>> concept([[0.0, 1.0], [2.0, 1.0], [5.0, 3.0]], ["cat", "cat", "dog"], "cat", "dog")
    array([4., 2.])
    """
    codes, classes = np.asarray(Z, dtype=np.float64), as_list(labels)
    if codes.ndim != 2 or len(classes) != len(codes):
        raise ValueError(
            f"Z has shape {codes.shape} and labels {len(classes)} entries; give (N, L) codes and a label each"
        )
    means = []
    for name, wanted in (("a", a), ("b", b)):
        members = np.array([label == wanted for label in classes], dtype=bool)
        if not members.any():
            known = list(dict.fromkeys(label for label in classes if label == label))
            shown = [repr(label) if isinstance(label, str) else str(label) for label in known[:12]]
            listed = ", ".join(shown) + (", ..." if len(known) > 12 else "")
            raise ValueError(f"{name}={wanted!r} is the label of no code; the labels are {listed}")
        means.append(codes[members].mean(axis=0))
    return means[1] - means[0]
