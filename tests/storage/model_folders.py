"""Models that the tests save, and ways to change what was saved."""

import json
import shutil

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from hourglass import Embedder
from hourglass.fingerprint import digest_of_tensors
from hourglass.run_files import weights_name
from hourglass.storage import sealed
from hourglass.variants.plain import PointMass

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
GROUP = np.arange(60) % 3
PICTURES = RNG.integers(0, 255, (40, 6, 5)).astype(np.uint8)


def unfitted(**options):
    return Embedder(**{"n_latent": 2, "max_epochs": 2, "hidden": (6,), "random_state": 0, "n_threads": 1, **options})


def weights_of(folder):
    (path,) = folder.glob("model-*.safetensors")
    return path


def about(folder):
    return json.loads((folder / "hourglass.json").read_text())


def copy_with(folder, target, change):
    """A copy of a model folder with its description changed."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(folder, target)
    values = about(folder)
    change(values)
    (target / "hourglass.json").write_text(json.dumps(sealed(values)))
    return target


def forge(folder, change):
    """Other tensors in a model folder, with the right digest."""
    path = weights_of(folder)
    tensors = load_file(path)
    change(tensors)
    path.unlink()
    digest = digest_of_tensors(tensors)
    save_file(tensors, folder / weights_name(digest))
    values = about(folder)
    values["weights"] = {"file": weights_name(digest), "sha256": digest}
    (folder / "hourglass.json").write_text(json.dumps(sealed(values)))


class Remembers(nn.Module):
    """A bottleneck of the caller's own, with a buffer that is not saved."""

    def __init__(self, sizes, computed: bool = True):
        super().__init__()
        self.layer = nn.Linear(sizes.features, sizes.latent)
        turn = torch.full((sizes.latent,), 2.0) if computed else torch.empty(sizes.latent).fill_(2.0)
        self.register_buffer("turn", turn, persistent=False)

    def forward(self, features):
        return PointMass(self.turn * self.layer(features))
