"""Series: one or many, of one or many channels, of any lengths. A cell is a channel at an instant.

The channels are the columns of a table whose rows are the instants: `Tables` learns what they are, and takes them there
and back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from hourglass.likelihoods import Likelihood
from hourglass.modalities.column_ends import input_of, scaling_of
from hourglass.modalities.column_likelihood import likelihood_of
from hourglass.modalities.examples import Examples
from hourglass.modalities.scaling import Standardise
from hourglass.modalities.tables import Tables
from hourglass.modalities.time_axis import Layout, is_clock, seconds_in
from hourglass.modalities.windows import along_time
from hourglass.networks.fronted import Fronted
from hourglass.networks.per_instant import PerInstant
from hourglass.networks.pictures import NETWORKS, network_named
from hourglass.readers import Data, containers
from hourglass.readers.series import Records
from hourglass.typed_json import from_json

USUAL, MIN_WINDOW = 96, 8  # instants
WHOLE, MANY = 512, 8  # so many records that are no longer than this are seen whole
PER_WINDOW = 16  # windows begin at least so often in the length of one, where they are trained on and scored
ENOUGH = 4_000  # windows; of shorter series they begin more often
CODES_PER_WINDOW = 4  # codes in the length of a window


@dataclass(frozen=True)
class Series:
    """Series of any lengths, cut into windows; NaN means missing.

    Parameters
    ----------
    window : instants of a window. By default 96, at most a quarter of the longest series; eight or more series of at
        most 512 instants are taken whole.
    stride : instants from one code to the next; a quarter of a window by default. Trained on, and scored, are windows
        that begin more often.
    time : the column that says when. By default an index of times, or the first column of dates or times.
    record : the column that says which record a row is of, where one table holds several.
    centre : take off each window its own mean, channel by channel of numbers: for series that wander, or jump to levels
        that were not there at fit. Whatever is put together again has its levels back; samples have none. By default a
        detector does, and others do not.
    counts, categories, numbers, identifiers : names of channels, as in `Tables`.
    column_names : of an array, whose channels are x0, x1, ... by default.

    Learned by `infer`: `channels`, what the columns are; the width of the windows, and the steps between them; the
    column of times.
    """

    window: int | None = None
    stride: int | None = None
    time: str | None = None
    record: str | None = None
    centre: bool | None = None
    counts: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    column_names: tuple[str, ...] = ()
    channels: Tables = field(default=Tables(), repr=False)
    clock: str | None = field(default=None, repr=False)
    width: int = field(default=0, repr=False)
    step: int = field(default=1, repr=False)
    step_of_codes: int = field(default=1, repr=False)
    is_cut: bool = field(default=True, repr=False)
    is_flat: bool = field(default=False, repr=False)
    rate: int | None = field(default=None, repr=False)
    in_words: str = field(default="", repr=False)

    name = "series"
    reads = ("series", "tables", "arrays")
    has_missing = True
    samples_noise = False  # noise drawn instant by instant is no part of a shape
    default_corruption = "GaussianNoise"
    networks = tuple(NETWORKS)
    mask_value = float("nan")
    columns = ()

    def __post_init__(self) -> None:
        for option in ("window", "stride"):
            value = getattr(self, option)
            if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
                raise ValueError(f"{option}={value!r} must be a number of instants, at least 1")

    @property
    def noun(self) -> str:
        return "window" if self.is_cut else "series"

    @property
    def endings(self) -> tuple[str, ...]:
        return (*((".wav",) if self.rate else ()), ".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet", ".npy", ".npz", "")

    # ---- data in ----

    @classmethod
    def suits(cls, data: Data) -> bool:
        """Files that hold series, frames with an index of times, and lists of frames; others are tables."""
        if data.kind == "series":
            return True
        if isinstance(data.X, list):
            return bool(data.X) and all(containers.is_frame(x) for x in data.X)
        return containers.is_frame(data.X) and containers.times_of_index(data.X) is not None

    def accept(self, data: Data) -> Records:
        """Records: arrays (T, C) or frames, one for each series."""
        X = data.X
        if data.kind not in self.reads:
            raise ValueError(f"{data.source} holds {data.kind}, but series are needed")
        if isinstance(X, Records):
            return X
        if containers.is_frame(X):
            return Records([X], "one") if self.record is None else self._of_long(X, data.source)
        if self.record is not None:
            raise ValueError(f"record={self.record!r} is a column, and {data.source} has none")
        if isinstance(X, list):
            if all(containers.is_frame(x) for x in X):
                return Records(X)
            flat = all(np.ndim(x) == 1 for x in X)
            return self._numbers(Records([_with_channels(x) for x in X], is_flat=flat), data.source)
        if X.ndim <= 2:
            return self._numbers(Records([_with_channels(X)], "one", is_flat=X.ndim == 1), data.source)
        return self._numbers(Records(list(X), "stack"), data.source)

    def _of_long(self, X: Any, source: str) -> Records:
        names = containers.column_names(X) or ()
        if self.record not in names:
            raise ValueError(f"record={self.record!r} is not a column of {source}; it has {', '.join(names)}")
        ids = np.array([str(value) for value in containers.column(X, self.record).column(0).to_pylist()])
        found, first, inverse = np.unique(ids, return_index=True, return_inverse=True)
        order = np.argsort(first)  # in their order of appearance
        rows = [np.flatnonzero(inverse == place) for place in order]
        return Records(
            [containers.take(X, mine) for mine in rows],
            "long",
            whole=X,
            rows=np.concatenate(rows),
            names=tuple(found[order].tolist()),
        )

    @staticmethod
    def _numbers(records: Records, source: str) -> Records:
        for number, x in enumerate(records):
            if np.ndim(x) != 2 or np.asarray(x).dtype.kind not in "biuf":
                raise ValueError(
                    f"{source}: series {number} is an array {np.shape(x)} of {np.asarray(x).dtype}; numbers (T,) or "
                    "(T, C) are needed, T instants of C channels"
                )
        return records

    def for_scores(self) -> Series:
        return replace(self, centre=True) if self.centre is None else self

    def infer(self, X: Records) -> Series:
        if hasattr(X, "__next__"):
            raise TypeError("a series is not learned from a table read in chunks; give less of it, or a coarser one")
        frame = containers.is_frame(X[0])
        clock = self.time or (next((n for n in containers.column_names(X[0]) or () if is_clock(X[0], n)), None))
        if self.time is not None and (not frame or self.time not in (containers.column_names(X[0]) or ())):
            raise ValueError(f"time={self.time!r} is not a column of X")
        found = replace(self, clock=clock if frame else None, is_flat=bool(getattr(X, "is_flat", False)))
        lengths = np.array([len(x) for x in X])
        if lengths.min() < 1 or lengths.max() < 2:
            raise ValueError(f"series {int(lengths.argmin())} has {lengths.min()} instants; at least two are needed")
        is_cut, width = self.is_cut, self.window
        if width is None:
            is_cut = len(X) < MANY or int(lengths.max()) > WHOLE
            width = int(np.clip(lengths.max() // 4 // 4 * 4, MIN_WINDOW, USUAL) if is_cut else lengths.max())
        table = found._of_channels(containers.concatenate(list(X)))
        tables = Tables(
            counts=self.counts, categories=self.categories, numbers=self.numbers, identifiers=self.identifiers,
            column_names=self.column_names, one_hot=False,
        ).infer(table)  # fmt: skip
        layout = found._layout(X, width)
        padded = bool((layout.lengths < width).any()) or int(layout.lengths.sum()) > len(table)
        if padded:
            tables = replace(tables, columns=tuple(replace(column, missing=True) for column in tables.columns))
        close = max(1, width // PER_WINDOW)
        whole = replace(
            found,
            channels=tables,
            width=width,
            step=int(np.clip(layout.lengths.sum() // ENOUGH, 1, close)),
            step_of_codes=self.stride or max(1, width // CODES_PER_WINDOW),
            is_cut=is_cut,
            rate=getattr(X, "rate", None),
            in_words=_in_words(lengths),
        )
        return whole._centred(X) if self.centre else whole

    def _centred(self, X: Records) -> Series:
        """The same with the scale of numbers about the mean of their window."""
        windows = self._windows(X, dense=True).centred(self._numbers_among).rows()
        columns = list(self.channels.columns)
        for i in self._numbers_among.nonzero().flatten().tolist():
            deviation = float(windows[:, i].double().square().nanmean().sqrt())
            columns[i] = replace(
                columns[i], offset=0.0, scale=deviation or 1.0, tail=None, spikes=(), discrete=False, lowest=None,
                highest=None, cycles=(),
            )  # fmt: skip
        return replace(self, channels=replace(self.channels, columns=tuple(columns)))

    @property
    def _numbers_among(self) -> Tensor:
        """(C,) bool: the channels of numbers that change."""
        return torch.tensor([c.kind == "numeric" and not c.constant for c in self.channels.columns])

    def _of_channels(self, table: Any) -> Any:
        """A table without its columns of times and records."""
        names, others = containers.column_names(table), (self.clock, self.record)
        return table if names is None else containers.select(table, [name for name in names if name not in others])

    def _places(self, table: Any) -> list[int]:
        """Where the channels stand among the columns of a table."""
        names = containers.column_names(table)
        others = (self.clock, self.record)
        return [i for i, name in enumerate(names or range(table.shape[1])) if name not in others]

    def _layout(self, X: Records, longest_gap: int) -> Layout:
        times = [seconds_in(x, self.clock) if containers.is_frame(x) else None for x in X]
        return Layout.of([len(x) for x in X], times, longest_gap, getattr(X, "rows", None))

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.channels.columns), self.width)

    @property
    def learned_names(self) -> tuple[str, ...]:
        others = tuple(name for name in (self.clock, self.record) if name is not None)
        return (*others, *(column.name for column in self.channels.columns))

    @property
    def constant_names(self) -> tuple[str, ...]:
        return self.channels.constant_names

    def examples(self, X: Records, dense: bool = False) -> Examples:
        """Windows (N, C, W) of numbers in raw units, NaN where one is missing or there is no instant."""
        examples = self._windows(X, dense)
        return examples.centred(self._numbers_among) if self.centre else examples

    def _windows(self, X: Records, dense: bool) -> Examples:
        raw = self.channels.examples(self._of_channels(containers.concatenate(list(X)))).rows()
        step = self.step if dense else self.step_of_codes
        examples = along_time(raw, self._layout(X, self.width), self.width, step)
        return replace(examples, record_names=getattr(X, "names", None), channels=self.channels.columns)

    # ---- the way back ----

    def restore(self, raw: Tensor, sampled: bool = False, like: Any = None) -> Any:
        """N windows: an array (N, W, C), or (N, W) where there were no channels; of frames a list of them."""
        n, channels, width = raw.shape
        table = self.channels.restore(raw.transpose(1, 2).reshape(n * width, channels), sampled)
        if containers.is_frame(table):
            return [containers.take(table, np.arange(i * width, (i + 1) * width)) for i in range(n)]
        return table.reshape((n, width) if self.is_flat else (n, width, -1))

    def _records(self, table: Any, X: Records) -> Any:
        """The rows of all records, one after the other, as X came in."""
        form, rows = getattr(X, "form", "list"), getattr(X, "rows", None)
        if rows is not None:
            return containers.take(table, np.argsort(rows))
        if form == "one":
            return table[:, 0] if self.is_flat and not containers.is_frame(table) else table
        ends = np.cumsum([len(x) for x in X])
        parts = [containers.take(table, np.arange(end - len(x), end)) for x, end in zip(X, ends.tolist(), strict=True)]
        if form == "stack":
            return np.stack(parts)
        return [part[:, 0] for part in parts] if self.is_flat else parts

    def stitch(self, examples: Examples, raw: Tensor, like: Any) -> Any:
        """Series of the instants that came in; where windows overlap, numbers are their mean, categories their vote."""
        rows = torch.from_numpy(examples.merged(examples.in_place(raw.double().cpu()).numpy()))
        table = containers.concatenate(list(like))
        inner = self._of_channels(table)
        made = self.channels.stitch(Examples.whole(rows), rows, inner)
        whole = containers.put_back(table, made, self._places(table)) if inner is not table else made
        return self._records(whole, like)

    def fill(self, X: Records, examples: Examples, raw: Tensor) -> Any:
        """The series with their missing cells filled in; instants that have no row get none."""
        rows = torch.from_numpy(examples.merged(examples.in_place(raw.double().cpu()).numpy()))
        table = containers.concatenate(list(X))
        inner = self._of_channels(table)
        made = self.channels.fill(inner, Examples.whole(rows), rows)
        whole = containers.put_back(table, made, self._places(table)) if inner is not table else made
        return self._records(whole, X)

    def given(self, cells: Any) -> tuple[Tensor, Callable[[Tensor], Any]]:
        raise TypeError("given= is for tables; this model was fitted on series")

    def scores_per_row(self, scores: np.ndarray, cells: Callable[[], np.ndarray], examples: Examples) -> np.ndarray:
        """One score per instant, the mean of the windows that cover it; of series that are seen whole one each.

        An instant's score is that of its cells, and its share of what the window's has besides.
        """
        if not self.is_cut:
            return np.bincount(examples.record, scores, examples.n_records)
        values = np.nan_to_num(cells())  # (N, C, W)
        beside = (scores - values.sum((1, 2))) / self.width
        of_instants = values.sum(1, keepdims=True) + beside[:, None, None]
        assert examples.layout is not None
        return examples.layout.as_handed_in(examples.per_row(of_instants)[:, 0])

    def split(self, X: Records, fraction: float, most: int, rng: np.random.Generator) -> tuple[Any, Any]:
        """Whole series chosen at random; of a single one its end."""
        if len(X) > 1:
            lengths = np.array([len(x) for x in X])
            order = rng.permutation(len(X))
            share = np.cumsum(lengths[order]) / lengths.sum()
            n = int(np.clip(np.searchsorted(share, fraction) + 1, 1, len(X) - 1))
            return tuple((Records([X[i] for i in r]), r) for r in (np.sort(order[n:]), np.sort(order[:n])))  # type: ignore[return-value]
        length = len(X[0])
        at = length - max(self.width, round(fraction * length))
        if at < self.width:
            raise ValueError(f"X is one series of {length} instants, too short to be split; give more")
        parts = (np.arange(at), np.arange(at, length))
        flat, where = getattr(X, "is_flat", False), np.zeros(1, dtype=np.int64)
        return tuple((Records([containers.take(X[0], part)], "one", is_flat=flat), where) for part in parts)  # type: ignore[return-value]

    def describe(self) -> str:
        windows = f", seen in windows of {self.width}" if self.is_cut else ""
        kinds = self.channels.describe().removeprefix("a table of ").replace("columns", "channels")
        kinds = kinds.replace("1 channels", "1 channel") if len(self.channels.columns) == 1 else kinds
        return f"{self.in_words} of {kinds}{windows}"

    # ---- the model ----

    def default_network(self, on_gpu: bool) -> str:
        return "conv"

    def noise_mask(self) -> Tensor:
        return self.channels.noise_mask()[:, None].expand(self.shape)

    def marginal_mask(self) -> Tensor:
        return torch.zeros(self.shape, dtype=torch.bool)

    def scaling(self, likelihood: Likelihood | None = None) -> Standardise:
        return scaling_of(self.channels.columns, n_axes=1)

    def encoder(self, hidden: Sequence[int] | None, network: str | None, activation: str) -> nn.Module:
        front = input_of(self.channels.columns)
        return Fronted(PerInstant(front), network_named(network).encoder((front.width, self.width), hidden, activation))

    def decoder(
        self, n_code: int, shape: tuple[int, ...], hidden: Sequence[int] | None, network: str | None, activation: str
    ) -> nn.Module:
        decoder: nn.Module = network_named(network).decoder(n_code, shape, hidden, activation)
        return decoder

    def likelihood(self, name: str | None, variance: Any) -> Likelihood:
        columns = self.channels.columns
        return likelihood_of(columns, scaling_of(columns), name, variance, self.channels.any_missing, (self.width,))

    # ---- on disk ----

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Series:
        return from_json(cls, values, "series")


def _with_channels(x: Any) -> np.ndarray:
    array = containers.as_array(x)
    return array[:, None] if array.ndim == 1 else array


def _in_words(lengths: np.ndarray) -> str:
    low, high = int(lengths.min()), int(lengths.max())
    instants = f"{high:,}" if low == high else f"{low:,} to {high:,}"
    return (
        f"one series of {instants} instants" if len(lengths) == 1 else f"{len(lengths):,} series of {instants} instants"
    )
