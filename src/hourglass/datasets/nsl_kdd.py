"""NSL-KDD: 41 features of network connections, normal or under one of 39 attacks. The table of intrusion detection.

It exists in two forms: 43 fields without a header (41 features, the attack's name, a difficulty), and 42 with a
header, whose last column may say no more than `normal` or `attack`. Both are read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from hourglass.datasets.dataset import Dataset
from hourglass.datasets.files import File, find
from hourglass.readers.data import Data
from hourglass.readers.delimited import read_csv

# Source: Tavallaee et al. 2009; the order of the fields is that of the KDD Cup 1999.
COLUMNS = (
    "duration",
    "protocol_type",
    "service",
    "flag",
    "src_bytes",
    "dst_bytes",
    "land",
    "wrong_fragment",
    "urgent",
    "hot",
    "num_failed_logins",
    "logged_in",
    "num_compromised",
    "root_shell",
    "su_attempted",
    "num_root",
    "num_file_creations",
    "num_shells",
    "num_access_files",
    "num_outbound_cmds",
    "is_host_login",
    "is_guest_login",
    "count",
    "srv_count",
    "serror_rate",
    "srv_serror_rate",
    "rerror_rate",
    "srv_rerror_rate",
    "same_srv_rate",
    "diff_srv_rate",
    "srv_diff_host_rate",
    "dst_host_count",
    "dst_host_srv_count",
    "dst_host_same_srv_rate",
    "dst_host_diff_srv_rate",
    "dst_host_same_src_port_rate",
    "dst_host_srv_diff_host_rate",
    "dst_host_serror_rate",
    "dst_host_srv_serror_rate",
    "dst_host_rerror_rate",
    "dst_host_srv_rerror_rate",
)
HOME = "https://raw.githubusercontent.com/defcom17/NSL_KDD/master/"
FILES = {
    "train": File(
        "tabular/nsl_kdd/KDDTrain+.txt",
        HOME + "KDDTrain%2B.txt",
        "1b86d2f957b33082081bba410fe129b475efebcc13c9014c3f447c8271aadf95",
        19109424,
        also=("tabular/nsl_kdd/KDDTrain+.txt.gz", "tabular/nsl_kdd/KDDTrain+.csv", "tabular/nsl_kdd/KDDTrain+.csv.gz"),
    ),
    "test": File(
        "tabular/nsl_kdd/KDDTest+.txt",
        HOME + "KDDTest%2B.txt",
        "fa46b0935342616aa83b7c2578db355b6a7aaabbc492248172c7a1e8b7ab8f84",
        3441513,
        also=("tabular/nsl_kdd/KDDTest+.txt.gz",),
    ),
}


def read(split: str) -> Data:
    """X a table of the 41 features; labels (N,) `normal`, the attack's name, or `attack` if the file says no more."""
    import pyarrow as pa

    tables = [_table(find(FILES[which])) for which in (("train", "test") if split == "all" else (split,))]
    whole = pa.concat_tables(tables, promote_options="permissive")
    labels = np.array(whole.column("label").to_pylist())
    return Data(whole.select(list(COLUMNS)), labels, source="nsl_kdd")


def _table(path: Path) -> Any:
    table = read_csv(path, names=None if ".csv" in path.name else [*COLUMNS, "label", "difficulty"])
    missing = [name for name in (*COLUMNS, "label") if name not in table.column_names]
    if missing:
        raise ValueError(f"{path}: not NSL-KDD: it has no column {missing[0]!r}; remove it to have it downloaded again")
    return table.select([*COLUMNS, "label"])


NSL_KDD = Dataset(
    name="nsl_kdd",
    title="NSL-KDD, network connections, normal and attacks",
    kind="tables",
    rows={"train": 125973, "test": 22544},
    licence="free for research; cite",
    citation="Tavallaee, Bagheri, Lu, Ghorbani 2009, A detailed analysis of the KDD CUP 99 data set, IEEE CISDA",
    read=read,
    files=tuple(FILES.values()),
)
