"""A log of our own making: what a server says in a day, and a few lines that it should not say."""

from __future__ import annotations

import numpy as np

from hourglass.datasets.dataset import Dataset
from hourglass.readers.data import Data

LINES, ODD = 2_000, 12
EVENTS = {
    "login": ("INFO", "auth: user {user} logged in from {ip} after {small} ms"),
    "wrong password": ("WARN", "auth: wrong password for {user} from {ip}, attempt {few} of 5"),
    "logout": ("INFO", "auth: user {user} logged out after {large} s"),
    "page": ("INFO", "web: GET /{page} for {user} took {small} ms, status 200"),
    "not found": ("WARN", "web: GET /{page} from {ip}: no such page, status 404"),
    "query": ("INFO", "db: query on table {table} took {small} ms, {large} rows"),
    "slow query": ("WARN", "db: slow query on table {table}: {large} ms"),
    "backup": ("INFO", "backup: table {table} written to /var/backup/{table}.gz, {large} MB"),
    "disk": ("WARN", "disk: volume /dev/sd{drive} is {percent} % full"),
    "mail": ("INFO", "mail: message {hex} to {user}@example.org delivered in {small} ms"),
}
STRANGE = (
    ("ERROR", "kernel: page fault in task {user} at address {hex}"),
    ("WARN", "auth: user root logged in from {ip} without password"),
    ("INFO", "web: GET /../../etc/passwd from {ip}, status 200"),
    ("ERROR", "db: table {table} written to /dev/null, {large} rows lost"),
)


def read(split: str) -> Data:
    """Lines of the log, in their order; labels say which event each is, and "odd" for those that do not belong."""
    rng = np.random.default_rng(0)
    odd = set(rng.choice(np.arange(100, LINES), ODD, replace=False).tolist())
    names, weights = list(EVENTS), np.array([8, 3, 5, 20, 3, 12, 2, 1, 1, 4], dtype=float)
    lines, labels, second = [], [], 0.0
    for i in range(LINES):
        second += rng.exponential(86_400 / LINES)
        label = "odd" if i in odd else names[rng.choice(len(names), p=weights / weights.sum())]
        level, text = STRANGE[i % len(STRANGE)] if i in odd else EVENTS[label]
        clock = f"{int(second) // 3600 % 24:02}:{int(second) // 60 % 60:02}:{int(second) % 60:02}"
        said = text.format(
            user=rng.choice(["anna", "ben", "clara", "david", "emil", "fatima"]),
            ip=f"10.0.{rng.integers(4)}.{rng.integers(1, 255)}",
            page=rng.choice(["index.html", "prices", "about", "search", "cart"]),
            table=rng.choice(["orders", "users", "items"]),
            drive=rng.choice(["a", "b"]),
            hex=f"0x{rng.integers(16**8):08x}",
            percent=rng.integers(80, 100),
            few=rng.integers(1, 6),
            small=rng.integers(1, 100),
            large=rng.integers(100, 10_000),
        )
        lines.append(f"2026-03-01 {clock} {level} {said}")
        labels.append(label)
    return Data(np.array(lines, dtype=object), np.array(labels), kind="text", source="toy_log")


TOY_LOG = Dataset(
    name="toy_log",
    title="a server's log of our own making, with twelve lines that do not belong",
    kind="text",
    rows={"all": LINES},
    licence="MIT, as Hourglass itself",
    citation="none: it is computed",
    read=read,
)
