"""A comparison -> the files of its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hourglass import readers
from hourglass.comparison.page import render
from hourglass.comparison.result import Comparison
from hourglass.comparison.tasks import SYNTHESISE
from hourglass.diagnostics.synthesis import MEANINGS
from hourglass.typed_json import json_text
from hourglass.whole_files import write_whole

RESULTS = "compare.json"  # alone, it holds the results so far of a comparison that is not finished
FILES = ("compare.html", "compare.csv", RESULTS, "compare.png", "compare.svg")


def write(result: Comparison, folder: Path) -> None:
    """The page, the rows as CSV, everything as JSON, and the figure, each whole or as it was."""
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / RESULTS, json_text(result.to_json()).encode())
    readers.write(folder / "compare.csv", _columns(result))
    write_whole(folder / "compare.html", render(result).encode())
    figure = result.plot()
    for ending in ("png", "svg"):
        with readers.written_whole(folder / f"compare.{ending}") as temporary:
            figure.savefig(temporary, format=ending, dpi=150)


def _columns(result: Comparison) -> Any:
    import pyarrow as pa

    columns = {name: [row[name] for row in result.rows] for name in result.rows[0]}
    asked = {name: values for name, values in columns.items() if name not in MEANINGS or result.task == SYNTHESISE}
    return pa.table(asked)
