"""What a model folder keeps: everything, in two plain files, and nothing that runs."""

import json
import pickletools
import resource
import signal
import zipfile
from dataclasses import dataclass

import numpy as np
import pandas
import pytest
import torch
from safetensors import safe_open
from torch import nn

import hourglass
from hourglass import Embedder, Images, Tables, modalities, storage, variants
from hourglass.assemble import Architecture, assemble
from hourglass.fingerprint import fingerprint
from hourglass.likelihoods import Gaussian
from hourglass.model import RoundTrip
from hourglass.recipe import Term
from hourglass.recipe_json import part_of
from hourglass.storage import ModelFolderError, sealed
from hourglass.variants import AE, RECIPES, VAE
from hourglass.variants.plain import PointMass

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 3))
FRAME = pandas.DataFrame({"a": X[:, 0], "b": ["u", "v", "w"] * 10, "c": [0.0, 1.0] * 15, "n": RNG.poisson(3.0, 30)})
FRAME.loc[::4, "a"] = np.nan
PICTURES = RNG.integers(0, 255, (30, 5, 4)).astype(np.uint8)
TWO_VALUED = (PICTURES > 100).astype(np.uint8)

FITS = {
    "table": (X, {}),
    "table, variance per feature": (X, {"variance": "feature"}),
    "table, fixed variance": (X, {"variance": 0.5}),
    "table, Laplace": (X, {"likelihood": "laplace"}),
    "table, linear": (X, {"hidden": (), "recipe": "contractive"}),
    "table of one kind of text": (FRAME[["b"]], {}),
    "mixed table": (FRAME, {}),
    "counts": (FRAME, {"modality": Tables(counts=("n",))}),
    "declared categories": (FRAME, {"modality": Tables(categories=("n",))}),
    "categories by number": (FRAME, {"modality": Tables(discrete=True)}),
    "pictures": (PICTURES, {}),
    "pictures, convolutions": (PICTURES, {"network": "conv"}),
    "pictures, two-valued": (TWO_VALUED, {}),
    "pictures, levels as probabilities": (PICTURES, {"likelihood": "bernoulli"}),
    "pictures, dynamic": (PICTURES, {"modality": Images(binarise="dynamic")}),
    "pictures, per channel": (np.stack([PICTURES] * 3, -1), {"variance": "feature", "activation": "gelu"}),
    "one epoch, all rows": (X, {"validation_fraction": 0.0, "max_epochs": 1}),
    "a recipe of its own": (X, {"recipe": RECIPES["beta_vae"].with_corruption(hourglass.variants.Masking(0.2))}),
}


def fit(X, **options):
    settings = {"n_latent": 2, "max_epochs": 2, "hidden": (6,), "random_state": 0}
    return Embedder(**{**settings, **options}).fit(X)


def weights_of(folder):
    (path,) = folder.glob("model-*.safetensors")
    return path


@pytest.fixture
def folder(tmp_path):
    return fit(X).save(tmp_path / "model")


@pytest.mark.parametrize("name", FITS)
def test_a_loaded_model_is_the_saved_one(name, tmp_path):
    data, options = FITS[name]
    saved = fit(data, **options)
    loaded = hourglass.load(saved.save(tmp_path / "deep" / "er"))
    for key, value in saved.model_.state_dict().items():
        assert torch.equal(loaded.model_.state_dict()[key], value)
    np.testing.assert_array_equal(loaded.transform(data), saved.transform(data))
    np.testing.assert_array_equal(loaded.score_samples(data), saved.score_samples(data))
    one, other = saved.reconstruct(data), loaded.reconstruct(data)
    assert type(one) is type(other)
    np.testing.assert_array_equal(np.asarray(one), np.asarray(other))
    assert loaded.model_.decode.likelihood.options() == saved.model_.decode.likelihood.options()
    assert (loaded.recipe_, loaded.modality_, loaded.history_) == (saved.recipe_, saved.modality_, saved.history_)
    assert json.dumps(vars(loaded.summary_)) == json.dumps(vars(saved.summary_))
    assert (loaded.fingerprint_, loaded.n_features_in_) == (saved.fingerprint_, saved.n_features_in_)
    # and once more, from what was loaded
    again = hourglass.load(loaded.save(tmp_path / "again"))
    np.testing.assert_array_equal(again.transform(data), saved.transform(data))


