"""A rival's own Python environment, made on first use, so that neither project bends the other's dependencies.

Prints the interpreter when run:

    python benchmarks/rivals/environment.py pythae
"""

import os
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENVIRONMENTS = HERE.parents[1] / ".rivals"


def python_of(rival: str) -> Path:
    """Interpreter that has `rival` installed.

    `$HOURGLASS_RIVAL_<RIVAL>` names an interpreter to take as it is; without it the environment `.rivals/<rival>` is
    made from `requirements-<rival>.txt`, and made anew when that file or the Python version has changed since.

    Parameters
    ----------
    rival : str
        Name of the rival; one `requirements-<rival>.txt` beside this file each.

    Returns
    -------
    pathlib.Path
        The interpreter.

    Raises
    ------
    ValueError
        If no requirements are kept for `rival`.
    FileNotFoundError
        If the environment variable names a file that is not there.
    subprocess.CalledProcessError
        If pip cannot install the requirements.
    """
    requirements = HERE / f"requirements-{rival}.txt"
    if not requirements.is_file():
        known = sorted(path.stem.removeprefix("requirements-") for path in HERE.glob("requirements-*.txt"))
        raise ValueError(f"rival={rival!r} is unknown; known: {', '.join(known)}")

    variable = f"HOURGLASS_RIVAL_{rival.upper()}"
    if chosen := os.environ.get(variable):
        if not Path(chosen).is_file():
            raise FileNotFoundError(f"{variable}={chosen!r} is not a file; give the path of a Python interpreter")
        return Path(chosen)

    folder = ENVIRONMENTS / rival
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    wanted = f"python {sys.version_info.major}.{sys.version_info.minor}\n{requirements.read_text(encoding='utf-8')}"
    installed = folder / "installed.txt"  # written last: an installation cut off half-way is made anew
    if not installed.is_file() or installed.read_text(encoding="utf-8") != wanted:
        print(f"installing {rival} into {folder}", file=sys.stderr)
        venv.create(folder, clear=True, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", requirements], check=True, stdout=sys.stderr)
        installed.write_text(wanted, encoding="utf-8")
    return python


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} RIVAL")
    try:
        print(python_of(sys.argv[1]))
    except (ValueError, FileNotFoundError) as error:
        sys.exit(str(error))
