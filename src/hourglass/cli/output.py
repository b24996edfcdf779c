"""What a command answers: text for a person, or JSON for a program."""

from __future__ import annotations

import contextlib
import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from hourglass.cli.wording import printable, quoted

PIPED_WIDTH = 100  # characters of a table's line where nobody looks


def to_jsonable(value: Any) -> Any:
    """The value as JSON has it: NaN and infinity become null, paths and tuples what they look like."""
    if isinstance(value, dict):
        return {str(k): to_jsonable(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [to_jsonable(v) for v in value]
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def print_result(values: dict[str, Any] | list[Any], text: str, as_json: bool) -> None:
    """One of the two on stdout."""
    if as_json:  # its writer escapes every control character but one
        print(json.dumps(to_jsonable(values), indent=1, allow_nan=False).replace("\x7f", "\\u007f"))
    else:
        print(printable(text, keep="\n"))


def print_line(values: dict[str, Any], text: str, as_json: bool) -> None:
    """One of the two on a line of stdout, at once, for what goes on."""
    print(json.dumps(to_jsonable(values)).replace("\x7f", "\\u007f") if as_json else printable(text), flush=True)


def next_commands(*commands: list[str]) -> str:
    """What to try next, ready to be copied into a shell."""
    return "Next:\n" + "\n".join("  " + " ".join(map(quoted, command)) for command in commands)


def print_table(title: str, columns: list[str], rows: list[list[str]], numbers: tuple[str, ...] = ()) -> None:
    """A table that fits the terminal; `numbers` are the columns set flush right."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(printable, row))
    Console(width=None if sys.stdout.isatty() else PIPED_WIDTH, markup=False, highlight=False).print(table)


@contextlib.contextmanager
def rows_done(total: int, what: str = "rows") -> Iterator[Callable[[int], None]]:
    """Progress on stderr: call it with the number just done of what there is. None is shown for a total of 0."""
    if not total:
        yield lambda rows: None
        return
    from hourglass.training.progress import display

    done = 0
    with display() as shown:

        def advance(rows: int) -> None:
            nonlocal done
            done += rows
            shown.update(done, total, f"{done:,} of {total:,} {what}")

        yield advance


def report_written(path: Path, rows: int, what: str, as_json: bool, values: Mapping[str, Any] | None = None) -> None:
    """One line on what was written where; `values` stand beside it in JSON."""
    print_result({"out": path, "rows": rows, **(values or {})}, f"Wrote {path}: {rows:,} {what}", as_json)
