"""JSON in and out: strict text, values checked against types, numbers that JSON does not have."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypedDict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourglass.typed_json import JSONError, arguments_from_json, from_json, json_text, parse_json, read_json, to_json


@dataclass(frozen=True)
class Point:
    x: float
    y: float = 0.0

    def __post_init__(self):
        if self.x < 0:
            raise ValueError("x must not be negative")


@dataclass(frozen=True)
class Path_:
    name: str
    points: tuple[Point, ...]
    kind: Literal["open", "closed", 3] = "open"
    limit: float | None = None
    levels: tuple[str | float, ...] = ()
    pair: tuple[int, str] | None = None
    extra: dict[str, list[int]] = field(default_factory=dict)


class Record(TypedDict):
    n: int
    means: dict[str, float]


PATH = Path_("a", (Point(1.0), Point(2.0, math.inf)), 3, math.nan, ("u", 1.5, "NaN"), (1, "b"), {"k": [1]})


def test_there_and_back():
    text = json_text(PATH)
    assert "NaN" in json.loads(text, parse_constant=pytest.fail)["limit"]
    again = from_json(Path_, parse_json(text))
    assert repr(again) == repr(PATH)  # NaN is not equal to itself
    assert from_json(Record, parse_json(json_text({"n": 1, "means": {"a": 2}}))) == {"n": 1, "means": {"a": 2.0}}


PLAIN = st.none() | st.booleans() | st.integers() | st.text()


@given(st.recursive(PLAIN, lambda v: st.lists(v) | st.dictionaries(st.text(), v)))
def test_what_is_plain_comes_back_as_it_was(value):
    assert parse_json(json_text(value)) == value


@given(st.floats())
def test_every_float_comes_back_to_the_bit(value):
    again = from_json(float, parse_json(json_text(value)))
    assert again.hex() == value.hex()


def test_numbers_of_numpy_are_plain():
    values = (np.int64(3), np.float32(0.5), np.bool_(True), np.str_("a"), np.array(2), np.float64("nan"))
    assert to_json(values) == [3, 0.5, True, "a", 2, "NaN"]
    assert [type(v) for v in to_json(values)] == [int, float, bool, str, int, str]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"a": {1: 2}}, r"value\.a has the key 1"),
        ([0, object()], r"value\[1\]=<object.*cannot be saved"),
        ({"a": {1, 2}}, r"value\.a=\{1, 2\} cannot be saved"),
        (np.zeros(3), r"cannot be saved"),
        (Point, r"cannot be saved"),
        (1j, r"cannot be saved"),
    ],
)
def test_what_json_cannot_hold_is_named(value, says):
    with pytest.raises(TypeError, match=says):
        to_json(value)


@pytest.mark.parametrize(
    ("kind", "value", "says"),
    [
        (int, True, "expected int, got True"),
        (int, 1.0, r"expected int, got 1\.0"),
        (bool, 1, "expected bool"),
        (float, True, "expected float"),
        (float, "nan", "expected float"),
        (float, 10**400, "expected float"),
        (str, None, "expected str"),
        (None, 0, "expected None"),
        (Literal["a"], "b", r"expected Literal\['a'\]"),
        (Literal[1], True, "expected Literal"),
        (int | None, "1", r"expected int \| None, got '1'"),
        (list[int], {"a": 1}, "expected list"),
        (list[int], [1, "2"], r"^\[1\]: expected int"),
        (tuple[int, str], [1], "expected 2 values, got 1"),
        (dict[str, int], [], "expected dict"),
        (dict[str, int], {"a": "1"}, "^a: expected int"),
        (Record, {"n": 1}, "means is missing"),
        (Record, {"n": 1, "means": {}, "m": 0}, "m: there is no such field"),
        (Point, {"x": 1.0}, "y is missing"),
        (Point, {"x": 1.0, "y": 0.0, "\x1b[2J": 0}, r"'\\x1b\[2J': there is no such field"),
        (Point, {"x": -1.0, "y": 0.0}, "Point: x must not be negative"),
        (Point | None, {"x": "1", "y": 0.0}, "^x: expected float"),
    ],
)
def test_another_type_is_refused(kind, value, says):
    with pytest.raises(JSONError, match=says):
        from_json(kind, value)


def test_the_place_is_named():
    values = to_json(PATH)
    values["points"][1]["x"] = []
    with pytest.raises(JSONError, match=r"^path\.points\[1\]\.x: expected float, got \[\]$"):
        from_json(Path_, values, "path")


def test_types_that_say_little():
    assert from_json(Any, {"a": [1]}) == {"a": [1]}
    assert from_json(Annotated[int, "rows"], 3) == 3
    assert from_json(Sequence[int], (1, 2)) == [1, 2]
    assert from_json(Mapping[str, int], {"a": 1}) == {"a": 1}
    assert from_json(tuple[int, ...], [1, 2, 3]) == (1, 2, 3)
    assert from_json(int | float, 3) == 3 and isinstance(from_json(int | float, 3), int)
    assert from_json(float | str, "NaN") == "NaN"  # a text where texts belong


@pytest.mark.parametrize(
    "text", ["", "{", "nan", "[NaN]", "[Infinity]", '{"a": 1, "a": 2}', "[" * 10**5, "1" * 5000, b"\xff"]
)
def test_text_that_is_not_strict_json(text, tmp_path):
    with pytest.raises(JSONError):
        parse_json(text)
    path = tmp_path / "some.json"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(JSONError, match=r"some\.json is corrupt, or was not written by Hourglass"):
        read_json(path)


def test_arguments_of_a_function():
    def act(a: int, b: "float | None" = None, *, c=3): ...

    def anything(a: int, **more): ...

    assert arguments_from_json(act, {"a": 1, "b": 2, "c": [1]}) == {"a": 1, "b": 2.0, "c": [1]}
    assert arguments_from_json(anything, {"a": 1, "z": 2}) == {"a": 1, "z": 2}
    assert arguments_from_json(Point, {"x": 1}) == {"x": 1.0}
    for values, says in (({"a": "1"}, r"act\.a: expected int"), ({"d": 1}, r"act\.d: there is no such argument")):
        with pytest.raises(JSONError, match=says):
            arguments_from_json(act, values, "act")
