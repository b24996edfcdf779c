"""Folders of pictures: every form that PNG, JPEG and TIFF come in."""

import struct
import time
import tracemalloc
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image, features

from hourglass import readers
from hourglass.readers import pillow, tiff
from hourglass.readers.pictures import describe_difference

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


def deep_png(pixels, filters, packed=None):
    """A 16-bit PNG with the given filter on each row, as the specification defines them; or with other data in it."""
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
    packed = zlib.compress(rows) if packed is None else packed
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


def test_sub_folders_are_labels_and_hidden_files_are_left_aside(tmp_path):
    for name in ("cat/2.png", "cat/deep/1.png", "dog/1.png", ".hidden/1.png", "dog/._1.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(GREY).save(tmp_path / name)
    data = readers.read(tmp_path)
    assert data.names == ("cat/2.png", "cat/deep/1.png", "dog/1.png")
    assert data.labels.tolist() == ["cat", "cat", "dog"]


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (GREY[:4], "a.png is 5 x 6, grey, uint8 but b.png is 5 x 4, grey, uint8"),
        (COLOUR, "a.png is 5 x 6, grey, uint8 but b.png is 5 x 6, colour, uint8"),
        (DEEP, "a.png is 5 x 6, grey, uint8 but b.png is 5 x 6, grey, uint16"),
    ],
    ids=["size", "channels", "depth"],
)
def test_pictures_of_different_form_come_as_a_list(tmp_path, other, words):
    Image.fromarray(GREY).save(tmp_path / "a.png")
    Image.fromarray(other).save(tmp_path / "b.png")
    data = readers.read(tmp_path)
    assert len(data) == 2 and data.names == ("a.png", "b.png") and isinstance(data.X, list)
    for picture, expected in zip(data.X, (GREY, other), strict=True):
        assert picture.dtype == expected.dtype
        np.testing.assert_array_equal(picture, first(expected))
    assert describe_difference(data.names, data.X) == words
    assert describe_difference(data.names, [GREY[None], GREY[None]]) is None


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


def save(path, picture=GREY, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path, **options)


@pytest.mark.parametrize("name", ["a.webp", "a.bmp", "a.gif", "a.jp2", "a.pgm", "a.tga", "a.jfif", "a.avif"])
def test_other_kinds_that_pillow_reads(tmp_path, name):
    if name == "a.avif" and not features.check("avif"):
        pytest.skip("this Pillow was built without AVIF")
    flat = np.full((16, 12, 3), (200, 40, 90), np.uint8)
    save(tmp_path / "p" / name, flat if name != "a.pgm" else flat[..., 0])
    X = readers.read(tmp_path / "p").X
    assert X.shape == (1, 1 if name == "a.pgm" else 3, 16, 12)
    assert np.abs(X[0].astype(int) - first(flat)[: X.shape[1]]).max() <= 8


def test_linked_folders_are_entered_each_real_folder_once(tmp_path):
    folder = tmp_path / "pets"
    for i in range(3):
        save(folder / "dog" / f"{i}.png")
        save(tmp_path / "elsewhere" / "deep" / f"{i}.png")
    (folder / "cat").symlink_to(tmp_path / "elsewhere")
    data = readers.read(folder)
    assert data.labels.tolist() == ["cat"] * 3 + ["dog"] * 3
    assert data.names[0] == "cat/deep/0.png"
    (folder / "all").symlink_to(folder)
    (folder / "again").symlink_to(folder / "dog")
    with pytest.warns(UserWarning, match=r"skipped 2 links to folders that are read already: .*again.*all"):
        assert readers.read(folder).names == data.names
    (folder / "lost.png").symlink_to(tmp_path / "nowhere.png")
    with pytest.warns(UserWarning):
        assert [path.rpartition("/")[2] for path, _ in readers.read(folder).skipped] == ["lost.png"]
    linked = tmp_path / "linked"
    linked.symlink_to(folder / "dog")
    assert len(readers.read(linked)) == 3


def test_what_is_not_read_is_counted_and_pictures_among_it_are_listed(tmp_path):
    save(tmp_path / "a.png")
    for name in ("b.heic", "c.HEIC", "notes.txt", "README", ".hidden"):
        (tmp_path / name).write_text("x")
    with pytest.warns(UserWarning, match=r"skipped 4 files .*: 2 \.heic, 1 without an ending, 1 \.txt"):
        data = readers.read(tmp_path)
    assert len(data) == 1
    assert [(path.rpartition("/")[2], "convert them to PNG" in reason) for path, reason in data.skipped] == [
        ("b.heic", True),
        ("c.HEIC", True),
    ]


def test_what_a_file_is_goes_by_its_content(tmp_path):
    save(tmp_path / "a.png", COLOUR)
    (tmp_path / "a.png").rename(tmp_path / "a.tif")
    tifffile.imwrite(tmp_path / "b.png", COLOUR, photometric="rgb")
    np.testing.assert_array_equal(readers.read(tmp_path).X, np.stack([first(COLOUR)] * 2))


def test_no_other_program_is_started_for_a_picture(tmp_path):
    """Pillow hands EPS to Ghostscript, which runs what the file says."""
    (tmp_path / "a.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n")
    with pytest.raises(ValueError, match="not a picture"):
        readers.read(tmp_path)


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


def test_a_large_sixteen_bit_picture_takes_no_minutes(tmp_path):
    pixels = np.zeros((600, 600, 3), np.uint16)
    pixels[::2, 1::3] = 40000
    (tmp_path / "a.png").write_bytes(deep_png(pixels, [4, 3] * 300))
    start = time.process_time()
    np.testing.assert_array_equal(readers.read(tmp_path).X[0], first(pixels))
    assert time.process_time() - start < 0.5


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