def test_the_folder_is_two_plain_files(folder):
    assert sorted(p.name for p in folder.iterdir()) == ["hourglass.json", weights_of(folder).name]
    about = json.loads((folder / "hourglass.json").read_text(), parse_constant=pytest.fail)  # JSON has no NaN
    assert {"format", "recipe", "modality", "versions", "history", "data", "summary"} <= set(about)
    assert {"hourglass", "torch", "numpy"} <= set(about["versions"])
    assert about["data"]["fingerprint"] == hourglass.load(folder).fingerprint_
    with safe_open(weights_of(folder), "pt") as file:
        assert any(key.startswith("model/") for key in file.keys())  # noqa: SIM118
    assert not zipfile.is_zipfile(weights_of(folder))
    with pytest.raises(ValueError):
        list(pickletools.genops(weights_of(folder).read_bytes()))


def test_saving_again_replaces_the_model(folder):
    other = fit(X, random_state=1)
    other.save(folder)
    np.testing.assert_array_equal(hourglass.load(folder).transform(X), other.transform(X))


def test_a_full_disk_is_named_and_the_model_that_was_there_is_unharmed(folder):
    """A limit on the size of files stands for the full disk: the write fails half-way."""
    before = hourglass.load(folder).transform(X)
    large = fit(X, hidden=(512,))
    limits, ignored = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        said = r"model-.*\.safetensors could not be written.*choose another place; the model that was there is unharmed"
        with pytest.raises(OSError, match=said):
            large.save(folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert sorted(p.name for p in folder.iterdir()) == ["hourglass.json", weights_of(folder).name]
    np.testing.assert_array_equal(hourglass.load(folder).transform(X), before)


# ---- own parts ---------------------------------------------------------------------------------------------------


class Halved(nn.Module):
    """A bottleneck of the caller's own."""

    def __init__(self, sizes, by=0.5):
        super().__init__()
        self.layer, self.by = nn.Linear(sizes.features, sizes.latent), by

    def forward(self, features):
        return PointMass(self.by * self.layer(features))


def size_of_code(trip: RoundTrip, model):
    return trip.z.square().flatten(1).sum(1)


@dataclass(frozen=True)
class Doubled:
    """A corruption of the caller's own."""

    by: float = 2.0

    def __call__(self, x, space):
        return self.by * x

    def touches(self, space):
        return True


@dataclass(frozen=True)
class Halfway:
    """A schedule of the caller's own."""

    def __call__(self, progress):
        return 0.5


class OwnTables(Tables):
    """A modality of the caller's own."""

    def likelihood(self, name, variance):
        return OwnGaussian((len(self.columns),))


class OwnGaussian(Gaussian):
    """A likelihood of the caller's own."""


own = Term(size_of_code, weight=0.1, schedule=Halfway())
RECIPE = AE.with_bottleneck(Halved, by=0.25).with_term(own).with_corruption(Doubled(3.0))
PARTS = {"Halved": Halved, "size_of_code": own, "Doubled": Doubled, "Halfway": Halfway}
PARTS |= {"OwnTables": OwnTables, "OwnGaussian": OwnGaussian}


def test_own_parts_are_passed_by_name(tmp_path):
    saved = fit(X, recipe=RECIPE, modality=OwnTables())
    saved.save(tmp_path)
    loaded = hourglass.load(tmp_path, custom=PARTS)
    assert loaded.recipe_ == RECIPE
    assert isinstance(loaded.modality_, OwnTables)
    assert isinstance(loaded.model_.decode.likelihood, OwnGaussian)
    np.testing.assert_array_equal(loaded.transform(X), saved.transform(X))
    for name in PARTS:
        with pytest.raises(ModelFolderError, match=f"'{name}'.*pass it at load: load\\(folder, custom="):
            hourglass.load(tmp_path, custom={k: v for k, v in PARTS.items() if k != name})


def test_an_own_part_of_a_name_that_hourglass_has_is_asked_for(tmp_path):
    """A `kl` and a `Deterministic` of one's own are not silently replaced by those of Hourglass."""

    def own_kl(trip, model):
        return 2 * trip.prior.divergence(trip.posterior, trip.z)

    class Sampled(variants.Sampled):
        """Of the same name."""

    for recipe, name, part in (
        (VAE.with_term(Term(own_kl, name="kl")), "kl", Term(own_kl, name="kl")),
        (AE.with_bottleneck(Sampled), "Sampled", Sampled),
    ):
        saved = fit(X, recipe=recipe)
        saved.save(tmp_path)
        with pytest.raises(ModelFolderError, match=rf"uses a '{name}' of your own, not the one of Hourglass: pass it"):
            hourglass.load(tmp_path)
        loaded = hourglass.load(tmp_path, custom={name: part})
        np.testing.assert_array_equal(loaded.transform(X), saved.transform(X))


def test_loading_runs_no_code_of_the_folder(folder, tmp_path):
    """Names are looked up among the parts; a name that leads elsewhere is refused, and nothing is imported."""
    about = json.loads((folder / "hourglass.json").read_text())
    names = ("os.system", "eval", "__import__", "__builtins__", "builtins.exec", "subprocess", "importlib", "__init__")
    for name in names:
        for place in ("bottleneck", "corruption", "modality", "likelihood", "term", "schedule"):
            values = json.loads(json.dumps(about))
            part = {"class": name, "own": False, "options": {"name": "1"}, "values": {}}
            if place == "bottleneck":
                values["recipe"]["bottleneck"] = part
            elif place == "corruption":
                values["recipe"]["corruptions"] = [part]
            elif place == "term":
                values["recipe"]["terms"][0]["class"] = name
            elif place == "schedule":
                values["recipe"]["terms"][0]["schedule"] = part
            else:
                values[place] = part
            (folder / "hourglass.json").write_text(json.dumps(sealed(values)))
            with pytest.raises(ModelFolderError):
                hourglass.load(folder)


@pytest.mark.parametrize("condition", [None, Tables(discrete=True).infer(np.arange(12) % 3 == np.arange(12)[:, None])])
@pytest.mark.parametrize("recipe", RECIPES)
def test_what_storage_alone_writes_and_reads(recipe, condition, tmp_path):
    """Storage without an estimator: model, recipe, modality, condition, architecture and arrays."""
    modality = Tables().infer(X)
    sizes = Architecture(2, 0, (5, 4))
    model = assemble(RECIPES[recipe], modality, modality.likelihood(None, "shared"), sizes)
    arrays = {"floats": X, "empty": np.zeros((0, 3)), "whole": np.arange(4)}
    storage.save(tmp_path, model, RECIPES[recipe], modality, condition, sizes, arrays, {"note": [1, "two"]})
    saved = storage.load(tmp_path)
    assert (saved.recipe, saved.modality, saved.architecture) == (RECIPES[recipe], modality, sizes)
    assert saved.condition == condition
    assert saved.about["note"] == [1, "two"]
    assert saved.arrays.keys() == arrays.keys()
    assert all(np.array_equal(saved.arrays[k], v) and saved.arrays[k].dtype == v.dtype for k, v in arrays.items())
    x = torch.randn(4, 3)
    torch.testing.assert_close(saved.model.encode(x).mode, model.eval().encode(x).mode, rtol=0, atol=0)


def test_the_fingerprint_tells_data_apart():
    a = np.arange(12.0)
    same = fingerprint(a, {"k": 1, "j": [2]})
    assert same == fingerprint(torch.from_numpy(a), {"j": [2], "k": 1})
    others = [
        fingerprint(a.reshape(3, 4), {"k": 1, "j": [2]}),
        fingerprint(a.astype(np.float32), {"k": 1, "j": [2]}),
        fingerprint(a[::-1], {"k": 1, "j": [2]}),
        fingerprint(a, {"k": 2, "j": [2]}),
    ]
    assert len({same, *others}) == 5
    assert len(same) == 16


def test_every_exported_modality_is_read_by_its_class():
    for kind in modalities.MODALITIES.values():
        assert part_of({"class": kind.__name__, "own": False, "options": {}}, storage._kinds_of_data(), {}) is kind


def test_vae_keeps_its_prior(tmp_path):
    fit(X, recipe=VAE).save(tmp_path)
    loaded = hourglass.load(tmp_path)
    assert loaded.recipe_.prior == VAE.prior
    assert loaded.sample(3, prior=True, random_state=0).shape == (3, 3)
