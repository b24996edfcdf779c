"""What a detector promises: its rate of false alarms, scores that are each row's own, reasons in the user's words."""

import numpy as np
import pandas
import pytest

from hourglass import Detector, load
from hourglass.detection.calibration import Calibration, discoveries
from hourglass.detection.exemplars import Exemplars
from hourglass.detection.scorer import SCORES


def people(n, seed=0):
    """Income follows from age, and job from both."""
    rng = np.random.default_rng(seed)
    age = rng.uniform(20, 70, n)
    income = 1000 * age + rng.normal(0, 2000, n)
    return pandas.DataFrame({"age": age, "income": income, "job": np.where(income > 45_000, "manager", "clerk")})


@pytest.fixture(scope="module")
def detector():
    return Detector(n_latent=2, hidden=(16,), max_epochs=60, random_state=0).fit(people(1200))


@pytest.fixture(scope="module")
def odd():
    """Three normal rows, and three whose income, job or both do not go with the age."""
    odd = pandas.DataFrame(
        {"age": [25.0, 65.0, 25.0], "income": [64_000.0, 25_000.0, 24_000.0], "job": ["manager", "clerk", "manager"]}
    )
    return pandas.concat([people(3, 1), odd]).set_axis(list("abcdef"))


def test_odd_rows_raise_alarms_and_normal_ones_do_not(detector, odd):
    assert detector.predict(odd).tolist()[:5] == [1, 1, 1, -1, -1]
    np.testing.assert_array_equal(detector.predict(odd) < 0, detector.decision_function(odd) < 0)
    np.testing.assert_allclose(detector.decision_function(odd), detector.score_samples(odd) - detector.offset_)
    assert detector.p_values(odd)[3:5].max() <= 0.01


def test_the_rate_of_false_alarms_is_the_one_asked_for(detector):
    new = people(4000, 2)
    for rate in (0.01, 0.1, 0.3):
        found = (detector.set_false_alarm_rate(rate).predict(new) < 0).mean()
        low, high = detector.calibration_.realised_in(len(new), 0.99)
        assert low <= found <= high and low <= rate <= high
        np.testing.assert_array_equal(detector.predict(new) < 0, detector.p_values(new) <= rate)
    detector.set_false_alarm_rate(0.01)


def test_reasons_name_columns_with_what_was_expected(detector, odd):
    found = detector.detect(odd)
    assert found.reason[:3].tolist() == ["", "", ""]
    assert "income is 64,000, expected" in found.reason[3] or "age is 25, expected" in found.reason[3]
    frame = found.to_frame(odd)
    assert list(frame.index) == list("abcdef") and list(frame.columns) == ["score", "p_value", "alarm", "reason"]
    np.testing.assert_allclose(frame["score"], -detector.score_samples(odd))


def test_a_saved_detector_is_the_same(detector, odd, tmp_path):
    detector.set_false_alarm_rate(0.05).save(tmp_path)
    again = load(tmp_path)
    np.testing.assert_array_equal(again.score_samples(odd), detector.score_samples(odd))
    assert again.offset_ == detector.offset_ and again.false_alarm_rate == 0.05
    assert again.detect(odd).reason.tolist() == detector.detect(odd).reason.tolist()
    detector.set_false_alarm_rate(0.01)


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("recipe", ["vae", "ae"])
def test_every_score_is_a_row_s_own(score, recipe):
    X = np.random.default_rng(0).normal(size=(120, 4))
    estimator = Detector(
        n_latent=2, hidden=(8,), max_epochs=2, recipe=recipe, anomaly_score=score, false_alarm_rate=0.1, random_state=0
    )
    if recipe == "ae" and score in ("elbo", "evidence", "kl"):
        with pytest.raises(ValueError, match="needs a recipe with a prior"):
            estimator.fit(X)
        return
    scores = estimator.fit(X).score_samples(X)
    np.testing.assert_array_equal(estimator.score_samples(X[::-1])[::-1], scores)
    np.testing.assert_array_equal(estimator.score_samples(X[7:8]), scores[7:8])
    assert np.isfinite(estimator.score_samples([[1e9, np.nan, -1e9, 0.0]])).all()


def test_a_score_of_the_encoder_decodes_nothing(monkeypatch):
    X = np.random.default_rng(0).normal(size=(120, 4))
    estimator = Detector(n_latent=2, hidden=(8,), max_epochs=2, anomaly_score="encoder", false_alarm_rate=0.1).fit(X)
    monkeypatch.setattr(type(estimator.model_.decode), "forward", None)
    assert np.isfinite(estimator.score_samples(X)).all()


