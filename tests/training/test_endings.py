"""How a run ends: at its last epoch, early, by Ctrl-C, or because a number is none any more."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from hourglass import Embedder
from hourglass.estimators import FitInterrupted, cross_validation
from hourglass.estimators.training_data import in_memory
from hourglass.modalities import Tables, TileMaps
from hourglass.recipe import Term
from hourglass.schedules import WarmUp
from hourglass.training import DivergedError, Trainer, loop, read_about
from hourglass.variants import AE, VAE, kl

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 2)) @ RNG.normal(size=(2, 6)) + 0.3 * RNG.normal(size=(60, 6))


def unfitted(**options):
    settings = {"hidden": (64,), "batch_size": 8, "random_state": 0, "n_threads": 1}
    return Embedder(2, **{**settings, **options})


@pytest.mark.parametrize("patience", [2, 5])
def test_one_step_an_epoch_is_judged_by_what_it_changed(patience):
    """The averaged weights follow at the end of every epoch, however few steps it has."""
    fitted = unfitted(recipe="ae", batch_size=60, max_epochs=40, patience=patience).fit(X)
    objectives = [entry["objective"] for entry in fitted.history_]
    assert len(set(objectives)) == len(objectives) > patience


def test_early_stopping_keeps_the_weights_of_the_best_epoch():
    """Thirty rows and a large network overfit: the held-out objective turns, and the weights of the turn are kept."""
    states = {}

    def watch(state):
        if state.progress.batch == 0:  # at the end of an epoch, not on the way
            states[state.progress.epoch] = {k: v.clone() for k, v in state.averaged.state_dict().items()}

    estimator = unfitted(
        recipe="ae", hidden=(128, 128), learning_rate=1e-2, max_epochs=400, patience=12, validation_fraction=0.5
    ).fit(X, watch=watch)
    summary, history = estimator.summary_, estimator.history_
    objectives = [entry["objective"] for entry in history]
    assert summary.ended == "early_stopping"
    assert summary.epochs == len(history) < 400
    assert summary.best_epoch == 1 + int(np.argmin(objectives)) == summary.epochs - 12
    assert objectives[-1] > min(objectives) + 0.1
    best = states[summary.best_epoch]
    for name, parameter in estimator.model_.named_parameters():
        assert torch.equal(parameter, best[name]), name
        assert not torch.equal(parameter, states[summary.epochs][name]), name
    assert any("stopp" in line for line in estimator.advice_)


def test_without_held_out_rows_the_last_weights_are_kept():
    estimator = unfitted(validation_fraction=0.0, max_epochs=5, patience=1).fit(X)
    assert (estimator.summary_.ended, estimator.summary_.best_epoch) == ("max_epochs", 5)
    assert [entry["held_out"] for entry in estimator.history_] == [{}] * 5
    assert not estimator.summary_.held_out


def test_a_run_to_its_last_epoch():
    estimator = unfitted(max_epochs=3, patience=3).fit(X)
    assert (estimator.summary_.ended, estimator.summary_.epochs) == ("max_epochs", 3)


@pytest.mark.parametrize("after", [0, 1, 3])
def test_control_c_finishes_with_what_it_has(after, tmp_path):
    """Raised from `watch` after that many epochs: before the first is judged, the weights there are count."""
    kept = {}

    def watch(state):
        kept.update({k: v.clone() for k, v in (state.best if after else state.model.state_dict()).items()})
        if state.progress.epoch >= after:
            raise KeyboardInterrupt

    estimator = unfitted(max_epochs=50)
    if after == 0:
        step = Trainer._step

        def third(self, batch):
            if self.state.progress.step == 3:
                watch(self.state)
            step(self, batch)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Trainer, "_step", third)
            with pytest.raises(FitInterrupted, match="holds the best weights so far"):
                estimator.fit(X, run=tmp_path)
    else:
        with pytest.raises(FitInterrupted):
            estimator.fit(X, run=tmp_path, watch=watch)
    assert estimator.summary_.ended == "interrupted"
    assert len(estimator.history_) == estimator.summary_.epochs == after
    assert np.isfinite(estimator.transform(X)).all()
    for name, parameter in estimator.model_.named_parameters():
        assert torch.equal(parameter, kept[name]), name
    assert any("interrupted" in line for line in estimator.advice_)
    estimator.save(tmp_path / "model")


def test_control_c_can_be_resumed_to_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "SECONDS_BETWEEN_CHECKPOINTS", -1.0)

    def watch(state):
        if state.progress.epoch == 2:
            raise KeyboardInterrupt

    whole = unfitted(max_epochs=4).fit(X)
    with pytest.raises(FitInterrupted):
        unfitted(max_epochs=4).fit(X, run=tmp_path, watch=watch)
    resumed = unfitted(max_epochs=4).fit(X, run=tmp_path, resume=True)
    assert resumed.summary_.ended == "max_epochs"
    for name, value in whole.model_.state_dict().items():
        assert torch.equal(resumed.model_.state_dict()[name], value), name


class Poison:
    """A term, or its gradient, that is fine for `fine` calls and then no number."""

    def __init__(self, fine, value=torch.nan):
        self.left, self.value = fine, value

    def __call__(self, trip, model):
        self.left -= trip.z.requires_grad
        return trip.z.flatten(1).sum(1) * (1.0 if self.left >= 0 else self.value)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_a_term_that_is_no_number_is_named_and_the_checkpoint_is_unharmed(value, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "SECONDS_BETWEEN_CHECKPOINTS", -1.0)
    poison = Term(Poison(10, value), weight=1e-3, name="poison")
    with pytest.raises(DivergedError, match=r"the term 'poison' became .*in epoch 2, step 11: try a smaller") as error:
        unfitted(recipe=VAE.with_term(poison), max_epochs=4).fit(X, run=tmp_path)
    path = tmp_path / "checkpoint.safetensors"
    assert str(path) in str(error.value)
    assert read_about(path).progress.step == 10
    # with the poison gone, the run goes on from there and ends as if nothing had been
    healed = Term(Poison(10**9), weight=1e-3, name="poison")
    resumed = unfitted(recipe=VAE.with_term(healed), max_epochs=4).fit(X, run=tmp_path, resume=True)
    whole = unfitted(recipe=VAE.with_term(healed), max_epochs=4).fit(X)
    for name, value_there in whole.model_.state_dict().items():
        assert torch.equal(resumed.model_.state_dict()[name], value_there), name


def root_of_nothing(trip, model):
    """0, with an infinite gradient."""
    return (0.0 * trip.z).abs().sqrt().flatten(1).sum(1)


def test_a_gradient_that_is_no_number_is_named_too():
    with pytest.raises(DivergedError, match=r"the gradient of the term 'root_of_nothing' became nan"):
        unfitted(recipe=AE.with_term(Term(root_of_nothing)), max_epochs=2).fit(X)


def held_out_only(trip, model):
    return trip.z.flatten(1).sum(1) * (1.0 if trip.z.requires_grad else torch.nan)


def test_a_held_out_objective_that_is_no_number():
    with pytest.raises(DivergedError, match=r"the term 'held_out_only' of the held-out rows became nan"):
        unfitted(recipe=AE.with_term(Term(held_out_only)), max_epochs=2).fit(X)


def test_watch_is_called_after_every_epoch():
    seen = []
    unfitted(max_epochs=4).fit(X, watch=lambda state: seen.append((state.progress.epoch, state.progress.batch)))
    assert [epoch for epoch, batch in seen if batch == 0] == [1, 2, 3, 4]


def test_a_fit_that_fails_leaves_what_was_fitted_before():
    estimator = unfitted(max_epochs=2).fit(X)
    codes = estimator.transform(X)
    with pytest.raises(DivergedError):
        estimator.set_params(recipe=AE.with_term(Term(root_of_nothing))).fit(X[:, :4])
    np.testing.assert_array_equal(estimator.transform(X), codes)
    fresh = unfitted(recipe=AE.with_term(Term(root_of_nothing)), max_epochs=2)
    with pytest.raises(DivergedError):
        fresh.fit(X)
    assert not hasattr(fresh, "model_")


def test_memory_that_gives_out_names_the_batch_size(monkeypatch):
    def greedy(self, batch):
        torch.empty(2**62, dtype=torch.uint8)

    monkeypatch.setattr(Trainer, "_step", greedy)
    with pytest.raises(MemoryError, match=r"a batch of 8 examples does not fit into memory: try batch_size=4"):
        unfitted(max_epochs=1).fit(X)


@pytest.mark.parametrize("max_epochs", [1, 2, 3])
def test_few_steps_are_steps(max_epochs):
    """The averaged weights follow from the first step on."""
    estimator = unfitted(batch_size=60, max_epochs=max_epochs)
    begun = []
    estimator.fit(X, watch=lambda state: begun.append(state.progress.step))
    assert begun[-1] == max_epochs
    untrained = unfitted(batch_size=60, max_epochs=1, learning_rate=1e-30).fit(X)
    for name, weight in estimator.model_.named_parameters():
        if ".layers." not in name:  # which are silent at first
            assert not torch.equal(weight, untrained.model_.get_parameter(name)), name


def test_the_best_epoch_is_none_in_which_a_weight_still_rises():
    """Weights that only begin to weigh at the end: before, another objective was minimised."""
    recipe = VAE.with_term(kl, schedule=WarmUp(0.6))
    fitted = unfitted(recipe=recipe, max_epochs=10, learning_rate=1e-6).fit(X)  # which hardly moves: all epochs alike
    assert fitted.summary_.best_epoch >= 6


def test_a_wild_row_does_not_choose_the_epoch():
    """A hundredth of the held-out rows, those with the largest objective, count for nothing."""
    wild = np.vstack([X] * 10)
    wild[::50] *= 1e4
    seen = []

    class Watched(Trainer):
        def evaluate(self, model, rows):
            means, usual = super().evaluate(model, rows)
            seen.append((sum(means.values()), sum(usual.values()), len(rows)))
            return means, usual

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hourglass.estimators.fitting.Trainer", Watched)
        fitted = unfitted(
            recipe="ae", likelihood="gaussian", max_epochs=3, batch_size=64, validation_fraction=0.5
        ).fit(wild)  # fmt: skip
    assert [entry["objective"] for entry in fitted.history_] == [usual for _, usual, _ in seen]
    assert all(usual < mean for mean, usual, _ in seen)


# ---- few rows ----------------------------------------------------------------------------------------------------


def test_few_rows_are_learned_from_whole_and_judged_in_turns():
    estimator = Embedder(2, random_state=0, n_threads=1).fit(X)
    summary = estimator.summary_
    assert (summary.folds, summary.n_rows, summary.held_out) == (5, 60, True)
    assert summary.epochs == summary.best_epoch == estimator.settings_.last_epoch < estimator.settings_.max_epochs
    assert estimator.score(X) == pytest.approx(-summary.objective, abs=1.5)
    assert "60 held-out examples of 5 folds" in " ".join(estimator.advice_)


def test_folds_hold_out_every_row_once_and_keep_every_condition():
    groups = np.array(["common"] * 58 + ["rare", "rare"])
    data = in_memory(X, groups, Tables(), 0.1, 0, in_turns=True)
    folds = list(cross_validation._folds(data, 0))
    held = np.concatenate([fold.held_out.raw.numpy() for fold in folds])
    assert len(held) >= 58 and len(np.unique(held, axis=0)) == len(held)
    for fold in folds:
        assert set(fold.groups) == set(data.groups)
        assert len(fold.rows) + len(fold.held_out) == 60


def test_windows_of_few_maps_are_held_out_in_turns_by_whole_maps():
    rng = np.random.default_rng(0)
    maps = ["\n".join("".join(row) for row in rng.choice(list("-X"), (4, 9))) for _ in range(7)]
    data = in_memory(maps, None, TileMaps(window="4x5"), 0.1, 0, in_turns=True)
    assert len(data.rows) == 7 * 5 and data.held_out is None and data.n_independent_held == 7
    held = []
    for fold in cross_validation._folds(data, 0):
        assert len(fold.rows) + len(fold.held_out) == 35 and len(fold.held_out) % 5 == 0
        seen = {cells.tobytes() for cells in fold.rows.raw[fold.rows.index].numpy()}
        held += [cells.tobytes() for cells in fold.held_out.raw.numpy()]
        assert not seen & set(held[-len(fold.held_out) :])
        assert len(fold.independent) == len(np.unique(fold.records))
    assert len(set(held)) == len(held) == 35
    assert not in_memory(maps[:5], None, TileMaps(window="4x5"), 0.1, 0, in_turns=True).folds


def test_few_rows_are_as_good_as_pca_and_resumed_bit_for_bit(tmp_path):
    rng = np.random.default_rng(1)
    W = rng.normal(size=(3, 20))
    draw = lambda n: rng.normal(size=(n, 3)) @ W + 0.3 * rng.normal(size=(n, 20))  # noqa: E731
    few, new = draw(40), draw(500)
    model = Embedder(3, recipe="ae", random_state=0, n_threads=1).fit(few, run=tmp_path / "run")
    pca = PCA(3).fit(few)
    theirs = np.square(new - pca.inverse_transform(pca.transform(new))).mean()
    assert np.square(new - model.reconstruct(new)).mean() < 1.15 * theirs
    again = Embedder(3, recipe="ae", random_state=0, n_threads=1).fit(few, run=tmp_path / "run", resume=True)
    np.testing.assert_array_equal(again.transform(new), model.transform(new))


def test_ctrl_c_in_a_fold_leaves_nothing_fitted(monkeypatch):
    def interrupt(self, batch):
        raise KeyboardInterrupt

    monkeypatch.setattr(Trainer, "_step", interrupt)
    estimator = Embedder(2, random_state=0, n_threads=1)
    with pytest.raises(KeyboardInterrupt) as caught:
        estimator.fit(X)
    assert not isinstance(caught.value, FitInterrupted)
    assert not hasattr(estimator, "model_")
