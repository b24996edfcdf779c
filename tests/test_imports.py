"""The house rules that imports keep: one way, nothing heavy before it is needed, and no name that leads nowhere."""

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import hourglass

SOURCE = Path(hourglass.__file__).parent

# each floor may import from those above it, and packages of one floor do not know each other
FLOORS = [
    {"out_of_memory", "typed_json", "run_files", "fingerprint", "process", "user_warnings"},
    {"randomness", "readers", "networks", "likelihoods", "schedules", "parameters"},
    {"datasets", "model", "shell_words", "whole_files"},
    {"recipe", "folder_lock"},
    {"variants", "modalities"},
    {"assemble", "recipe_json"},
    {"training"},
    {"storage"},
    {"diagnostics"},
    {"detection", "denoising"},
    {"estimators"},
    {"exploration", "views"},
    {"plots"},
    {"report"},
    {"comparison"},
    {"cli"},
    {"__main__"},
]
FLOOR = {name: number for number, floor in enumerate(FLOORS) for name in floor}
# a name given where a path is expected is that of a data set, looked up when the path is not there
ALLOWED = {("readers/reading.py", "datasets")}
KNOW_NO_TORCH = ("readers", "datasets")


def part_of(path):
    """The package or module right under hourglass that a file belongs to."""
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports_of(path):
    """(module, line) of every import in a file, those inside functions and TYPE_CHECKING too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            if node.module == "hourglass":  # from hourglass import storage
                yield from ((f"hourglass.{alias.name}", node.lineno) for alias in node.names)
            else:
                yield node.module, node.lineno


FILES = sorted(SOURCE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_imports_point_one_way(path):
    mine = part_of(path)
    if mine == "__init__":
        return
    assert mine in FLOOR, f"{mine} has no floor yet: add it to FLOORS, and to the order in docs/architecture.md"
    for module, line in imports_of(path):
        head, _, rest = module.partition(".")
        if head != "hourglass" or not rest:
            continue
        theirs = rest.partition(".")[0]
        if theirs == mine or theirs not in FLOOR:  # its own, or a name of hourglass/__init__.py
            continue
        if (str(path.relative_to(SOURCE)), theirs) in ALLOWED:
            continue
        assert FLOOR[theirs] < FLOOR[mine], f"{path}:{line}: {mine} must not import {theirs}"


@pytest.mark.parametrize("path", [p for p in FILES if part_of(p) in KNOW_NO_TORCH], ids=lambda p: p.stem)
def test_readers_and_data_sets_know_no_torch(path):
    assert not [m for m, _ in imports_of(path) if m.partition(".")[0] == "torch"]


def test_nothing_pickles():
    """No model of anybody's is ever unpickled, nor evaluated."""
    for path in FILES:
        text = path.read_text()
        assert not [m for m, _ in imports_of(path) if m.partition(".")[0] in ("pickle", "joblib", "dill", "shelve")], (
            path
        )
        assert "torch.load(" not in text and "allow_pickle=True" not in text, path


def fresh(code):
    """What a fresh interpreter prints."""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    return run.stdout.split()


def test_importing_hourglass_imports_no_torch():
    heavy = "{'torch', 'numpy', 'scipy', 'sklearn', 'pyarrow', 'matplotlib', 'rich', 'pandas', 'polars'}"
    assert fresh(f"import sys, hourglass; print(*({heavy} & set(sys.modules)))") == []
    code = "import sys, hourglass.readers, hourglass.datasets; print('torch' in sys.modules)"
    assert fresh(code) == ["False"]


def test_importing_everything_has_no_side_effects():
    code = """
import warnings; warnings.simplefilter("error")
import numpy, torch, os
numpy.random.seed(5); torch.manual_seed(5)
before = numpy.random.get_state()[1].tolist(), torch.get_rng_state().tolist(), torch.get_num_threads(), dict(os.environ)
import hourglass.estimators, hourglass.variants, hourglass.storage
after = numpy.random.get_state()[1].tolist(), torch.get_rng_state().tolist(), torch.get_num_threads(), dict(os.environ)
print(before == after, torch.get_default_dtype())
"""
    assert fresh(code) == ["True", "torch.float32"]


MODULES = ["hourglass", *(m.name for m in pkgutil.walk_packages([str(SOURCE)], "hourglass."))]


@pytest.mark.parametrize("name", [m for m in MODULES if not m.endswith("__main__")])
def test_every_exported_name_is_there(name):
    module = importlib.import_module(name)
    names = getattr(module, "__all__", [])
    assert len(set(names)) == len(names)
    for exported in names:
        assert getattr(module, exported) is not None, f"{name}.{exported}"


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'Embeder'"):
        _ = hourglass.Embeder


def test_packages_are_there_without_an_import_of_their_own():
    names = ["report.write", "exploration.concept", "plots.group", "views.write", "datasets.load", "compare"]
    printed = ", ".join(f"hourglass.{name}.__name__" for name in names)
    assert fresh(f"import hourglass; print({printed})") == ["write", "concept", "group", "write", "load", "compare"]


def test_what_the_package_offers_is_listed():
    """So that tab completion finds it."""
    listed = fresh("import hourglass; print(*dir(hourglass))")
    assert {"Embedder", "load", "report", "exploration", "plots", "compare", "__version__"} <= set(listed)
    assert not {"Any", "importlib", "TYPE_CHECKING"} & set(listed)
    fresh("import hourglass; [getattr(hourglass, name) for name in dir(hourglass)]")


def test_the_package_is_typed():
    """An empty file tells type checkers that annotations may be relied on; the wheel takes the whole folder."""
    assert (SOURCE / "py.typed").read_text() == ""
