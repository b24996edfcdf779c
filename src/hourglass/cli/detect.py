"""`hourglass detect`: which rows are unlike the normal ones, and why."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from hourglass.cli.apply import On, apply_in_chunks
from hourglass.cli.companions import Inputs, columns_of
from hourglass.cli.errors import UsageError, note
from hourglass.cli.follow import Printed, follow_lines
from hourglass.cli.options import FLATTENED
from hourglass.cli.output import print_result
from hourglass.cli.results import write_rows
from hourglass.cli.tasks import loaded
from hourglass.shell_words import in_shell_words

if TYPE_CHECKING:
    from hourglass.detection.detections import Detections
    from hourglass.detection.evaluation import Evaluation

SHOWN = 5  # alarms that are named
COLUMNS = ("score", "p_value", "alarm", "reason")


def detect(
    on: Annotated[On, FLATTENED],
    *,
    out: Path,
    false_alarm_rate: float | None = None,
    false_discovery_rate: float | None = None,
    only_alarms: bool = False,
    follow: bool = False,
    until_idle: float | None = None,
    gap: int | None = None,
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
    follow
        Read DATA while it grows, a .csv, .tsv or .jsonl file, or stdin for lines of CSV from another program, and print
        alarms as they come. Ctrl-C ends it. --out is a .csv file, which grows too.
    until_idle
        With --follow: end after so many seconds without a new line.
    gap
        With --follow: print alarms with at most so many rows between them as one event, when it is over.
    keep
        Columns of DATA to write before the scores, such as an identifier.
    labels
        A column of DATA, or a FILE, that says which rows are anomalies: alarms are compared with it.
    normal
        The label of normal rows. By default that of the fit, or normal, benign, 0 and the like.
    """
    if out.name.lower().endswith((".npy", ".npz")):
        raise UsageError(f"--out {out}: {out.name} has no place for texts; give a .csv, .tsv or .parquet file")
    detector = loaded(on.run, "detect")
    try:
        if false_alarm_rate is not None:
            detector.set_false_alarm_rate(false_alarm_rate)
    except ValueError as error:
        raise UsageError(in_shell_words(str(error))) from error
    use = on.inputs(detector, labels)
    if false_discovery_rate is not None and (use.is_streamed or follow):
        raise UsageError("--false-discovery-rate is for data read at once: leave it out")
    if false_discovery_rate is not None and not 0 < false_discovery_rate < 1:
        raise UsageError(f"--false-discovery-rate {false_discovery_rate} must lie between 0 and 1, such as 0.1")
    tally = Tally(detector, normal or use.before.get("normal"), false_discovery_rate)

    def verb(given: Inputs) -> Detections:
        detections: Detections = detector.detect(
            given.X, condition=given.condition, false_discovery_rate=false_discovery_rate
        )
        tally.add(detections, given, row_names(detector, given, len(detections)))
        return detections

    if follow:
        rows = follow_lines(use, verb, out, Printed(only_alarms, tuple(keep or ()), gap, on.json), until_idle)
    else:
        pieces = apply_in_chunks(on, detector, verb, out, labels)
        rows = write_rows(out, (_table(detector, given, found, keep or (), only_alarms) for given, found in pieces))
    values, lines = tally.told(out, rows)
    print_result(values, "\n".join(lines), on.json)


def row_names(detector: Any, given: Inputs, n: int) -> Sequence[str] | None:
    """The names of n rows: those of the records, or of the instants of several series; None where they have none."""
    if n == len(given):
        return given.names
    names: Sequence[str] | None = detector.examples(given.X).row_names(given.names)
    return names


def _table(
    detector: Any, given: Inputs, detections: Detections, keep: Sequence[str], only_alarms: bool
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
    of_rows = row_names(detector, given, len(detections))
    if only_alarms and not keep and of_rows is None:
        table = table.add_column(0, "row", [list(range(len(table)))])
    names = None if of_rows is None else [of_rows[i] for i in which.tolist()]
    return (table.take(which) if only_alarms else table), names


class Tally:
    """What is said at the end: counts, the worst alarms, and figures where there are labels, whose scores are kept."""

    def __init__(self, detector: Any, normal: str | None, false_discovery_rate: float | None) -> None:
        from hourglass.detection.stream import DriftWatch

        self.detector, self.normal, self.false_discovery_rate = detector, normal, false_discovery_rate
        self.drift = DriftWatch(len(detector.calibration_))
        self.n = self.alarms = 0
        self.named = False
        self.worst: list[tuple[float, str, str]] = []  # score, name, reason
        self.of_labels: list[tuple[Any, Any, Any]] | None = []  # score, alarm, label

    def add(self, found: Detections, given: Inputs, names: Sequence[str] | None) -> None:
        import numpy as np

        if said := self.drift.update(found.p_value):
            note(said)
        which = np.flatnonzero(found.alarm)
        self.named = names is not None
        for i in which[np.argsort(-found.score[which], kind="stable")][:SHOWN].tolist():
            name = names[i] if names is not None else f"row {self.n + i}"
            self.worst.append((float(found.score[i]), str(name), str(found.reason[i])))
        self.worst = sorted(self.worst, key=lambda worst: -worst[0])[:SHOWN]
        self.n, self.alarms = self.n + len(found), self.alarms + len(which)
        if given.labels is None or len(given.labels) != len(found):
            self.of_labels = None
        elif self.of_labels is not None:
            self.of_labels.append((found.score, found.alarm, given.labels))

    def told(self, out: Path, rows: int) -> tuple[dict[str, Any], list[str]]:
        """For a program, and for a person."""
        from dataclasses import asdict

        calibration = self.detector.calibration_
        low, high = self.detector.realised_rate_
        promise = (
            f"of normal rows like those of the fit, {calibration.rate:.2g} raise one ({low:.2g} to {high:.2g} with 90 "
            f"% confidence, from {len(calibration):,} rows kept apart)"
        )
        if calibration.n_independent < len(calibration):
            promise += "; rows of series depend on one another, so that this is a guide and no promise"
        if self.false_discovery_rate is not None:
            promise = f"at most {self.false_discovery_rate:.2g} of them are expected to be false"
        share = f" ({self.alarms / self.n:.2%})" if self.n else ""
        lines = [f"Wrote {out}: {rows:,} rows. {self.alarms:,} of {self.n:,} raised an alarm{share}; {promise}."]
        values: dict[str, Any] = {"out": out, "rows": rows, "alarms": self.alarms, "threshold": calibration.threshold}
        values |= {"false_alarm_rate": calibration.rate, "interval": [low, high]}
        if (figures := self._figures()) is not None:
            lines.append(f"{figures.sentence()}.")
            values["labels"] = asdict(figures)
        lines += [f"- {name} ({score:.1f}): {reason}" for score, name, reason in self.worst]
        values["worst"] = [{"row": name, "score": score, "reason": reason} for score, name, reason in self.worst]
        if self.worst and not self.named:
            lines.append("Rows are counted from 0.")
        return values, lines

    def _figures(self) -> Evaluation | None:
        """Beside the labels, where these say which rows are normal."""
        import numpy as np

        from hourglass.detection.evaluation import Evaluation, anomalies

        if not self.of_labels:
            return None
        score, alarm, labels = (np.concatenate(each) for each in zip(*self.of_labels, strict=True))
        is_anomaly = anomalies(labels, self.normal)
        return None if is_anomaly is None else Evaluation.of(score, alarm, is_anomaly)
