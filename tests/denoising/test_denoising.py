"""Denoiser: noise, patches, tiles, pictures of any kind, files as they were."""

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

import hourglass
from hourglass import Denoiser
from hourglass.denoising.files import denoise_file
from hourglass.denoising.noise import Noise, correlation, estimate, psnr
from hourglass.denoising.patches import Patches, neighbours
from hourglass.denoising.pictures import Pictures
from hourglass.denoising.tiles import through_tiles
from hourglass.networks.unet import REACH, UNetDecoder, UNetEncoder

RNG = np.random.default_rng(0)


def scene(height, width, seed=0):
    """Smooth grey levels with an edge."""
    y, x = np.mgrid[:height, :width]
    levels = 110 + 60 * np.sin(x / 13 + seed) + 50 * (y > height / 2 + 10 * np.sin(x / 20))
    return np.clip(levels, 0, 255).astype(np.uint8)


CLEAN = [scene(70 + 10 * i, 96, i) for i in range(4)]
QUICK = {"patch": 32, "max_epochs": 2, "random_state": 0, "batch_size": 32}


@pytest.fixture(scope="module")
def denoiser():
    return Denoiser(noise="gaussian:25", **QUICK).fit(CLEAN)


# ---- noise -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["gaussian:20", "gaussian:10-30", "poisson:30", "salt-pepper:0.2", "masked:0.5"])
def test_noise_is_of_the_strength_that_was_said(words):
    noise, flat = Noise.parse(words), np.full((200, 1, 16, 16), 128.0, np.float32)
    noisy = noise(flat, np.random.default_rng(0))
    assert noisy.dtype == np.float32 and noisy.shape == flat.shape
    if noise.kind == "gaussian":
        spread = noisy.std((1, 2, 3))
        assert noise.low * 0.8 < spread.min() and spread.max() < noise.high * 1.2
    elif noise.kind == "poisson":
        assert noisy.mean() == pytest.approx(128, rel=0.02)
        assert noisy.std() == pytest.approx(255 / 30 * np.sqrt(30 * 128 / 255), rel=0.05)
    else:
        assert (noisy != flat).mean() == pytest.approx(noise.high, abs=0.02)


@pytest.mark.parametrize("words", ["gauss:2", "gaussian:x", "gaussian:-3", "gaussian:30-10", "masked:2", "poisson:0"])
def test_noise_that_there_is_not(words):
    with pytest.raises(ValueError, match="noise="):
        Noise.parse(words)


@pytest.mark.parametrize("sigma", [5, 20, 50])
def test_the_noise_of_a_picture_is_estimated(sigma):
    noisy = scene(200, 200)[None] + RNG.normal(0, sigma, (1, 200, 200))
    assert estimate(noisy) == pytest.approx(sigma, rel=0.08)


def test_what_is_alike_in_neighbouring_pixels():
    noise = RNG.normal(size=(1, 100, 100))
    assert abs(correlation(noise)) < 0.05
    assert correlation(noise[:, ::2].repeat(2, 1)[:, :, ::2].repeat(2, 2)) == pytest.approx(0.5, abs=0.1)


# ---- patches and tiles -------------------------------------------------------------------------------------------


def test_batches_are_a_function_of_seed_epoch_and_number():
    rows = Patches([c[None].astype(np.float32) for c in CLEAN], Noise.parse("gaussian:9"), None, 16, 64)
    whole = list(rows.epoch(16, 3, 1))
    later = list(rows.epoch(16, 3, 1, start=2))
    assert len(whole) == 4 and torch.equal(whole[2].raw, later[0].raw)
    assert torch.equal(whole[3].encoder_input, later[1].encoder_input)
    assert not torch.equal(whole[0].raw, next(rows.epoch(16, 3, 2)).raw)


def test_neighbours_lie_side_by_side():
    picture = np.arange(64.0).reshape(1, 1, 8, 8)
    one, other = neighbours(picture, np.random.default_rng(0))
    assert one.shape == other.shape == (1, 1, 4, 4)
    assert set(np.abs(one - other).ravel().tolist()) <= {1.0, 8.0}
    rows, columns = one // 16, one % 8 // 2
    assert (rows[0, 0] == np.arange(4)[:, None]).all() and (columns[0, 0] == np.arange(4)).all()


