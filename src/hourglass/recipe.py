"""What is minimised: a recipe is a bottleneck, a prior, terms and corruptions, all of them values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, is_dataclass, replace
from typing import Any, Protocol

from torch import Tensor, nn

from hourglass.model import Autoencoder, Batch, ModelSpace, RoundTrip, Sizes, mean_over_samples
from hourglass.schedules import ConstantWeight, Objective, Schedule, Weighted

Measure = Callable[..., Tensor]  # (RoundTrip, Autoencoder, **options) -> (B,)


class Corruption(Protocol):
    """x (B, *S) -> what the encoder sees of it."""

    def __call__(self, x: Tensor, space: ModelSpace) -> Tensor: ...

    def touches(self, space: ModelSpace) -> bool:
        """Whether it can change a cell of such data; `fit` warns where it cannot."""


@dataclass(frozen=True)
class Part:
    """A kind of module with its options: a bottleneck, a prior or a critic before its sizes are known."""

    kind: type[nn.Module]
    options: Mapping[str, Any] = field(default_factory=dict)

    def build(self, sizes: Sizes) -> nn.Module:
        """The module; its weights come from torch's global generator."""
        return self.kind(sizes, **self.options)


@dataclass(frozen=True)
class Term:
    """One summand of the loss, in nats per example, with its weight kept apart.

    What is minimised is `objective(batch mean, weight * schedule(progress))`.

    Parameters
    ----------
    measure : `measure(trip, model, **options)` returns (B,), summed over everything but the batch; only the training
        loop averages over the batch.
    weight, schedule, objective : see `schedules`.
    options : of the measure.
    name : of the term, unique in a recipe; the measure's own where it is empty.
    critic : a module that the term trains beside the model: `kind(sizes, **options)` with `loss(trip)` -> (B,). The
        measure then gets it as `critic=`.
    judged : False for a term that is shown but does not choose the best epoch: the value of one with a critic depends
        on how good the critic is by then.
    """

    measure: Measure
    weight: float = 1.0
    schedule: Schedule = field(default_factory=ConstantWeight)
    objective: Objective = field(default_factory=Weighted)
    options: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    critic: Part | None = None
    judged: bool = True

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", self.measure.__name__)
        if not callable(getattr(self.objective, "judged", None)):
            raise TypeError(
                f"objective {self.objective!r} needs a method judged(mean, weight) -> float: what the best epoch is "
                "chosen by, the same yardstick at every epoch"
            )

    def __call__(self, trip: RoundTrip, model: Autoencoder, critic: nn.Module | None = None) -> Tensor:
        """The term of every example, (B,).

        Raises
        ------
        ValueError : the measure returns anything but one number per example.
        """
        if self.critic is None:
            values = self.measure(trip, model, **self.options)
        elif critic is None:
            raise ValueError(f"the term {self.name!r} needs its critic: critics=recipe.build_critics(model.sizes)")
        else:
            values = self.measure(trip, model, critic=critic, **self.options)
        shape = getattr(values, "shape", None)
        if shape != trip.x.shape[:1]:
            returned = type(values).__name__ if shape is None else f"shape {tuple(shape)}"
            raise ValueError(
                f"the term {self.name!r} returns {returned} for a batch of {len(trip.x)}: it must return one number "
                f"per example, shape ({len(trip.x)},), summed over cells and averaged over samples of the code"
            )
        return values


def negative_log_likelihood(trip: RoundTrip, model: Autoencoder) -> Tensor:
    """-log p(x | z), (B,) in nats; with several samples of the code their mean."""
    return -mean_over_samples(trip.output.log_prob(trip.x))


reconstruction = Term(negative_log_likelihood, name="reconstruction")


