"""JSON in and out, with nothing taken on trust: every value that comes in is checked against a Python type.

JSON has no NaN and no infinity; a float that is one is written as the text "NaN", "Infinity" or "-Infinity", and read
back where a float belongs.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import json
import math
import re
import reprlib
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union

T = TypeVar("T")

NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class JSONError(ValueError):
    """Text that is not JSON, or JSON that does not hold what it should; the message says where."""


# ---- text <-> plain values ---------------------------------------------------------------------------------------


def parse_json(text: str | bytes) -> Any:
    """Strict JSON: no NaN, no key twice in one object, no nesting beyond what Python's stack holds.

    Raises
    ------
    JSONError
    """
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    except JSONError:
        raise
    except RecursionError as error:
        raise JSONError("it is nested too deeply") from error
    except ValueError as error:  # not UTF-8, not JSON, or a number of thousands of digits
        raise JSONError(f"it is not JSON ({error})") from error


def read_json(path: Path) -> Any:
    """The JSON in a file.

    Raises
    ------
    JSONError : naming the file, where it cannot be parsed.
    OSError : where it cannot be read.
    """
    content = path.read_bytes()
    try:
        return parse_json(content)
    except JSONError as error:
        raise JSONError(f"{path} is corrupt, or was not written by Hourglass: {error}") from error


def json_text(value: Any, indent: int | None = 1) -> str:
    """`to_json` of a value, as strict JSON."""
    return json.dumps(to_json(value), indent=indent, allow_nan=False)


def to_json(value: Any, where: str = "value") -> Any:
    """Plain JSON values: numpy's numbers as Python's, tuples as lists, dataclasses and mappings as objects.

    Raises
    ------
    TypeError : naming the place, for what JSON cannot hold.
    """
    if type(value).__module__ == "numpy" and getattr(value, "ndim", 1) == 0:
        value = value.item()
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        number = float(value)
        return number if math.isfinite(number) else next(k for k, v in NOT_FINITE.items() if repr(v) == repr(number))
    if isinstance(value, (list, tuple)):
        return [to_json(item, f"{where}[{i}]") for i, item in enumerate(value)]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        if odd := [key for key in value if not isinstance(key, str)]:
            raise TypeError(f"{where} has the key {odd[0]!r}; what is saved as JSON has texts as keys")
        return {str(key): to_json(item, f"{where}.{key}") for key, item in value.items()}
    raise TypeError(f"{where}={reprlib.repr(value)} cannot be saved: give numbers, texts, lists or dataclasses of them")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        keys = [key for key, _ in pairs]
        raise JSONError(f"it has {next(k for k in keys if keys.count(k) > 1)!r} twice in one object")
    return values


def _no_constant(name: str) -> Any:
    raise JSONError(f"{name} is not JSON")


# ---- plain values -> what a type says ----------------------------------------------------------------------------


def from_json(kind: type[T] | Any, value: Any, where: str = "") -> T | Any:
    """A JSON value as the type `kind` says.

    Parameters
    ----------
    kind : a dataclass, a TypedDict, or a type made of None, bool, int, float, str, Literal, unions, tuple, list, dict
        and such. Objects must have the fields of their class, all of them and no others.
    value : what `parse_json` gave.
    where : the place of the value, for messages.

    Raises
    ------
    JSONError : naming the place, what was expected and what is there.
    """
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind in (Any, object) or isinstance(kind, (str, TypeVar)):  # a type that is only known elsewhere says nothing
        return value
    if origin is Annotated:
        return from_json(arguments[0], value, where)
    if origin is Literal:
        if any(type(value) is type(choice) and value == choice for choice in arguments):
            return value
    elif origin in (Union, types.UnionType):
        return _one_of(arguments, value, where, kind)
    elif kind in (None, type(None)):
        if value is None:
            return value
    elif kind is float:
        return _number(value, where)
    elif kind in (bool, int, str):
        if type(value) is kind:
            return value
    elif typing.is_typeddict(kind):
        return _fields(typing.get_type_hints(kind), value, where)
    elif isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return _build(kind, value, where)
    elif (origin or kind) is tuple:
        if isinstance(value, (list, tuple)):
            return _tuple(arguments, value, where)
    elif (origin or kind) in (list, Sequence, Iterable):
        if isinstance(value, (list, tuple)):
            return [from_json((arguments or (Any,))[0], item, f"{where}[{i}]") for i, item in enumerate(value)]
    elif (origin or kind) in (dict, Mapping) and isinstance(value, dict):
        return {k: from_json((arguments or (Any, Any))[1], v, _inside(where, k)) for k, v in value.items()}
    raise _unexpected(kind, value, where)


def arguments_from_json(function: Callable[..., Any], values: Any, where: str = "") -> dict[str, Any]:
    """Keyword arguments of a function or class, checked against its annotations; what has none may be anything.

    Raises
    ------
    JSONError : also for a name that the function does not take.
    """
    if not isinstance(values, dict):
        raise _unexpected(dict, values, where)
    parameters = inspect.signature(function).parameters
    hints = _hints(function)
    anything = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    if unknown := [name for name in values if name not in parameters and not anything]:
        raise JSONError(f"{_inside(where, unknown[0])}: there is no such argument")
    return {name: from_json(hints.get(name, Any), v, _inside(where, name)) for name, v in values.items()}


@functools.cache
def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    """The resolved annotations of a function's, class's or dataclass's arguments, as far as they can be resolved."""
    hints: dict[str, Any] = {}
    sources = [function, function.__init__] if isinstance(function, type) else [function]  # type: ignore[misc]
    for source in sources:
        try:
            hints |= typing.get_type_hints(source, include_extras=True)
        except Exception:  # names that are imported for type checkers only, or by a class inside a function
            continue
    return hints


