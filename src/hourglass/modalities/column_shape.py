"""The shape of a numeric column's distribution: values that make up much of it, few levels, heavy tails.

A Gaussian about the decoder's output is wrong for a column of which most cells are 0, or which knows ten levels, and a
few cells of a heavy tail outweigh all others in a squared error. The rules, the same for a column in other units, and
for columns of at least `MIN_CELLS` known cells:

- *levels*: at most `MAX_LEVELS` distinct values in all, each of them in ten rows on average. Every level has a
  probability of its own, and nothing lies between.
- *spikes*: a value in at least a tenth of the rows, and not merely the top of a smooth distribution of whole numbers:
  it has three times the share of the values next to it. Such values have probabilities, all others a density.
- *heavy tails*: a kurtosis above 10 (a Gaussian has 3, an exponential distribution 9) of the values that are no spikes.
  The model sees asinh((x - median) / unit) instead, which is linear near the median and logarithmic far from it; unit
  is half the interquartile range.

Source of the transformation: Johnson 1949, doi:10.1093/biomet/36.1-2.149 (the family S_U).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SAMPLE = 8_192  # cells by which a column is judged
MIN_CELLS = 500  # of fewer cells a shape may be an accident
MAX_LEVELS = 20
CELLS_PER_LEVEL = 10
SPIKE, CELLS_IN_SPIKE, ABOVE_NEIGHBOURS = 0.1, 20, 3.0
HEAVY = 10.0  # kurtosis


@dataclass
class Sample:
    """Cells chosen at random, the same ones however the column is cut into chunks."""

    values: Floats = field(default_factory=lambda: np.empty(0))
    _priorities: Floats = field(default_factory=lambda: np.empty(0))
    _rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def add(self, numbers: Floats) -> None:
        """Numbers (N,), of which those with the least random priorities are kept."""
        priorities = self._rng.random(len(numbers))
        if len(self.values) == SAMPLE:
            chosen = priorities < self._priorities.max()
            numbers, priorities = numbers[chosen], priorities[chosen]
        values, ranks = np.concatenate([self.values, numbers]), np.concatenate([self._priorities, priorities])
        kept = np.argpartition(ranks, SAMPLE)[:SAMPLE] if len(values) > SAMPLE else slice(None)
        self.values, self._priorities = values[kept], ranks[kept]


@dataclass(frozen=True)
class Shape:
    """What a sample says of a numeric column, in its own units.

    Attributes
    ----------
    spikes : values with a probability of their own, ascending.
    discrete : whether there are no others.
    tail : (centre, unit) of asinh((x - centre) / unit); None where x is seen as it is.
    """

    spikes: tuple[float, ...] = ()
    discrete: bool = False
    tail: tuple[float, float] | None = None

    def flat(self, numbers: Floats) -> Floats:
        """Numbers as the model sees them but for their mean and scale."""
        if self.tail is None:
            return numbers
        centre, unit = self.tail
        return np.asarray(np.arcsinh((numbers - centre) / unit))


def shape_of(sample: Floats, n: int, distinct: Floats | None) -> Shape:
    """The shape of a column of n known cells.

    Parameters
    ----------
    sample : (M,) cells at random.
    distinct : all values that occur, ascending; None where there are many.
    """
    if n < MIN_CELLS:
        return Shape()
    if distinct is not None and len(distinct) <= MAX_LEVELS and n >= CELLS_PER_LEVEL * len(distinct):
        return Shape(tuple(distinct.tolist()), discrete=True)
    levels, counts = np.unique(sample, return_counts=True)
    beside = np.pad(counts, 1)
    common = counts >= np.maximum(CELLS_IN_SPIKE, SPIKE * len(sample))
    common &= counts >= ABOVE_NEIGHBOURS * np.maximum(beside[:-2], beside[2:])
    return Shape(tuple(levels[common].tolist()), tail=_tail(sample[~np.isin(sample, levels[common])]))


def _tail(values: Floats) -> tuple[float, float] | None:
    if not len(values):
        return None
    centre = float(np.median(values))
    for percent in (25, 10, 5, 1):
        low, high = np.percentile(values, [percent, 100 - percent])
        if high > low:
            break
    else:
        return None
    unit = float(high - low) / 2
    deviations = (values - values.mean()) / max(float(np.abs(values - values.mean()).max()), np.finfo(float).tiny)
    squares = np.square(deviations)
    heavy = np.square(squares).mean() > HEAVY * np.square(squares.mean())
    return (centre, unit) if heavy else None
