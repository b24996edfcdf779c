"""What is minimised: a recipe is a bottleneck, terms and corruptions, all of them values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, is_dataclass, replace
from typing import Any, Protocol

from torch import Tensor, nn

from hourglass.model import Encode, RoundTrip
from hourglass.schedules import ConstantWeight, Objective, Schedule, Weighted

Measure = Callable[..., Tensor]  # (RoundTrip, Encode, **options) -> (B,)


class Corruption(Protocol):
    """x (B, *S) -> what the encoder sees; noise may touch cells of `noise_mask` (*S), `mask_value` hides a cell."""

    def __call__(self, x: Tensor, noise_mask: Tensor, mask_value: float) -> Tensor: ...


@dataclass(frozen=True)
class Term:
    """One summand of the loss, in nats per sample, with its weight kept apart.

    `measure(trip, encode, **options)` returns (B,), summed over everything but the batch; only the training loop
    averages over the batch. What is minimised is `objective(batch mean, weight * schedule(progress))`.
    """

    measure: Measure
    weight: float = 1.0
    schedule: Schedule = field(default_factory=ConstantWeight)
    objective: Objective = field(default_factory=Weighted)
    options: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", self.measure.__name__)

    def __call__(self, trip: RoundTrip, encode: Encode) -> Tensor:
        """The term of every sample: (B,)."""
        return self.measure(trip, encode, **self.options)


def negative_log_likelihood(trip: RoundTrip, encode: Encode) -> Tensor:
    """-log p(x | z), (B,) in nats."""
    return -trip.output.log_prob(trip.x)


reconstruction = Term(negative_log_likelihood, name="reconstruction")


@dataclass(frozen=True)
class Recipe:
    """A kind of autoencoder, as a value.

    Parameters
    ----------
    bottleneck : class of nn.Module, built as `bottleneck(n_features, n_latent, **options)`; features -> posterior.
    options : of the bottleneck.
    terms : what is minimised.
    corruptions : what is done to x, one after the other, before the encoder sees it.

    Examples
    --------
    >>> from hourglass.variants import AE, Sampled, kl
    >>> AE.with_bottleneck(Sampled).with_term(kl, weight=4.0)
    Recipe(Sampled; reconstruction + 4 kl)
    """

    bottleneck: type[nn.Module]
    options: Mapping[str, Any] = field(default_factory=dict)
    terms: tuple[Term, ...] = (reconstruction,)
    corruptions: tuple[Corruption, ...] = ()

    def with_bottleneck(self, bottleneck: type[nn.Module], **options: Any) -> Recipe:
        """The same recipe around another bottleneck."""
        return replace(self, bottleneck=bottleneck, options=options)

    def with_term(
        self,
        term: Term,
        weight: float | None = None,
        *,
        schedule: Schedule | None = None,
        objective: Objective | None = None,
        **options: Any,
    ) -> Recipe:
        """The same recipe with one more term; a term of that name is replaced. What is None stays the term's own."""
        if not isinstance(term, Term):
            raise TypeError(f"term={term!r} must be a Term: for a function of one's own, Term(function, name='...')")
        term = replace(
            term,
            weight=term.weight if weight is None else weight,
            schedule=schedule or term.schedule,
            objective=objective or term.objective,
            options={**term.options, **options},
        )
        kept = tuple(t for t in self.terms if t.name != term.name)
        return replace(self, terms=(*kept, term))

    def with_corruption(self, *corruptions: Corruption) -> Recipe:
        """The same recipe that has to undo these corruptions, made in that order; with none it sees x itself."""
        for corruption in corruptions:
            if isinstance(corruption, type) or not is_dataclass(corruption):
                raise TypeError(
                    f"corruption {corruption!r} must be a value of a dataclass, such as GaussianNoise() or Masking(0.2)"
                )
        return replace(self, corruptions=corruptions)

    def corrupted(self, x: Tensor, noise_mask: Tensor, mask_value: float) -> Tensor:
        """What the encoder sees of x (B, *S)."""
        for corruption in self.corruptions:
            x = corruption(x, noise_mask, mask_value)
        return x

    def __repr__(self) -> str:
        terms = " + ".join(t.name if t.weight == 1 else f"{t.weight:g} {t.name}" for t in self.terms)
        seen = f"; sees {' then '.join(map(repr, self.corruptions))}" if self.corruptions else ""
        return f"Recipe({self.bottleneck.__name__}; {terms}{seen})"
