"""Milliseconds for the Bernoulli log-probability, forward and backward, ours beside PyTorch's; one thread."""

import time

import numpy as np
import torch
import torch.nn.functional as F

from hourglass.likelihoods import Bernoulli


def main(B: int = 512, D: int = 784, repeats: int = 500) -> None:
    """Print median and fastest of ``repeats`` runs in random order, per kind of logits."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    x, likelihood = (torch.rand(B, D) < 0.3).float(), Bernoulli((D,))
    measured = {
        "hourglass": lambda logits: likelihood(logits).log_prob(x),
        "pytorch": lambda logits: -F.binary_cross_entropy_with_logits(logits.float(), x, reduction="none").sum(1),
    }
    for dtype in (torch.float32, torch.bfloat16):
        logits = (3 * torch.randn(B, D)).to(dtype)
        seconds: dict[str, list[float]] = {name: [] for name in measured}
        for repeat in range(repeats):
            for name in np.random.default_rng(repeat).permutation(list(measured)):
                leaf = logits.clone().requires_grad_()
                start = time.perf_counter()
                measured[name](leaf).mean().backward()
                seconds[name].append(time.perf_counter() - start)
        for name, values in seconds.items():
            print(f"{dtype} {name:10} median {1e3 * np.median(values):.3f} ms, fastest {1e3 * min(values):.3f} ms")


if __name__ == "__main__":
    main()
