"""Maps of tiles, such as levels of games: every cell is one of some kinds of tile."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from hourglass.likelihoods import Categorical, Likelihood
from hourglass.modalities.examples import Examples
from hourglass.modalities.scaling import Standardise
from hourglass.modalities.windows import Windows
from hourglass.networks.fronted import Fronted
from hourglass.networks.pictures import NETWORKS, network_named
from hourglass.readers import Data, containers
from hourglass.readers.tile_maps import Maps, grid_of, looks_like_maps, split_levels
from hourglass.typed_json import from_json
from hourglass.user_warnings import warn

MAX_KINDS = 500  # of tile: more are numbers, or pictures
NAMED = 8  # tiles that a message lists
HOLES = (" ", "·", "�")  # letters for a cell without a tile: the first that is not a tile


@dataclass(frozen=True)
class TileMaps:
    """Maps of tiles, of any heights and widths, cut into windows of one size.

    Parameters
    ----------
    window : the size of a window, "14x28" (height x width) or one number for both. By default maps of up to 32 tiles a
        side are taken whole along that side, and others in windows twice as long as they are high, or wide.
    stride : tiles from one window to the next, "1x4" or one number. By default 1, or what makes 20,000 windows.
    missing : the tile that stands for one that is not known.

    Learned by `infer`: `tiles`, their kinds in order, letters or numbers; `legend`, what each is in words; the size and
    step of the windows; what is needed to write maps.
    """

    window: int | str | tuple[int, int] | None = None
    stride: int | str | tuple[int, int] | None = None
    missing: str | int | None = None
    tiles: tuple[str | int, ...] = field(default=(), repr=False)
    legend: tuple[str, ...] = field(default=(), repr=False)
    size: tuple[int, int] = field(default=(0, 0), repr=False)
    step: tuple[int, int] = field(default=(1, 1), repr=False)
    is_cut: bool = field(default=False, repr=False)
    is_array: bool = field(default=False, repr=False)
    dtype: str = field(default="int64", repr=False)
    maps_in_words: str = field(default="", repr=False)
    tilesets: str = field(default="[]", repr=False)

    name = "tilemaps"
    reads = ("tilemaps", "lines", "arrays", "tables")
    has_missing = True
    samples_noise = False  # tiles drawn one by one break what is made of several, such as pipes
    default_corruption = "Masking"
    networks = tuple(NETWORKS)
    mask_value = float("nan")
    columns = ()
    learned_names = ()
    constant_names = ()

    def __post_init__(self) -> None:
        for name in ("window", "stride"):
            object.__setattr__(self, name, _pair(name, getattr(self, name)))

    @property
    def noun(self) -> str:
        return "window" if self.is_cut else "map"

    @property
    def endings(self) -> tuple[str, ...]:
        return (".txt", "", ".png") if self.is_text else ("", ".csv", ".tmj", ".png")

    @property
    def is_text(self) -> bool:
        """Whether tiles are letters."""
        return all(isinstance(tile, str) for tile in self.tiles)

    @property
    def hole(self) -> str | float:
        """What is written where no tile is known."""
        if self.missing is not None:
            return self.missing
        if self.is_text:
            return next(letter for letter in HOLES if letter not in self.tiles)
        if np.dtype(self.dtype).kind == "f":
            return float("nan")
        return -1 if -1 not in self.tiles else min(int(tile) for tile in self.tiles) - 1

    # ---- data in ----

    @classmethod
    def suits(cls, data: Data) -> bool:
        """Levels from files, and texts of several lines, all of one length each."""
        if data.kind == "tilemaps":
            return True
        return data.kind == "arrays" and _are_texts(data.X) and looks_like_maps(data.X)

    def accept(self, data: Data) -> Any:
        """A list of texts, or of arrays (H, W); an array of whole numbers (N, H, W)."""
        X = data.X
        if data.kind not in self.reads:
            raise ValueError(f"{data.source} holds {data.kind}, but maps of tiles are needed")
        if containers.is_frame(X):
            X = containers.to_arrow(X)
            columns = [
                column.to_numpy(zero_copy_only=False) for column in X.itercolumns() if len(X) > column.null_count
            ]
            X = np.stack(columns, axis=1)
        if isinstance(X, Maps):
            return X
        if data.kind == "lines":
            return Maps(_levels_of_lines(X, data.names))
        if _are_texts(X):
            return Maps(level for text in X for level in split_levels(text))
        if isinstance(X, np.ndarray) and X.ndim == 2:
            X = X[None]
        ok = all(np.ndim(x) == 2 and _is_whole(np.asarray(x)) for x in X) and len(X) > 0
        if not ok:
            raise ValueError(
                f"{data.source}: maps of tiles are texts, one letter a tile and one line a row, or arrays (height, "
                "width) of whole numbers"
            )
        return X if isinstance(X, np.ndarray) else Maps(X)

    def for_scores(self) -> TileMaps:
        return self

    def infer(self, X: Any) -> TileMaps:
        grids = [grid_of(x) for x in X]
        values = np.unique(np.concatenate([grid.ravel() for grid in grids]))
        tiles = [tile for tile in values.tolist() if not self._is_missing(tile)]
        if isinstance(tiles[0] if tiles else 0, float):
            tiles = [int(tile) for tile in tiles]
        if len(tiles) < 2:
            raise ValueError(f"X holds {len(tiles)} kind of tile; there is nothing to learn from a single one")
        if len(tiles) > MAX_KINDS:
            raise ValueError(
                f"X holds {len(tiles):,} kinds of tile, and {MAX_KINDS} is the most: are these numbers, or pictures? "
                "Then leave modality unset"
            )
        legend = getattr(X, "legend", {})
        extents = np.array([grid.shape for grid in grids])
        found = replace(
            self,
            tiles=tuple(tiles),
            legend=tuple(legend.get(str(tile), "") for tile in tiles),
            is_array=isinstance(X, np.ndarray),
            dtype="int64" if values.dtype.kind == "U" else str(values.dtype),
            maps_in_words=_maps_in_words(extents),
            tilesets=json.dumps(list(getattr(X, "tilesets", ()))),
        )
        windows = Windows.of(extents, _pair("window", self.window), _pair("stride", self.stride))
        return replace(found, size=windows.size, step=windows.step, is_cut=windows.cut)

    @property
    def shape(self) -> tuple[int, ...]:
        return (1, *self.size)

    def examples(self, X: Any, dense: bool = False) -> Examples:
        """Windows (N, 1, h, w) of places in `tiles`; NaN where no tile is known, infinity for one that is new."""
        return Windows(self.size, self.step, self.is_cut).examples([self._codes(x) for x in X], float("nan"))

    def _codes(self, x: Any) -> np.ndarray:
        """(H, W) float32."""
        grid = grid_of(x)
        codes = np.full(grid.shape, np.inf, dtype=np.float32)
        for place, tile in enumerate(self.tiles):
            codes[grid == tile] = place
        for tile in np.unique(grid[np.isinf(codes)]).tolist():
            if self._is_missing(tile):
                codes[grid == tile if tile == tile else grid != grid] = np.nan
        if np.isinf(codes).any():
            new = np.unique(grid[np.isinf(codes)]).tolist()
            listed = ", ".join(map(repr, new[:NAMED])) + (", ..." if len(new) > NAMED else "")
            known = "; ".join(self.tile_names[:NAMED])
            more = "; ..." if len(self.tiles) > NAMED else ""
            warn(f"X holds tiles that were not there at fit: {listed} (known: {known}{more}); they count as unknown")
        return codes

    def _is_missing(self, tile: Any) -> bool:
        return tile == "" or tile != tile or (self.missing is not None and str(tile) == str(self.missing))

    @property
    def tile_names(self) -> tuple[str, ...]:
        """Of `tiles`, with what the legend says of each."""
        return tuple(f"{tile} {words}".strip() for tile, words in zip(self.tiles, self.legend, strict=True))

    # ---- the way back ----

    def restore(self, raw: Tensor, sampled: bool = False, like: Any = None) -> Any:
        return self._maps([codes[0] for codes in raw.float().cpu().numpy()])

    def stitch(self, examples: Examples, raw: Tensor, like: Any) -> Any:
        """Maps by votes of the windows that cover a tile; lines of a text are as long as they were."""
        records = examples.stitch_votes(raw.float().cpu().numpy(), len(self.tiles))
        return self._maps([codes[0] for codes in records], like)

    def _maps(self, grids: Sequence[np.ndarray], like: Any = None) -> Any:
        """Places in `tiles` (H, W), negative or not finite for none -> texts or arrays; lines as long as in `like`."""
        known = np.array([*self.tiles, self.hole])
        maps: list[Any] = []
        for i, codes in enumerate(grids):
            is_tile = np.isfinite(codes) & (codes >= 0)
            tiles = known[np.where(is_tile, codes, len(self.tiles)).round().astype(int)]
            if self.is_text:
                lengths = [len(tiles[0])] * len(tiles) if like is None else list(map(len, like[i].splitlines()))
                lines = ["".join(row[:n]) for row, n in zip(tiles.tolist(), lengths, strict=True)]
                maps.append("\n".join(lines))
            else:
                fits = np.can_cast(np.min_scalar_type(tiles.min()), self.dtype) or tiles.dtype.kind == "f"
                maps.append(tiles.astype(self.dtype) if fits else tiles)
        same = len({np.shape(each) for each in maps}) == 1
        if self.is_array and same and not self.is_text:
            return np.stack(maps)
        return Maps(maps, dict(zip(map(str, self.tiles), self.legend, strict=True)), json.loads(self.tilesets))

    def fill(self, X: Any, examples: Examples, raw: Tensor) -> Any:
        """The tiles that are not known, filled in."""
        filled = [codes[0] for codes in examples.stitch_votes(raw.float().cpu().numpy(), len(self.tiles))]
        before = [self._codes(x) for x in X]
        return self._maps([np.where(np.isnan(b), f, b) for b, f in zip(before, filled, strict=True)], X)

    def given(self, cells: Any) -> tuple[Tensor, Callable[[Tensor], Any]]:
        raise TypeError("given= is for tables, whose columns have names; this model was fitted on maps of tiles")

    def scores_per_row(self, scores: np.ndarray, cells: Callable[[], np.ndarray], examples: Examples) -> np.ndarray:
        """The mean of a map's windows."""
        return examples.mean_per_record(scores)

    def split(self, X: Any, fraction: float, most: int, rng: np.random.Generator) -> tuple[Any, Any]:
        """Whole maps chosen at random; of a single map its end along the longer side."""
        if len(X) == 1:
            return self._split_one(X, fraction)
        areas = np.array([grid_of(x).size for x in X])
        order = rng.permutation(len(X))
        share = np.cumsum(areas[order]) / areas.sum()
        n = int(np.clip(np.searchsorted(share, fraction) + 1, 1, len(X) - 1))
        return tuple((containers.take(X, rows), rows) for rows in (np.sort(order[n:]), np.sort(order[:n])))  # type: ignore[return-value]

    def _split_one(self, X: Any, fraction: float) -> tuple[Any, Any]:
        grid = grid_of(X[0])
        axis = int(np.argmax(np.array(grid.shape) / self.size))
        at = grid.shape[axis] - max(self.size[axis], round(fraction * grid.shape[axis]))
        if at < self.size[axis]:
            raise ValueError(
                f"X is one map of {grid.shape[0]} x {grid.shape[1]} tiles, too small to be split; give more"
            )
        parts = np.split(grid, [at], axis)
        maps = ["\n".join(map("".join, part.tolist())) if self.is_text else part for part in parts]
        where = np.zeros(1, dtype=np.int64)
        return tuple((Maps([part], getattr(X, "legend", {})), where) for part in maps)  # type: ignore[return-value]

    def describe(self) -> str:
        windows = f", seen in windows of {self.size[0]} × {self.size[1]}" if self.is_cut else ""
        return f"{self.maps_in_words}, {len(self.tiles)} kinds of tile{windows}"

    # ---- the model ----

    def default_network(self, on_gpu: bool) -> str:
        return "conv"

    def noise_mask(self) -> Tensor:
        return torch.zeros(self.shape, dtype=torch.bool)

    def marginal_mask(self) -> Tensor:
        return torch.zeros(self.shape, dtype=torch.bool)

    def scaling(self, likelihood: Likelihood | None = None) -> Standardise:
        return Standardise(torch.zeros(()), torch.ones(()))

    def encoder(self, hidden: Sequence[int] | None, network: str | None, activation: str) -> nn.Module:
        shape = (len(self.tiles) + 1, *self.size)
        return Fronted(OneHotTiles(len(self.tiles)), network_named(network).encoder(shape, hidden, activation))

    def decoder(
        self, n_code: int, shape: tuple[int, ...], hidden: Sequence[int] | None, network: str | None, activation: str
    ) -> nn.Module:
        decoder: nn.Module = network_named(network).decoder(n_code, shape, hidden, activation)
        return decoder

    def likelihood(self, name: str | None, variance: Any) -> Likelihood:
        if name not in (None, "categorical"):
            raise ValueError(f"likelihood={name!r} is not for maps of tiles; leave it unset")
        return Categorical(self.shape, len(self.tiles), missing=True)

    # ---- on disk ----

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> TileMaps:
        return from_json(cls, values, "tile maps")


