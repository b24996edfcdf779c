"""The training loop: a step, an evaluation, and everything needed to stop and resume."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from hourglass.model import Autoencoder, Batch, ModelSpace, RoundTrip
from hourglass.out_of_memory import is_out_of_memory
from hourglass.randomness import seeded
from hourglass.recipe import Recipe
from hourglass.training.machine import mixed_precision, rows_per_pass
from hourglass.training.rows import Rows, Source, steps_per_epoch
from hourglass.training.state import Critic, TrainingState

EMA_EVERY = 8  # steps, and at the end of an epoch; averaging at every step costs a twentieth of it
SECONDS_TO_FIRST_CHECKPOINT, SECONDS_BETWEEN_CHECKPOINTS = 2.0, 20.0
WILD = 0.01  # share of held-out rows that do not choose the epoch
CLIP = 4.0  # times the running mean of the gradient's norm
SCALE_EMA_RATE = 0.05  # rate at which a fitted variance follows the batches; the first ones count more

Watch = Callable[[TrainingState], None]


class DivergedError(FloatingPointError):
    """A loss or a gradient became NaN or infinite."""


def learning_rate(step: int, total: int, peak: float, warm_up: float) -> float:
    """Linear warm-up, then half a cosine to zero (Loshchilov and Hutter 2017, arXiv:1608.03983)."""
    rising = max(1.0, min(warm_up * total, 1000.0))
    return peak * min(1.0, (step + 1) / rising) * 0.5 * (1 + math.cos(math.pi * min(1.0, step / total)))


class Trainer:
    """One training run: model, recipe and examples, with its state.

    Parameters
    ----------
    model, recipe : what is trained, and what is minimised.
    rows : where batches come from.
    held_out : examples by which the best epoch and early stopping are chosen; None trains to the end on all examples.
    state : as new, or loaded from a checkpoint.
    space : what corruptions know of the data.
    checkpoint : file to write from time to time, or None.
    fingerprint : of the data and the model, kept in the checkpoint.
    watch : called after every epoch, and at most five times a second between.
    """

    def __init__(
        self,
        model: Autoencoder,
        recipe: Recipe,
        rows: Source,
        held_out: Rows | None,
        state: TrainingState,
        *,
        space: ModelSpace,
        checkpoint: Path | None = None,
        fingerprint: str = "",
        watch: Watch | None = None,
    ) -> None:
        self.model, self.recipe, self.rows, self.held_out, self.state = model, recipe, rows, held_out, state
        self.device = torch.device(state.settings.device)
        self.space = space.to(self.device)
        self.critics: dict[str, nn.Module] = {name: critic.module for name, critic in state.critics.items()}
        self.checkpoint, self.fingerprint, self.watch = checkpoint, fingerprint, watch
        self.steps = steps_per_epoch(len(rows), state.settings.batch_size)
        state.steps = self.steps
        self.total = state.settings.max_epochs * self.steps
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        self.ema_parameters = [p for p in state.averaged.parameters() if p.requires_grad]
        if not any(term.judged for term in recipe.terms):
            raise ValueError(f"{recipe!r} has no term that is judged, so that no epoch is the best: give it one")

    @torch.enable_grad()  # whatever the caller has switched off
    def run(self) -> None:
        """Trains until the end, an early stop or Ctrl-C, and leaves the best weights in the model.

        Raises
        ------
        DivergedError : a term or the gradient became NaN or infinite; the last checkpoint stays as it was.
        """
        progress, settings = self.state.progress, self.state.settings
        self.model.train()
        started = time.perf_counter() - progress.seconds
        self.save_at = time.perf_counter() + min(SECONDS_TO_FIRST_CHECKPOINT, SECONDS_BETWEEN_CHECKPOINTS)
        shown = 0.0
        try:
            while not progress.ended:
                for batch in self.rows.epoch(settings.batch_size, settings.seed, progress.epoch, progress.batch):
                    try:
                        self._step(batch.to(self.device))
                    except (MemoryError, RuntimeError) as error:
                        if not is_out_of_memory(error):
                            raise
                        raise MemoryError(
                            f"a batch of {len(batch)} examples does not fit into memory: "
                            f"try batch_size={max(1, len(batch) // 2)}"
                        ) from error
                    progress.batch += 1
                    progress.seconds = time.perf_counter() - started
                    if self.watch and progress.seconds - shown > 0.2:
                        shown = progress.seconds
                        self.watch(self.state)
                    if time.perf_counter() > self.save_at:
                        self._save()
                self._end_epoch()
                if self.watch:
                    self.watch(self.state)
        except KeyboardInterrupt:
            progress.ended = "interrupted"
            if progress.best_epoch == 0:  # not one epoch is judged yet: what there is counts
                self.state.best = {k: v.clone() for k, v in self.model.state_dict().items()}
        progress.seconds = time.perf_counter() - started
        self.model.load_state_dict(self.state.best)
        self.model.eval()
        if progress.ended != "interrupted":
            self._save()

    def _save(self) -> None:
        if self.checkpoint is not None:
            self.state.save(self.checkpoint, self.fingerprint)
        self.save_at = time.perf_counter() + SECONDS_BETWEEN_CHECKPOINTS

    def _step(self, batch: Batch) -> None:
        progress, settings = self.state.progress, self.state.settings
        with mixed_precision(settings.precision, self.device):
            adapt = max(SCALE_EMA_RATE, 1 / (progress.step + 1))
            trip = self.recipe.trip(self.model, batch, self.space, adapt=adapt)
            loss, means = self._objective(trip)
        loss.backward()
        gradients = [p.grad for p in self.parameters if p.grad is not None]
        norm = torch.stack([torch.dot(flat, flat) for flat in (g.flatten() for g in gradients)]).sum().sqrt().item()
        for name, mean in means.items():
            value = mean.item()
            if not math.isfinite(value):
                raise self._diverged(f"the term {name!r} became {value}")
            progress.sums[name] = progress.sums.get(name, 0.0) + value
        if not math.isfinite(norm):
            raise self._diverged(f"the gradient of {self._diverging_terms(batch)} became {norm}")
        limit = CLIP * progress.gradient_norm if progress.gradient_norm else norm
        if norm > limit:
            torch._foreach_mul_(gradients, limit / norm)
        follow = max(0.01, 1 / (progress.step + 1))
        progress.gradient_norm += follow * (min(norm, limit) - progress.gradient_norm)
        rate = learning_rate(progress.step, self.total, settings.learning_rate, settings.warm_up)
        self.state.optimiser.step(rate)
        for name, critic in self.state.critics.items():
            self._train_critic(name, critic, trip, rate)
        progress.step += 1
        if progress.step % EMA_EVERY == 0 or progress.step < EMA_EVERY:
            self._update_ema()

    def _train_critic(self, name: str, critic: Critic, trip: RoundTrip, rate: float) -> None:
        """A step of a term's critic after the model's, on the same pass, which the model does not feel."""
        parameters = critic.optimiser.parameters
        for parameter in parameters:  # the model's own gradient has gone through the critic
            parameter.grad = None
        with mixed_precision(self.state.settings.precision, self.device):
            loss = critic.module.loss(trip).mean()  # type: ignore[operator]
        loss.backward(inputs=parameters)
        if not math.isfinite(value := loss.item()):
            raise self._diverged(f"the loss of the critic of {name!r} became {value}")
        critic.optimiser.step(rate)

    @torch.no_grad()
    def _update_ema(self) -> None:
        """Lets the averaged weights follow by the steps since they last did, faster in the beginning."""
        progress = self.state.progress
        n = max(1, progress.step // EMA_EVERY)
        decay = min(self.state.settings.averaging ** (progress.step - progress.ema_step), n / (n + 9))
        torch._foreach_lerp_(self.ema_parameters, self.parameters, 1 - decay)  # type: ignore[arg-type]
        progress.ema_step = progress.step

    def _objective(self, trip: RoundTrip) -> tuple[Tensor, dict[str, Tensor]]:
        """What is minimised now, and the unweighted batch mean of every term."""
        done = self.state.progress.step / self.total
        means: dict[str, Tensor] = {}
        parts: list[Tensor] = []
        measured = self.recipe.measure(trip, self.model, self.critics)
        for term in self.recipe.terms:
            mean = measured[term.name].mean()
            means[term.name] = mean.detach()
            term_state = self.state.progress.term_states.setdefault(term.name, {})
            parts.append(term.objective(mean, term.weight * term.schedule(done), done, term_state))
        return sum(parts[1:], parts[0]), means

    def _diverging_terms(self, batch: Batch) -> str:
        """The terms whose gradient on this batch is not finite, by name; all of them where other noise hides which."""
        with mixed_precision(self.state.settings.precision, self.device):
            trip = self.recipe.trip(self.model, batch, self.space)
            measured = self.recipe.measure(trip, self.model, self.critics)
            means = {name: values.mean() for name, values in measured.items()}
        found = []
        for name, mean in means.items():
            if mean.requires_grad:
                gradients = torch.autograd.grad(mean, self.parameters, allow_unused=True, retain_graph=True)
                found += [name] if any(g is not None and not g.isfinite().all() for g in gradients) else []
        return f"the term {found[0]!r}" if len(found) == 1 else f"the terms {', '.join(found or means)}"

    def _diverged(self, what: str) -> DivergedError:
        progress = self.state.progress
        kept = f"; the last good checkpoint is {self.checkpoint}" if self.state.is_saved else ""
        return DivergedError(
            f"{what} in epoch {progress.epoch + 1}, step {progress.step + 1}: try a smaller learning_rate "
            f"(now {self.state.settings.learning_rate:g}), precision='float32', or look for extreme values in X{kept}"
        )

    @torch.no_grad()
    def evaluate(self, model: Autoencoder, rows: Rows) -> tuple[dict[str, float], dict[str, float]]:
        """The mean of every term over rows, nats per sample, with noise that is the same at every call.

        Over all rows, and again without the hundredth of them for which the objective is largest: a few wild cells are
        not to choose the epoch.
        """
        parts: dict[str, list[Tensor]] = {term.name: [] for term in self.recipe.terms}
        with seeded(self.state.settings.seed), mixed_precision(self.state.settings.precision, self.device):
            for batch in rows.batches(rows_per_pass(model, samples=self.recipe.samples)):
                trip = self.recipe.trip(model, batch, self.space)
                for name, values in self.recipe.measure(trip, model, self.critics).items():
                    parts[name].append(values.double().cpu())
        terms = {name: torch.cat(values) for name, values in parts.items()}
        objective = sum(terms[t.name] * (t.weight * t.schedule(1.0)) for t in self.recipe.terms if t.judged)
        usual = objective.argsort()[: len(rows) - int(len(rows) * WILD)]  # type: ignore[union-attr]
        return (
            {name: float(values.mean()) for name, values in terms.items()},
            {name: float(values[usual].mean()) for name, values in terms.items()},
        )

    def _end_epoch(self) -> None:
        """Judges the averaged weights, keeps them if they are the best so far, and decides whether to go on."""
        progress, settings, averaged = self.state.progress, self.state.settings, self.state.averaged
        if progress.ema_step < progress.step:
            self._update_ema()
        for ours, theirs in zip(averaged.buffers(), self.model.buffers(), strict=True):
            ours.copy_(theirs)
        averaged.eval()
        train = {name: value / max(1, progress.batch) for name, value in progress.sums.items()}
        held_out, usual = self.evaluate(averaged, self.held_out) if self.held_out is not None else (train, train)
        for name, value in held_out.items():
            if not math.isfinite(value):
                raise self._diverged(f"the term {name!r} of the held-out rows became {value}")
        objective = self._final_objective(usual)
        progress.epoch, progress.batch, progress.sums = progress.epoch + 1, 0, {}
        rate = learning_rate(progress.step, self.total, settings.learning_rate, settings.warm_up)
        progress.history.append(
            {
                "epoch": progress.epoch,
                "train": train,
                "held_out": held_out if self.held_out is not None else {},
                "objective": objective,
                "learning_rate": rate,
                "seconds": progress.seconds,
            }
        )
        if not math.isfinite(objective):
            raise self._diverged(f"the held-out objective became {objective}")
        # Without held-out rows nothing tells better from worse: the latest weights are the best. An epoch in which a
        # weight was still to rise is the best of none: another objective was minimised there.
        if objective < progress.best or self.held_out is None or not self._is_settled(progress.best_epoch):
            self.state.best = {k: v.clone() for k, v in averaged.state_dict().items()}
            progress.best, progress.best_epoch = objective, progress.epoch
        if progress.epoch >= settings.max_epochs:
            progress.ended = "max_epochs"
        elif (settings.last_epoch is not None and progress.epoch >= settings.last_epoch) or (
            self.held_out is not None and progress.epoch - progress.best_epoch >= settings.patience
        ):
            progress.ended = "early_stopping"

    def _is_settled(self, epoch: int) -> bool:
        """Whether the weights of all judged terms had risen to their end by then."""
        done = epoch / self.state.settings.max_epochs
        return all(t.schedule(done) >= t.schedule(1.0) for t in self.recipe.terms if t.judged)

    def _final_objective(self, means: dict[str, float]) -> float:
        """What epochs are compared by: every judged term with its schedule at its end, by one yardstick."""
        return sum(
            term.objective.judged(means[term.name], term.weight * term.schedule(1.0))
            for term in self.recipe.terms
            if term.judged
        )
