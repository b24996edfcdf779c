"""One look at a table, in chunks of any number: statistics of its columns, and what is carried along instead."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from hourglass.modalities.column_hints import OneHot
from hourglass.modalities.column_statistics import MAX_CATEGORIES, ColumnStatistics
from hourglass.modalities.columns import read_columns
from hourglass.readers import containers
from hourglass.readers.column_types import column_types


@dataclass
class Survey:
    """What one pass over a table found.

    Attributes
    ----------
    names : of all columns, in their order.
    statistics : of the columns that can be read, by name.
    unreadable : name -> why a column's type cannot be learned from.
    """

    names: tuple[str, ...] = ()
    statistics: dict[str, ColumnStatistics] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    container: containers.Kind = "array"
    rows: int = 0
    one_hot: OneHot = field(default_factory=OneHot)


def survey(chunks: Iterable[Any], counts: Iterable[str], categories: Iterable[str]) -> Survey:
    """Looks at every chunk once.

    Parameters
    ----------
    chunks : tables of the same columns.
    counts, categories : names of columns that are declared so.
    """
    found = Survey()
    for chunk in map(containers.canonical, chunks):
        found.container = containers.kind_of(chunk)
        table = containers.to_arrow(chunk) if containers.is_frame(chunk) else chunk
        unreadable: dict[str, str] = {}
        columns = read_columns(table, unreadable)
        found.rows += len(chunk)
        if not found.names:
            found.unreadable = unreadable
            types = column_types(chunk, table)
            found.names = containers.column_names(chunk) or tuple(columns)
            found.statistics = {
                name: ColumnStatistics(t) for name, t in zip(found.names, types, strict=True) if name in columns
            }
        columns = {name: values for name, values in columns.items() if name in found.statistics}
        for name, values in columns.items():
            levels = MAX_CATEGORIES if name in categories else 50
            found.statistics[name].add(values, levels, name in counts)
        found.one_hot.add(columns)
    return found
