"""Progress where there is no terminal: whole lines now and then, nothing frozen, an estimate for a long fit."""

import re
import subprocess
import sys

import numpy as np
import pytest

from hourglass import Embedder
from hourglass.training import progress


@pytest.fixture
def lines(monkeypatch, capsys):
    """Runs a small fit and gives the lines on stderr, with the clock going `seconds` forward at every look."""

    def fit(seconds: float, epochs: int = 3) -> list[str]:
        now = [0.0]

        class Clock:
            @staticmethod
            def monotonic() -> float:
                now[0] += seconds
                return now[0]

        monkeypatch.setattr(progress, "time", Clock)
        X = np.random.default_rng(0).normal(size=(40, 3))
        Embedder(1, hidden=(4,), max_epochs=epochs, verbose=True, random_state=0).fit(X)
        return capsys.readouterr().err.splitlines()

    return fit


def test_a_short_fit_says_where_it_ended(lines) -> None:
    found = lines(0.0)
    assert len(found) == 2
    assert re.fullmatch(
        r"epoch 3/3, .* nats held out \(best, epoch \d\); now measuring the model and fitting the density of its codes",
        found[0],
    )
    assert found[1].startswith("done in")


def test_a_long_fit_has_a_line_every_ten_seconds_and_an_estimate(lines) -> None:
    found = lines(20.0)
    assert sum("sets fewer" in line for line in found) == 1
    estimate = next(line for line in found if "sets fewer" in line)
    assert re.fullmatch(r"3 epochs take about \S+ \S+ at this rate; max_epochs= sets fewer", estimate)
    assert re.search(r"epoch 2/3, .* nats held out \(best, epoch 2\); \S+ \S+ left", "\n".join(found))
    assert "\x1b" not in "".join(found)
    assert "\r" not in "".join(found)


def test_trainings_of_a_cross_validation_are_shown(capsys, monkeypatch) -> None:
    monkeypatch.setattr(progress, "SECONDS_PER_LINE", 0.0)
    parts = []
    X = np.random.default_rng(0).normal(size=(40, 3))
    few = Embedder(1, hidden=(4,), verbose=True, random_state=0).fit(X)
    found = capsys.readouterr().err.splitlines()
    n = 2 * few.summary_.folds
    shown = [re.match(rf"cross-validation, training (\d+)/{n}: epoch \d+/\d+", line) for line in found]
    assert sorted({int(match[1]) for match in shown if match}) == list(range(1, n + 1))
    assert any(line.startswith(f"epoch {few.summary_.epochs}/") for line in found)
    same = Embedder(1, hidden=(4,), random_state=0).fit(X, watch=lambda state: parts.append(state.part))
    assert sorted(set(parts)) == [(i, n + 1) for i in range(1, n + 2)]
    assert np.array_equal(same.transform(X), few.transform(X))


def test_a_log_has_the_lines_before_the_end() -> None:
    code = """
import sys, numpy as np
from hourglass import Embedder
sys.modules["rich.progress"] = None  # a notebook without ipywidgets gets a warning from it
from hourglass.training import progress
progress.SECONDS_PER_LINE = 0.0
seen = []
class Log:
    def write(self, text): seen.append(text)
    def flush(self): pass
    def isatty(self): return False
sys.stderr = Log()
Embedder(1, hidden=(4,), max_epochs=2, verbose=True).fit(np.random.default_rng(0).normal(size=(40, 3)))
sys.stderr = sys.__stderr__
assert any(text.startswith("epoch 1/2") for text in seen), seen
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_terminal_gets_a_bar(monkeypatch) -> None:
    import io

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", screen)
    with progress.display() as shown:
        shown.update(1, 2, "[half] done")
        shown.update(2, 2, "[all] done")
    assert "[all] done" in screen.getvalue()
    assert "\x1b" in screen.getvalue()


@pytest.mark.parametrize(
    ("seconds", "said"), [(3.2, "3 s"), (99, "99 s"), (100, "2 min"), (1500, "25 min"), (7200, "2.0 h")]
)
def test_durations(seconds: float, said: str) -> None:
    assert progress.duration(seconds) == said
    assert progress.time_left(seconds, 1, 1) == f"; {said} left"
    assert progress.time_left(seconds, 0, 1) == ""
