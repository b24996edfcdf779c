"""Folders of pictures: every form that PNG, JPEG and TIFF come in."""

import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from hourglass import readers

rng = np.random.default_rng(0)
GREY = rng.integers(0, 256, (6, 5)).astype(np.uint8)
COLOUR = rng.integers(0, 256, (6, 5, 3)).astype(np.uint8)
DEEP = rng.integers(0, 65536, (6, 5)).astype(np.uint16)
DEEP_COLOUR = rng.integers(0, 65536, (6, 5, 3)).astype(np.uint16)
ALPHA = rng.integers(0, 256, (6, 5, 1)).astype(np.uint8)


def on_white(picture, alpha):
    white = np.iinfo(picture.dtype).max
    return np.rint(picture * (alpha / white) + (white - alpha.astype(float))).astype(picture.dtype)


ON_WHITE, GREY_ON_WHITE = on_white(COLOUR, ALPHA), on_white(GREY, ALPHA[..., 0])
MULTIPLIED = np.rint(COLOUR * (ALPHA / 255)).astype(np.uint8)


def first(x):
    return x[None] if x.ndim == 2 else np.moveaxis(x, -1, 0)


@pytest.mark.parametrize(
    ("name", "image", "expected"),
    [
        ("grey.png", GREY, GREY),
        ("grey.PNG", GREY, GREY),
        ("colour.png", COLOUR, COLOUR),
        ("deep.png", DEEP, DEEP),
        ("alpha.png", np.concatenate([COLOUR, ALPHA], 2), ON_WHITE),
        ("grey_alpha.png", np.concatenate([GREY[..., None], ALPHA], 2), GREY_ON_WHITE),
        ("grey.tif", GREY, GREY),
        ("colour.tiff", COLOUR, COLOUR),
    ],
)
def test_forms_written_by_pillow(tmp_path, name, image, expected):
    Image.fromarray(image).save(tmp_path / name)
    data = readers.read(tmp_path)
    assert data.kind == "images" and data.names == (name,) and data.labels is None and data.skipped == ()
    assert data.X.dtype == expected.dtype
    np.testing.assert_array_equal(data.X[0], first(expected))
    np.testing.assert_array_equal(readers.read(tmp_path / name).X, data.X)


@pytest.mark.parametrize(
    ("image", "options", "expected"),
    [
        (DEEP, {}, DEEP),
        (DEEP_COLOUR, {"photometric": "rgb"}, DEEP_COLOUR),
        (np.moveaxis(COLOUR, -1, 0), {"photometric": "rgb", "planarconfig": "separate"}, COLOUR),
        (np.concatenate([COLOUR, ALPHA], 2), {"photometric": "rgb", "extrasamples": ["unassalpha"]}, ON_WHITE),
        (
            np.concatenate([MULTIPLIED, ALPHA], 2),
            {"photometric": "rgb", "extrasamples": ["assocalpha"]},
            MULTIPLIED + 255 - ALPHA,
        ),
        (np.concatenate([COLOUR, ALPHA], 2), {"photometric": "rgb", "extrasamples": ["unspecified"]}, COLOUR),
        (
            np.concatenate([COLOUR, ALPHA], 2).astype("f4"),
            {"photometric": "rgb", "extrasamples": [2]},
            COLOUR.astype("f4"),
        ),
        (GREY, {"photometric": "miniswhite"}, 255 - GREY),
        (GREY > 99, {"photometric": "minisblack"}, (GREY > 99) * np.uint8(255)),
        (GREY > 99, {"photometric": "miniswhite"}, (GREY <= 99) * np.uint8(255)),
        (GREY, {"compression": "zlib"}, GREY),
        (GREY.astype("f4"), {}, GREY.astype("f4")),
    ],
    ids=[
        "16 bit",
        "16 bit colour",
        "planes",
        "alpha",
        "alpha multiplied",
        "a fourth band",
        "alpha of floats",
        "inverted",
        "1 bit",
        "1 bit inverted",
        "zlib",
        "float",
    ],
)
def test_forms_of_tiff(tmp_path, image, options, expected):
    tifffile.imwrite(tmp_path / "t.tif", image, **options)
    data = readers.read(tmp_path)
    assert data.X.dtype == expected.dtype
    np.testing.assert_array_equal(data.X[0], first(expected))


def test_palette_one_bit_cmyk_and_jpeg(tmp_path):
    flat = np.zeros((6, 5, 3), np.uint8) + np.array([250, 20, 20], np.uint8)
    cases = {"palette.png": Image.fromarray(flat).quantize(4), "jpeg.jpg": Image.fromarray(flat)}
    cases |= {"palette.tif": Image.fromarray(flat).quantize(4), "cmyk.jpeg": Image.fromarray(flat).convert("CMYK")}
    cases |= {"lzw.tif": None}
    for name, image in cases.items():
        if image is None:
            Image.fromarray(flat).save(tmp_path / name, compression="tiff_lzw")
        else:
            image.save(tmp_path / name)
        X = readers.read(tmp_path / name).X
        assert X.shape == (1, 3, 6, 5) and X.dtype == np.uint8, name
        assert np.abs(X[0].astype(int) - first(flat)).max() <= 8, name
    Image.fromarray(GREY > 99).save(tmp_path / "holes.png", transparency=0)
    assert (readers.read(tmp_path / "holes.png").X == 255).all()
    Image.fromarray(GREY > 99).save(tmp_path / "bits.png")
    np.testing.assert_array_equal(readers.read(tmp_path / "bits.png").X[0, 0], (GREY > 99) * 255)