class OneHotTiles(nn.Module):
    """x (B, 1, H, W), places of tiles, NaN for missing -> (B, K + 1, H, W): a plane for each kind, one for missing."""

    def __init__(self, n_tiles: int) -> None:
        super().__init__()
        self.n_tiles = n_tiles

    def forward(self, x: Tensor) -> Tensor:
        places = torch.arange(self.n_tiles, device=x.device, dtype=x.dtype).view(-1, 1, 1)
        return torch.cat([x == places, ~x.isfinite()], 1).to(x.dtype)


def _are_texts(X: Any) -> bool:
    return all(isinstance(x, str) for x in X)


def _levels_of_lines(lines: np.ndarray, names: Sequence[str] | None) -> list[str]:
    """Levels of the lines of a file; where a number of a line is left out, an empty line ends one."""
    numbers = np.arange(len(lines)) if names is None else np.array([int(name.split()[-1]) for name in names])
    return ["\n".join(part) for part in np.split(lines, np.flatnonzero(np.diff(numbers) > 1) + 1)]


def _is_whole(array: np.ndarray) -> bool:
    if array.dtype.kind in "biu":
        return True
    return array.dtype.kind == "f" and bool(np.isin(np.nan_to_num(array) % 1, 0).all())


def _pair(name: str, value: Any) -> tuple[int, int] | None:
    """ "14x28", (14, 28) or 14 -> (14, 28) or (14, 14)."""
    if value is None:
        return None
    parts = value.lower().replace("×", "x").split("x") if isinstance(value, str) else np.atleast_1d(value).tolist()
    try:
        pair = tuple(int(part) for part in parts) * (2 if len(parts) == 1 else 1)
    except (TypeError, ValueError):
        pair = ()
    if len(pair) != 2 or min(pair) < 1:
        raise ValueError(f"{name}={value!r} must be tiles, height x width, such as 14x28, or one number for both")
    return pair[0], pair[1]


def _maps_in_words(extents: np.ndarray) -> str:
    sides = [
        f"{low}" if low == high else f"{low} to {high}"
        for low, high in zip(extents.min(0), extents.max(0), strict=True)
    ]
    return f"{len(extents):,} map{'s' * (len(extents) != 1)} of {' × '.join(sides)} tiles"
