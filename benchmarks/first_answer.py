"""How soon the command answers, and that importing Hourglass imports no torch.

python benchmarks/first_answer.py --repeats 10
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=10)
    options = parser.parse_args()
    command = [str(Path(sys.executable).parent / "hourglass"), "--help"]
    seconds = []
    for _ in range(options.repeats + 1):
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        seconds.append(time.perf_counter() - started)
    check = "import hourglass, sys; print('torch' in sys.modules)"
    torch = subprocess.run([sys.executable, "-c", check], check=True, capture_output=True, text=True).stdout.strip()
    print(
        json.dumps(
            {
                "help_seconds": round(statistics.median(seconds[1:]), 3),
                "spread": [round(min(seconds[1:]), 3), round(max(seconds[1:]), 3)],
                "torch_imported": torch == "True",
            }
        )
    )


if __name__ == "__main__":
    main()