def _build(kind: type, value: Any, where: str) -> Any:
    hints = _hints(kind)
    fields = {f.name: hints.get(f.name, Any) for f in dataclasses.fields(kind) if f.init}  # type: ignore[arg-type]
    values = _fields(fields, value, where)
    try:
        return kind(**values)
    except JSONError:
        raise
    except (ValueError, TypeError) as error:  # of __post_init__
        raise JSONError(f"{where or kind.__name__}: {error}") from error


def _fields(kinds: Mapping[str, Any], value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _unexpected(dict, value, where)
    if unknown := [name for name in value if name not in kinds]:
        raise JSONError(f"{_inside(where, unknown[0])}: there is no such field")
    if missing := [name for name in kinds if name not in value]:
        raise JSONError(f"{_inside(where, missing[0])} is missing")
    return {name: from_json(kind, value[name], _inside(where, name)) for name, kind in kinds.items()}


def _one_of(kinds: tuple[Any, ...], value: Any, where: str, union: Any) -> Any:
    """The value as the first type of a union that it fits, its own type before others."""
    for kind in sorted(kinds, key=lambda k: k is not type(value)):
        try:
            return from_json(kind, value, where)
        except JSONError:
            if isinstance(value, dict) and dataclasses.is_dataclass(kind):
                raise  # what is wrong inside says more than that nothing fits
    raise _unexpected(union, value, where)


def _number(value: Any, where: str) -> float:
    if isinstance(value, str) and value in NOT_FINITE:
        return NOT_FINITE[value]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            pass
    raise _unexpected(float, value, where)


def _tuple(kinds: tuple[Any, ...], value: Sequence[Any], where: str) -> tuple[Any, ...]:
    if not kinds or kinds[-1] is Ellipsis:
        kinds = (kinds[0] if kinds else Any,) * len(value)
    if len(kinds) != len(value):
        raise JSONError(f"{where}: expected {len(kinds)} values, got {len(value)}")
    return tuple(from_json(k, v, f"{where}[{i}]") for i, (k, v) in enumerate(zip(kinds, value, strict=True)))


def _inside(where: str, name: str) -> str:
    shown = name if name.isidentifier() and len(name) < 60 else reprlib.repr(name)
    return f"{where}.{shown}" if where else shown


def _unexpected(kind: Any, value: Any, where: str) -> JSONError:
    expected = re.sub(r"[\w.]+\.(\w+)", r"\1", kind.__name__ if type(kind) is type else str(kind))  # without modules
    return JSONError(f"{where or 'the value'}: expected {expected}, got {reprlib.repr(value)}")
