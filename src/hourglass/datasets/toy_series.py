"""A machine of our own making: what its sensors say in twelve weeks, with a gap and a few odd hours."""

from __future__ import annotations

import numpy as np

from hourglass.datasets.dataset import Dataset
from hourglass.readers.data import Data
from hourglass.readers.series import Records

HOURS = 12 * 7 * 24
GAP = (900, 920)  # hours that are not there
ODD = {"stuck": (400, 430), "hot": (1200, 1215), "night shift": (1600, 1608)}


def read(split: str) -> Data:
    """One series of hours, and for each of them a label: "work", "pause", "weekend", or what is odd."""
    import pyarrow as pa

    rng, hour = np.random.default_rng(0), np.arange(HOURS)
    day, week = hour % 24, hour // 24 % 7
    works = (week < 5) & (day >= 6) & (day < 22)
    labels = np.where(works, "work", np.where(week < 5, "pause", "weekend")).astype(object)
    for name, (begin, end) in ODD.items():
        labels[begin:end] = name
    works[slice(*ODD["night shift"])] = True
    load = np.where(works, 60 + 15 * np.sin(np.pi * (day - 6) / 16), 4) + rng.normal(0, 2, HOURS)
    load[slice(*ODD["stuck"])] = load[ODD["stuck"][0]]
    outside = 12 + 5 * np.sin(2 * np.pi * (day - 9) / 24) + 4 * np.sin(2 * np.pi * hour / HOURS)
    heat = np.empty(HOURS)
    heat[0] = outside[0]
    for i in range(1, HOURS):  # warmed by the load, cooled by the air
        heat[i] = heat[i - 1] + 0.02 * load[i] - 0.1 * (heat[i - 1] - outside[i]) + rng.normal(0, 0.2)
    heat[slice(*ODD["hot"])] += 12
    when = np.datetime64("2026-01-05T00:00:00", "s") + hour.astype("timedelta64[h]").astype("timedelta64[s]")
    kept = np.r_[0 : GAP[0], GAP[1] : HOURS]
    table = pa.table(
        {
            "time": pa.array(when[kept]),
            "load": load[kept].round(1),
            "temperature": heat[kept].round(2),
            "running": works[kept],
        }
    )
    return Data(Records([table], "one"), labels[kept].astype(str), kind="series", source="toy_series")


TOY_SERIES = Dataset(
    name="toy_series",
    title="three sensors of a machine of our own making, hour by hour for twelve weeks",
    kind="series",
    rows={"all": HOURS - (GAP[1] - GAP[0])},
    licence="MIT, as Hourglass itself",
    citation="none: it is computed",
    read=read,
)
