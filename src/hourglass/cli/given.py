"""`--given`: cells that are known, on the command line or in a file."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hourglass.cli.companions import table_of_file
from hourglass.cli.errors import UsageError
from hourglass.cli.sources import known

if TYPE_CHECKING:
    from hourglass.modalities.modality import Modality


def given_cells(words: list[str], modality: Modality) -> Any:
    """COLUMN=VALUE ..., or a FILE of some columns -> a pyarrow.Table of the cells that are given.

    Raises
    ------
    UsageError : for what is neither, and a column that the model does not know.
    """
    import pyarrow as pa

    if len(words) == 1 and "=" not in words[0]:
        if not Path(words[0]).expanduser().is_file():
            raise UsageError(f"--given {words[0]}: give COLUMN=VALUE, or a file with the known columns")
        return table_of_file(Path(words[0]).expanduser())
    cells: dict[str, Any] = {}
    columns = {source.name: source for column in modality.columns for source in column.sources}
    for word in words:
        for pair in shlex.split(word) if word.count("=") > 1 else [word]:
            name, equals, text = pair.partition("=")
            if not equals:
                raise UsageError(f"--given {pair}: give COLUMN=VALUE; quote a value with spaces: 'town=\"New York\"'")
            if name not in columns:
                raise UsageError(f"--given {pair}: the model knows no column {name!r}{known(name, columns)}")
            cells[name] = _value(columns[name], text)
    return pa.table({name: [value] for name, value in cells.items()})


def _value(column: Any, text: str) -> Any:
    if column.texts or column.is_written:
        return text
    try:
        return float({"true": "1", "false": "0"}.get(text.lower(), text))
    except ValueError:
        raise UsageError(f"--given {column.name}={text}: {column.name} holds numbers") from None
