"""How fast pythae trains its own default VAE and embeds with it, and in how much memory; prints one JSON line.

    $(python benchmarks/rivals/environment.py pythae) benchmarks/rivals/pythae_speed.py \
        $HOURGLASS_DATA/images/mnist/train-images-idx3-ubyte.gz --loss mse --epochs 5 --threads 2

The data lie in memory as float32 in [0, 1] before any clock starts. Rates are rows per second, memory is MiB.
pythae's messages and progress bars go to standard error.
"""

import argparse
import json
import statistics
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from mnist_images import read_pixels
from pythae.models import VAE
from pythae.trainers.training_callbacks import TrainingCallback
from pythae_vae import dataset_of, default_vae, trainer_of
from resident_memory import peak_mib
from turns import wait


class EpochClock(TrainingCallback):
    """Wall-clock seconds of each epoch, the copy of the best model at its end among them."""

    def __init__(self, in_turns: bool) -> None:
        self.seconds: list[float] = []
        self.in_turns = in_turns

    def on_epoch_begin(self, training_config, **_) -> None:
        if self.in_turns:
            wait()
        self._begun = perf_counter()

    def on_epoch_end(self, training_config, **_) -> None:
        self.seconds.append(perf_counter() - self._begun)


def embed_whole(model: VAE, x: torch.Tensor) -> np.ndarray:
    """Codes of all rows in one call."""
    return model.embed(x).detach().numpy()


def embed_batches(model: VAE, x: torch.Tensor) -> np.ndarray:
    """Codes of 1000 rows a call."""
    return np.concatenate([model.embed(rows).detach().numpy() for rows in x.split(1000)])


def passes(
    embed: Callable[[VAE, torch.Tensor], np.ndarray], model: VAE, x: torch.Tensor, repeats: int, in_turns: bool
) -> list[float]:
    """Seconds of `repeats` passes of `embed` through x (N, 1, 28, 28)."""
    seconds = []
    for _ in range(repeats):
        if in_turns:
            wait()
        begun = perf_counter()
        embed(model, x)
        seconds.append(perf_counter() - begun)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path, help="train-images-idx3-ubyte.gz")
    parser.add_argument("--loss", choices=("mse", "bce"), default="mse")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--latent", type=int, default=16)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--workers", type=int, default=0, help="loader processes; pythae's default is none")
    parser.add_argument("--threads", type=int, help="torch threads; torch's own choice when left out")
    parser.add_argument("--embed-repeats", type=int, default=3)
    parser.add_argument("--turns", action="store_true", help="wait for a line before every piece (see turns.py)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--weights", type=Path, help="write the trained weights and epoch_seconds to this .npz")
    asked = parser.parse_args()
    if asked.threads is not None:
        torch.set_num_threads(asked.threads)

    memory = {"imports": peak_mib()}
    x = torch.from_numpy(np.divide(read_pixels(asked.images), np.float32(255), dtype=np.float32))
    memory["data"] = peak_mib()
    model = default_vae(asked.latent, asked.loss, asked.seed)
    clock = EpochClock(asked.turns)
    with tempfile.TemporaryDirectory() as folder:
        trainer = trainer_of(
            model,
            dataset_of(x),
            clock,
            folder,
            epochs=asked.epochs,
            batch=asked.batch,
            learning_rate=asked.learning_rate,
            workers=asked.workers,
            seed=asked.seed,
        )
        begun = perf_counter()
        trainer.train()
        train_seconds = perf_counter() - begun
    memory["train"] = peak_mib()

    model.eval()
    pictures = x.view(-1, 1, 28, 28)
    embedding = {"batches": passes(embed_batches, model, pictures, asked.embed_repeats, asked.turns)}
    memory["embed_batches"] = peak_mib()
    with torch.no_grad():
        embedding["batches_no_grad"] = passes(embed_batches, model, pictures, asked.embed_repeats, asked.turns)
        embedding["whole_no_grad"] = passes(embed_whole, model, pictures, asked.embed_repeats, asked.turns)
    memory["embed_whole_no_grad"] = peak_mib()
    embedding["whole"] = passes(embed_whole, model, pictures, asked.embed_repeats, asked.turns)
    memory["embed_whole"] = peak_mib()

    if asked.weights is not None:
        arrays = {name: value.numpy() for name, value in model.state_dict().items()}
        np.savez(asked.weights, **arrays, epoch_seconds=np.array(clock.seconds))
    print(
        json.dumps(
            {
                "rival": f"pythae {version('pythae')}",
                "torch": torch.__version__,
                "threads": torch.get_num_threads(),
                "rows": len(x),
                "loss": asked.loss,
                "epochs": asked.epochs,
                "latent": asked.latent,
                "batch": asked.batch,
                "learning_rate": asked.learning_rate,
                "workers": asked.workers,
                "train_seconds": train_seconds,
                "train_rows_per_second": len(x) * asked.epochs / train_seconds,
                "epoch_seconds": clock.seconds,
                "epoch_rows_per_second": len(x) / statistics.median(clock.seconds),
                "embed_seconds": embedding,
                "peak_mib_after": memory,
            }
        ),
        flush=True,
    )


if __name__ == "__main__":
    main()
