"""Training, embedding and memory beside pythae 0.1.2 on its own default MLP VAE, in turns, in the same minutes.

    python benchmarks/speed_against_pythae.py --repeats 3 --epochs 3

Same network (784-512-16, ReLU), 60,000 x 784 MNIST, two threads. "same" is fp32 at batch 128 with pythae's loss
("mse": a Gaussian of fixed variance; "bce": Bernoulli); "defaults" is the same network with our batch and precision.
Every side runs in a process of its own, so that memory can be told apart. Prints JSON lines and a summary of medians.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
MACS_A_ROW = 784 * 512 + 512 * 32 + 16 * 512 + 512 * 784


def ours(kind: str, loss: str, epochs: int, threads: int) -> dict[str, object]:
    """One run of ours, in this process."""
    sys.path.insert(0, str(HERE))
    import torch
    from rivals.resident_memory import peak_mib

    from hourglass import Embedder, Images, datasets

    imported = peak_mib()
    torch.set_num_threads(threads)
    X = datasets.load("mnist").X
    same = {"batch_size": 128, "precision": "float32", "learning_rate": 1e-3} if kind == "same" else {}
    vae = Embedder(
        16, modality=Images(binarise="dynamic" if loss == "bce" else None), variance=1.0, hidden=(512,),
        activation="relu", validation_fraction=0, max_epochs=epochs, random_state=0, n_threads=threads, **same,
    )  # fmt: skip
    trained: list[float] = []
    vae.fit(X, watch=lambda state: trained.append(peak_mib()))
    fitted = peak_mib()
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        vae.transform(X)
        seconds.append(time.perf_counter() - started)
    ends = [0.0] + [h["seconds"] for h in vae.history_]
    epoch = statistics.median(b - a for a, b in itertools.pairwise(ends))
    return {
        "side": f"hourglass {kind}",
        "loss": loss,
        "batch": vae.settings_.batch_size,
        "precision": vae.settings_.precision,
        "train_rows_per_second": len(X) / epoch,
        "transform_rows_per_second": len(X) / statistics.median(seconds),
        "peak_mib": {"imported": imported, "train": trained[-1], "fit": fitted, "all": peak_mib()},
    }


def theirs(loss: str, epochs: int, threads: int) -> dict[str, object]:
    """One run of pythae in its own environment."""
    sys.path.insert(0, str(HERE))
    from rivals.environment import python_of

    from hourglass.datasets import find, names

    images = next(f for f in names()["mnist"].files if "train-images" in str(f.path))
    command = [python_of("pythae"), HERE / "rivals/pythae_speed.py", find(images), "--loss", loss]
    command += ["--epochs", epochs, "--threads", threads]
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=True)
    return {"side": "pythae", **json.loads(done.stdout.splitlines()[-1])}


def share_of_peak(kind: str, threads: int) -> dict[str, object]:
    """How much of the measured matrix-product peak a training step of ours reaches, and where its time goes."""
    import torch

    from hourglass import Embedder, Images, datasets

    torch.set_num_threads(threads)
    X = datasets.load("mnist").X
    same = {"batch_size": 128, "precision": "float32", "learning_rate": 1e-3} if kind == "same" else {}
    vae = Embedder(
        16, modality=Images(binarise="dynamic"), hidden=(512,), activation="relu", validation_fraction=0,
        max_epochs=2, random_state=0, n_threads=threads, **same,
    )  # fmt: skip
    with torch.profiler.profile(acc_events=True) as profiler:
        vae.fit(X[:20_000])
    groups = {
        "matrix products": ("mm", "addmm", "bmm"),
        "optimiser and averaging": ("_fused_adam", "_foreach", "lerp", "linalg_vector_norm"),
        "casts and copies": ("copy_", "_to_copy", "cat", "clone", "fill_", "zero_", "empty"),
        "random numbers": ("random_", "normal_", "bernoulli", "randn"),
        "gathering rows": ("index",),
    }
    spent = dict.fromkeys([*groups, "the rest"], 0.0)
    for event in profiler.key_averages():
        name = event.key.removeprefix("aten::")
        group = next((g for g, starts in groups.items() if name.startswith(starts)), "the rest")
        spent[group] += event.self_cpu_time_total
    total = sum(spent.values())
    return {"side": f"hourglass {kind}", "share_of_time": {k: round(v / total, 3) for k, v in spent.items()}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--losses", nargs="+", default=["mse", "bce"])
    parser.add_argument("--ours", help=argparse.SUPPRESS)
    parser.add_argument("--profile", action="store_true", help=argparse.SUPPRESS)
    o = parser.parse_args()
    if o.ours:
        profiled = share_of_peak(o.ours, o.threads) if o.profile else ours(o.ours, o.losses[0], o.epochs, o.threads)
        print(json.dumps(profiled))
        return

    def own_process(*words: str) -> dict[str, object]:
        command = [sys.executable, __file__, "--epochs", str(o.epochs), "--threads", str(o.threads), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return json.loads(next(line for line in reversed(done.stdout.splitlines()) if line.startswith("{")))

    peak = json.loads(
        subprocess.run(
            [sys.executable, str(HERE / "rivals/matmul_peak.py"), "--threads", str(o.threads),
             "--shape", "128x784x512", "--shape", "512x784x512"],
            capture_output=True, text=True, check=True,
        ).stdout
    )  # fmt: skip
    print(json.dumps(peak), flush=True)
    for loss in o.losses:
        runs: dict[str, list[dict]] = {}
        for _ in range(o.repeats):
            results = [
                theirs(loss, o.epochs, o.threads),
                own_process("--ours", "same", "--losses", loss),
                own_process("--ours", "defaults", "--losses", loss),
            ]
            for result in results:
                runs.setdefault(str(result["side"]), []).append(result)
                print(json.dumps(result), flush=True)
        rival = _medians(runs["pythae"])
        for side in ("hourglass same", "hourglass defaults"):
            mine = _medians(runs[side])
            flops = 2 * (3 * MACS_A_ROW - 784 * 512) * mine["train"]
            print(
                f"{loss} {side}: train {mine['train']:,.0f} rows/s ({mine['train'] / rival['train']:.2f}x of "
                f"{rival['train']:,.0f}; {flops / 1e9:.0f} GFLOP/s), transform {mine['embed']:,.0f} rows/s "
                f"({mine['embed'] / rival['embed']:.2f}x of {rival['embed']:,.0f}), memory after training "
                f"{mine['memory']:.0f} MiB ({mine['memory'] / rival['memory']:.2f}x of {rival['memory']:.0f}), after "
                f"embedding {mine['memory_all']:.0f} MiB ({mine['memory_all'] / rival['memory_all']:.2f}x of "
                f"{rival['memory_all']:.0f})",
                flush=True,
            )
    for kind in ("same", "defaults"):
        print(json.dumps(own_process("--ours", kind, "--profile")), flush=True)


def _medians(runs: list[dict]) -> dict[str, float]:
    def median(*values: float) -> float:
        return statistics.median(values)

    if runs[0]["side"] == "pythae":
        return {
            "train": median(*(r["epoch_rows_per_second"] for r in runs)),
            "embed": median(*(max(r["embed_rows_per_second"][c] for c in ("whole", "batches")) for r in runs)),
            "memory": median(*(r["peak_mib_after"]["train"] for r in runs)),
            "memory_all": median(*(max(r["peak_mib_after"].values()) for r in runs)),
        }
    return {
        "train": median(*(r["train_rows_per_second"] for r in runs)),
        "embed": median(*(r["transform_rows_per_second"] for r in runs)),
        "memory": median(*(r["peak_mib"]["train"] for r in runs)),
        "memory_all": median(*(r["peak_mib"]["all"] for r in runs)),
    }


if __name__ == "__main__":
    main()