def test_pictures_are_detected_too():
    X = np.random.default_rng(0).integers(0, 40, (60, 8, 8)).astype(np.uint8)
    estimator = Detector(n_latent=2, max_epochs=2, false_alarm_rate=0.1, random_state=0).fit(X)
    odd = np.full((1, 8, 8), 255, np.uint8)
    found = estimator.detect(np.concatenate([X[:5], odd]))
    assert found.alarm[5] and found.reason[5]


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"false_alarm_rate": 0}, "false_alarm_rate=0 must lie between 0 and 1"),
        ({"anomaly_score": "knn"}, "anomaly_score='knn' is unknown"),
        ({"calibration_fraction": 1.5}, "calibration_fraction=1.5"),
    ],
)
def test_parameters_are_checked_before_data(parameters, said):
    with pytest.raises(ValueError, match=said):
        Detector(**parameters).check_parameters()


def test_a_rate_that_so_few_rows_cannot_promise_is_warned_of():
    with pytest.warns(UserWarning, match="needs at least 999 rows to calibrate on, and there are 10"):
        Detector(n_latent=1, hidden=(4,), max_epochs=1, false_alarm_rate=0.001).fit(
            np.random.default_rng(0).normal(size=(40, 3))
        )


def contaminated(share, seed=0):
    rng = np.random.default_rng(seed)
    X, n = people(1200, seed), round(1200 * share)
    X.loc[X.index[:n], "income"] = rng.uniform(100_000, 140_000, n)
    return X


def test_trimming_keeps_anomalies_out_of_the_fit_and_of_the_threshold():
    options = {"n_latent": 2, "hidden": (16,), "max_epochs": 30, "random_state": 0}
    X, new = contaminated(0.08), contaminated(0.5, 1)
    truth = np.arange(1200) < 600
    as_it_is = Detector(**options).fit(X).predict(new) < 0
    trimmed = Detector(**options, trim=0.08).fit(X).predict(new) < 0
    assert as_it_is[truth].mean() < 0.5 and trimmed[truth].mean() > 0.95
    assert trimmed[~truth].mean() < 0.05


def test_trimming_takes_conditions_and_names_along(tmp_path):
    X = contaminated(0.05)
    options = {"n_latent": 1, "hidden": (8,), "max_epochs": 1, "trim": 0.05, "random_state": 0}
    by_name = Detector(**options).fit(X, condition="job")
    by_value = Detector(**options).fit(X.drop(columns="job"), condition=X["job"])
    assert (
        by_name.score_samples(X[:5], condition="job").tolist()
        == by_value.score_samples(X[:5].drop(columns="job"), condition=X["job"][:5]).tolist()
    )


def test_groups_have_thresholds_of_their_own(tmp_path):
    rng = np.random.default_rng(0)
    user = rng.choice(["calm", "wild", "rare"], 3000, p=[0.5, 0.48, 0.02])
    x = rng.normal(size=(3000, 2)) * np.where(user == "wild", 3.0, 1.0)[:, None]
    X = pandas.DataFrame({"a": x[:, 0], "b": x[:, 1], "user": user})
    options = {"n_latent": 1, "hidden": (8,), "max_epochs": 5, "false_alarm_rate": 0.02, "random_state": 0}
    common = Detector(**options, calibration_fraction=0.3).fit(X)
    own = Detector(**options, calibration_fraction=0.3, groups="user").fit(X)
    rates = {
        name: [(model.predict(X[user == name]) < 0).mean() for model in (common, own)] for name in ("calm", "wild")
    }
    assert rates["calm"][0] < 0.005 and rates["wild"][0] > 0.03
    assert all(0.005 < rates[name][1] < 0.045 for name in rates)
    own.save(tmp_path)
    again, new = load(tmp_path), X[:50].assign(user=["nobody"] * 25 + ["rare"] * 25)
    with pytest.warns(UserWarning, match="not there at fit"):
        np.testing.assert_array_equal(again.predict(new), own.predict(new))
        np.testing.assert_array_equal(again.p_values(new), own.calibration_.p_values(-own.score_samples(new)))
    np.testing.assert_array_equal(own.predict(X) < 0, own.p_values(X) <= 0.02)
    with pytest.raises(ValueError, match="groups='users' is not a column"):
        Detector(**options, groups="users").fit(X)


def test_pyod_s_conventions(detector):
    from hourglass.estimators.pyod_style import PyODStyle

    X = contaminated(0.05)[["age", "income"]].to_numpy()
    kept = Detector(n_latent=1, hidden=(16,), max_epochs=20, random_state=0)
    model = PyODStyle(kept, contamination=0.05).fit(X)
    assert model.labels_.sum() == 60 and model.labels_[:60].sum() > 30
    np.testing.assert_array_equal(model.predict(X), model.labels_)
    np.testing.assert_array_equal(model.decision_function(X), model.decision_scores_)
    assert model.predict_proba(X).shape == (1200, 2) and (model.predict_proba(X).sum(1) == 1).all()
    assert PyODStyle(kept).fit(X).threshold_ > model.threshold_
    with pytest.raises(ValueError, match=r"contamination=0\.9"):
        PyODStyle(kept, contamination=0.9).fit(X)