@dataclass(frozen=True)
class Recipe:
    """A kind of autoencoder, as a value.

    Parameters
    ----------
    bottleneck : features (B, H) -> posterior.
    prior : `module(encode, condition)` -> `Prior`, or None.
    terms : what is minimised.
    corruptions : what is done to x, one after the other, before the encoder sees it.
    samples : K, codes drawn for every example in training.
    network : the kind of network that suits it, where the data have one of that name and the user does not choose.

    Examples
    --------
    >>> from hourglass.variants import AE, Sampled, Standard, kl
    >>> AE.with_bottleneck(Sampled).with_prior(Standard).with_term(kl, weight=4.0)
    Recipe(Sampled; prior Standard; reconstruction + 4 kl)
    """

    bottleneck: Part
    prior: Part | None = None
    terms: tuple[Term, ...] = (reconstruction,)
    corruptions: tuple[Corruption, ...] = ()
    samples: int = 1
    network: str | None = None

    def __post_init__(self) -> None:
        names = [term.name for term in self.terms]
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(
                f"two terms are called {twice[0]!r}, by which histories, checkpoints and saved models tell them apart: "
                "give one another name, Term(..., name=...)"
            )

    # ---- the sentence ----------------------------------------------------------------------------------------------

    def with_bottleneck(self, kind: type[nn.Module], **options: Any) -> Recipe:
        """The same recipe around another bottleneck."""
        return replace(self, bottleneck=Part(kind, options))

    def with_prior(self, kind: type[nn.Module] | None, **options: Any) -> Recipe:
        """The same recipe with another prior over codes; None takes it away."""
        return replace(self, prior=None if kind is None else Part(kind, options))

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
            raise TypeError(f"term={term!r} must be a Term: for a function of your own, Term(function, name='...')")
        term = replace(
            term,
            weight=term.weight if weight is None else weight,
            schedule=schedule or term.schedule,
            objective=objective or term.objective,
            options={**term.options, **options},
        )
        kept = tuple(t for t in self.terms if t.name != term.name)
        return replace(self, terms=(*kept, term))

    def without(self, *names: str) -> Recipe:
        """The same recipe without the terms of these names."""
        own = [term.name for term in self.terms]
        if unknown := [name for name in names if name not in own]:
            raise ValueError(f"{unknown[0]!r} is not a term of this recipe; its terms are {', '.join(own)}")
        return replace(self, terms=tuple(term for term in self.terms if term.name not in names))

    def with_corruption(self, *corruptions: Corruption) -> Recipe:
        """The same recipe that has to undo these corruptions, made in that order; with none it sees x itself."""
        for corruption in corruptions:
            if isinstance(corruption, type) or not is_dataclass(corruption):
                raise TypeError(
                    f"corruption {corruption!r} must be a value of a dataclass, such as GaussianNoise() or Masking(0.2)"
                )
            if not callable(getattr(corruption, "touches", None)):
                raise TypeError(
                    f"corruption {corruption!r} needs a method touches(space) that says whether it can change a cell"
                )
        return replace(self, corruptions=corruptions)

    def with_samples(self, samples: int) -> Recipe:
        """The same recipe that draws so many codes for every example in training."""
        if isinstance(samples, bool) or not isinstance(samples, int) or samples < 1:
            raise ValueError(f"samples={samples!r} must be a whole number of at least 1")
        return replace(self, samples=samples)

    def on(self, network: str | None) -> Recipe:
        """The same recipe with a wish for that kind of network."""
        return replace(self, network=network)

    # ---- a pass ----------------------------------------------------------------------------------------------------

    def trip(self, model: Autoencoder, batch: Batch, space: ModelSpace, *, adapt: float = 0.0) -> RoundTrip:
        """A batch in raw units -> one pass as in training: its training view, corrupted, with `samples` codes.

        `adapt` is the rate at which fitted variances and parts that adapt follow the batch; 0 leaves them alone.
        """
        x = model.scaling.training_view(batch.raw)  # type: ignore[operator]
        shown = x if batch.encoder_input is None else model.scaling.training_view(batch.encoder_input)  # type: ignore[operator]
        encoder_input = self.corrupted(shown, space)
        return model.round_trip(x, batch.condition, encoder_input, samples=self.samples, adapt=adapt)

    def corrupted(self, x: Tensor, space: ModelSpace) -> Tensor:
        """What the encoder sees of x (B, *S)."""
        for corruption in self.corruptions:
            x = corruption(x, space)
        return x

    def measure(
        self, trip: RoundTrip, model: Autoencoder, critics: Mapping[str, nn.Module] | None = None
    ) -> dict[str, Tensor]:
        """Every term of every example, unweighted: (B,) nats by name.

        `critics` holds the critic of each term that has one, by the term's name, as `build_critics` makes them.

        Raises
        ------
        ValueError : a term returns anything but one number per example.
        """
        return {term.name: term(trip, model, (critics or {}).get(term.name)) for term in self.terms}

    def build_critics(self, sizes: Sizes) -> dict[str, nn.Module]:
        """A fresh critic for every term that has one, by the term's name."""
        return {term.name: term.critic.build(sizes) for term in self.terms if term.critic is not None}

    def __repr__(self) -> str:
        terms = " + ".join(t.name if t.weight == 1 else f"{t.weight:g} {t.name}" for t in self.terms)
        prior = f"; prior {self.prior.kind.__name__}" if self.prior else ""
        samples = f"; {self.samples} samples" if self.samples != 1 else ""
        sees = f"; sees {' then '.join(map(repr, self.corruptions))}" if self.corruptions else ""
        network = f"; on {self.network}" if self.network else ""
        return f"Recipe({self.bottleneck.kind.__name__}{prior}; {terms}{samples}{sees}{network})"