def random_network():
    torch.manual_seed(0)
    encoder, decoder = UNetEncoder((1, 32, 32)), UNetDecoder(112, (1, 32, 32))
    torch.nn.init.normal_(decoder.out.weight, std=0.05)

    def network(x):
        with torch.no_grad():
            features = encoder(x)
            return decoder(features.deep, *features.shallow)[:, :, : x.shape[2], : x.shape[3]]

    return network


@pytest.mark.parametrize("size", [(200, 170), (33, 91), (5, 7), (1, 1)])
def test_tiles_give_what_the_whole_picture_gives(size):
    network, picture = random_network(), RNG.normal(size=(1, *size)).astype(np.float32)
    whole, tiled = through_tiles(network, picture, 1024), through_tiles(network, picture, 64)
    assert whole.shape == picture.shape
    np.testing.assert_allclose(tiled, whole, atol=1e-4)


def test_a_pixel_reaches_no_further_than_is_said():
    network = random_network()
    x = torch.zeros(1, 1, 256, 256) + 0.1
    y = x.clone()
    y[0, 0, 128, 128] += 100
    touched = (network(x) != network(y))[0, 0].nonzero()
    assert int((touched - 128).abs().max()) <= REACH


def test_twice_as_bright_is_twice_the_answer():
    network, x = random_network(), torch.rand(1, 1, 32, 32)
    torch.testing.assert_close(network(2 * x), 2 * network(x), rtol=1e-4, atol=1e-4)


# ---- pictures in and out -----------------------------------------------------------------------------------------


def test_noise_goes(denoiser):
    assert denoiser.quality_.after > denoiser.quality_.before + 3
    noisy = CLEAN[0] + RNG.normal(0, 25, CLEAN[0].shape)
    assert psnr(CLEAN[0], denoiser.transform(noisy)) > psnr(CLEAN[0], noisy) + 3
    assert denoiser.score([noisy], [CLEAN[0]]) > 22
    half = denoiser.transform(noisy, strength=0.5)
    np.testing.assert_allclose(half, (noisy + denoiser.transform(noisy)) / 2, atol=1e-3)


@pytest.mark.parametrize(
    "picture",
    [
        CLEAN[0], CLEAN[0].astype(np.uint16) * 257, CLEAN[0] / 255.0, CLEAN[0].astype(np.float32),
        np.stack([CLEAN[0]] * 3, -1), np.stack([CLEAN[0]] * 3),
    ],
    ids=["uint8", "uint16", "0 to 1", "0 to 255", "colour", "channels first"],
)  # fmt: skip
def test_pictures_come_back_as_they_were(denoiser, picture):
    back = denoiser.transform([picture, picture[..., :50, :]])
    assert [b.shape for b in back] == [picture.shape, picture[..., :50, :].shape]
    assert all(b.dtype == picture.dtype for b in back)
    assert 0.9 < back[0].astype(float).mean() / picture.astype(float).mean() < 1.1
    stack = denoiser.transform(np.stack([picture, picture]))
    assert stack.shape == (2, *picture.shape) and stack.dtype == picture.dtype


def test_saved_and_loaded(denoiser, tmp_path):
    again = hourglass.load(denoiser.save(tmp_path / "model"))
    np.testing.assert_array_equal(again.transform(CLEAN[1]), denoiser.transform(CLEAN[1]))
    assert again.quality_.after == denoiser.quality_.after and again.advice_ == denoiser.advice_


def test_noisy_pictures_alone_and_pairs():
    noisy = [np.clip(c + RNG.normal(0, 25, c.shape), 0, 255).astype(np.uint8) for c in CLEAN]
    alone = Denoiser(**QUICK).fit(noisy)
    assert psnr(CLEAN[0], alone.transform(noisy[0])) > psnr(CLEAN[0], noisy[0]) + 2
    pairs = Denoiser(**QUICK).fit(noisy, CLEAN)
    assert psnr(CLEAN[0], pairs.transform(noisy[0])) > psnr(CLEAN[0], noisy[0]) + 3
    single = Denoiser(**QUICK).fit(noisy[:1])
    assert single.transform(noisy[0]).shape == noisy[0].shape
    with pytest.raises(ValueError, match="4 noisy and 3 clean pictures must be as many"):
        Denoiser(**QUICK).fit(noisy, CLEAN[:3])
    with pytest.raises(ValueError, match="with clean counterparts leave it out"):
        Denoiser(noise="gaussian:5", **QUICK).fit(noisy, CLEAN)


