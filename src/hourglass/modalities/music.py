"""Music: pieces of any length on a grid of steps, seen in windows of bars. A cell is a pitch at a step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, NoReturn

import numpy as np
import torch
from torch import Tensor, nn

from hourglass.likelihoods import Bernoulli, Categorical, Likelihood
from hourglass.modalities.examples import Examples
from hourglass.modalities.scaling import Standardise
from hourglass.modalities.time_axis import Layout
from hourglass.modalities.windows import along_time
from hourglass.networks.fronted import Fronted
from hourglass.networks.pictures import NETWORKS, network_named
from hourglass.readers import Data, containers
from hourglass.readers.music import PITCHES, Piece, Pieces, of_roll
from hourglass.typed_json import from_json
from hourglass.user_warnings import warn

GRIDS = (1, 2, 3, 4, 6, 8, 12)  # steps a quarter
ON_GRID = 0.995  # of the notes, that an inferred grid has room for
REST, HOLD, FIRST = 0, 1, 2  # classes of a melody; pitches come after them
BARS = 2
DIATONIC = (0, 2, 4, 5, 7, 9, 11)  # half tones of a major scale
ONE_KEY = 0.45  # of the pieces in the same scale: they were brought there, or belong there
SHIFTS = 6  # half tones, that a window is moved by at most while it is learned


@dataclass(frozen=True)
class Music:
    """Pieces of music, cut into windows of whole bars.

    Parameters
    ----------
    form : "roll", any number of pitches at a step, or "melody", the highest one alone.
    grid : steps a quarter; by default the fewest of 1, 2, 3, 4, 6, 8 and 12 that 99.5 % of the notes begin and end on.
    bars : of a window, 2 by default, in the most frequent meter.
    transpose : learn every window in other keys too: on each pass it is moved by at most six half tones, within the
        range of pitches that there are. By default where pieces are in several keys already.

    Learned by `infer`: the grid; `lowest`, the lowest pitch, and `n_pitches`; steps of a bar; whether notes are known
    by their begin; tempo and meter, for what is written.
    """

    form: Literal["roll", "melody"] = "roll"
    grid: int | None = None
    bars: int = BARS
    transpose: bool | None = None
    steps: int = field(default=1, repr=False)
    bar: int = field(default=4, repr=False)
    lowest: int = field(default=0, repr=False)
    n_pitches: int = field(default=0, repr=False)
    in_any_key: bool = field(default=True, repr=False)
    has_onsets: bool = field(default=True, repr=False)
    tempo: int = field(default=500_000, repr=False)
    meter: tuple[int, int] = field(default=(4, 4), repr=False)
    in_words: str = field(default="", repr=False)

    name = "music"
    noun = "window"
    reads = ("music",)
    endings = (".mid", "", ".wav", ".json", ".png")
    has_missing = True  # what lies beyond the end of a piece
    samples_noise = False
    default_corruption = "Masking"
    networks = tuple(NETWORKS)
    mask_value = float("nan")
    columns = ()
    learned_names = ()
    constant_names = ()

    def __post_init__(self) -> None:
        if self.form not in ("roll", "melody"):
            raise ValueError(f"form={self.form!r} is unknown; choose 'roll' or 'melody'")
        for option in ("grid", "bars"):
            value = getattr(self, option)
            if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
                raise ValueError(f"{option}={value!r} must be a whole number of at least 1")

    # ---- data in ----

    @classmethod
    def suits(cls, data: Data) -> bool:
        """Pieces, and what holds nothing else."""
        return data.kind == "music" or (isinstance(data.X, list) and all(isinstance(x, Piece) for x in data.X))

    def accept(self, data: Data) -> Pieces:
        X = data.X
        if isinstance(X, list) and X and all(isinstance(x, Piece) for x in X):
            return X if isinstance(X, Pieces) else Pieces(X)
        raise ValueError(f"{data.source} holds {data.kind}, but music is needed: MIDI files, or JSON of note sets")

    def for_scores(self) -> Music:
        return self

    def infer(self, X: Pieces) -> Music:
        steps = self.grid or _grid_of(X)
        meters, counts = np.unique([piece.meter for piece in X], axis=0, return_counts=True)
        numerator, denominator = meters[counts.argmax()].tolist()
        pitches = np.concatenate([piece.notes[:, 0] for piece in X])
        if len(np.unique(pitches)) < 2:
            raise ValueError("X holds one pitch, or none; there is nothing to learn")
        lost = sum(_off_grid(piece, steps) for piece in X)
        said = []
        if lost:
            said.append(
                f"{lost:,} of {len(pitches):,} notes lie beside the grid of {steps} steps a quarter, and are moved"
            )
        if drums := getattr(X, "drums", 0):
            said.append(f"{drums:,} notes of drums are left out")
        if said:
            warn("; ".join(said))
        lengths = np.array([piece.quarters for piece in X])
        found = replace(
            self,
            steps=steps,
            bar=max(1, round(4 * steps * numerator / denominator)),
            lowest=int(pitches.min()),
            n_pitches=int(pitches.max() - pitches.min() + 1),
            in_any_key=_share_of_one_key(X) < ONE_KEY if self.transpose is None else self.transpose,
            has_onsets=any(piece.has_onsets for piece in X),
            tempo=int(np.median([piece.tempo for piece in X])),
            meter=(numerator, denominator),
            in_words=f"{len(X):,} pieces of music of {_range(lengths)} quarters",
        )
        both = sum(_merged(*found._planes(piece)[:2], len(piece)) for piece in X) if found.has_onsets else 0
        if both > 0:
            warn(f"{both:,} notes are one with another of the same pitch that sounds at the same time")
        return found

    @property
    def width(self) -> int:
        """Steps of a window."""
        return self.bars * self.bar

    @property
    def shape(self) -> tuple[int, ...]:
        if self.form == "melody":
            return (1, self.width)
        return ((1 + self.has_onsets) * self.n_pitches, self.width)

    def _planes(self, piece: Piece) -> tuple[np.ndarray, np.ndarray]:
        """Which of the pitches sound (T, P), and which begin there, on the grid; others than at fit are left out."""
        begin, end = _on_grid(piece, self.steps)
        length = max(int(end.max(initial=0)), round(piece.quarters * self.steps), 1)
        sounds, begins = np.zeros((2, length, self.n_pitches), dtype=bool)
        for pitch, first, last in zip(
            (piece.notes[:, 0] - self.lowest).tolist(), begin.tolist(), end.tolist(), strict=True
        ):
            if 0 <= pitch < self.n_pitches:
                sounds[first:last, pitch] = True
                begins[first, pitch] = True
        return sounds, begins

    def _cells(self, piece: Piece) -> np.ndarray:
        """(T, C)."""
        sounds, begins = self._planes(piece)
        if self.form == "melody":
            highest = sounds.shape[1] - 1 - sounds[:, ::-1].argmax(1)
            classes = np.where(sounds.any(1), FIRST + highest, REST)
            same = np.r_[False, (classes[1:] == classes[:-1]) & (classes[1:] != REST)]
            new = begins[np.arange(len(begins)), highest] if piece.has_onsets else np.zeros(len(begins), dtype=bool)
            return np.where(same & ~new, HOLD, classes)[:, None]
        return np.concatenate([sounds, begins], axis=1) if self.has_onsets else sounds

    def examples(self, X: Pieces, dense: bool = False) -> Examples:
        """Windows (N, C, W) that begin at every bar, NaN beyond the end of a piece; C as `shape` says."""
        strange = sum(int(((p.notes[:, 0] - self.lowest) // max(self.n_pitches, 1) != 0).sum()) for p in X)
        if strange:
            warn(f"{strange:,} notes are lower or higher than any at fit, and are left out")
        cells = [self._cells(piece) for piece in X]
        layout = Layout.of([len(each) for each in cells], [None] * len(cells), 0)
        return along_time(torch.from_numpy(np.concatenate(cells).astype(np.float32)), layout, self.width, self.bar)

    # ---- the way back ----

    def _piece(self, cells: np.ndarray) -> Piece:
        """Cells (T, C): how probable it is that a pitch sounds, or classes -> a piece; NaN at its end is left out."""
        known = ~np.isnan(cells).all(1)
        cells = cells[: len(known) - int(known[::-1].argmax())] if known.any() else cells[:1]
        sounds, begins = np.zeros((2, len(cells), PITCHES), dtype=bool)
        here = slice(self.lowest, self.lowest + self.n_pitches)
        if self.form == "melody":
            now = REST
            for step, value in enumerate(np.nan_to_num(cells[:, 0]).round().astype(int).tolist()):
                now = now if value == HOLD else value
                if now >= FIRST:
                    sounds[step, self.lowest + now - FIRST] = True
                    begins[step, self.lowest + now - FIRST] = value != HOLD
        else:
            sounds[:, here] = np.nan_to_num(cells[:, : self.n_pitches]) > 0.5
            if self.has_onsets:
                begins[:, here] = np.nan_to_num(cells[:, self.n_pitches :]) > 0.5
        piece = of_roll(sounds, begins if self.has_onsets or self.form == "melody" else None, self.steps)
        return replace(piece, tempo=self.tempo, meter=self.meter)

    def restore(self, raw: Tensor, sampled: bool = False, like: Any = None) -> Pieces:
        """N pieces, one of each window; what is more probable than not sounds."""
        return Pieces(self._piece(window.T) for window in raw.double().cpu().numpy())

    def stitch(self, examples: Examples, raw: Tensor, like: Pieces) -> Pieces:
        """Whole pieces: where windows overlap, the mean of their probabilities, or their vote."""
        cells = raw.double().cpu().numpy()
        if self.form == "melody":
            records: Sequence[np.ndarray] = examples.stitch_votes(cells, FIRST + self.n_pitches)
        else:
            records = examples.stitch(cells)
        made = [self._piece(record.T.astype(float)) for record in records]
        return Pieces(replace(one, tempo=old.tempo, meter=old.meter) for one, old in zip(made, like, strict=True))

    def fill(self, X: Any, examples: Examples, raw: Tensor) -> NoReturn:
        """Raises TypeError: no step of a piece is missing."""
        raise TypeError("a piece of music has no missing cells to fill in; impute is for tables and series")

    def given(self, cells: Any) -> tuple[Tensor, Callable[[Tensor], Any]]:
        raise TypeError("given= is for tables, whose columns have names; this model was fitted on music")

    def scores_per_row(self, scores: np.ndarray, cells: Callable[[], np.ndarray], examples: Examples) -> np.ndarray:
        """The mean of a piece's windows."""
        return examples.mean_per_record(scores)

    def split(self, X: Pieces, fraction: float, most: int, rng: np.random.Generator) -> tuple[Any, Any]:
        """Whole pieces chosen at random."""
        if len(X) < 2:
            raise ValueError("X is one piece, which is not split; give more")
        order = rng.permutation(len(X))
        n = int(np.clip(round(fraction * len(X)), 1, len(X) - 1))
        return tuple((Pieces(containers.take(X, r)), r) for r in (np.sort(order[n:]), np.sort(order[:n])))  # type: ignore[return-value]

    def describe(self) -> str:
        notes = "melodies" if self.form == "melody" else "piano rolls"
        grid = f"{self.n_pitches} pitches and {self.steps} steps a quarter"
        return f"{self.in_words}, as {notes} of {grid}, seen in windows of {self.bars} bars"

    # ---- the model ----

    def default_network(self, on_gpu: bool) -> str:
        return "conv"

    def noise_mask(self) -> Tensor:
        return torch.zeros(self.shape, dtype=torch.bool)

    def marginal_mask(self) -> Tensor:
        return torch.zeros(self.shape, dtype=torch.bool)

    def scaling(self, likelihood: Likelihood | None = None) -> Standardise:
        planes = 0 if self.form == "melody" else 1 + self.has_onsets
        return InAnyKey(self.n_pitches, planes, SHIFTS if self.in_any_key else 0)

    def encoder(self, hidden: Sequence[int] | None, network: str | None, activation: str) -> nn.Module:
        front = SeenSteps(FIRST + self.n_pitches if self.form == "melody" else 0)
        channels = front.n_classes or self.shape[0]
        return Fronted(front, network_named(network).encoder((channels + 1, self.width), hidden, activation))

    def decoder(
        self, n_code: int, shape: tuple[int, ...], hidden: Sequence[int] | None, network: str | None, activation: str
    ) -> nn.Module:
        decoder: nn.Module = network_named(network).decoder(n_code, shape, hidden, activation)
        return decoder

    def likelihood(self, name: str | None, variance: Any) -> Likelihood:
        usual = "categorical" if self.form == "melody" else "bernoulli"
        if name not in (None, usual):
            raise ValueError(f"likelihood={name!r} is not for music; leave it unset")
        if self.form == "melody":
            return Categorical(self.shape, FIRST + self.n_pitches, missing=True)
        return Bernoulli(self.shape, missing=True)

    # ---- on disk ----

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Music:
        return from_json(cls, values, "music")


