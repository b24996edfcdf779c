"""A code size as small as possible without increasing the error, and why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

TOLERANCE = 0.05  # of the best error: two trainings of one model differ by a few per cent


@dataclass(frozen=True)
class SizeResult:
    """One recipe at one size: error and its standard error on held-out rows, means over seeds."""

    n_latent: int
    distortion: float
    standard_error: float
    active_units: float | None = None


def smallest_sufficient(points: Sequence[SizeResult]) -> tuple[int, str]:
    """The smallest size whose error is within one standard error of the best, or 5 % of it, and the reason in words.

    Source: the one-standard-error rule of Breiman et al. 1984, Classification and Regression Trees, section 3.4.3; the
    5 % are ours.
    """
    points = sorted((p for p in points if not math.isnan(p.distortion)), key=lambda p: p.n_latent)
    if not points:
        raise ValueError(
            "no error can be told of the held-out rows: nothing in them was known, or varied, when fitting"
        )
    best = min(points, key=lambda p: p.distortion)
    spread = 0.0 if math.isnan(best.standard_error) else best.standard_error
    slack = max(spread, TOLERANCE * best.distortion)
    chosen = next(p for p in points if p.distortion <= best.distortion + slack)
    within = "one standard error" if spread > TOLERANCE * best.distortion else f"{TOLERANCE:.0%}"
    if len(points) == 1:
        reason = "it is the only size tried"
    elif chosen is best:
        error = f"its held-out error {best.distortion:.3g} is the lowest"
        reason = error + (f", and every smaller size is worse by more than {within}" if best is not points[0] else "")
        if best is points[-1]:
            reason += f". The error still falls at {best.n_latent}, the largest size tried: larger ones may be better"
    else:
        reason = (
            f"its held-out error {chosen.distortion:.3g} is within {within} of the lowest, {best.distortion:.3g} at "
            f"{best.n_latent}" + ("" if chosen is points[0] else ", and every smaller size is worse by more")
        )
    if chosen.active_units is not None and chosen.active_units < chosen.n_latent - 0.5:
        reason += f". {chosen.active_units:.0f} of its {chosen.n_latent} dimensions are active"
    return chosen.n_latent, reason + "."
