"""How a term's weight moves in training: progress in [0, 1] -> factor.

Progress is step / (max_epochs x steps per epoch). An objective turns the batch mean of a term into what is minimised;
most are weight x mean, a capacity is not.
"""

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor


class Schedule(Protocol):
    def __call__(self, progress: float) -> float: ...


class Objective(Protocol):
    """(batch mean, weight now, progress, state) -> the scalar to minimise; `state` is the term's own, checkpointed."""

    def __call__(self, mean: Tensor, weight: float, progress: float, state: dict[str, float]) -> Tensor: ...

    def judged(self, mean: float, weight: float) -> float:
        """What the term counts for when epochs are compared, given its held-out mean and its weight at the end of the
        schedule: the same yardstick at every epoch, whatever a controller has made of the weight by then."""


@dataclass(frozen=True)
class ConstantWeight:
    """A factor of 1 throughout."""

    def __call__(self, progress: float) -> float:
        return 1.0


@dataclass(frozen=True)
class WarmUp:
    """A linear rise from 0 to the whole weight over the first `fraction` of training.

    Source: Bowman et al. 2016, arXiv:1511.06349; Sonderby et al. 2016, arXiv:1602.02282.
    """

    fraction: float = 0.1

    def __call__(self, progress: float) -> float:
        return min(1.0, progress / self.fraction) if self.fraction > 0 else 1.0


@dataclass(frozen=True)
class Cyclical:
    """Cyclical annealing: `cycles` rises from 0 to the whole weight, each over the first `rise` of its cycle.

    Source: Fu et al. 2019, arXiv:1903.10145.
    """

    cycles: int = 4
    rise: float = 0.5

    def __call__(self, progress: float) -> float:
        if progress >= 1 or self.rise <= 0:
            return 1.0
        return min(1.0, (progress * self.cycles % 1) / self.rise)


@dataclass(frozen=True)
class Weighted:
    """weight x mean."""

    def __call__(self, mean: Tensor, weight: float, progress: float, state: dict[str, float]) -> Tensor:
        return mean if weight == 1 else weight * mean  # one operation less to differentiate, in every step

    def judged(self, mean: float, weight: float) -> float:
        return weight * mean


@dataclass(frozen=True)
class Capacity:
    """weight x |mean - C|, where C rises from 0 to `nats` over the first `fraction` of training.

    Source: Burgess et al. 2018, arXiv:1804.03599, equation 8.
    """

    nats: float = 25.0
    fraction: float = 0.5

    def __call__(self, mean: Tensor, weight: float, progress: float, state: dict[str, float]) -> Tensor:
        return weight * (mean - self.nats * WarmUp(self.fraction)(progress)).abs()

    def judged(self, mean: float, weight: float) -> float:
        return weight * abs(mean - self.nats)


SCHEDULES: dict[str, type[Schedule]] = {kind.__name__: kind for kind in (ConstantWeight, WarmUp, Cyclical)}
OBJECTIVES: dict[str, type[Objective]] = {kind.__name__: kind for kind in (Weighted, Capacity)}
