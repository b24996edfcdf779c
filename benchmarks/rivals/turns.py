"""Turns between measured programs: only one of them works at a time, a piece of seconds each; standard library only.

A shared machine is faster in one minute than in the next. Programs that take turns piece by piece see the same minutes,
so that the ratio of two pieces of one round says more than the ratio of two runs.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

TURN = "turn"


def wait() -> None:
    """Within a measured program: says that a piece of work lies ahead and waits for leave to begin."""
    print(TURN, flush=True)
    if not sys.stdin.readline():
        sys.exit("nobody gives turns any more")


class Player:
    """A measured program: it calls `wait` before every piece and prints one line of JSON at its end.

    Parameters
    ----------
    command : program and arguments.
    """

    def __init__(self, command: Sequence[object]) -> None:
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed with the program
        self.program = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        self.result: dict[str, Any] | None = None
        self._listen()

    def _listen(self) -> None:
        for line in self.program.stdout:  # type: ignore[union-attr]
            if line.rstrip().endswith(TURN):
                return
            if line.startswith("{"):
                self.result = json.loads(line)
        if self.program.wait() or self.result is None:
            self.errors.seek(0)
            raise RuntimeError(f"{' '.join(self.program.args)} failed:\n{self.errors.read()[-2000:]}")  # type: ignore[arg-type]

    def play(self) -> bool:
        """Lets the program do one piece; False once it has ended."""
        if self.result is not None:
            return False
        self.program.stdin.write("\n")  # type: ignore[union-attr]
        self.program.stdin.flush()  # type: ignore[union-attr]
        self._listen()
        return True


def played(players: Sequence[Player]) -> list[dict[str, Any]]:
    """Lets the programs work in turns until all have ended; their results."""
    while any([player.play() for player in players]):
        pass
    return [player.result for player in players if player.result is not None]
