"""Files of every kind with some bytes changed: read, or refused with an error that names the file, and nothing else."""

import gzip
import random
import re
import struct
import warnings

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tifffile
from PIL import Image
from scipy import sparse

from hourglass import readers

GREY = np.random.default_rng(0).integers(0, 255, (12, 10)).astype(np.uint8)
COLOUR = np.stack([GREY, GREY[::-1], GREY], -1)
IDX = b"\0\0\x08\x03" + struct.pack(">III", 5, 6, 7) + bytes(range(210))
TEXT = "a,b,job\n" + "".join(f'{i / 7},{i},"x, {i % 3}"\n' for i in range(40))
TABLE = pa.table({"a": np.arange(60.0), "job": ["cook", "nurse", "smith"] * 20})
WRITERS = {
    "grey.png": lambda path: Image.fromarray(GREY).save(path),
    "deep.png": lambda path: Image.fromarray(GREY * np.uint16(200)).save(path),
    "rgba.png": lambda path: Image.fromarray(np.stack([GREY] * 4, -1)).save(path),
    "a.jpg": lambda path: Image.fromarray(COLOUR).save(path),
    "a.gif": lambda path: Image.fromarray(COLOUR).save(path, save_all=True, append_images=[Image.fromarray(COLOUR)]),
    "a.webp": lambda path: Image.fromarray(COLOUR).save(path),
    "a.bmp": lambda path: Image.fromarray(COLOUR).save(path),
    "lzw.tif": lambda path: Image.fromarray(COLOUR).save(path, compression="tiff_lzw"),
    "deflate.tif": lambda path: tifffile.imwrite(path, COLOUR, compression="zlib", photometric="rgb"),
    "pages.tif": lambda path: tifffile.imwrite(path, np.stack([GREY] * 3), photometric="minisblack"),
    "t.csv": lambda path: path.write_text(TEXT),
    "t.csv.gz": lambda path: path.write_bytes(gzip.compress(TEXT.encode())),
    "t.parquet": lambda path: pq.write_table(TABLE, path, row_group_size=20),
    "x.npy": lambda path: np.save(path, np.eye(9)),
    "x.npz": lambda path: np.savez(path, X=np.eye(9)),
    "c.npz": lambda path: np.savez_compressed(path, X=np.eye(9), y=np.arange(9)),
    "s.npz": lambda path: sparse.save_npz(path, sparse.eye_array(9, format="csr")),
    "t10k-images-idx3-ubyte": lambda path: path.write_bytes(IDX),
    "t10k-images-idx3-ubyte.gz": lambda path: path.write_bytes(gzip.compress(IDX)),
}


def changed(content, rnd):
    """One to four changes: bits, bytes, lengths, pieces cut out, doubled or put in."""
    b = bytearray(content)
    for _ in range(rnd.choice([1, 1, 2, 4])):
        b = b or bytearray(b"0")
        i = rnd.randrange(len(b) if rnd.random() < 0.5 else min(len(b), 200))  # headers are where it hurts
        kind = rnd.randrange(6)
        if kind == 0:
            b[i] ^= 1 << rnd.randrange(8)
        elif kind == 1:
            b[i] = rnd.choice([0, 1, 0x7F, 0x80, 0xFF, 0x0A, 0x2C, 0x22])
        elif kind == 2:
            del b[i : len(b) if rnd.random() < 0.3 else i + rnd.randrange(1, 40)]
        elif kind == 3:
            b[i:i] = b[i : i + rnd.randrange(1, 200)]
        elif kind == 4:
            form = rnd.choice(["<I", ">I", "<Q", ">H", "<H"])
            top = 256 ** struct.calcsize(form) - 1
            b[i : i + struct.calcsize(form)] = struct.pack(form, rnd.choice([0, 1, top, top // 2, top // 2 + 1]))
        else:
            b[i:i] = rnd.randbytes(rnd.randrange(1, 30))
    return bytes(b)


def use(path):
    len(readers.read(path))
    if path.suffix == ".parquet":
        stream = readers.ParquetStream(path)
        for group in range(len(stream.row_groups)):
            assert sum(map(len, stream.batches(group))) >= 0


@pytest.mark.parametrize("name", list(WRITERS))
def test_changed_files(tmp_path, name, capfd):
    path = tmp_path / name
    WRITERS[name](path)
    use(path)
    content, refused = path.read_bytes(), 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number in range(25):
            path.write_bytes(changed(content, random.Random(f"{name} {number}")))
            try:
                use(path)
            except (ValueError, TypeError) as error:
                refused += 1
                said = str(error)
                assert name in said and said.isprintable(), said
                assert not re.search("object is not|object cannot|has no attribute|not supported between", said), said
    assert refused
    assert capfd.readouterr() == ("", "")
