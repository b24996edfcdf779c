"""The command as a user meets it: arguments in, exit code and text out, in an empty folder."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from hourglass.cli import main


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str


@pytest.fixture
def hourglass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> Callable[..., Answer]:
    """`hourglass("fit", "wine")` in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Answer:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    return run


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """A CSV with missing cells, categories, an identifier and a class."""
    generator = np.random.default_rng(0)
    lines = ["id,age,height,city,kind"]
    for i in range(80):
        kind = int(generator.integers(3))
        cells = [f"{30 + 10 * kind + generator.normal():.1f}", f"{170 + 5 * kind + generator.normal():.1f}"]
        cells += [("Rome", "Oslo", "Lima")[kind]]
        cells = ["" if generator.random() < 0.1 else cell for cell in cells]
        lines.append(",".join([f"person{i}", *cells, "abc"[kind]]))
    path = tmp_path / "people.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder of grey pictures in two sub-folders, one of them broken."""
    from hourglass.readers import write

    generator = np.random.default_rng(0)
    ramp = np.linspace(20, 235, 12)[:, None]
    up = np.clip(ramp + generator.normal(size=(15, 1, 12, 12)) * 9, 0, 255).astype(np.uint8)
    for name, some in (("up", up), ("down", up[:, :, ::-1])):
        write(tmp_path / "pictures" / name, some)
    (tmp_path / "pictures" / "up" / "broken.png").write_bytes(b"no picture")
    return tmp_path / "pictures"
