"""The idx format of MNIST: a magic number, the sizes, then the numbers, big-endian. Plain or gzipped.

Source: the format note on Y. LeCun's MNIST page: magic = 0, 0, type code, number of dimensions;
then one uint32 per axis.
"""

from __future__ import annotations

import math
import re
import struct
from pathlib import Path

import numpy as np

from hourglass.readers.data import Data
from hourglass.readers.decoding import BLOCK, check_fits, decoding, is_gzip, open_plain
from hourglass.readers.memory import from_array

NUMBERS = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MAX_AXES = 32  # as in numpy before 2; sizes of more make numbers of hundreds of digits
FILE_NAME = re.compile(r"(idx\d?-ubyte|\.idx\d?)(\.gz)?$")


def read_idx(path: str | Path) -> np.ndarray:
    """Array of an idx file, shape as its header says, native byte order.

    Raises ValueError if the magic number is another format's, or the file is shorter or longer than its header says.
    No more is unpacked than the header says.
    """
    path = Path(path)
    with open_plain(path) as file:
        with decoding(path, "gzip" if is_gzip(path) else "idx"):
            begins = file.read(4)
            sizes = file.read(4 * begins[3]) if len(begins) == 4 else b""
        is_header = len(begins) == 4 and begins[:2] == b"\0\0" and begins[2] in NUMBERS
        if not is_header or begins[3] > MAX_AXES or len(sizes) < 4 * begins[3]:
            raise ValueError(
                f"{path}: not an idx file: it starts with {begins.hex(' ') or 'nothing'}, expected 00 00 type dims"
            )
        shape = struct.unpack(f">{begins[3]}I", sizes)
        dtype = np.dtype(NUMBERS[begins[2]])
        expected = math.prod(shape) * dtype.itemsize
        check_fits(path, expected, f"its header says {shape} {dtype.name}, which takes", "is it corrupt?")
        content = bytearray()
        with decoding(path, "gzip" if is_gzip(path) else "idx"):
            while block := file.read(min(BLOCK, expected + 1 - len(content))):  # one more, to see that it ends there
                content += block
    if len(content) != expected:
        follow = f"{len(content):,}" if len(content) < expected else "more"
        raise ValueError(
            f"{path}: its header says {shape} {dtype.name}, that is {expected:,} bytes, but {follow} follow; the file "
            "is cut short or corrupt, download it again"
        )
    return np.frombuffer(content, dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def read(path: Path) -> Data:
    """Examples of an idx file, with the labels if they lie next to it (`...images-idx3...` -> `...labels-idx1...`)."""
    array = read_idx(path)
    neighbour = path.with_name(path.name.replace("images-idx3", "labels-idx1"))
    labels = read_idx(neighbour) if neighbour != path and neighbour.exists() else None
    return from_array(array, labels=labels, source=str(path))
