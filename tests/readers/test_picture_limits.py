"""What decoders of pictures bear: bombs, claims, damage; in little memory, quickly and quietly."""

import struct
import sys
import tracemalloc
import zlib

import numpy as np
import pytest
import tifffile
from picture_files import (
    GREY,
    deep_png,
    first,
    save,
)
from PIL import Image

from hourglass import readers
from hourglass.readers import pillow, tiff


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_floats_that_are_not_finite_name_their_file(tmp_path, bad):
    picture = np.zeros((6, 5), "f4")
    for name in ("a", "b", "c"):
        tifffile.imwrite(tmp_path / f"{name}.tif", picture)
    picture[2, 3] = bad
    tifffile.imwrite(tmp_path / "b.tif", picture)
    with pytest.raises(ValueError, match=rf"b\.tif: the pixel in row 2, column 3 is {bad}"):
        readers.read(tmp_path)


def test_more_pixels_than_a_picture_has(tmp_path, monkeypatch):
    """One limit, Pillow's, for all that decode."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)
    monkeypatch.setattr(tiff, "MAX_PAGES", 3)
    small = GREY[:4]
    save(tmp_path / "small.png", small)
    save(tmp_path / "large.png", np.zeros((9, 9), np.uint8))
    tifffile.imwrite(tmp_path / "large.tif", np.zeros((9, 9), np.uint8))
    (tmp_path / "deep.png").write_bytes(deep_png(np.zeros((9, 9, 3), np.uint16), [0] * 9))
    tifffile.imwrite(tmp_path / "pages.tif", np.stack([small] * 4), photometric="minisblack")
    data = readers.read(tmp_path)
    assert data.names == ("small.png",)
    assert {path.rpartition("/")[2] for path, _ in data.skipped} == {"large.png", "large.tif", "deep.png", "pages.tif"}
    assert any("more than 3 pages" in reason for _, reason in data.skipped)


def peak_of(function, *arguments):
    tracemalloc.start()
    try:
        function(*arguments)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_more_data_than_the_picture_holds_is_not_unpacked(tmp_path):
    """Small files that claim, or unpack to, hundreds of megabytes."""
    bomb = zlib.compress(bytes(200 << 20), 9)
    (tmp_path / "bomb.png").write_bytes(deep_png(np.zeros((1, 1, 3), np.uint16), [0], bomb))
    tifffile.imwrite(tmp_path / "bomb.tif", GREY, compression="zlib", rowsperstrip=6)
    with tifffile.TiffFile(tmp_path / "bomb.tif") as opened:
        page = opened.pages[0]
        places = [page.tags[code].valueoffset for code in (273, 279)]
    content = bytearray((tmp_path / "bomb.tif").read_bytes())
    for place, value in zip(places, (len(content), len(bomb)), strict=True):
        content[place : place + 4] = struct.pack("<I", value)
    (tmp_path / "bomb.tif").write_bytes(bytes(content) + bomb)
    claims = struct.pack("<IHHHII", 8, 1, 256, 4, 1, 2**31 - 1)
    (tmp_path / "claims.tif").write_bytes(b"II*\0" + claims + bytes(40))
    save(tmp_path / "good.png")
    assert peak_of(readers.read, tmp_path) < 20 << 20
    data = readers.read(tmp_path)
    assert "good.png" in data.names and "bomb.tif" not in data.names and "claims.tif" not in data.names


def test_transparency_costs_no_more_than_the_picture(tmp_path):
    """One byte a channel of the array; the rest is Pillow's, which is not counted here."""
    size = 600
    save(tmp_path / "a.png", np.zeros((size, size, 4), np.uint8))
    readers.read(tmp_path)
    assert peak_of(pillow.decode, tmp_path / "a.png") < 8 * size**2


def lines_run(function, *arguments):
    """What the function answers, and how many lines of Python it took."""
    lines = 0

    def trace(frame, event, _):
        nonlocal lines
        lines += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        return function(*arguments), lines
    finally:
        sys.settrace(before)


def test_a_large_sixteen_bit_picture_is_not_read_pixel_by_pixel(tmp_path):
    pixels = np.zeros((600, 600, 3), np.uint16)
    pixels[::2, 1::3] = 40000
    (tmp_path / "a.png").write_bytes(deep_png(pixels, [4, 3] * 300))
    readers.read(tmp_path)  # imports what it needs
    found, lines = lines_run(readers.read, tmp_path)
    np.testing.assert_array_equal(found.X[0], first(pixels))
    assert lines < 600 * 600 / 4


def test_decoders_are_quiet(tmp_path, capfd, caplog):
    save(tmp_path / "good.tif")
    save(tmp_path / "lzw.tif", np.arange(4000, dtype=np.uint8).reshape(50, 80), compression="tiff_lzw")
    content = bytearray((tmp_path / "lzw.tif").read_bytes())
    content[20:60] = bytes(range(200, 240))
    (tmp_path / "lzw.tif").write_bytes(content)
    head = bytearray((tmp_path / "good.tif").read_bytes())
    head[8:14] = b"\xff\x00\x01\x01\x09\x00"
    (tmp_path / "head.tif").write_bytes(head)
    data = readers.read(tmp_path)
    assert "good.tif" in data.names and data.skipped
    captured = capfd.readouterr()
    assert captured.out == captured.err == "" and not caplog.records


def test_a_photometric_that_is_none_is_a_reason_in_words(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", GREY)
    content = (tmp_path / "a.tif").read_bytes()
    entry = struct.pack("<HHIH", 262, 3, 1, 1)
    assert entry in content
    (tmp_path / "a.tif").write_bytes(content.replace(entry, struct.pack("<HHIH", 262, 3, 1, 77)))
    with pytest.raises(ValueError, match="colours as 77"):
        readers.read(tmp_path)


def test_a_chain_of_pages_that_leads_back_to_itself_ends(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.stack([GREY, GREY[::-1]]), photometric="minisblack")
    with tifffile.TiffFile(tmp_path / "a.tif") as opened:
        first_page, last = opened.pages[0].offset, opened.pages[1]
        end = last.offset + 2 + 12 * len(last.tags)
    content = bytearray((tmp_path / "a.tif").read_bytes())
    assert content[end : end + 4] == bytes(4)
    content[end : end + 4] = struct.pack("<I", first_page)
    (tmp_path / "a.tif").write_bytes(content)
    np.testing.assert_array_equal(readers.read(tmp_path).X[:, 0], [GREY, GREY[::-1]])