class SeenSteps(nn.Module):
    """x (B, C, T), NaN for no step or a hidden cell -> (B, C + 1, T): 0 there, and a channel that says where.

    Of classes (B, 1, T), `n_classes` of them, a channel each.
    """

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.n_classes = n_classes

    def forward(self, x: Tensor) -> Tensor:
        unknown = x[:, :1].isnan().to(x.dtype)
        if self.n_classes:
            places = torch.arange(self.n_classes, device=x.device, dtype=x.dtype).view(-1, 1)
            return torch.cat([(x == places).to(x.dtype), unknown], 1)
        return torch.cat([x.nan_to_num(0.0), unknown], 1)


class InAnyKey(Standardise):
    """Cells as they are; while gradients are computed, each example is moved to a key drawn at random.

    Parameters
    ----------
    n_pitches : P.
    planes : of P pitches each, along axis 1; 0 for melodies, whose classes from `FIRST` on are pitches.
    shifts : half tones, up or down, at most; no note leaves the P pitches.
    """

    def __init__(self, n_pitches: int, planes: int, shifts: int) -> None:
        super().__init__(torch.zeros(()), torch.ones(()))
        self.n_pitches, self.planes, self.shifts = n_pitches, planes, shifts

    def training_view(self, raw: Tensor) -> Tensor:
        x = self(raw)
        if not self.shifts or not torch.is_grad_enabled():
            return x
        used = self._used(x)
        places = torch.arange(self.n_pitches, device=x.device)
        low = torch.where(used, places, self.n_pitches).amin(1).clamp(max=self.shifts)
        high = (self.n_pitches - 1 - torch.where(used, places, -1).amax(1)).clamp(max=self.shifts)
        shift = (torch.rand(len(x), device=x.device) * (low + high + 1)).floor().long() - low
        if not self.planes:
            return torch.where(x >= FIRST, x + shift.view(-1, 1, 1), x)
        source = (places - shift[:, None]).remainder(self.n_pitches)  # what leaves at one end is empty
        index = torch.cat([source + k * self.n_pitches for k in range(self.planes)], 1)
        return x.gather(1, index[:, :, None].expand_as(x))

    def _used(self, x: Tensor) -> Tensor:
        """(B, P) bool: the pitches that occur."""
        if self.planes:
            return (x[:, : self.n_pitches] > 0).any(2)
        places = torch.arange(self.n_pitches, device=x.device).view(-1, 1)
        return (x == places + FIRST).any(2)


