"""What the command says: the shell's words and remedies, one line, and nothing that a terminal obeys."""

import errno
import json
import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from hourglass.cli import errors
from hourglass.cli.output import next_commands
from hourglass.cli.wording import printable, quoted
from hourglass.shell_words import in_shell_words, option

QUICK = ("--max-epochs", 1, "--n-latent", 1, "--hidden", 4)
STEERING = "\x1b]0;owned\x07\x7f\u202e"


@pytest.mark.parametrize(
    ("python", "shell"),
    [
        ("n_latent=-3 must be at least 1, or None", "--n-latent -3 must be at least 1"),
        ("n_latent=0 must be 1, or None to estimate it", "--n-latent 0 must be 1, or left out to estimate it"),
        ("n_threads=0 must be at least 1", "--threads 0 must be at least 1"),
        ("random_state=-1: use 0 or more", "--seed -1: use 0 or more"),
        ("hidden=(8, -1): () makes the networks linear", "--hidden 8 -1: 0 makes the networks linear"),
        ("smaller learning_rate (now 1), precision='float32'", "smaller --learning-rate (now 1), --precision float32"),
        ("recipe='vae kll=1': 'kll' is not a term", "--recipe \"vae kll=1\": 'kll' is not a term"),
        ("X holds 1 picture; every pixel of X is 3", "DATA holds 1 picture; every pixel of DATA is 3"),
        ("or modality=Tables(counts=[...])", "or --counts ..."),
        ("give modality=Tables(numbers=['age', 'Size (m)', \"it's\"])", 'give --numbers age "Size (m)" "it\'s"'),
        ("fit with condition= first; pass condition=", "fit with --condition first; pass --condition"),
        ("if not, give readers.read(..., header=False)", "if not, give --header no"),
        ("sample with prior=True", "sample with --prior"),
        ("column 'n_latent' of X/x.csv; 'X' is odd", "column 'n_latent' of X/x.csv; 'X' is odd"),
        ("my_batch_size, batch_size.csv", "my_batch_size, batch_size.csv"),
    ],
)
def test_python_arguments_are_said_as_options(python: str, shell: str) -> None:
    assert in_shell_words(python) == shell


def test_every_parameter_of_an_estimator_is_an_option_declared_in_one_file(hourglass) -> None:
    from dataclasses import fields

    from hourglass import cli
    from hourglass.parameters import Network, Training

    source = "\n".join(path.read_text() for path in Path(cli.__file__).parent.glob("*.py"))
    helps = [hourglass(command, "--help").out for command in ("fit", "compare")]
    for field in (*fields(Network), *fields(Training)):
        if field.name in ("verbose", "random_state"):
            continue
        assert all(f"{option(field.name)} " in text for text in helps), field.name
        if field.name in ("learning_rate", "patience", "validation_fraction", "activation", "likelihood"):
            assert field.name not in source, f"{field.name} is declared, and described, in parameters.py alone"
    assert "--seed" in helps[0]


@pytest.mark.parametrize(
    "word", ["plain", "two words", "it's", "a\x1b[31m", "two\nlines", "back\\slash\x07'", "\u202eb"]
)
def test_a_quoted_word_comes_back_from_a_shell(word: str) -> None:
    text = quoted(word)
    assert printable(text) == text
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(["bash", "-c", f"printf %s {text}"], capture_output=True, env=environment)
    assert done.stdout.decode() == word
    assert next_commands([word]).count("\n") == 1


def test_control_characters_do_not_reach_the_terminal(hourglass, tmp_path) -> None:
    rng = np.random.default_rng(0)
    name = f"odd{STEERING}"
    lines = [f'"{name}",b,c'] + [f"{a:.2f},{b:.2f},{k}" for (a, b), k in zip(
        rng.normal(size=(40, 2)), [f"x{STEERING}", f"y{STEERING}"] * 20, strict=True)]  # fmt: skip
    Path(f"d{STEERING}.csv").write_text("\n".join(lines) + "\n")
    fitted = hourglass("fit", f"d{STEERING}.csv", *QUICK, "--condition", "c", "--drop", name, "--out", "run")
    assert fitted.code == 0, fitted.err
    answers = [
        fitted,
        hourglass("fit", f"d{STEERING}.csv", *QUICK, "--condition", "zz"),
        hourglass("fit", f"e{STEERING}.csv", *QUICK),
        hourglass("sample", "run", "--out", "x.csv"),
        hourglass("embed", "run", "--out", f"{STEERING}.csv"),
        hourglass("embed", "run", "--out", f"{STEERING}.csv", "--json"),
        hourglass("score", "run", "--out", "s.csv", "--keep", f"no{STEERING}"),
    ]
    for answer in answers:
        shown = answer.out + answer.err
        assert not set("\x1b\x07\x7f\u202e") & set(shown), shown
        assert len(answer.err.splitlines()) <= 2
    assert json.loads(answers[5].out)["out"] == f"{STEERING}.csv"
    line = next(line for line in fitted.out.splitlines() if "hourglass sample" in line)
    words = subprocess.run(["bash", "-c", f"printf '%s\\n' {line.strip()}"], capture_output=True, text=True).stdout
    assert f"y{STEERING}" in words.splitlines()


