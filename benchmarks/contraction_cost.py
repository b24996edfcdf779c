"""What the contraction penalty costs: one vector-Jacobian product beside the exact Jacobian of a deep encoder.

python benchmarks/contraction_cost.py --repeats 5
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable

import torch

from hourglass.model import Encode, Sizes
from hourglass.networks import MLPEncoder
from hourglass.variants import Deterministic
from hourglass.variants.contractive import hutchinson


def median_milliseconds(run: Callable[[], object], repeats: int) -> float:
    seconds = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - started)
    return round(1000 * statistics.median(seconds[1:]), 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--n-latent", type=int, default=32)
    options = parser.parse_args()
    torch.manual_seed(0)
    sizes = Sizes(example=(784,), features=128, latent=options.n_latent)
    encode = Encode(MLPEncoder((784,), (512, 256, 128)), Deterministic(sizes))
    parameters = list(encode.parameters())
    x = torch.randn(options.batch, 784)

    def exact() -> torch.Tensor:
        moving = x.clone().requires_grad_()
        code = encode(moving).mode
        rows = [torch.autograd.grad(code[:, j].sum(), moving, create_graph=True)[0] for j in range(code.shape[1])]
        return torch.stack(rows).square().sum((0, 2))

    def estimate() -> torch.Tensor:
        moving = x.clone().requires_grad_()
        return hutchinson(encode(moving).mode, moving)

    def with_gradient(norm: Callable[[], torch.Tensor]) -> Callable[[], object]:
        return lambda: torch.autograd.grad(norm().mean(), parameters, allow_unused=True)

    truth = exact().mean().item()
    estimates = torch.stack([estimate().mean().detach() for _ in range(50)])
    print(
        json.dumps(
            {
                "exact_ms": median_milliseconds(with_gradient(exact), options.repeats),
                "estimate_ms": median_milliseconds(with_gradient(estimate), options.repeats),
                "exact_norm": round(truth, 4),
                "mean_of_50_estimates": round(estimates.mean().item(), 4),
                "deviation_of_one": round(estimates.std().item(), 4),
                "threads": torch.get_num_threads(),
            }
        )
    )


if __name__ == "__main__":
    main()