def _range(lengths: np.ndarray) -> str:
    low, high = f"{lengths.min():,.0f}", f"{lengths.max():,.0f}"
    return low if low == high else f"{low} to {high}"


def _on_grid(piece: Piece, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """The steps at which notes begin and end (n,), at least one later."""
    begin, end = (np.rint(piece.notes[:, k] * steps / piece.ticks).astype(int) for k in (1, 2))
    return begin, np.maximum(end, begin + 1)


def _off_grid(piece: Piece, steps: int) -> int:
    """Notes that do not begin and end on the grid; ends may be early, as those of notes played apart are."""
    begin = piece.notes[:, 1] * steps / piece.ticks
    length = (piece.notes[:, 2] - piece.notes[:, 1]) * steps / piece.ticks
    return int(((np.abs(begin - np.rint(begin)) > 0.1) | (length < 0.5)).sum())


def _share_of_one_key(X: Pieces) -> float:
    """The share of the pieces whose notes lie best in the most frequent of the twelve diatonic scales."""
    scales = np.zeros((12, 12))
    for tonic in range(12):
        scales[tonic, [(tonic + step) % 12 for step in DIATONIC]] = 1.0
    best = []
    for piece in X:
        weights = np.bincount(piece.notes[:, 0] % 12, piece.notes[:, 2] - piece.notes[:, 1], 12)
        best.append(int((scales @ weights).argmax()))
    return float(np.bincount(best).max() / len(best))


def _grid_of(X: Pieces) -> int:
    n = max(1, sum(len(piece) for piece in X))
    return next((g for g in GRIDS if sum(_off_grid(p, g) for p in X) <= (1 - ON_GRID) * n), GRIDS[-1])


def _merged(sounds: np.ndarray, begins: np.ndarray, n: int) -> int:
    """Notes that are not told apart: n, less those that begin."""
    return n - int(begins.sum())
