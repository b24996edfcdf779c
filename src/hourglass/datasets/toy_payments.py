"""Card payments of our own making: eight customers with habits, and in the test part a few payments that break them."""

from __future__ import annotations

from typing import Any

import numpy as np

from hourglass.datasets.dataset import Dataset
from hourglass.readers.data import Data

ROWS = {"train": 4000, "test": 1500}
ODD = 10  # payments of each odd kind, in the test part
CUSTOMERS = ("ada", "ben", "cleo", "dan", "eve", "finn", "gus", "hana")
HOMES = ("FI", "FI", "FR", "FR", "IT", "IT", "PT", "PT")
# a line for each kind of shop: what is usually paid, how much that varies, and the usual hour
SHOPS = {
    "grocer": (30.0, 0.5, 17),
    "bakery": (6.0, 0.3, 8),
    "fuel": (55.0, 0.25, 12),
    "restaurant": (40.0, 0.4, 20),
    "electronics": (400.0, 0.6, 15),
    "jeweller": (900.0, 0.5, 14),
}
SHARES = (0.4, 0.25, 0.12, 0.15, 0.06, 0.02)


def read(split: str) -> Data:
    """Payments, and for each of them a label: "normal", or what is odd about it."""
    import pyarrow as pa

    parts = [_payments(which) for which in (("train", "test") if split == "all" else (split,))]
    table = pa.table({name: np.concatenate([part[name] for part, _ in parts]) for name in parts[0][0]})
    return Data(table, np.concatenate([labels for _, labels in parts]), source="toy_payments")


def _payments(split: str) -> tuple[dict[str, Any], np.ndarray]:
    n, rng = ROWS[split], np.random.default_rng(0 if split == "train" else 1)
    who = rng.integers(len(CUSTOMERS), size=n)
    shop = rng.choice(len(SHOPS), n, p=SHARES)
    usual, spread, hour = (np.array(values)[shop] for values in zip(*SHOPS.values(), strict=True))
    thrift = np.linspace(0.7, 1.6, len(CUSTOMERS))[who]
    amount = usual * thrift * np.exp(spread * rng.normal(size=n))
    hour = np.clip(hour + rng.normal(0, 1.5, n), 0, 23.9)
    country = np.array(HOMES)[who]
    online = rng.random(n) < np.array([0.05, 0.0, 0.0, 0.0, 0.6, 0.1])[shop]
    pause = rng.gamma(2.0, 9.0, n)  # hours since the customer's last payment
    labels = np.full(n, "normal", dtype=object)
    if split == "test":
        odd = rng.permutation(n)[: 4 * ODD].reshape(4, ODD)
        labels[odd] = np.array(["amount", "abroad", "night", "burst"])[:, None]
        amount[odd[0]] = np.maximum(amount[odd[0]], usual[odd[0]]) * 15
        country[odd[1]] = np.where(np.isin(country[odd[1]], ("FI", "FR")), "PT", "FI")
        hour[odd[2]] = rng.uniform(1, 4, ODD)
        pause[odd[3]], amount[odd[3]] = 0.01, 3 * usual[odd[3]]
    columns = {
        "customer": np.array(CUSTOMERS)[who],
        "country": country,
        "shop": np.array(list(SHOPS))[shop],
        "online": online,
        "hour": hour.round(1),
        "hours since last": pause.round(2),
        "amount": amount.round(2),
    }
    return columns, labels.astype(str)


TOY_PAYMENTS = Dataset(
    name="toy_payments",
    title="card payments of our own making; those of the test part are partly fraud",
    kind="tables",
    rows=ROWS,
    licence="MIT, as Hourglass itself",
    citation="none: it is computed",
    read=read,
)