def deep_png(pixels, filters):
    """A 16-bit PNG with the given filter on each row, as the specification defines them."""
    h, w, c = pixels.shape
    raw = pixels.astype(">u2").view(np.uint8).reshape(h, -1).astype(int)
    bpp = 2 * c
    left = np.pad(raw, ((0, 0), (bpp, 0)))[:, :-bpp]
    up = np.pad(raw, ((1, 0), (0, 0)))[:-1]
    corner = np.pad(raw, ((1, 0), (bpp, 0)))[:-1, :-bpp]
    p = left + up - corner
    distance = np.stack([abs(p - left), abs(p - up), abs(p - corner)])
    paeth = np.choose(distance.argmin(0), [left, up, corner])
    guess = [raw * 0, left, up, (left + up) // 2, paeth]
    rows = b"".join(
        bytes([f]) + ((raw[y] - guess[f][y]) % 256).astype(np.uint8).tobytes() for y, f in enumerate(filters)
    )

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", w, h, 16, {3: 2, 2: 4, 4: 6}[c], 0, 0, 0)
    packed = zlib.compress(rows)
    chunks = [chunk(b"IHDR", header), chunk(b"IDAT", packed[:20]), chunk(b"IDAT", packed[20:]), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_colour_png_of_sixteen_bits_keeps_them(tmp_path, channels):
    pixels = rng.integers(0, 65536, (7, 5, channels)).astype(np.uint16)
    (tmp_path / "t.png").write_bytes(deep_png(pixels, [0, 1, 2, 3, 4, 3, 4]))
    kept = pixels if channels == 3 else on_white(pixels[..., :-1], pixels[..., -1:])
    np.testing.assert_array_equal(readers.read(tmp_path / "t.png").X[0], first(kept))
    assert Image.open(tmp_path / "t.png").size == (5, 7)  # the file made here is a PNG to others too


def test_pages_of_a_tiff_are_pictures(tmp_path):
    stack = np.stack([DEEP, DEEP + np.uint16(1), DEEP[::-1]])
    tifffile.imwrite(tmp_path / "s.tif", stack, photometric="minisblack")
    data = readers.read(tmp_path / "s.tif")
    assert data.names == ("s.tif[0]", "s.tif[1]", "s.tif[2]")
    np.testing.assert_array_equal(data.X[:, 0], stack)


def test_sub_folders_are_labels_and_hidden_files_are_passed_over(tmp_path):
    for name in ("cat/2.png", "cat/deep/1.png", "dog/1.png", ".hidden/1.png", "dog/._1.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(GREY).save(tmp_path / name)
    data = readers.read(tmp_path)
    assert data.names == ("cat/2.png", "cat/deep/1.png", "dog/1.png")
    assert data.labels.tolist() == ["cat", "cat", "dog"]


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (GREY[:4], r"a\.png is 5 x 6, grey, uint8 but b\.png is 5 x 4.*resize"),
        (COLOUR, r"a\.png is .*grey.* but b\.png is .*colour.*one form"),
        (DEEP, r"a\.png .*uint8 but b\.png .*uint16"),
    ],
    ids=["size", "channels", "depth"],
)
def test_pictures_of_different_form_are_both_named(tmp_path, other, words):
    Image.fromarray(GREY).save(tmp_path / "a.png")
    Image.fromarray(other).save(tmp_path / "b.png")
    with pytest.raises(ValueError, match=words):
        readers.read(tmp_path)


def test_corrupt_files_are_skipped_and_listed(tmp_path):
    for name in ("a.png", "b.png", "c.tif", "d.jpg"):
        Image.fromarray(rng.integers(0, 256, (40, 40)).astype(np.uint8)).save(tmp_path / name)
    for name in ("b.png", "c.tif", "d.jpg"):
        path = tmp_path / name
        path.write_bytes(path.read_bytes()[:300])
    (tmp_path / "e.png").write_bytes(b"")
    (tmp_path / "f.png").write_bytes(deep_png(DEEP_COLOUR, [4] * 6)[:150])
    data = readers.read(tmp_path)
    assert data.names == ("a.png",) and len(data) == 1
    assert [path.rpartition("/")[2] for path, _ in data.skipped] == ["b.png", "c.tif", "d.jpg", "e.png", "f.png"]
    assert all(reason for _, reason in data.skipped)
    (tmp_path / "a.png").unlink()
    with pytest.raises(ValueError, match=r"none of its 5 pictures could be read; the first, .*b\.png: "):
        readers.read(tmp_path)


def test_folders_without_or_with_too_much(tmp_path):
    with pytest.raises(ValueError, match="holds no pictures"):
        readers.read(tmp_path)
    Image.fromarray(GREY).save(tmp_path / "a.png")
    readers.write(tmp_path / "t.parquet", np.zeros((2, 2)))
    with pytest.raises(ValueError, match=r"both \.parquet files and pictures"):
        readers.read(tmp_path)


def test_colours_that_are_no_rgb_are_named(tmp_path):
    tifffile.imwrite(tmp_path / "t.tif", np.zeros((8, 8, 4), np.uint8), photometric="separated")
    with pytest.raises(ValueError, match="colours as SEPARATED; convert it to RGB or grey first"):
        readers.read(tmp_path)
