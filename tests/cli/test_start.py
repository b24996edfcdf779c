"""How the command starts: quickly, with help, and with one clear line for what is mistyped."""

import os
import re
import subprocess
import sys

import pytest

import hourglass as package
from hourglass.cli import COMMANDS, app, errors, main

HEAVY = ("torch", "numpy", "sklearn", "pyarrow", "matplotlib")


def test_help_loads_nothing_heavy() -> None:
    """So that it answers at once."""
    code = f"""
import sys, hourglass.cli
hourglass.cli.main(['--help'])
sys.exit(', '.join(m for m in {HEAVY} if m in sys.modules))"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == ""
    assert "hourglass demo" in done.stdout


@pytest.mark.parametrize("command", ["fit", "impute", "compare"])
def test_help_of_a_command_loads_no_torch(hourglass, command: str) -> None:
    code = f"import sys, hourglass.cli; hourglass.cli.main(['{command}', '--help']); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


@pytest.mark.parametrize("command", [c.__name__ for c in COMMANDS])
def test_help_teaches_every_command_and_option(hourglass, command: str) -> None:
    answer = hourglass(command, "--help")
    assert answer.code == 0
    found = app[command].assemble_argument_collection(parse_docstring=True)
    assert len(found)
    for argument in found.filter_by(parse=True):
        if argument.name == "*":  # a dataclass, whose fields follow
            continue
        assert argument.parameter.help, f"{command}: {argument.name} is not explained"
        assert argument.name in answer.out
    for word in ("None", "False", "n_latent", "batch_size", "()"):
        assert word not in answer.out, f"{command}: {word} is Python"


def test_usage_is_one_short_line_that_names_what_is_needed(hourglass) -> None:
    first = hourglass("impute", "--help").out.splitlines()[0]
    assert first == "Usage: hourglass impute RUN [DATA] --out FILE [OPTIONS]"
    for command in COMMANDS:
        usage = hourglass(command.__name__, "--help").out.splitlines()[0]
        assert usage.startswith(f"Usage: hourglass {command.__name__} ") and usage.endswith("[OPTIONS]")
        required = [a for a in app[command.__name__].assemble_argument_collection() if a.required]
        assert all(a.name.strip("-*").upper() in usage.upper() for a in required), usage


def test_the_same_option_is_said_in_the_same_words_and_with_its_default(hourglass) -> None:
    for command in ("fit", "impute", "sample", "demo"):
        text = re.sub(r"[\s│]+", " ", hourglass(command, "--help").out)
        assert re.search(r"--seed INT Random seed: the same seed gives the same result\..{0,45}\[default: 0\]", text)
    for command in ("fit", "embed", "reconstruct", "score", "detect", "impute", "sample", "report", "compare", "demo"):
        text = re.sub(r"[\s│]+", " ", hourglass(command, "--help").out)
        assert "--out PATH Where to write" in text
        assert command == "demo" or f"Example: hourglass {command} " in text


def test_version(hourglass) -> None:
    assert hourglass("--version").out.strip() == f"hourglass {package.__version__}"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["fitt", "wine"], 2, 'Did you mean "fit"'),
        (["fit", "wine", "--recpie", "vae"], 2, "Did you mean --recipe"),
        (["fit", "wine", "--recipe", "vea"], 2, "did you mean vae"),
        (["fit", "wine", "--recipe", "ae Masking=2"], 2, "rate must be at least 0 and at most 1"),
        (["compare", "wine", "--recipes", "vae", "kl=0.1"], 2, "a recipe of several words goes in quotes"),
        (["fit", "wine", "--n-latent", "many"], 2, "--n-latent"),
        (["fit"], 2, "name the DATA"),
        (["fit", "wine", "--map", "--n-latent", "5"], 2, "--map"),
        (["fit", "--max-epochs", "2", "--out", "new"], 2, "name the DATA"),
        (["fit", "wine", "--resume", "--overwrite"], 2, "--resume"),
        (["fit", "wine", "--resume"], 1, "no run to resume"),
        (["fit", "winee"], 1, "did you mean the data set 'wine'"),
        (["fit", "nothing.csv"], 1, "nothing.csv"),
        (["fit", "wine", "--split", "test"], 1, "no official test split"),
        (["fit", "wine", "--drop", "alcool"], 1, "did you mean 'alcohol'"),
        (["fit", "wine", "--condition", "alcool"], 1, "did you mean 'alcohol'"),
        (["fit", "wine", "--binarise", "dynamic"], 2, "--binarise is for images, and wine holds tables"),
        (["fit", "digits", "--counts", "x0"], 2, "--counts is for tables, and digits holds images"),
        (["fit", "digits", "--categories", "x0"], 2, "--categories is for tables, and digits holds images"),
        (["fit", "wine", "--categories", "alcool"], 1, "--categories alcool"),
        (["fit", "wine", "--categories", "alcohol", "--counts", "alcohol"], 1, "both a count and a category"),
        (["fit", "wine", "--n-latent", "0"], 2, "--n-latent 0"),
        (["fit", "wine", "--likelihood", "bernoulli", "--variance", "0.1"], 2, "--variance 0.1 is of a Gaussian"),
        (["fit", "wine", "--condition", "a", "b"], 2, "nothing is expected where b stands"),
        (["fit", "wine", "--header", "no"], 2, "--header is for .csv and .tsv files, and wine is not one"),
        (["compare", "rows.npy", "--null-words", "NA"], 2, "--null-words is for .csv and .tsv files"),
        (["fit", "wine", "--stream"], 2, "Parquet"),
        (["embed", "runs/none", "wine", "--out", "x.csv"], 1, "no model to load"),
        (["embed", "runs/none"], 2, "--out"),
        (["compare", "wine", "--recipes", "vea"], 2, "did you mean vae"),
        (["compare", "wine", "--n-latents", "0"], 1, "--n-latents 0"),
    ],
)
def test_one_clear_line_for_what_is_wrong(hourglass, tmp_path, arguments: list[str], code: int, said: str) -> None:
    answer = hourglass(*arguments)
    assert answer.code == code
    assert said in answer.err
    assert answer.err.startswith("hourglass: ")
    assert len(answer.err.splitlines()) == 1
    assert "Traceback" not in answer.err
    assert not list(tmp_path.iterdir()), "a failed command leaves nothing behind"


def test_debugging_shows_the_traceback(hourglass, monkeypatch) -> None:
    monkeypatch.setenv("HOURGLASS_DEBUG", "1")
    assert "Traceback" in hourglass("fit", "winee").err


def test_a_bug_is_not_hidden(monkeypatch) -> None:
    def broken(*arguments: object, **options: object) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr("hourglass.cli.app", broken)
    with pytest.raises(KeyError):
        main(["recipes"])


def test_out_of_memory_names_the_remedy() -> None:
    trained = MemoryError("a batch of 512 examples does not fit into memory: try batch_size=256")
    assert "try --batch-size 256" in errors.sentence(trained)
    cuda = errors.sentence(RuntimeError("CUDA out of memory. Tried to allocate 9 GiB"))
    assert "--device cpu" in cuda
    assert "--batch-size" not in cuda, "a smaller batch helps where training ran out of memory, and nowhere else"
    assert errors.sentence(MemoryError("x.npy is too large")) == "out of memory: x.npy is too large"


def test_a_reader_that_goes_away_is_no_error() -> None:
    piped = f"{sys.executable} -m hourglass datasets --json | head -1"
    done = subprocess.run(["bash", "-c", piped], capture_output=True, text=True, env={**os.environ})
    assert done.stdout.strip() == "["
    assert done.stderr == ""
