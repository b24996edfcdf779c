"""A column of texts, as a CSV file holds it -> numbers, booleans, dates, or texts that stay as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from hourglass.readers.date_texts import LIKE_A_DATE, Order, read_dates
from hourglass.readers.number_texts import LIKE_A_NUMBER, read_numbers

# what programs write for a missing number: Arrow's list, and some more
NULL_WORDS = (
    " ", "?", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "N/A", "NA", "na",
    "NULL", "Null", "null", "NaN", "NAN", "nan", "n/a", "None", "none",
)  # fmt: skip
EXACT = 2**53  # whole numbers beyond it are not all kept by float64
CODE = r"^0[0-9xX]"  # 007, 0x1F
ORDERS: tuple[Order | None, ...] = (None, "day-first", "month-first")
NUMBER_WITH_COMMA = r"^[-+]?([0-9]+(,[0-9]*)?|,[0-9]+)([eE][-+]?[0-9]+)?$"


class Typed(NamedTuple):
    """A column, and what about it may surprise."""

    column: Any
    code: str | None = None  # an example, where digits are codes and stay texts
    kept: Sequence[tuple[str, int]] = ()  # null words that stay texts, and their numbers


def typed(texts: Any, null_words: Iterable[str] = NULL_WORDS, decimal_commas: bool = False) -> Typed:
    """The column in the type that all its cells have.

    In a column of numbers, booleans or dates the null words are missing. In a column of texts they are texts: NA may be
    Namibia. Whole numbers of which one begins with a zero, or has more digits than float64 keeps, are codes: texts.

    Parameters
    ----------
    texts : pyarrow.ChunkedArray of strings, null where a cell is empty.
    null_words : words that mean missing in columns that are not of texts.
    decimal_commas : whether 1,5 is a number.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if texts.null_count == len(texts):
        return Typed(pa.nulls(len(texts)))
    column = _converted(texts, decimal_commas)
    if column is not None:
        return _numbers_or_codes(texts, column)
    is_word = pc.is_in(texts, pa.array(list(null_words), pa.string()))
    if not pc.any(is_word).as_py():
        return Typed(texts)
    others = pc.if_else(is_word, None, texts)
    if others.null_count == len(others):
        return Typed(pa.nulls(len(texts)))
    column = _converted(others, decimal_commas)
    if column is not None:
        return _numbers_or_codes(others, column)
    counts = pc.value_counts(texts.filter(is_word)).to_pylist()
    return Typed(texts, kept=[(count["values"], count["counts"]) for count in counts])


def _first(texts: Any) -> str:
    """The first cell that is not missing."""
    first = texts[0].as_py()
    return str(texts.drop_null()[0].as_py() if first is None else first).strip()


def _converted(texts: Any, decimal_commas: bool) -> Any:
    """The column as numbers, booleans, dates or times; None where some cell is none of the kind."""
    first = _first(texts)
    if first[:1].isalpha() and first.lower() not in ("true", "false", "nan", "inf", "infinity"):
        if LIKE_A_NUMBER.match(first):  # EUR 5
            return _attempt(_trimmed(texts), _numbers_as_written)
        return None  # no other number, boolean or date begins so
    if first.lower() in ("true", "false"):
        return _attempt(texts, _boolean)
    if LIKE_A_DATE.match(first):
        return _attempt(texts, _dates) or _attempt(_trimmed(texts), _dates)
    conversions = [_fractions] if set(first) & set(".eE") else [_whole, _fractions]
    numbers = _attempt(texts, *conversions)
    if numbers is None:
        commas = [_with_comma] if decimal_commas else []
        numbers = _attempt(_trimmed(texts), *conversions, *commas, _numbers_as_written)
    return numbers


def _attempt(texts: Any, *conversions: Callable[[Any], Any]) -> Any:
    import pyarrow as pa

    for convert in conversions:
        try:
            return convert(texts)
        except pa.ArrowInvalid:
            continue
    return None


def _trimmed(texts: Any) -> Any:
    """Without the blanks around them; a cell of blanks alone is missing."""
    import pyarrow.compute as pc

    trimmed = pc.utf8_trim_whitespace(texts)
    return pc.if_else(pc.equal(trimmed, ""), None, trimmed)


def _whole(texts: Any) -> Any:
    import pyarrow as pa

    return texts.cast(pa.int64())


def _fractions(texts: Any) -> Any:
    import pyarrow as pa

    numbers = texts.cast(pa.float64())
    if np.isnan(numbers.to_numpy()).sum() > numbers.null_count:
        raise pa.ArrowInvalid("nan is a null word, and no number")
    return numbers


def _with_comma(texts: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pc.all(pc.match_substring_regex(texts, NUMBER_WITH_COMMA)).as_py():
        raise pa.ArrowInvalid("not numbers")
    return pc.replace_substring(texts, ",", ".").cast(pa.float64())


def _boolean(texts: Any) -> Any:
    import pyarrow as pa

    return texts.cast(pa.bool_())


def _dates(texts: Any) -> Any:
    """The texts themselves, whose notation comes back so; nothing but dates may be among them."""
    import pyarrow as pa

    known = texts.drop_null().combine_chunks()
    if not any(read_dates(known, order) for order in ORDERS):
        raise pa.ArrowInvalid("not dates")
    return texts


def _numbers_as_written(texts: Any) -> Any:
    """The texts themselves, such as "€ 21,485.58", whose notation comes back so."""
    import pyarrow as pa

    known = texts.drop_null().combine_chunks()
    if not len(known) or read_numbers(known) is None:
        raise pa.ArrowInvalid("not numbers")
    return texts


def _numbers_or_codes(texts: Any, column: Any) -> Typed:
    code = _code(texts, column)
    return Typed(column) if code is None else Typed(texts, code=code)


def _code(texts: Any, numbers: Any) -> str | None:
    """A cell that shows that a column of whole numbers holds codes; None if it holds quantities."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if set(_first(texts)[1:]) & set(".,eE-:") or not pa.types.is_primitive(numbers.type):
        return None
    if pa.types.is_integer(numbers.type) and pc.any(pc.starts_with(texts, "0")).as_py():
        codes = texts.filter(pc.match_substring_regex(texts, CODE))
        if len(codes):
            return str(codes[0].as_py())
    extremes = pc.min_max(numbers).as_py()
    if extremes["max"] is None or max(-extremes["min"], extremes["max"]) <= EXACT:
        return None
    if not pc.all(pc.match_substring_regex(texts, r"^\s*[-+]?[0-9]+\s*$")).as_py():
        return None  # fractions among them: quantities
    wide = texts.filter(pc.greater(pc.binary_length(texts), 15)).to_pylist()
    return next((text for text in wide if len(text) > 300 or int(text) != int(float(text))), None)
