"""Test ELBO of pythae's own VAE against its training time; prints one JSON line per scored epoch.

    $(python benchmarks/rivals/environment.py pythae) benchmarks/rivals/pythae_elbo.py \
        $HOURGLASS_DATA/images/mnist --epochs 100 --threads 2

`seconds` counts from the start of `train()`, scoring taken out. `elbo` is nats per picture on the test set binarised
once with a fixed seed (`mnist_images.binarised`, `bernoulli_elbo`). Batch and learning rate left out are pythae's own
defaults (64 and 1e-4). `--inputs grey` trains on pixels in [0, 1], as pythae's user would; `--inputs binarised` draws
them anew before each epoch, off the clock, so that pythae trains on the kind of data that it is scored on.
"""

import argparse
import json
import tempfile
from importlib.metadata import version
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from bernoulli_elbo import bernoulli_elbo
from mnist_images import binarised, read_pixels
from pythae.models import VAE
from pythae.trainers import BaseTrainerConfig
from pythae.trainers.training_callbacks import TrainingCallback
from pythae_vae import dataset_of, default_vae, trainer_of


class ElboScorer(TrainingCallback):
    """Scores the current weights every `every` epochs and at the last one, with the training clock stopped."""

    def __init__(self, test: torch.Tensor, every: int, redraw: tuple[torch.Tensor, torch.Tensor] | None) -> None:
        self.test = test  # (N, 784)
        self.every = every
        self.redraw = redraw  # (probabilities, the training pictures to overwrite), both (N, 784)
        self.generator = torch.Generator().manual_seed(0)
        self.epoch = 0

    def on_train_begin(self, training_config, **_) -> None:
        self._begun = perf_counter()

    def on_epoch_begin(self, training_config, **_) -> None:
        if self.redraw is not None:
            stopped = perf_counter()
            probabilities, pictures = self.redraw
            torch.bernoulli(probabilities, generator=self.generator, out=pictures)
            self._begun += perf_counter() - stopped

    def on_epoch_end(self, training_config, model: VAE, **_) -> None:
        self.epoch += 1
        if self.epoch % self.every and self.epoch != training_config.num_epochs:
            return
        stopped = perf_counter()
        model.eval()  # the trainer sets it back at the next epoch

        def posterior(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            features = model.encoder(x)
            return features.embedding, features.log_covariance

        elbo = bernoulli_elbo(posterior, lambda z: model.decoder(z).reconstruction.flatten(1), self.test)
        print(json.dumps({"epoch": self.epoch, "seconds": stopped - self._begun, "elbo": elbo}), flush=True)
        self._begun += perf_counter() - stopped


def main() -> None:
    default = BaseTrainerConfig()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mnist", type=Path, help="folder with train- and t10k-images-idx3-ubyte.gz")
    parser.add_argument("--epochs", type=int, default=default.num_epochs)
    parser.add_argument("--every", type=int, default=1, help="epochs between two scores")
    parser.add_argument("--latent", type=int, default=16)
    parser.add_argument("--batch", type=int, default=default.per_device_train_batch_size)
    parser.add_argument("--learning-rate", type=float, default=default.learning_rate)
    parser.add_argument("--workers", type=int, default=default.train_dataloader_num_workers)
    parser.add_argument("--inputs", choices=("grey", "binarised"), default="grey")
    parser.add_argument("--threads", type=int, help="torch threads; torch's own choice when left out")
    parser.add_argument("--seed", type=int, default=default.seed)
    asked = parser.parse_args()
    if asked.threads is not None:
        torch.set_num_threads(asked.threads)

    grey = torch.from_numpy(
        np.divide(read_pixels(asked.mnist / "train-images-idx3-ubyte.gz"), np.float32(255), dtype=np.float32)
    )
    test = torch.from_numpy(binarised(read_pixels(asked.mnist / "t10k-images-idx3-ubyte.gz")))
    pictures = grey if asked.inputs == "grey" else torch.bernoulli(grey, generator=torch.Generator().manual_seed(1))
    scorer = ElboScorer(test, asked.every, None if asked.inputs == "grey" else (grey, pictures))
    model = default_vae(asked.latent, "bce", asked.seed)
    setting = {name: value for name, value in vars(asked).items() if name != "mnist"}
    setting |= {"rival": f"pythae {version('pythae')}", "torch": torch.__version__, "threads": torch.get_num_threads()}
    print(json.dumps(setting), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        trainer_of(
            model,
            dataset_of(pictures),
            scorer,
            folder,
            epochs=asked.epochs,
            batch=asked.batch,
            learning_rate=asked.learning_rate,
            workers=asked.workers,
            seed=asked.seed,
        ).train()


if __name__ == "__main__":
    main()
