"""The idx format of MNIST: a magic number, the sizes, then the numbers, big-endian. Plain or gzipped.

Source: the format note on Y. LeCun's MNIST page: magic = 0, 0, type code, number of dimensions;
then one uint32 an axis.
"""

from __future__ import annotations

import gzip
import math
import re
import struct
import zlib
from pathlib import Path

import numpy as np

from hourglass.readers.data import Data
from hourglass.readers.memory import from_array

NUMBERS = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
FILE_NAME = re.compile(r"(idx\d?-ubyte|\.idx\d?)(\.gz)?$")


def read_idx(path: str | Path) -> np.ndarray:
    """Array of an idx file, shape as its header says, native byte order.

    Raises ValueError if the magic number is another format's, or the file is shorter or longer than its header says.
    """
    path = Path(path)
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"{path}: the gzip file is damaged or cut short ({error}); fetch it again") from error
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in NUMBERS or len(content) < 4 + 4 * content[3]:
        raise ValueError(
            f"{path}: not an idx file: it starts with {content[:4].hex(' ') or 'nothing'}, expected 00 00 type dims"
        )
    shape = struct.unpack(f">{content[3]}I", content[4 : 4 + 4 * content[3]])
    dtype = np.dtype(NUMBERS[content[2]])
    start, expected = 4 + 4 * content[3], math.prod(shape) * dtype.itemsize
    if len(content) - start != expected:
        raise ValueError(
            f"{path}: the header says {shape} {dtype.name}, that is {expected} bytes, but {len(content) - start} "
            "follow; the file is cut short or damaged, fetch it again"
        )
    return np.frombuffer(content, dtype, offset=start).reshape(shape).astype(dtype.newbyteorder("="))


def read(path: Path) -> Data:
    """Examples of an idx file, with the labels if they lie beside it (`...images-idx3...` -> `...labels-idx1...`)."""
    array = read_idx(path)
    beside = path.with_name(path.name.replace("images-idx3", "labels-idx1"))
    labels = read_idx(beside) if beside != path and beside.exists() else None
    return from_array(array, labels=labels, source=str(path))
