"""Tables: numeric, binary, categorical and count columns, with missing cells."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from hourglass.likelihoods import Likelihood
from hourglass.modalities import column_hints, dates, flattened, identifiers, one_hot
from hourglass.modalities.cells import from_raw, in_decimals
from hourglass.modalities.column import Column
from hourglass.modalities.column_ends import input_of, scaling_of
from hourglass.modalities.column_likelihood import likelihood_of
from hourglass.modalities.columns import UnusableColumnsError, read_columns
from hourglass.modalities.declared import NAMING, declared_kinds, declared_orders
from hourglass.modalities.examples import Examples, split_records
from hourglass.modalities.filling import fill_missing
from hourglass.modalities.given_cells import GivenCells
from hourglass.modalities.identifiers import IDENTIFIER, LeftOut
from hourglass.modalities.scaling import Standardise
from hourglass.modalities.table_survey import survey
from hourglass.networks import MLPDecoder, MLPEncoder
from hourglass.networks.fronted import Fronted
from hourglass.readers import Data, containers, notations
from hourglass.readers.column_types import ColumnType, column_types, from_columns
from hourglass.typed_json import from_json
from hourglass.user_warnings import warn

ONE_AXIS = (
    "Expected 2D array, got 1D array instead. Reshape your data with X.reshape(-1, 1) if it has one feature, or "
    "X.reshape(1, -1) if it is one row"
)


@dataclass(frozen=True)
class Tables:
    """Tables of numbers and texts; NaN (or null) means missing.

    Parameters
    ----------
    counts : names of columns (x0, x1, ... of an array) that hold counts: they get a negative binomial head.
    categories : names of columns whose numbers stand for categories without an order, such as codes of products.
    numbers : names of columns whose numbers are quantities, where they look like identifiers.
    identifiers : names of columns to carry along without learning from them, besides those that are noticed.
    day_first, month_first : names of columns whose texts are dates such as 31/12/2024 or 12/31/2024; ISO dates
        (2024-12-31, and with a time) are noticed.
    discrete : take columns of whole numbers with at most 50 levels for categories.
    one_hot : take neighbouring columns of 0 and 1, of which exactly one is 1 in every row, for one category.
    column_names : of an array, whose columns are x0, x1, ... by default.

    Learned by `infer`: `columns`, which the model learns; `left_out`, those that tell rows apart and nothing about them
    (identifiers, free text), which stay where rows stay; and `container`, the kind of table that came in. A column with
    two distinct values is binary, dates are numbers (see `dates`), other texts are categories, everything else is
    numeric and standardised.
    """

    counts: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    day_first: tuple[str, ...] = ()
    month_first: tuple[str, ...] = ()
    discrete: bool = False
    one_hot: bool = True
    column_names: tuple[str, ...] = ()
    columns: tuple[Column, ...] = field(default=(), repr=False)
    left_out: tuple[LeftOut, ...] = field(default=(), repr=False)
    container: containers.Kind = field(default="array", repr=False)

    name = "tables"
    noun = "row"
    reads = ("tables",)
    endings = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet", ".npy", ".npz")
    has_missing = True
    default_corruption = "Masking"
    networks = ("mlp",)
    mask_value = math.nan
    samples_noise = True  # a sampled row is a row one could have seen, categories and noise drawn

    def __post_init__(self) -> None:
        for option in (*NAMING, "column_names"):
            names = getattr(self, option)
            if isinstance(names, str):
                raise TypeError(f"{option}={names!r} must be a list of names: [{names!r}]")
            object.__setattr__(self, option, tuple(names))

    @classmethod
    def suits(cls, data: Data) -> bool:
        """Frames, and arrays of two axes."""
        return data.kind == "tables"

    def accept(self, data: Data) -> Any:
        """A frame, or an array (N, D)."""
        if data.kind == "arrays" and np.ndim(data.X) == 1:
            raise ValueError(f"{data.source}: {ONE_AXIS}")
        if data.kind == "arrays":
            raise ValueError(
                f"{data.source}: Found array with dim {np.ndim(data.X)}, while dim 2 is required by a table"
            )
        if data.kind not in self.reads:
            raise ValueError(f"{data.source} holds {data.kind}, but a table is needed")
        return data.X

    def for_scores(self) -> Tables:
        return self

    def infer(self, X: Any) -> Tables:
        """Looks at X once: a table, or an iterator of tables (chunks of one too large for memory)."""
        chunks: Iterable[Any] = X if hasattr(X, "__next__") else (X,)
        found = survey(chunks, self.counts, self.categories, self.column_names, declared_orders(self))
        declared = declared_kinds(self, found.names)
        found.resolve(declared, self.discrete)
        if found.rows < 2:
            raise ValueError("X has 1 row (1 sample); at least two are needed")
        named = found.container != "array"
        found.check_declared(declared)
        left_out = tuple(found.left_out(declared))
        out = {column.name: column.why for column in left_out}
        learned = {name: statistics for name, statistics in found.statistics.items() if name not in out}
        if left_out and (self.discrete or not learned):
            raise UnusableColumnsError({name: f"holds nothing to learn from ({why})" for name, why in out.items()})
        if left_out:
            numeric = [c.name for c in left_out if c.why == IDENTIFIER and found.statistics[c.name].n]
            warn(identifiers.note(left_out, numeric))
        hints = [
            column_hints.of_column(name, s, found.rows, name in declared, named and not self.discrete)
            for name, s in learned.items()
        ]
        for hint in hints:
            if hint is not None:
                warn(hint)
        if found.pictures is not None and not self.discrete:
            warn(flattened.hint(found.pictures))
        kept = tuple(s.column(name, declared.get(name), self.discrete) for name, s in learned.items())
        if all(c.constant for c in kept) and not self.discrete:
            raise ValueError("every column of X is constant; there is nothing to learn")
        if self.one_hot and not self.discrete:
            kept = found.one_hot.folded(kept, apart=declared)
        return replace(self, columns=kept, left_out=left_out, container=found.container)

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.columns),)

    def _of_kind(self, kind: str) -> list[int]:
        return [i for i, c in enumerate(self.columns) if c.kind == kind]

    @property
    def any_missing(self) -> bool:
        return any(c.missing for c in self.columns)

    @property
    def _all_numeric(self) -> bool:
        return all(c.kind == "numeric" and not (c.missing or c.constant or c.cycles) for c in self.columns)

    @property
    def learned_names(self) -> tuple[str, ...]:
        return tuple(source.name for column in self.columns for source in column.sources)

    @property
    def constant_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.constant)

    def examples(self, X: Any, dense: bool = False) -> Examples:
        """Every row is an example."""
        return Examples.whole(self._tensor(X))

    def _tensor(self, X: Any) -> Tensor:
        """X -> raw (N, D): numbers as they are, texts as codes, NaN for missing.

        float32, unless it would lose some of a column: then float64.
        """
        columns = self.cells(X)
        self._check_names(X, list(columns))
        wide = any(c.needs_float64 for c in self.columns)
        rows = len(next(iter(columns.values())))
        raw = np.empty((rows, len(self.columns)), dtype=np.float64 if wide else np.float32)
        named = {c.name: values for c, values in zip(self.sources, columns.values(), strict=True)}
        for i, column in enumerate(self.columns):
            raw[:, i] = one_hot.to_raw(column, named)
        return torch.from_numpy(raw)

    @property
    def sources(self) -> tuple[Column, ...]:
        """The columns of the table that are learned from, each by itself."""
        return tuple(source for column in self.columns for source in column.sources)

    def cells(self, X: Any) -> dict[str, np.ndarray]:
        """The cells of the columns that are learned from, by name."""
        return read_columns(self.learned_from(X), names=[column.name for column in self.sources])

    def learned_from(self, X: Any) -> Any:
        """X without the columns that the model leaves out; they need not be there."""
        if not self.left_out:
            return X
        names, out = containers.column_names(X), {column.name for column in self.left_out}
        if names is not None:
            return containers.select(X, [name for name in names if name not in out])
        return X if X.shape[1] == len(self.sources) else containers.select(X, self._places(X))

    def _places(self, X: Any) -> list[int]:
        """Where the columns that are learned from stand among those of X."""
        names, out = containers.column_names(X), {column.place for column in self.left_out}
        if names is not None:
            return [names.index(column.name) for column in self.sources]
        width = len(self.sources) + len(out)
        if X.shape[1] not in (len(self.sources), width):
            raise ValueError(f"X has {X.shape[1]} features, but the model was fitted on {width}")
        return list(range(X.shape[1])) if X.shape[1] < width else [i for i in range(width) if i not in out]

    def _check_names(self, X: Any, names: list[str]) -> None:
        known = [c.name for c in self.sources]
        if len(names) != len(known):
            raise ValueError(f"X has {len(names)} features, but the model was fitted on {len(known)}")
        if containers.is_frame(X) and self.container != "array" and names != known:
            strange = next((n for n, k in zip(names, known, strict=True) if n != k), names[0])
            raise ValueError(f"column {strange!r} is not where it was at fit; the columns were {', '.join(known)}")

    def restore(self, raw: Tensor, sampled: bool = False, like: Any = None, given: GivenCells | None = None) -> Any:
        """Raw (N, D) -> a table of the kind, and of columns of the types, at fit, or of those of `like`.

        What was `sampled` could have been there: numbers stay within those that were seen, whole where those were
        whole, one of two where there were two. Else whole numbers come back as expected values, in floating point, and
        booleans as the more probable one.
        """
        kind = self.container if like is None else containers.kind_of(like)
        types = [c.type for c in self.sources] if like is None else column_types(like)
        types = dates.written_as(self.sources, types)
        named = dict(zip([c.name for c in self.sources], types, strict=True))
        columns: dict[str, np.ndarray] = {}
        for c, values in zip(self.columns, raw.cpu().numpy().T, strict=True):
            if c.members:
                columns |= one_hot.unfolded(c, values)
                continue
            columns[c.name] = from_raw(c, values, sampled or named[c.name].is_boolean)
            if named[c.name].is_whole and not sampled and not c.constant and c.kind != "category":  # expected values
                named[c.name] = ColumnType("double", "float64", label=named[c.name].label)
        if given is not None:
            categories = [s.name for c in self.columns if c.is_categorical for s in c.sources]
            columns = given.put_into(columns, categories)
        types = list(named.values())
        return from_columns(columns, kind, types, like)

    def stitch(self, examples: Examples, raw: Tensor, like: Any) -> Any:
        """Rows as they stand, with the columns that were left out."""
        restored = self.restore(raw, like=self.learned_from(like))
        return containers.put_back(like, restored, self._places(like)) if self.left_out else restored

    def fill(self, X: Any, examples: Examples, raw: Tensor) -> Any:
        """X with its missing cells taken from raw (N, D); columns that nothing was known of at fit keep theirs."""
        if never := [column.name for column in self.columns if column.offset != column.offset]:
            names = ", ".join(never)
            warn(f"nothing was known of {names} at fit; what is missing there stays missing")
        known = self.cells(X) if any(c.members for c in self.columns) else {}
        filled: dict[str, np.ndarray] = {}
        for c, values in zip(self.columns, raw.cpu().numpy().T, strict=True):
            if c.members:
                filled |= one_hot.filled(c, values, known)
            else:
                filled[c.name] = in_decimals(c, from_raw(c, values, c.whole or c.kind == "binary"))
        types = dates.written_as(self.sources, column_types(self.learned_from(X)))
        filled = {n: notations.write(v, t.notation) for (n, v), t in zip(filled.items(), types, strict=True)}
        full = fill_missing(self.learned_from(X), filled)
        return containers.put_back(X, full, self._places(X)) if self.left_out else full

    def given(self, cells: Any) -> tuple[Tensor, Callable[[Tensor], Any]]:
        """A mapping of columns to values, or a table of some columns."""
        known = GivenCells.read(cells, self.columns)
        return torch.from_numpy(known.raw), lambda raw: self.restore(raw, sampled=True, given=known)

    def scores_per_row(self, scores: np.ndarray, cells: Callable[[], np.ndarray], examples: Examples) -> np.ndarray:
        """One score per row."""
        return scores

    def split(self, X: Any, fraction: float, most: int, rng: np.random.Generator) -> tuple[Any, Any]:
        """Rows chosen at random."""
        return split_records(X, fraction, most, rng)

    def describe(self) -> str:
        listed = ", ".join(f"{n} {kind}" for kind, n in Counter(c.kind_in_words for c in self.columns).items())
        missing = sum(c.missing for c in self.columns)
        with_missing = f", {missing} of them with missing values" if missing else ""
        names = ", ".join([*(c.name for c in self.left_out[:5]), *["..."] * (len(self.left_out) > 5)])
        beside = f", and {len(self.left_out)} that nothing is learned from ({names})" if names else ""
        folded = [c.name for c in self.columns if c.members]
        one_hot = f", {len(folded)} of them made of one-hot columns ({', '.join(folded[:5])})" if folded else ""
        return f"a table of {len(self.columns)} columns ({listed}){with_missing}{one_hot}{beside}"

    def noise_mask(self) -> Tensor:
        return torch.tensor([c.kind == "numeric" and not c.constant for c in self.columns])

    def marginal_mask(self) -> Tensor:
        return torch.tensor([c.kind in ("numeric", "count") and not c.constant for c in self.columns])

    def scaling(self, likelihood: Likelihood | None = None) -> Standardise:
        return scaling_of(self.columns)

    def _hidden(self, hidden: Sequence[int] | None) -> Sequence[int]:
        if hidden is not None:
            return hidden
        width = int(min(512, max(64, 2 ** math.ceil(math.log2(4 * len(self.columns))))))
        return (width, width)

    def default_network(self, on_gpu: bool) -> str:
        return "mlp"

    def encoder(self, hidden: Sequence[int] | None, network: str | None, activation: str) -> nn.Module:
        if network not in (None, "mlp"):
            raise ValueError(f"network={network!r} is not for tables; choose 'mlp' or leave it unset")
        if self._all_numeric:  # no cell was missing at fit, but a corruption or a later table may leave some out
            return MLPEncoder(self.shape, self._hidden(hidden), activation, missing=True, shortcut=True)
        front = input_of(self.columns)
        return Fronted(front, MLPEncoder((front.width,), self._hidden(hidden), activation, shortcut=True))

    def decoder(
        self, n_code: int, shape: tuple[int, ...], hidden: Sequence[int] | None, network: str | None, activation: str
    ) -> nn.Module:
        return MLPDecoder(n_code, shape, tuple(reversed(self._hidden(hidden))), activation, shortcut=True)

    def likelihood(self, name: str | None, variance: Any) -> Likelihood:
        return likelihood_of(self.columns, self.scaling(), name, variance, self.any_missing)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Tables:
        return from_json(cls, values, "table")
