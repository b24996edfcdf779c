"""Training, embedding and memory beside pythae 0.1.2 on its own default MLP VAE, in turns, epoch by epoch.

    python benchmarks/speed_against_pythae.py --rounds 10

Same network (784-512-16, ReLU), 60,000 x 784 MNIST, two threads. "same" is fp32 at batch 128 with pythae's loss
("mse": a Gaussian of fixed variance; "bce": Bernoulli); "defaults" is the same network with our batch and precision.
Every side runs in a process of its own, so that memory can be told apart; they take turns, an epoch or one pass of
embedding each, so that they see the same minutes. A bare training loop with fused Adam plays along, as the limit.
Prints a JSON line a side and a summary: medians over the rounds, and the median of the ratios of each round with the
smallest and largest.

pythae embeds in two ways: `model.embed` of all rows in one call ("whole"), or a loop by hand over batches of 1,000.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from rivals.environment import python_of
from rivals.turns import Player, played

from hourglass.datasets import find, names

HERE = Path(__file__).parent
ROWS = 60_000
PASSES = 12
MACS_A_ROW = 784 * 512 + 512 * 32 + 16 * 512 + 512 * 784


def ours(kind: str, loss: str, rounds: int, threads: int) -> dict[str, object]:
    """One run of ours, in this process."""
    import torch
    from rivals.resident_memory import peak_mib
    from rivals.turns import wait

    from hourglass import Embedder, datasets

    memory = {"imported": peak_mib()}
    torch.set_num_threads(threads)
    X = datasets.load("mnist").X
    same = {"batch_size": 128, "precision": "float32", "learning_rate": 1e-3} if kind == "same" else {}
    vae = Embedder(
        16, likelihood="bernoulli" if loss == "bce" else "gaussian", variance=1.0, hidden=(512,), activation="relu",
        validation_fraction=0, max_epochs=rounds + 1, random_state=0, n_threads=threads, **same,
    )  # fmt: skip
    epochs: list[float] = []
    begun = 0.0

    def at_end_of_epoch(state) -> None:
        nonlocal begun
        if state.progress.batch:
            return
        if state.progress.epoch > 1:  # the first epoch began without a turn
            epochs.append(time.perf_counter() - begun)
        memory["train"] = peak_mib()
        if state.progress.epoch <= rounds:
            wait()
        begun = time.perf_counter()

    vae.fit(X, watch=at_end_of_epoch)
    memory["fit"] = peak_mib()
    embeddings = []
    for _ in range(PASSES):
        wait()
        started = time.perf_counter()
        vae.transform(X)
        embeddings.append(time.perf_counter() - started)
    memory["all"] = peak_mib()
    return {
        "side": f"hourglass {kind}",
        "loss": loss,
        "batch": vae.settings_.batch_size,
        "precision": vae.settings_.precision,
        "epoch_seconds": epochs,
        "embed_seconds": embeddings,
        "peak_mib": memory,
    }


def bare(loss: str, rounds: int, threads: int) -> dict[str, object]:
    """The least a loop can do on the same network: no held-out part, no watching, no averaging; pixels as float32."""
    import torch
    from rivals.resident_memory import peak_mib
    from rivals.turns import wait
    from torch import nn
    from torch.nn import functional as F

    from hourglass import datasets

    torch.set_num_threads(threads)
    x = torch.from_numpy(datasets.load("mnist").X).flatten(1).float() / 255
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 32))
    decoder = nn.Sequential(nn.Linear(16, 512), nn.ReLU(), nn.Linear(512, 784))
    optimiser = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=1e-3, fused=True)
    epochs = []
    for _ in range(rounds):
        wait()
        begun = time.perf_counter()
        order = torch.randperm(len(x))
        for i in range(0, len(x) - 127, 128):
            rows = x[order[i : i + 128]]
            mean, log_variance = encoder(rows).chunk(2, 1)
            logits = decoder(mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean))
            if loss == "bce":
                error = F.binary_cross_entropy_with_logits(logits, rows, reduction="sum")
            else:
                error = 0.5 * F.mse_loss(logits, rows, reduction="sum")
            kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum()
            optimiser.zero_grad()
            ((error + kl) / 128).backward()
            optimiser.step()
        epochs.append(time.perf_counter() - begun)
    return {"side": "bare loop", "loss": loss, "epoch_seconds": epochs, "peak_mib": {"train": peak_mib()}}


def share_of_peak(kind: str, threads: int) -> dict[str, object]:
    """How much of the measured matrix-product peak a training step of ours reaches, and where its time goes."""
    import torch

    from hourglass import Embedder, datasets

    torch.set_num_threads(threads)
    X = datasets.load("mnist").X
    same = {"batch_size": 128, "precision": "float32", "learning_rate": 1e-3} if kind == "same" else {}
    vae = Embedder(
        16, likelihood="bernoulli", hidden=(512,), activation="relu", validation_fraction=0,
        max_epochs=2, random_state=0, n_threads=threads, **same,
    )  # fmt: skip
    with torch.profiler.profile(acc_events=True) as profiler:
        vae.fit(X[:20_000])
    groups = {
        "matrix products": ("mm", "addmm", "bmm"),
        "optimiser and averaging": ("_fused_adam", "_foreach", "lerp", "dot", "hardshrink"),
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
    parser.add_argument("--rounds", type=int, default=10, help="epochs of each side")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--losses", nargs="+", default=["mse", "bce"])
    parser.add_argument("--ours", help=argparse.SUPPRESS)
    parser.add_argument("--profile", action="store_true", help=argparse.SUPPRESS)
    o = parser.parse_args()
    if o.ours == "bare":
        print(json.dumps(bare(o.losses[0], o.rounds, o.threads)))
        return
    if o.ours:
        profiled = share_of_peak(o.ours, o.threads) if o.profile else ours(o.ours, o.losses[0], o.rounds, o.threads)
        print(json.dumps(profiled))
        return

    own = [sys.executable, __file__, "--rounds", o.rounds, "--threads", o.threads]
    peak = json.loads(
        subprocess.run(
            [sys.executable, str(HERE / "rivals/matmul_peak.py"), "--threads", str(o.threads),
             "--shape", "128x784x512", "--shape", "512x784x512"],
            capture_output=True, text=True, check=True,
        ).stdout
    )  # fmt: skip
    print(json.dumps(peak), flush=True)
    images = next(f for f in names()["mnist"].files if "train-images" in str(f.path))
    theirs = [python_of("pythae"), HERE / "rivals/pythae_speed.py", find(images), "--turns"]
    theirs += ["--epochs", o.rounds, "--threads", o.threads]
    for loss in o.losses:
        rival, limit, *mine = played(
            [Player([*theirs, "--loss", loss])]
            + [Player([*own, "--ours", kind, "--losses", loss]) for kind in ("bare", "same", "defaults")]
        )
        for result in (rival, limit, *mine):
            print(json.dumps(result), flush=True)
        print(f"{loss}, bare loop: train {beside(rival['epoch_seconds'], limit['epoch_seconds'])}", flush=True)
        for result in mine:
            print(summary(rival, result), flush=True)
    for kind in ("same", "defaults"):
        print(json.dumps(played([Player([*own, "--ours", kind, "--profile"])])[0]), flush=True)


def rate(seconds: list[float]) -> str:
    return f"{ROWS / statistics.median(seconds):,.0f} ({ROWS / max(seconds):,.0f}-{ROWS / min(seconds):,.0f}) rows/s"


def beside(theirs: list[float], ours: list[float]) -> str:
    """The ratios of rounds; what is longer is cut."""
    ratios = [t / m for t, m in zip(theirs, ours, strict=False)]
    return f"{statistics.median(ratios):.2f}x ({min(ratios):.2f}-{max(ratios):.2f}) of {rate(theirs)}"


def summary(rival: dict, mine: dict) -> str:
    """One paragraph about one of our sides beside the rival's."""
    flops = 2 * (3 * MACS_A_ROW - 784 * 512) * ROWS / statistics.median(mine["epoch_seconds"])
    lines = [
        f"{mine['loss']}, {mine['side']}, batch {mine['batch']}, {mine['precision']}:",
        f"train {rate(mine['epoch_seconds'])}, {beside(rival['epoch_seconds'], mine['epoch_seconds'])}; "
        f"{flops / 1e9:.0f} GFLOP/s",
    ]
    turns = 0  # its ways of embedding follow one another, ours is the same in every round
    for way, seconds in rival["embed_seconds"].items():
        rounds = mine["embed_seconds"][turns : turns + len(seconds)]
        turns += len(seconds)
        lines.append(f"embed {rate(mine['embed_seconds'])}, {beside(seconds, rounds)} ({way})")
    theirs, ours = rival["peak_mib_after"], mine["peak_mib"]
    for what, a, b in (("training", theirs["train"], ours["train"]), ("all", max(theirs.values()), ours["all"])):
        lines.append(f"peak memory after {what} {b:.0f} MiB, {b / a:.2f}x of {a:.0f}")
    return "\n  ".join(lines)


if __name__ == "__main__":
    main()