def test_an_interrupted_fit_goes_on_bit_for_bit(tmp_path):
    def stop(state):
        if state.progress.epoch >= 1:
            raise KeyboardInterrupt

    whole = Denoiser(noise="gaussian:25", **QUICK).fit(CLEAN)
    with pytest.raises(KeyboardInterrupt):
        Denoiser(noise="gaussian:25", **QUICK).fit(CLEAN, run=tmp_path, watch=stop)
    again = Denoiser(noise="gaussian:25", **QUICK).fit(CLEAN, run=tmp_path, resume=True)
    np.testing.assert_array_equal(again.transform(CLEAN[0]), whole.transform(CLEAN[0]))


@pytest.mark.parametrize(
    ("options", "message"),
    [({"noise": "fog"}, "noise='fog'"), ({"patch": 8}, "patch=8"), ({"patch": 36}, "patch=36 must be a multiple of 8")],
)
def test_options_that_cannot_be(options, message):
    with pytest.raises(ValueError, match=message):
        Denoiser(**options).fit(CLEAN)


def test_what_is_no_picture():
    with pytest.raises(ValueError, match="no picture has 64 pixels a side"):
        Denoiser(noise="gaussian").fit([c[:20] for c in CLEAN])
    with pytest.raises(ValueError, match="picture 0 holds NaN"):
        Pictures.of([np.full((9, 9), np.nan)])
    with pytest.raises(ValueError, match="picture 1 is an array"):
        Pictures.of([CLEAN[0], np.zeros(3)])


# ---- files -------------------------------------------------------------------------------------------------------


def darker(picture):
    return (picture // 2).astype(picture.dtype)


def test_png_files_keep_depth_alpha_and_profile(tmp_path):
    rgba = RNG.integers(0, 255, (20, 30, 4)).astype(np.uint8)
    Image.fromarray(rgba).save(tmp_path / "a.png", icc_profile=b"a profile", dpi=(300, 300))
    denoise_file(tmp_path / "a.png", tmp_path / "out.png", darker)
    back = Image.open(tmp_path / "out.png")
    assert back.mode == "RGBA" and back.info["icc_profile"] == b"a profile" and round(back.info["dpi"][0]) == 300
    np.testing.assert_array_equal(np.asarray(back)[..., 3], rgba[..., 3])
    np.testing.assert_array_equal(np.asarray(back)[..., :3], rgba[..., :3] // 2)
    deep = RNG.integers(0, 65_535, (20, 30)).astype(np.uint16)
    Image.fromarray(deep).save(tmp_path / "b.png")
    denoise_file(tmp_path / "b.png", tmp_path / "deep.png", darker)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "deep.png")), deep // 2)


def test_tiff_files_keep_pages_type_and_description(tmp_path):
    pages = [RNG.integers(0, 65_535, (20, 30)).astype(np.uint16), RNG.random((25, 31)).astype(np.float32)]
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for page in pages:
            writer.write(page, description="a cell", resolution=(100, 100), contiguous=False, metadata=None)
    assert denoise_file(tmp_path / "a.tif", tmp_path / "b.tif", lambda p: (p / 2).astype(p.dtype)) == 2
    with tifffile.TiffFile(tmp_path / "b.tif") as file:
        assert [page.dtype for page in file.pages] == [np.uint16, np.float32]
        assert file.pages[0].description == "a cell" and file.pages[0].tags["XResolution"].value == (100, 1)
        np.testing.assert_array_equal(file.pages[1].asarray(), pages[1] / 2)


def test_files_that_cannot_be_written_as_they_were_are_named(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"a\.png"):
        denoise_file(tmp_path / "a.png", tmp_path / "b.png", darker)
    frames = [Image.fromarray(RNG.integers(0, 255, (9, 9)).astype(np.uint8)) for _ in range(2)]
    frames[0].save(tmp_path / "c.gif", save_all=True, append_images=frames[1:])
    with pytest.raises(ValueError, match="2 pictures in one file cannot be written as they were"):
        denoise_file(tmp_path / "c.gif", tmp_path / "d.gif", darker)