# ---- the parts ----------------------------------------------------------------------------------------------------


def test_p_values_are_uniform_and_the_realised_rate_lies_in_its_interval():
    """Whatever the scores are distributed as."""
    rng = np.random.default_rng(0)
    inside, p_values = [], []
    for _ in range(400):
        calibration = Calibration.fit(rng.standard_t(1, 150), 0.05)
        new = rng.standard_t(1, 500)
        p = calibration.p_values(new)
        np.testing.assert_array_equal(p <= 0.05, new > calibration.threshold)
        low, high = calibration.realised_in(500, 0.9)
        inside.append(low <= (p <= 0.05).mean() <= high)
        p_values.append(p)
    assert np.mean(inside) > 0.9 - 2 * (0.9 * 0.1 / 400) ** 0.5
    for rate in (0.02, 0.1, 0.5):
        assert abs((np.concatenate(p_values) <= rate).mean() - rate) < 0.01


def test_tied_scores_do_not_raise_more_alarms():
    calibration = Calibration.fit(np.repeat([0.0, 1.0], [50, 50]), 0.1)
    assert (calibration.p_values([1.0]) > 0.1).all() and calibration.threshold == 1.0


def test_the_share_of_false_discoveries_is_bounded():
    rng = np.random.default_rng(0)
    shares = []
    for _ in range(300):
        calibration = Calibration.fit(rng.normal(size=1000), 0.01)
        scores = np.concatenate([rng.normal(size=180), rng.normal(4, 1, 20)])
        found = discoveries(calibration.p_values(scores), 0.2)
        shares.append(found[:180].sum() / max(1, found.sum()))
    assert np.mean(shares) <= 0.2 * 0.9 + 0.03
    assert not discoveries([], 0.1).size


def test_a_stored_row_says_nothing_for_itself():
    import torch

    found = torch.tensor([[0.0], [1.0], [3.0], [3.0]])
    stored = Exemplars.fit(found, 0)
    distances, _ = stored.nearest(found)
    scale = float(found.std(0, correction=0))
    np.testing.assert_allclose(distances * scale, [1, 1, 0, 0], atol=1e-6)


def test_a_stream_has_the_scores_of_the_whole_and_says_when_it_drifts(detector):
    new = people(2500, 3)
    chunks = [new[i : i + 250] for i in range(0, 2500, 250)]
    found = list(detector.score_stream(chunks))
    np.testing.assert_array_equal(np.concatenate([each.score for each in found]), -detector.score_samples(new))
    with pytest.warns(UserWarning, match="what is normal has changed"):
        list(detector.score_stream([chunk.assign(income=chunk["income"] + 3000) for chunk in chunks]))


def test_events_keep_apart_what_a_gap_and_a_rest_separate():
    from hourglass.detection.stream import Event, Events

    alarms = np.zeros(30, bool)
    alarms[[2, 4, 5, 9, 20, 28]] = True
    for size in (1, 7, 30):
        events = Events(gap=1, cool_down=12)
        parts = [alarms[i : i + size] for i in range(0, 30, size)]
        found = [event for part in parts for event in events.update(part, np.ones(len(part)))] + list(events.finish())
        assert found == [Event(2, 5, 3, 2, 1.0), Event(20, 20, 1, 20, 1.0)], size
    assert not list(Events(min_alarms=2).update([True, False, False], [1, 0, 0]))


def test_series_have_a_score_for_each_instant(tmp_path):
    t = np.arange(1200)
    wave = np.sin(t / 6) + 0.05 * np.random.default_rng(0).normal(size=1200)
    options = {"n_latent": 3, "max_epochs": 30, "modality": "series window=24", "false_alarm_rate": 0.02}
    detector = Detector(**options, random_state=0).fit(wave[:, None])
    new = wave[:500].copy()
    new[300:310] += 2.0
    scores = -detector.score_samples(new[:, None])
    assert scores.shape == (500,) and 295 <= scores.argmax() <= 315
    found = detector.detect(new[:, None])
    assert found.alarm[300:310].mean() > 0.8 and found.alarm[:250].mean() < 0.1 and found.reason[305]
    assert detector.calibration_.n_independent < len(detector.calibration_)
    detector.save(tmp_path)
    np.testing.assert_array_equal(-load(tmp_path).score_samples(new[:, None]), scores)
    with pytest.raises(TypeError, match="cut into windows"):
        Detector(**options, trim=0.05).fit(wave[:, None])


def test_a_pipeline_scores_and_predicts():
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    X = people(400)[["age", "income"]].to_numpy()
    pipeline = make_pipeline(StandardScaler(), Detector(n_latent=1, hidden=(8,), max_epochs=5, random_state=0)).fit(X)
    odd = np.array([[25.0, 90_000.0]])
    assert pipeline.predict(odd).tolist() == [-1] and pipeline.decision_function(odd)[0] < 0
    assert pipeline.score_samples(X).shape == (400,)
