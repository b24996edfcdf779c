"""Folders of pictures: every form that PNG, JPEG and TIFF come in."""

import numpy as np
import pytest
import tifffile
from picture_files import (
    ALPHA,
    COLOUR,
    DEEP,
    DEEP_COLOUR,
    GREY,
    GREY_ON_WHITE,
    MULTIPLIED,
    ON_WHITE,
    RNG,
    deep_png,
    first,
    on_white,
    save,
)
from PIL import Image, features

from hourglass import readers
from hourglass.readers import pillow, tiff


@pytest.mark.parametrize("name", ["a.webp", "a.bmp", "a.gif", "a.jp2", "a.pgm", "a.tga", "a.jfif", "a.avif"])
def test_other_kinds_that_pillow_reads(tmp_path, name):
    if name == "a.avif" and not features.check("avif"):
        pytest.skip("this Pillow was built without AVIF")
    flat = np.full((16, 12, 3), (200, 40, 90), np.uint8)
    save(tmp_path / "p" / name, flat if name != "a.pgm" else flat[..., 0])
    X = readers.read(tmp_path / "p").X
    assert X.shape == (1, 1 if name == "a.pgm" else 3, 16, 12)
    assert np.abs(X[0].astype(int) - first(flat)[: X.shape[1]]).max() <= 8


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


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_colour_png_of_sixteen_bits_keeps_them(tmp_path, channels):
    pixels = RNG.integers(0, 65536, (7, 5, channels)).astype(np.uint16)
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


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("options", [{}, {"compression": "tiff_lzw"}], ids=["plain", "lzw"])
def test_orientation(tmp_path, orientation, options):
    """The same tag in a TIFF and in a PNG, which Pillow turns the right way up."""
    exif = Image.Exif()
    exif[274] = orientation
    image = Image.fromarray(COLOUR)
    image.save(tmp_path / "t.png", exif=exif)
    image.save(tmp_path / "t.tif", tiffinfo={274: orientation}, **options)
    a, b = readers.read(tmp_path / "t.png").X, readers.read(tmp_path / "t.tif").X
    assert a.shape[2:] == ((6, 5) if orientation < 5 else (5, 6))
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("picture", [GREY, COLOUR, DEEP, DEEP_COLOUR], ids=["grey", "colour", "deep", "deep colour"])
def test_pages_that_tifffile_cannot_unpack(tmp_path, monkeypatch, picture):
    """LZW, as ImageJ writes it; all bits are kept."""
    pages = [picture, picture[::-1], picture[:, ::-1]]
    if picture is DEEP_COLOUR:  # Pillow writes none: lay an uncompressed one into its decoder's hands
        tifffile.imwrite(tmp_path / "t.tif", np.stack(pages), photometric="rgb", rowsperstrip=6)
        monkeypatch.setattr(tiff, "decode", pillow.decode)
    else:
        images = [Image.fromarray(page) for page in pages]
        images[0].save(tmp_path / "t.tif", save_all=True, append_images=images[1:], compression="tiff_lzw")
    data = readers.read(tmp_path / "t.tif")
    assert data.names == ("t.tif[0]", "t.tif[1]", "t.tif[2]") and data.X.dtype == picture.dtype
    np.testing.assert_array_equal(data.X, np.stack([first(page) for page in pages]))


def test_frames_of_an_animation(tmp_path):
    flat = [np.full((8, 8, 3), level, np.uint8) for level in ((10, 10, 10), (250, 20, 20), (20, 20, 250))]
    images = [Image.fromarray(picture) for picture in flat]
    for name in ("a.gif", "a.webp", "a.png"):
        images[0].save(tmp_path / name, save_all=True, append_images=images[1:])
        data = readers.read(tmp_path / name)
        assert data.X.shape == (3, 3, 8, 8) and data.names == tuple(f"{name}[{k}]" for k in range(3))
        assert np.abs(data.X.astype(int) - np.stack([first(p) for p in flat])).max() <= 8
