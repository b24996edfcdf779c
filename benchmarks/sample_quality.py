"""Samples: Frechet distance on a classifier's features, and how often a conditional VAE's digit is the one asked for.

    python benchmarks/sample_quality.py --seeds 3

The classifier (convolutions of 16 and 32 channels, 128-d penultimate layer) is trained on the first 50,000 training
images; 10,000 images against 10,000. "real against real" is the last 10,000 training images against the test set. The
figure depends on the classifier: compare within one run only. The same classifier reads the generated digits; its
accuracy on the test set is printed.
"""

from __future__ import annotations

import argparse
import json

import numpy as np
import torch
from torch import nn

from hourglass import Embedder, Images, datasets
from hourglass.diagnostics.frechet import frechet_distance


class Classifier(nn.Module):
    """28 x 28 grey pictures in [0, 1] -> logits of ten digits; `features` (N, 128) lie before the last layer."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(32 * 49, 128), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Linear(128, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.body(x))


def trained_classifier(X: np.ndarray, y: np.ndarray, epochs: int, seed: int) -> Classifier:
    torch.manual_seed(seed)
    model = Classifier()
    steps = epochs * (len(X) // 128)
    optimiser = torch.optim.Adam(model.parameters(), lr=2e-3, fused=True)
    decay = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps)
    targets = torch.from_numpy(y.astype(np.int64))
    for _ in range(epochs):
        order = torch.randperm(len(X))
        for i in range(0, len(X) - 127, 128):
            rows = order[i : i + 128]
            loss = nn.functional.cross_entropy(model(pixels(X[rows.numpy()])), targets[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            decay.step()
    return model.eval()


def pixels(X: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.asarray(X, dtype=np.float32) / 255)


@torch.no_grad()
def in_batches(module: nn.Module, X: np.ndarray) -> np.ndarray:
    return np.concatenate([module(pixels(X[i : i + 1000])).numpy() for i in range(0, len(X), 1000)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipes", nargs="+", default=["vae kl=0.1", "vae"])
    parser.add_argument("--epochs", type=int, help="left out, as many as `fit` chooses")
    parser.add_argument("--classifier-epochs", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--n", type=int, default=10_000)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    train, test = datasets.load("mnist"), datasets.load("mnist", split="test")
    X, y = train.X, train.labels
    classifier = trained_classifier(X[:50_000], y[:50_000], options.classifier_epochs, seed=0)
    accuracy = float((in_batches(classifier, test.X).argmax(1) == test.labels).mean())
    real = in_batches(classifier.body, test.X)

    def distance(made: np.ndarray) -> float:
        return round(frechet_distance(in_batches(classifier.body, made), real), 2)

    floor = distance(X[50_000:])
    print(json.dumps({"classifier_test_accuracy": round(100 * accuracy, 2), "real_against_real": floor}), flush=True)
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        for recipe in options.recipes:
            common = {"modality": Images(binarise="dynamic"), "max_epochs": options.epochs, "random_state": seed}
            vae = Embedder(recipe=recipe, **common, n_threads=options.threads).fit(X)
            density = distance(vae.sample(options.n, random_state=seed))
            row = {
                "recipe": recipe,
                "seed": seed,
                "n_latent": vae.n_latent_,
                "epochs": vae.summary_.epochs,
                "reconstructions": distance(vae.reconstruct(test.X)),
                "prior": distance(vae.sample(options.n, prior=True, random_state=seed)),
                "density": density,
                "density_over_floor": round(density / floor, 2),
                "components": vae.density_.n_components[None],
            }
            print(json.dumps(row), flush=True)
            cvae = Embedder(recipe=recipe, **common, n_threads=options.threads).fit(X, condition=y)
            asked = np.repeat(np.arange(10), options.n // 10)
            made = cvae.sample(len(asked), condition=asked, random_state=seed)
            right = in_batches(classifier, made).argmax(1) == asked
            by_digit = [round(100 * float(right[asked == d].mean()), 1) for d in range(10)]
            row = {
                "recipe": f"conditional {recipe}",
                "seed": seed,
                "right": round(100 * float(right.mean()), 2),
                "worst": min(by_digit),
                "by_digit": by_digit,
                "density": distance(made),
            }
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
