"""`hourglass detect --follow`: a table that grows while it is read, line by line."""

from __future__ import annotations

import csv
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from hourglass.cli.companions import Inputs, columns_of
from hourglass.cli.errors import UsageError, note
from hourglass.cli.output import print_line
from hourglass.cli.reuse import RunInputs

if TYPE_CHECKING:
    from hourglass.detection.detections import Detections
    from hourglass.detection.stream import Event

    Verb = Callable[[Inputs], Detections]

AT_ONCE = 1_000  # lines
PAUSE = 0.2  # seconds between looks at a file that has not grown
STDIN = "stdin"
JSON_LINES = (".jsonl", ".ndjson")
HEADER = ("row", "score", "p_value", "alarm", "reason")


@dataclass(frozen=True)
class Printed:
    """What is written and printed of a stream: alarms alone or all rows, columns kept, alarms within a gap as one."""

    only_alarms: bool
    keep: tuple[str, ...]
    gap: int | None
    as_json: bool


def follow_lines(use: RunInputs, verb: Verb, out: Path, printed: Printed, until_idle: float | None) -> int:
    """Applies `verb` to rows as they come, writes its answers to `out` and prints alarms; the number of rows written.

    Lines that cannot be read are noted and left out.
    """
    from hourglass.detection.stream import Events

    if out.suffix.lower() != ".csv":
        raise UsageError(f"--out {out}: with --follow give a .csv file, which can grow")
    events = None if printed.gap is None else Events(gap=printed.gap)
    written = done = 0
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*printed.keep, *HEADER])
        try:
            for given, found in _answers(use, verb, until_idle):
                written += _write(writer, given, found, done, printed)
                file.flush()
                if events is None:
                    _print_alarms(found, done, printed.as_json)
                else:
                    for event in events.update(found.alarm, found.score):
                        _print_event(event, printed.as_json)
                done += len(found)
        except KeyboardInterrupt:
            note("stopped")
        for event in () if events is None else events.finish():
            _print_event(event, printed.as_json)
    return written


def _write(writer: Any, given: Inputs, found: Detections, done: int, printed: Printed) -> int:
    kept: Sequence[Sequence[Any]] = [()] * len(found)
    if printed.keep and given.data is not None:
        table = columns_of(given.data, printed.keep, "--keep")
        kept = list(zip(*(table.column(name).to_pylist() for name in printed.keep), strict=True))
    rows = [i for i in range(len(found)) if found.alarm[i] or not printed.only_alarms]
    for i in rows:
        alarm = "true" if found.alarm[i] else "false"
        writer.writerow([*kept[i], done + i, float(found.score[i]), float(found.p_value[i]), alarm, found.reason[i]])
    return len(rows)


def _print_alarms(found: Detections, done: int, as_json: bool) -> None:
    for i in found.alarm.nonzero()[0].tolist():
        values = {"row": done + i, "score": float(found.score[i]), "reason": str(found.reason[i])}
        print_line(values, f"row {done + i} ({found.score[i]:.1f}): {found.reason[i]}", as_json)


def _print_event(event: Event, as_json: bool) -> None:
    from dataclasses import asdict

    text = (
        f"rows {event.first} to {event.last}: {event.alarms} alarms, the highest {event.score:.1f} at row {event.peak}"
    )
    print_line(asdict(event), text, as_json)


def _answers(use: RunInputs, verb: Verb, until_idle: float | None) -> Iterator[tuple[Inputs, Detections]]:
    """Rows as they come, with the columns of the fit, and what `verb` says of them."""
    is_json = use.source.lower().endswith(JSON_LINES)
    header: bytes | None = None
    first = 1  # number of the first line that is next
    for lines in _lines(use.source, until_idle):
        if header is None and not is_json:
            header, *lines = lines
            first += 1
        if lines:
            yield from _answered(use, verb, b"" if header is None else header, lines, first, is_json)
        first += len(lines)


def _answered(
    use: RunInputs, verb: Verb, header: bytes, lines: list[bytes], first: int, is_json: bool
) -> Iterator[tuple[Inputs, Detections]]:
    """Of these lines; where they cannot be read together, of each that can be read alone."""
    try:
        given = use.inputs(_of_json(lines, use.source) if is_json else _of_csv(header, lines, use))
        yield given, verb(given)
    except (ValueError, TypeError) as error:
        if len(lines) == 1:
            note(f"line {first} is left out: {error}")
            return
        half = len(lines) // 2
        yield from _answered(use, verb, header, lines[:half], first, is_json)
        yield from _answered(use, verb, header, lines[half:], first + half, is_json)


def _of_json(lines: list[bytes], source: str) -> Any:
    from hourglass.readers.memory import from_memory

    rows = [json.loads(line) for line in lines]
    if not all(isinstance(row, dict) for row in rows):
        raise ValueError('a line of JSON must be an object, such as {"age": 40}')
    return from_memory(rows, source=source)


def _of_csv(header: bytes, lines: list[bytes], use: RunInputs) -> Any:
    """As a file of these lines is read, so that cells mean the same as in one piece."""
    from hourglass.cli.sources import read

    ending = ".tsv" if use.source.lower().endswith(".tsv") else ".csv"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"lines{ending}"
        path.write_bytes(b"".join([header, *lines]))
        return read(str(path), None, "yes", use.null_words)


def _lines(source: str, until_idle: float | None) -> Iterator[list[bytes]]:
    """Whole lines, some at a time: of a file those that are there and those that are added, of stdin until it ends."""
    if source == STDIN:
        yield from _lines_of(sys.stdin.buffer, None)
        return
    path = Path(source).expanduser()
    if not path.is_file():
        raise UsageError(
            f"--follow reads a .csv, .tsv or .jsonl file, or - for lines from another program, not {source}"
        )
    with path.open("rb") as file:
        yield from _lines_of(file, until_idle)


def _lines_of(file: BinaryIO, until_idle: float | None) -> Iterator[list[bytes]]:
    """`until_idle` None, of stdin: an end is the end; of a file it may grow beyond it."""
    is_pipe = file is sys.stdin.buffer
    waiting, lines = b"", list[bytes]()
    seen = time.monotonic()
    while True:
        line = file.readline()
        if line:
            seen = time.monotonic()
            waiting += line
            if waiting.endswith(b"\n"):
                lines, waiting = [*lines, waiting], b""
                if len(lines) < AT_ONCE and not is_pipe:
                    continue
        if lines:
            yield lines
            lines = []
        if line:
            continue
        if is_pipe or (until_idle is not None and time.monotonic() - seen >= until_idle):
            break
        time.sleep(PAUSE)
    if waiting.strip():
        if is_pipe:
            yield [waiting + b"\n"]
        else:
            note("the last line has no end yet and is left out")
