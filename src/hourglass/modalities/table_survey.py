"""One look at a table, in chunks of any number: statistics of its columns, and what is carried along instead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hourglass.modalities.column import Kind
from hourglass.modalities.column_statistics import MAX_CATEGORIES, ColumnStatistics
from hourglass.modalities.columns import UnusableColumnsError, read_columns
from hourglass.modalities.flattened import picture_shape
from hourglass.modalities.identifiers import DECLARED, LeftOut
from hourglass.modalities.one_hot import OneHot
from hourglass.readers import containers
from hourglass.readers.column_types import column_types
from hourglass.readers.date_texts import Order


@dataclass
class Survey:
    """What one pass over a table found.

    Attributes
    ----------
    names : of all columns, in their order.
    statistics : of the columns that can be read, by name.
    unreadable : name -> why a column's type cannot be learned from.
    pictures : the shape of pictures whose pixels the columns may be.
    """

    names: tuple[str, ...] = ()
    statistics: dict[str, ColumnStatistics] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    container: containers.Kind = "array"
    rows: int = 0
    one_hot: OneHot = field(default_factory=OneHot)
    pictures: tuple[int, ...] | None = None

    def resolve(self, declared: Mapping[str, Kind | None], discrete: bool) -> None:
        """Takes texts that are dates for dates, where they are not declared something else."""
        for name, statistics in self.statistics.items():
            if name not in declared or declared[name] is not None:
                self.statistics[name] = statistics.resolved(declared.get(name), discrete)

    def check_declared(self, declared: Mapping[str, Kind | None]) -> None:
        """Raises UnusableColumnsError for columns that cannot be what they are declared; None is an identifier."""
        reasons: dict[str, str] = {}
        for name, kind in declared.items():
            if kind is not None and name in self.unreadable:
                reasons[name] = f"is declared a {kind} and holds {self.unreadable[name]}"
            elif name in self.statistics and (reason := self.statistics[name].why_not(kind)):
                reasons[name] = reason
        if reasons:
            raise UnusableColumnsError(reasons)

    def left_out(self, declared: Mapping[str, Kind | None]) -> Iterator[LeftOut]:
        """The columns that nothing is learned of; those of an array of numbers have no names that could tell."""
        named = self.container != "array"
        for place, name in enumerate(self.names):
            if name in self.unreadable:
                yield LeftOut(name, place, self.unreadable[name])
            elif name in declared and declared[name] is None:
                yield LeftOut(name, place, DECLARED)
            elif why := self.statistics[name].why_left_out(name, declared.get(name), self.rows, named):
                yield LeftOut(name, place, why)


def survey(
    chunks: Iterable[Any],
    counts: Iterable[str],
    categories: Iterable[str],
    names: Sequence[str] = (),
    orders: Mapping[str, Order] | None = None,
) -> Survey:
    """Looks at every chunk once.

    Parameters
    ----------
    chunks : tables of the same columns.
    counts, categories : names of columns that are declared so.
    names : of the columns of arrays.
    orders : of day and month in the dates of columns, by name.

    Raises
    ------
    ValueError : for names that are not one for each column of an array.
    """
    found = Survey()
    for chunk in map(containers.canonical, chunks):
        found.container = containers.kind_of(chunk)
        table = containers.to_arrow(chunk) if containers.is_frame(chunk) else chunk
        unreadable: dict[str, str] = {}
        if names and (containers.is_frame(chunk) or len(names) != containers.n_columns(chunk)):
            raise ValueError(f"column_names={tuple(names)!r} are not one for each column of an array; leave them out")
        columns = read_columns(table, unreadable, names)
        found.rows += len(chunk)
        if not found.names:
            found.unreadable = unreadable
            types = column_types(chunk, table)
            found.names = containers.column_names(chunk) or tuple(columns)
            found.statistics = {
                name: ColumnStatistics(t, order=(orders or {}).get(name))
                for name, t in zip(found.names, types, strict=True)
                if name in columns
            }
        columns = {name: values for name, values in columns.items() if name in found.statistics}
        for name, values in columns.items():
            levels = MAX_CATEGORIES if name in categories else 50
            found.statistics[name].add(values, levels, name in counts)
        found.one_hot.add(columns)
        if found.rows == len(chunk):  # the first
            found.pictures = picture_shape(columns)
    return found
