"""This machine's matrix-product peak in single precision and bfloat16; prints one JSON line.

    python benchmarks/rivals/matmul_peak.py --threads 2 --shape 128x784x512 --shape 512x784x512

A product (M, K) @ (K, N) counts 2 M K N operations. The peak is the best of the square sizes, each the median of its
repeats; products of the shapes asked for (MxKxN) are measured too, to tell what a training step of that network could
reach at best.
"""

import argparse
import json
import statistics
from pathlib import Path
from time import perf_counter

import torch

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}


MOST_SECONDS = 1.0  # for one product: where bfloat16 is emulated, 4096^3 takes two minutes


def gflops(m: int, k: int, n: int, dtype: torch.dtype, repeats: int, seconds: float) -> dict[str, float]:
    """Median, best and worst rate in 1e9 operations a second over `repeats` timings of at least `seconds` each."""
    left, right = torch.randn(m, k).to(dtype), torch.randn(k, n).to(dtype)
    out = torch.empty(m, n, dtype=dtype)

    def timed(products: int) -> float:
        begun = perf_counter()
        for _ in range(products):
            torch.mm(left, right, out=out)
        return perf_counter() - begun

    timed(1)  # sets up threads and kernels
    products = max(1, round(seconds / timed(1)))
    rates = [2e-9 * m * k * n * products / timed(products) for _ in range(repeats)]
    return {"median": statistics.median(rates), "best": max(rates), "worst": min(rates)}


def matrix_instructions() -> list[str]:
    """The processor's flags that decide the peak (Linux), empty where they cannot be read."""
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.is_file():
        return []
    flags = next((line.split() for line in cpuinfo.read_text().splitlines() if line.startswith("flags")), [])
    return [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_tile", "amx_bf16") if flag in flags]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, help="torch threads; torch's own choice when left out")
    parser.add_argument("--sizes", type=int, nargs="+", default=[512, 1024, 2048, 4096])
    parser.add_argument("--shape", action="append", default=[], metavar="MxKxN")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.2, help="least time of one repeat")
    asked = parser.parse_args()
    if asked.threads is not None:
        torch.set_num_threads(asked.threads)
    shapes = {shape: tuple(int(length) for length in shape.split("x")) for shape in asked.shape}
    if wrong := [shape for shape, lengths in shapes.items() if len(lengths) != 3]:
        parser.error(f"--shape {wrong[0]} is not MxKxN, such as 128x784x512")

    torch.manual_seed(0)
    answer: dict[str, object] = {
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "instructions": matrix_instructions(),
    }
    for precision, dtype in PRECISIONS.items():
        squares: dict[str, dict[str, float]] = {}
        for size in sorted(asked.sizes):
            squares[str(size)] = gflops(size, size, size, dtype, asked.repeats, asked.seconds)
            if 2e-9 * size**3 > MOST_SECONDS * squares[str(size)]["median"]:  # larger ones would take minutes
                break
        fastest = max(squares, key=lambda size: squares[size]["median"])
        answer[precision] = {
            "peak_gflops": squares[fastest]["median"],
            "peak_size": int(fastest),
            "squares": squares,
            "shapes": {shape: gflops(*mkn, dtype, asked.repeats, asked.seconds) for shape, mkn in shapes.items()},
        }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
