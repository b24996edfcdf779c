"""The smallest code that is as good as the best, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

TOLERANCE = 0.05  # of what the best code saves: two trainings of one model differ by a few per cent
# two standard errors of the AUC of 2,000 rows of each kind where there is no difference: sqrt((m + n + 1) / 12 m n), by
# Mann and Whitney 1947, Annals of Mathematical Statistics 18
DETECTION_TOLERANCE = 0.02


@dataclass(frozen=True)
class SizeResult:
    """One recipe at one size: nats per held-out example, their standard error, means over seeds."""

    n_latent: int
    nats: float
    standard_error: float = 0.0
    active_units: float | None = None


def smallest_sufficient(points: Sequence[SizeResult], baseline: float) -> tuple[int, str]:
    """The smallest sufficient size of one recipe, and the reason in words.

    A size is sufficient if its nats are above the fewest of any size by no more than the tolerance: one standard error,
    or 5 % of the nats that the best size saves against `baseline`, nats without a code, whichever is more.

    Raises
    ------
    ValueError : for no points.

    Source: the one-standard-error rule of Breiman et al. 1984, Classification and Regression Trees, section 3.4.3; the
    5 % are ours.
    """
    points = sorted(points, key=lambda p: p.n_latent)
    if not points:
        raise ValueError("no size has a figure: nothing in the held-out data was known, or varied, at fit")
    best = min(points, key=lambda p: p.nats)
    if best.nats >= baseline:
        reason = f"no size needs fewer nats than predicting without a code ({best.nats:.1f} and {baseline:.1f})"
        return best.n_latent, f"{reason}: train for longer, or there is nothing to learn."
    tolerance = max(best.standard_error, TOLERANCE * (baseline - best.nats))
    chosen = next(p for p in points if p.nats <= best.nats + tolerance)
    smaller = "" if chosen is points[0] else f"; every smaller size needs over {tolerance:.1f} more than the best"
    if len(points) == 1:
        reason = f"it is the only size tried ({best.nats:.1f} nats per example, {baseline:.1f} without a code)"
    elif chosen is best:
        nats = f"{best.nats:.1f} ({baseline:.1f} without a code)"
        reason = f"of all sizes it needs the fewest nats per example, {nats}{smaller}"
        if best is points[-1]:
            reason += f". Nats still fall at {best.n_latent}, the largest size tried: larger ones may be better"
    else:
        reason = (
            f"its {chosen.nats:.1f} nats per example ({baseline:.1f} without a code) are within {tolerance:.1f} of the "
            f"fewest, {best.nats:.1f} at {best.n_latent}{smaller}"
        )
    if chosen.active_units is not None and chosen.active_units < chosen.n_latent - 0.5:
        reason += f". {chosen.active_units:.0f} of its {chosen.n_latent} dimensions are active"
    return chosen.n_latent, f"{reason}."


def smallest_by_detection(points: Sequence[tuple[int, float]]) -> tuple[int, str]:
    """The smallest size whose two-sample AUC is within 0.02 of the best, and the reason in words.

    Parameters
    ----------
    points : (size of the code, two-sample AUC) of one recipe.

    Raises
    ------
    ValueError : for no points with a figure.
    """
    known = sorted(points)
    if not known:
        raise ValueError("no size has a two-sample AUC: there are too few rows; use task='reconstruct'")
    best = min(auc for _, auc in known)
    size, auc = next(point for point in known if point[1] <= best + DETECTION_TOLERANCE)
    lowest = "the lowest of all sizes" if auc == best else f"within {DETECTION_TOLERANCE} of the lowest, {best:.3f}"
    which = "the only size tried" if len(known) == 1 else lowest
    return size, f"a random forest tells its rows from real ones with an AUC of {auc:.3f}, {which} (0.5 is chance)."
