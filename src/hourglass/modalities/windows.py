"""Windows of one size, cut out of maps of any size, and out of series of any length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch

from hourglass.modalities.examples import Examples
from hourglass.modalities.time_axis import Layout

WHOLE_SIDE = 32  # maps that are nowhere longer are taken whole along that side
USUAL = 16  # a window's side where maps are long both ways
MAX_WINDOWS = 20_000


@dataclass(frozen=True)
class Windows:
    """Windows of `size` (h, w), `step` (down, right) from one to the next; `cut` is False where maps are windows.

    Maps stand on the ground: one that is lower than a window is filled up above, one that is narrower at its right.
    """

    size: tuple[int, int]
    step: tuple[int, int]
    cut: bool

    @classmethod
    def of(
        cls, extents: np.ndarray, size: tuple[int, int] | None = None, step: tuple[int, int] | None = None
    ) -> Windows:
        """Windows that suit maps of the sizes (R, 2), but for what is given."""
        longest = extents.max(axis=0)
        if size is None:
            whole = [int(n) if n <= WHOLE_SIDE else 0 for n in longest]
            other = min(2 * max(whole), WHOLE_SIDE) or USUAL
            size = (whole[0] or other, whole[1] or other)
        cut = bool((extents != size).any())
        windows = cls(size, step or (1, 1), cut)
        while step is None and sum(len(windows.starts(extent)) for extent in extents) > MAX_WINDOWS:
            windows = cls(size, (windows.step[0] + 1, windows.step[1] + 1), cut)
        return windows

    def starts(self, extent: np.ndarray) -> list[tuple[int, int]]:
        """Where the windows of a map begin: every step, and the last one at the end."""
        (height, width), (h, w), (down, right) = extent.tolist(), self.size, self.step
        rows = sorted({*range(0, height - h + 1, down), height - h})  # of a lower map: negative
        columns = sorted({*range(0, width - w + 1, right), max(0, width - w)})
        return list(product(rows, columns))

    def examples(self, maps: Sequence[np.ndarray], fill: float) -> Examples:
        """All windows of maps (H, W), as a view of one canvas on which the maps lie below each other."""
        extents = np.array([each.shape for each in maps]).reshape(-1, 2)
        if not self.cut and (extents == self.size).all():
            return Examples.whole(torch.from_numpy(np.stack(maps)[:, None]))
        heights = np.maximum(extents[:, 0], self.size[0])
        tops = np.cumsum(heights) - extents[:, 0]  # row of the canvas where a map begins
        pitch = int(max(extents[:, 1].max(), self.size[1]))
        canvas = np.full((int(heights.sum()), pitch), fill, dtype=np.float32)
        for each, top in zip(maps, tops.tolist(), strict=True):
            canvas[top : top + len(each), : each.shape[1]] = each
        starts = [self.starts(extent) for extent in extents]
        record = np.repeat(np.arange(len(maps)), [len(s) for s in starts])
        start = np.array([place for s in starts for place in s], dtype=np.int64)
        store = torch.from_numpy(canvas.ravel())
        h, w = self.size
        raw = store.as_strided((len(store) - (h - 1) * pitch - w + 1, 1, h, w), (1, pitch, pitch, 1))
        index = torch.from_numpy((tops[record] + start[:, 0]) * pitch + start[:, 1])
        return Examples(raw, store, record, start, extents, axes=(1, 2), index=index)


def along_time(cells: torch.Tensor, layout: Layout, width: int, step: int) -> Examples:
    """Windows (N, C, width) of the rows of series, `step` instants from one to the next, and the last one at the end.

    They are views of one canvas on which the records lie one after the other, NaN where there is no row. A record that
    is shorter than a window is filled up at its end. Windows of nothing but gaps are left out.

    Parameters
    ----------
    cells : (T, C).
    """
    room = np.maximum(layout.lengths, width)
    first = np.cumsum(room) - room
    canvas = torch.full((int(room.sum()), cells.shape[1]), torch.nan, dtype=cells.dtype)
    at = first[layout.record] + layout.place
    canvas[torch.from_numpy(at)] = cells
    known = np.concatenate([[0], np.cumsum((~canvas.isnan()).any(1).numpy())])
    starts = []
    for length, top in zip(layout.lengths.tolist(), first.tolist(), strict=True):
        last = max(length - width, 0)
        of_record = np.unique(np.append(np.arange(0, last, step), last))
        filled = known[top + of_record + width] > known[top + of_record]
        starts.append(of_record[filled] if filled.any() else of_record[:1])
    record = np.repeat(np.arange(len(starts)), [len(of_record) for of_record in starts])
    start = np.concatenate(starts)
    index = first[record] + start
    # the row in the middle of a window, or the last one before it
    by_place = np.argsort(at, kind="stable")
    middle = by_place[np.maximum(np.searchsorted(at[by_place], index + width // 2, side="right") - 1, 0)]
    middle = middle if layout.handed_in is None else layout.handed_in[middle]
    n, channels = canvas.shape
    return Examples(
        canvas.as_strided((n - width + 1, channels, width), (channels, 1, channels)),
        canvas,
        record,
        start[:, None],
        layout.lengths[:, None],
        axes=(1,),
        index=torch.from_numpy(index),
        layout=layout,
        middle=middle,
    )
