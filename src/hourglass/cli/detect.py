"""`hourglass detect`: which rows are unlike the normal ones, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from hourglass.cli.apply import On, apply_in_chunks
from hourglass.cli.companions import Inputs, columns_of
from hourglass.cli.errors import UsageError
from hourglass.cli.options import FLATTENED
from hourglass.cli.output import print_result
from hourglass.cli.results import write_rows
from hourglass.cli.tasks import loaded
from hourglass.shell_words import in_shell_words

if TYPE_CHECKING:
    import numpy as np

    from hourglass.detection.detections import Detections

SHOWN = 5  # alarms that are named
COLUMNS = ("score", "p_value", "alarm", "reason")


def detect(
    on: Annotated[On, FLATTENED],
    *,
    out: Path,
    false_alarm_rate: float | None = None,
    false_discovery_rate: float | None = None,
    only_alarms: bool = False,
    keep: list[str] | None = None,
    labels: str | None = None,
    normal: str | None = None,
) -> None:
    """Find anomalies: write a score, a p-value, whether it is an alarm, and the reason of each alarm.

    The model is one of `hourglass fit DATA --task detect`, on data that are mostly normal. Of normal rows like those
    the share --false-alarm-rate raises an alarm.

    Example: `hourglass detect runs/payments-detect new.csv --keep id --out alarms.csv`

    Parameters
    ----------
    out
        Where to write: a .csv, .tsv or .parquet file with the columns score (higher is odder), p_value, alarm and
        reason; one that exists is replaced.
    false_alarm_rate
        Another rate than that of the fit, for this once.
    false_discovery_rate
        Instead of that: raise as many alarms as go with at most this share of false ones among them
        (Benjamini-Hochberg). For data read at once.
    only_alarms
        Write the rows that raise an alarm alone.
    keep
        Columns of DATA to write before the scores, such as an identifier.
    labels
        A column of DATA, or a FILE, that says which rows are anomalies: alarms are compared with it.
    normal
        The label of normal rows. By default that of the fit, or normal, benign, 0 and the like.
    """
    import numpy as np

    if out.name.lower().endswith((".npy", ".npz")):
        raise UsageError(f"--out {out}: {out.name} has no place for texts; give a .csv, .tsv or .parquet file")
    detector = loaded(on.run, "detect")
    try:
        if false_alarm_rate is not None:
            detector.set_false_alarm_rate(false_alarm_rate)
    except ValueError as error:
        raise UsageError(in_shell_words(str(error))) from error
    use = on.inputs(detector, labels)
    if false_discovery_rate is not None and use.is_streamed:
        raise UsageError("--false-discovery-rate is for data read at once: leave it out")
    if false_discovery_rate is not None and not 0 < false_discovery_rate < 1:
        raise UsageError(f"--false-discovery-rate {false_discovery_rate} must lie between 0 and 1, such as 0.1")
    found: list[Detections] = []
    truth: list[Any] = []
    names: list[str] = []

    def verb(given: Inputs) -> Detections:
        detections: Detections = detector.detect(
            given.X, condition=given.condition, false_discovery_rate=false_discovery_rate
        )
        found.append(detections)
        truth.append(given.labels)
        names.extend(given.names or ())
        return detections

    def tables() -> Iterator[tuple[Any, Sequence[str] | None]]:
        for given, detections in apply_in_chunks(on, detector, verb, out, labels):
            yield _table(given, detections, keep or (), only_alarms)

    rows = write_rows(out, tables())
    score, alarm, reason = (np.concatenate([getattr(each, c) for each in found]) for c in ("score", "alarm", "reason"))
    known = all(each is not None for each in truth)
    is_anomaly = _anomalies(np.concatenate(truth), normal or use.before.get("normal")) if known else None
    _tell(detector, on, out, rows, false_discovery_rate, score, alarm, reason, names, is_anomaly)


def _anomalies(labels: np.ndarray, normal: str | None) -> np.ndarray | None:
    from hourglass.detection.evaluation import anomalies

    return anomalies(labels, normal)


def _table(
    given: Inputs, detections: Detections, keep: Sequence[str], only_alarms: bool
) -> tuple[Any, Sequence[str] | None]:
    """Columns to keep, and those of the detector; and the names of the rows."""
    import numpy as np

    table = detections.to_frame()
    if keep:
        if given.data is None:
            raise UsageError(f"--keep {' '.join(keep)}: the data have no columns")
        kept = columns_of(given.data, keep, "--keep")
        if twice := [name for name in COLUMNS if name in kept.column_names]:
            raise UsageError(f"--keep {twice[0]}: the output has a column of that name already")
        for name in COLUMNS:
            kept = kept.append_column(name, table.column(name))
        table = kept
    which = np.flatnonzero(detections.alarm) if only_alarms else np.arange(len(detections))
    if only_alarms and not keep and given.names is None:
        table = table.add_column(0, "row", [list(range(len(table)))])
    names = None if given.names is None else [given.names[i] for i in which.tolist()]
    return (table.take(which) if only_alarms else table), names


def _tell(
    detector: Any,
    on: On,
    out: Path,
    rows: int,
    false_discovery_rate: float | None,
    score: np.ndarray,
    alarm: np.ndarray,
    reason: np.ndarray,
    names: Sequence[str],
    is_anomaly: np.ndarray | None,
) -> None:
    from dataclasses import asdict

    from hourglass.detection.evaluation import Evaluation

    n, calibration = int(alarm.sum()), detector.calibration_
    low, high = detector.realised_rate_
    promise = (
        f"of normal rows like those of the fit, {calibration.rate:.2g} raise one ({low:.2g} to {high:.2g} with 90 % "
        f"confidence, from {len(calibration):,} rows kept apart)"
    )
    if false_discovery_rate is not None:
        promise = f"at most {false_discovery_rate:.2g} of them are expected to be false"
    lines = [f"Wrote {out}: {rows:,} rows. {n:,} of {len(alarm):,} raised an alarm ({n / len(alarm):.2%}); {promise}."]
    values: dict[str, Any] = {"out": out, "rows": rows, "alarms": n, "threshold": calibration.threshold}
    values |= {"false_alarm_rate": calibration.rate, "interval": [low, high]}
    if is_anomaly is not None:
        figures = Evaluation.of(score, alarm, is_anomaly)
        lines.append(f"{figures.sentence()}.")
        values["labels"] = asdict(figures)
    worst = [int(i) for i in (-score).argsort(kind="stable")[:SHOWN] if alarm[i]]
    for i in worst:
        lines.append(f"- {names[i] if names else f'row {i}'} ({score[i]:.1f}): {reason[i]}")
    values["worst"] = [{"row": names[i] if names else i, "score": float(score[i]), "reason": reason[i]} for i in worst]
    if worst and not names:
        lines.append("Rows are counted from 0.")
    print_result(values, "\n".join(lines), on.json)
