"""Lines of text: of a file, a column of a table, or a list. A record is a line, a cell is a token."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NoReturn

import numpy as np
import torch
from torch import Tensor, nn

from hourglass.likelihoods import Categorical, Likelihood
from hourglass.modalities.examples import Examples, split_records
from hourglass.modalities.scaling import Standardise
from hourglass.modalities.tokens import Fields, Tokeniser, Unit, suited_unit
from hourglass.networks.fronted import Fronted
from hourglass.networks.pictures import network_named
from hourglass.networks.tokens import NETWORKS, ClassDecoder, Embedded
from hourglass.readers import Data, containers
from hourglass.typed_json import from_json
from hourglass.user_warnings import warn

UNITS = ("character", "word", "bytepair")
VOCABULARY = 2_000  # tokens at most, unless said
MIN_BYTE_PAIRS = 300  # there are 256 bytes
MAX_LENGTH = 256  # tokens of a line, unless said
USUAL = 0.99  # of the lines are not cut
LONGER = 1.5  # times as long as these: where no line is longer, none is cut
LINES_TO_LEARN = 200_000  # that tokens and lengths are learned from
WIDTH, HIDDEN = 64, (256, 256)


@dataclass(frozen=True)
class Text:
    """Lines of text.

    Parameters
    ----------
    column : of a table, the one that holds the texts; None where it has only one column.
    unit : what a token is: "character", "word" (with the signs between, and their spaces) or "bytepair" (frequent
        pieces of words, by the package tokenizers); None takes words where most of them come again, else characters.
    length : tokens of a line at most, longer ones are cut; None: few lines are.
    vocabulary : how many different tokens are known at most, the most frequent; others are <unk>.
    fields : "typed" makes numbers, times, addresses and hexadecimal numbers <num>, <time>, <ip>, <hex>, as suits logs.

    Learned by `infer`: `tokeniser`, and `longest`, the tokens of an example.
    """

    column: str | int | None = None
    unit: Unit | None = None
    length: int | None = None
    vocabulary: int | None = None
    fields: Fields | None = None
    tokeniser: Tokeniser | None = field(default=None, repr=False)
    longest: int = field(default=0, repr=False)

    name = "text"
    noun = "line"
    reads = ("text", "lines", "tables", "arrays")
    endings = (".txt",)
    has_missing = False  # what is NaN lies behind the end of a line
    samples_noise = False  # tokens drawn one by one, each alone, make no line
    default_corruption = "Masking"
    networks = tuple(NETWORKS)
    mask_value = math.nan
    columns = ()
    learned_names = ()
    constant_names = ()

    def __post_init__(self) -> None:
        if self.unit not in (None, *UNITS):
            raise ValueError(f"unit={self.unit!r} is unknown; choose character, word or bytepair")
        if self.fields not in (None, "typed"):
            raise ValueError(f"fields={self.fields!r} is unknown; choose typed, or leave it out")
        for name, least in (("length", 2), ("vocabulary", MIN_BYTE_PAIRS if self.unit == "bytepair" else 2)):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < least):
                raise ValueError(f"{name}={value!r} must be a whole number of at least {least}")

    # ---- the way in ----

    @classmethod
    def suits(cls, data: Data) -> bool:
        """Logs, and lists of texts."""
        if data.kind == "text":
            return True
        X = data.X
        if data.kind != "arrays" or not isinstance(X, np.ndarray) or X.ndim != 1 or X.dtype.kind not in "OU":
            return False
        return all(isinstance(text, str) for text in X[:100])

    def accept(self, data: Data) -> np.ndarray:
        """(N,) texts."""
        texts = self._column_of(data).tolist() if containers.n_columns(data.X) is not None else list(data.X)
        lines = np.empty(len(texts), dtype=object)
        lines[:] = texts
        missing = 0
        for row, text in enumerate(texts):
            if text is None or (isinstance(text, float) and math.isnan(text)):
                lines[row], missing = "", missing + 1
            elif not isinstance(text, str):
                raise ValueError(
                    f"{data.source}, row {row}: {text!r} is not a text; give texts, or leave modality= out for numbers"
                )
        if missing:
            warn(f"{data.source}: {missing} of {len(lines)} texts are missing; they are read as empty")
        return lines

    def _column_of(self, data: Data) -> np.ndarray:
        """The column of a table that holds the texts."""
        names, column = data.columns, self.column
        if column is None:
            if containers.n_columns(data.X) != 1:
                known = ", ".join(names) if names else "they have no names, give its place, from 0"
                raise ValueError(
                    f"{data.source} has {containers.n_columns(data.X)} columns; say which holds the texts: "
                    f"modality='text column=NAME' ({known})"
                )
            column = names[0] if names else 0
        if names is not None and str(column) not in names:
            raise ValueError(f"{data.source} has no column {str(column)!r}; it has {', '.join(names)}")
        found = containers.column(data.X, column if names is None else str(column))
        return np.array(found.column(0).to_pylist(), dtype=object)

    def for_scores(self) -> Text:
        return self

    def infer(self, X: np.ndarray) -> Text:
        if not isinstance(X, np.ndarray):
            raise TypeError("text is not learned from a table read in chunks; give its column as a list, or less of it")
        if len(X) < 2:
            raise ValueError(f"X holds {len(X)} line of text; at least two are needed")
        step = -(-len(X) // LINES_TO_LEARN)
        lines = X[::step].tolist()
        unit = self.unit or suited_unit(lines)
        tokeniser = Tokeniser.learn(lines, unit, self.vocabulary or VOCABULARY, self.fields)
        lengths = np.array([len(tokeniser.split(line)) for line in lines]) + 1  # and the end
        if lengths.max() < 2:
            raise ValueError("all lines of X are empty; there is nothing to learn from")
        longest = self.length or min(MAX_LENGTH, _usual_length(lengths))
        return replace(self, tokeniser=tokeniser, longest=min(int(longest), int(lengths.max())))

    @property
    def _tokeniser(self) -> Tokeniser:
        assert self.tokeniser is not None, "infer comes first"
        return self.tokeniser

    @property
    def shape(self) -> tuple[int, ...]:
        """(1, T): the first axis holds features, of which a token has one."""
        return (1, self.longest)

    def examples(self, X: np.ndarray, dense: bool = False) -> Examples:
        """Every line is an example."""
        return Examples.whole(self._tensor(X))

    def _tensor(self, X: np.ndarray) -> Tensor:
        """Raw (N, 1, T): places of tokens, that of the end after the last one, and NaN behind it."""
        raw = np.full((len(X), *self.shape), np.nan, dtype=np.float32)
        cut = 0
        for i, line in enumerate(X.tolist()):
            places = self._tokeniser.encode(line)
            cut += len(places) > self.longest
            places = [*places, 0][: self.longest]
            raw[i, 0, : len(places)] = places
        if cut:
            warn(
                f"{cut:,} of {len(X):,} lines are longer than {self.longest} tokens, and are cut there; to keep more, "
                "fit with modality='text length=...'"
            )
        return torch.from_numpy(raw)

    def pieces(self, line: str) -> list[str]:
        """The tokens of a line that the model sees, as they are written: those that are not known too."""
        tokens = self._tokeniser.split(line)[: self.longest]
        return [self._tokeniser.join([token]) for token in tokens]

    # ---- the way back ----

    def restore(self, raw: Tensor, sampled: bool = False, like: Any = None) -> np.ndarray:
        """(N,) texts; what is not known is <unk>."""
        lines = np.empty(len(raw), dtype=object)
        for i, places in enumerate(raw[:, 0].nan_to_num(0).round().int().tolist()):
            lines[i] = self._tokeniser.join(self._tokeniser.decode(places))
        return lines

    def stitch(self, examples: Examples, raw: Tensor, like: Any) -> np.ndarray:
        return self.restore(raw)

    def fill(self, X: Any, examples: Examples, raw: Tensor) -> NoReturn:
        """Raises TypeError: no token of a text is missing."""
        raise TypeError("a text has no missing cells to fill in; impute is for tables and other data with NaN cells")

    def given(self, cells: Any) -> tuple[Tensor, Callable[[Tensor], Any]]:
        raise TypeError("given= is for tables, whose columns have names; this model was fitted on texts")

    def scores_per_row(self, scores: np.ndarray, cells: Callable[[], np.ndarray], examples: Examples) -> np.ndarray:
        """One score per line, the sum over its tokens and its end."""
        return scores

    def split(self, X: Any, fraction: float, most: int, rng: np.random.Generator) -> tuple[Any, Any]:
        """Lines chosen at random."""
        return split_records(X, fraction, most, rng)

    def describe(self) -> str:
        unit = {"character": "characters", "word": "words and signs", "bytepair": "byte pairs"}[self._tokeniser.unit]
        return f"lines of text of at most {self.longest} {unit}, {len(self._tokeniser):,} different ones"

    # ---- the model ----

    def default_network(self, on_gpu: bool) -> str:
        return "conv"

    def noise_mask(self) -> Tensor:
        return torch.zeros(self.shape, dtype=torch.bool)

    def marginal_mask(self) -> Tensor:
        return torch.zeros(self.shape, dtype=torch.bool)

    def scaling(self, likelihood: Likelihood | None = None) -> Standardise:
        """Classes are used as they are."""
        return Standardise(torch.zeros(()), torch.ones(()))

    def encoder(self, hidden: Sequence[int] | None, network: str | None, activation: str) -> nn.Module:
        encoder = network_named(network, NETWORKS).encoder(
            (WIDTH, self.longest), HIDDEN if hidden is None else hidden, activation
        )
        return Fronted(Embedded(len(self._tokeniser), WIDTH), encoder)

    def decoder(
        self, n_code: int, shape: tuple[int, ...], hidden: Sequence[int] | None, network: str | None, activation: str
    ) -> nn.Module:
        places = network_named(network, NETWORKS).decoder(
            n_code, (WIDTH, shape[1]), HIDDEN if hidden is None else hidden, activation
        )
        return ClassDecoder(places, WIDTH, shape[0])

    def likelihood(self, name: str | None, variance: Any) -> Likelihood:
        if name not in (None, "categorical"):
            raise ValueError(f"likelihood={name!r} is not for text; leave it unset")
        return Categorical(self.shape, len(self._tokeniser), missing=True)

    # ---- on disk ----

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Text:
        return from_json(cls, values, "text")


def _usual_length(lengths: np.ndarray) -> int:
    """Tokens that few lines exceed; those of the longest, if no line is far longer."""
    usual = int(np.quantile(lengths, USUAL, method="higher"))
    longest = int(lengths.max())
    return longest if longest <= LONGER * usual else usual
