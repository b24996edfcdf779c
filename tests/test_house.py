"""The house rules that hold for what the code asks: kinds of data and containers are asked for in one place each."""

import ast
from pathlib import Path

import pytest

import hourglass
from hourglass.modalities import MODALITIES

SOURCE = Path(hourglass.__file__).parent
FILES = {str(path.relative_to(SOURCE)): ast.parse(path.read_text()) for path in sorted(SOURCE.rglob("*.py"))}

KIND_ROOMS = ("modalities/", "views/", "readers/", "datasets/")  # may know one kind of data from another
KINDS = set(MODALITIES) | {kind.__name__ for kind in MODALITIES.values()}
CLASSES = {kind.__name__ for kind in MODALITIES.values()}
# conditions are small tables, whatever the data are: not a question, but a use
CONDITIONS = {"estimators/conditions.py", "storage.py"}
LIBRARIES = ("pandas", "polars")
# one asks which container came in, the other which one to build: columns go back into what they came from
CONTAINERS = {"readers/containers.py", "readers/column_types.py"}
CONTAINER_MARKS = {"iloc", "column_names", "to_frame", "collect", "__arrow_c_stream__", "toarray", "tocsr", "to_pylist"}


def in_rooms(name, rooms):
    return any(name.startswith(room) for room in rooms)


def constants(node):
    return {n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)}


def names(node):
    found = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    return found | {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}


def called(node, function):
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == function


def questions_about_kinds(tree):
    """Comparisons with the name or the class of a kind of data, and attributes of a modality that are asked for."""
    for node in ast.walk(tree):
        about_kind = isinstance(node, ast.Compare) and constants(node) & KINDS
        about_class = called(node, "isinstance") and names(node.args[1]) & KINDS
        about_member = (
            (called(node, "getattr") or called(node, "hasattr"))
            and isinstance(node.args[1], ast.Constant)
            and any(name.startswith("modality") for name in names(node.args[0]))
        )
        if about_kind or about_class or about_member:
            yield node.lineno


def questions_about_containers(tree):
    """Which library an object is of, or whether it has the manners of a container."""
    for node in ast.walk(tree):
        about_library = isinstance(node, ast.Compare) and constants(node) & {*LIBRARIES, "pyarrow"}
        about_manner = called(node, "hasattr") and constants(node) & CONTAINER_MARKS
        if about_library or about_manner:
            yield node.lineno


@pytest.mark.parametrize("name", [f for f in FILES if not in_rooms(f, KIND_ROOMS)])
def test_nobody_asks_which_kind_of_data_they_have(name):
    found = list(questions_about_kinds(FILES[name]))
    assert not found, f"{name}, lines {found}: ask the modality (modalities/modality.py) or the view instead"


@pytest.mark.parametrize("name", [f for f in FILES if f not in CONTAINERS])
def test_containers_are_asked_for_where_they_are_read_and_built(name):
    found = list(questions_about_containers(FILES[name]))
    assert not found, f"{name}, lines {found}: readers/containers.py asks for containers, column_types.py builds them"


def test_only_conditions_are_tables_whatever_the_data():
    using = {name for name, tree in FILES.items() if not in_rooms(name, KIND_ROOMS) if names(tree) & CLASSES}
    assert using <= CONDITIONS | {"__init__.py"}


def test_the_search_finds_what_it_is_for():
    asks = "m.name == 'images'\nisinstance(m, Tables)\ngetattr(modality_, 'columns', ())\n"
    assert list(questions_about_kinds(ast.parse(asks))) == [1, 2, 3]
    asks = "type(X).__module__ == 'pandas'\nhasattr(X, 'iloc')\n"
    assert list(questions_about_containers(ast.parse(asks))) == [1, 2]


@pytest.mark.parametrize("parameter", ["learning_rate", "batch_size", "validation_fraction", "patience"])
def test_parameters_are_declared_once(parameter):
    """As a field with a default, or as an argument of a public function, but for what a run resolved."""
    rooms = ("cli/", "estimators/", "comparison/", "parameters.py")
    declaring = set()
    for name, tree in FILES.items():
        for node in ast.walk(tree) if in_rooms(name, rooms) else ():
            if isinstance(node, ast.AnnAssign) and names(node.target) == {parameter} and node.value is not None:
                declaring.add(name)
            public = isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
            if public and parameter in {a.arg for a in (*node.args.args, *node.args.kwonlyargs)}:
                declaring.add(name)
    assert declaring == {"parameters.py"}