def test_all_that_is_printed_goes_through_one_of_three_functions() -> None:
    from hourglass import cli

    places = [path.name for path in Path(cli.__file__).parent.glob("*.py") if re.search(r"\bprint\(", path.read_text())]
    assert sorted(places) == ["errors.py", "output.py"]


def test_a_line_break_in_a_name_is_one_line(hourglass) -> None:
    answer = hourglass("fit", "two\nlines.csv")
    assert (answer.code, len(answer.err.splitlines())) == (1, 1)
    Path("pictures").mkdir()
    from hourglass.readers import write

    write("pictures/good", np.random.default_rng(0).integers(0, 255, (12, 1, 6, 6)).astype(np.uint8))
    Path("pictures/bad\nname\x1b.png").write_bytes(b"nothing")
    answer = hourglass("fit", "pictures", *QUICK)
    assert answer.code == 0, answer.err
    (line,) = [line for line in answer.err.splitlines() if "skipped" in line]
    assert "\\x1b" in line


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOSPC, "free some space"),
        (errno.EACCES, "permissions"),
        (errno.EROFS, "read-only"),
        (errno.EISDIR, "it is a folder: give the name of a file"),
        (errno.ENOTDIR, "a part of its path is a file"),
        (errno.ENAMETOOLONG, "shorter name"),
        (errno.ENOENT, "No such file"),
    ],
)
def test_errors_of_the_system_name_the_file_and_a_remedy_that_fits(number: int, remedy: str) -> None:
    said = errors.sentence(OSError(number, os.strerror(number), "some/file.csv"))
    assert said.startswith(f"some/file.csv: {os.strerror(number)}")
    assert remedy in said
    assert ("free some space" in said) == (number == errno.ENOSPC)


def test_a_link_that_leads_nowhere(tmp_path) -> None:
    link = tmp_path / "link.csv"
    link.symlink_to("nowhere")
    assert "is a link to something that is not there" in errors.sentence(FileExistsError(17, "File exists", str(link)))


@pytest.mark.parametrize("command", ["embed", "report", "compare"])
def test_a_place_that_cannot_be_written_to_is_found_before_the_work(hourglass, monkeypatch, command: str) -> None:
    Path("file").write_text("")
    assert hourglass("fit", "wine", *QUICK, "--out", "run").code == 0
    monkeypatch.setattr("hourglass.cli.reuse.read", None)
    monkeypatch.setattr("hourglass.cli.companions.read", None)
    arguments = ("compare", "wine") if command == "compare" else (command, "run")
    answer = hourglass(*arguments, "--out", "file/page.csv")
    assert answer.code == 1
    assert "file" in answer.err
    assert "choose another place" in answer.err


def test_out_of_memory_names_what_was_too_large(hourglass, monkeypatch) -> None:
    def too_large(*arguments: object, **options: object) -> None:
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:127] . DefaultCPUAllocator: can't allocate memory: 9 bytes")

    monkeypatch.setattr("hourglass.Embedder.fit", too_large)
    answer = hourglass("fit", "wine", "--n-latent", 10**8)
    assert (answer.code, "take a smaller --n-latent" in answer.err) == (1, True)
    assert "batch" not in answer.err
    monkeypatch.setattr("hourglass.readers.read", too_large)
    Path("big.npy").write_bytes(b"")
    answer = hourglass("fit", "big.npy")
    assert (answer.code, "big.npy does not fit into memory" in answer.err) == (1, True)


def test_columns_that_cannot_be_learned_from_come_with_the_option_to_paste() -> None:
    class UnusableColumnsError(ValueError):
        columns = ("id", "last order")

    said = errors.sentence(UnusableColumnsError("column 'id' is odd; column 'last order' is odder; or leave out: []"))
    assert said.endswith("column 'last order' is odder; or leave out: --drop id 'last order'")


def test_the_data_of_a_run_from_elsewhere_are_named_before_they_are_read(hourglass, tmp_path, monkeypatch) -> None:
    (tmp_path / "private").mkdir()
    (tmp_path / "mine").mkdir()
    rows = np.random.default_rng(0).normal(size=(40, 2))
    np.savetxt("private/rows.csv", rows, delimiter=",", header="a,b", comments="")
    assert hourglass("fit", "private/rows.csv", *QUICK, "--out", "mine/run").code == 0
    assert "rows.csv, which is read now" not in hourglass("embed", "mine/run", "--out", "x.npy").err
    monkeypatch.chdir(tmp_path / "mine")
    answer = hourglass("report", "run")
    assert answer.code == 0, answer.err
    assert f"run was fitted on {tmp_path / 'private/rows.csv'}, which is read now" in answer.err
    assert "read now" not in hourglass("report", "run", "../private/rows.csv").err


def test_messages_outside_of_the_command_line_are_in_pythons_words_alone() -> None:
    """`in_shell_words` says them in options: nothing is said in both."""
    import hourglass as package

    source = Path(package.__file__).parent
    own = ("shell_words.py", "report/words.py", "report/frame.py")
    for path in source.rglob("*.py"):
        name = path.relative_to(source).as_posix()
        if name.startswith("cli/") or name in own:
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            assert not re.search(r"(?<![-\w<!])--[a-z]", line.partition("#")[0]), f"{name}:{number}: {line}"
