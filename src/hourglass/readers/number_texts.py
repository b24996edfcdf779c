"""Texts that are numbers, as people write them <-> numbers: "€ 21,485.58", "1.234,56", "12 %", "(1,200.00)".

Read are numbers with a sign, a currency before or after them, a per cent sign, thousands set apart (1,234 or 1.234 or
1 234 or 1'234), and accountants' brackets for negative ones. A per cent sign is a unit: 12 % is 12.

Which of comma and point marks the decimals is decided by the whole column: by the reading, point first, that all its
texts allow; and where each separator has three digits behind it, both are thousands. Texts of digits that are codes
stay texts: a leading zero (007), groups that are not of three (192.168.1.1), and groups between blanks of texts that
all have one length and nothing else that a number has (555 123 456).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

CURRENCY = (
    r"(?:[A-Z]{0,3}[$€£¥₹₩₺₽₪₫฿]|AUD|BRL|CAD|CHF|CNY|CZK|DKK|EUR|GBP|HUF|INR|JPY|KRW|MXN|NOK|NZD|PLN|SEK|SGD|TRY|USD|ZAR"
    r"|Fr\.|Kč|kr\.?|zł|Rs\.?)"
)
BLANKS = " \u00a0\u2009\u202f'\u2019"  # between thousands: blank, no-break, thin and narrow ones, apostrophes
SPACE = r"[\s\x{00a0}\x{2009}\x{202f}]*"  # as Arrow's expressions have it, to which \s is ASCII alone
LIKE_A_NUMBER = re.compile(rf"\s*[-+−(]?\s*{CURRENCY}?\s*[-+−]?\.?[0-9]")
WHOLE = (
    rf"^{SPACE}(?P<open>[-+−(]?)(?P<before>{SPACE}{CURRENCY}{SPACE})?(?P<sign>[-+−]?)(?P<digits>[0-9.,{BLANKS}]*[0-9])"
    rf"(?P<after>{SPACE}(?:%|{CURRENCY}))?(?P<close>\)?){SPACE}$"
)
READINGS = ((",", "."), (".", ","), *((blank, point) for blank in BLANKS for point in ".,"))  # thousands, decimals
PATTERN = re.compile(r"(?P<open>\(?)(?P<before>[^#]*?)(?P<inside>-?)#(?P<thousands>[^#]?)###(?P<point>[.,]?)"
                     r"(?P<digits>0+|9+|)(?P<after>[^)]*)\)?")  # fmt: skip


@dataclass(frozen=True)
class NumberNotation:
    """How the numbers of a column are written.

    Attributes
    ----------
    before, after : a currency or a per cent sign, with its blanks.
    thousands, point : what sets them apart; "" where no text shows it.
    decimals : at most, and exactly so many where that is `fixed`.
    brackets, inside : whether negative numbers are (1), or have their sign behind the currency.
    sure : whether some text shows which separator is which; not written.
    """

    before: str = ""
    after: str = ""
    thousands: str = ""
    point: str = "."
    decimals: int = 0
    fixed: bool = True
    brackets: bool = False
    inside: bool = False
    sure: bool = field(default=True, compare=False)

    def __str__(self) -> str:
        """All of it, as in "€ #,###.00"; decimals that may be left out are nines."""
        digits = ("0" if self.fixed else "9") * self.decimals
        number = f"{'-' if self.inside else ''}#{self.thousands}###{self.point if digits else ''}{digits}"
        text = f"{self.before}{number}{self.after}"
        return f"({text})" if self.brackets else text

    @classmethod
    def parse(cls, text: str) -> NumberNotation:
        """The notation that `str` wrote; raises ValueError for other texts."""
        found = PATTERN.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is not a notation of numbers")
        point = found["point"] or ("," if found["thousands"] == "." else ".")
        digits = found["digits"]
        return cls(
            found["before"], found["after"], found["thousands"], point, len(digits), "9" not in digits,
            bool(found["open"]), bool(found["inside"]),
        )  # fmt: skip

    def merged(self, other: NumberNotation) -> NumberNotation | None:
        """The notation of texts of both; None where it is not one."""
        mine, others = (n.before.strip() + "#" + n.after.strip() for n in (self, other))
        separators = {(n.thousands, n.point) for n in (self, other) if n.thousands or n.decimals}
        points = {point for _, point in separators}
        thousands = {thousands for thousands, _ in separators if thousands}
        if mine != others or len(points) > 1 or len(thousands) > 1:
            return None
        return replace(
            self,
            thousands=max(thousands, default=""),
            point=max(points, default=self.point),
            decimals=max(self.decimals, other.decimals),
            fixed=self.fixed and other.fixed and self.decimals == other.decimals,
            brackets=self.brackets or other.brackets,
            inside=self.inside or other.inside,
            sure=self.sure or other.sure,
        )


def read_numbers(
    texts: Sequence[str] | Any, like: NumberNotation | None = None
) -> tuple[np.ndarray, NumberNotation] | None:
    """Texts -> numbers (N,), and how they are written; None where some are not numbers of one notation.

    Parameters
    ----------
    texts : texts, or an Arrow array of them, none missing, at least one.
    like : how those of the same column are written, where that is known.
    """
    first = texts[0] if isinstance(texts[0], str) else texts[0].as_py()
    if not LIKE_A_NUMBER.match(first):
        return None
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    elif not isinstance(texts, pa.Array):
        texts = pa.array(texts, pa.string())
    found = pc.extract_regex(texts, WHOLE)
    if found.null_count:
        return None
    parts = {part.name: found.field(i) for i, part in enumerate(found.type)}
    around = {name: _one_of(parts[name]) for name in ("before", "after")}
    brackets = pc.equal(parts["open"], "(")
    if None in around.values() or not pc.all(pc.equal(brackets, pc.equal(parts["close"], ")"))).as_py():
        return None
    digits = parts["digits"]
    unit = "".join(filter(None, around.values())).strip()
    reading = _reading(digits, bool(unit), like)
    if reading is None:
        return None
    thousands, point, sure = reading
    sure = sure or unit not in ("", "%")  # money has no three decimals
    plain = pc.replace_substring(digits, thousands, "") if thousands else digits
    plain = pc.replace_substring(plain, point, ".")
    numbers = plain.cast(pa.float64()).to_numpy(zero_copy_only=False)
    negative = pc.or_(brackets, pc.or_(_minus(parts["open"]), _minus(parts["sign"])))
    lengths = pc.unique(pc.utf8_length(pc.replace_substring_regex(plain, r"^[0-9]*\.?", ""))).to_pylist()
    has_thousands = pc.any(pc.match_substring(digits, thousands)).as_py()
    notation = NumberNotation(
        around["before"] or "", around["after"] or "",
        thousands if has_thousands else "", point, max(lengths), len(lengths) == 1,
        bool(pc.any(brackets).as_py()), bool(pc.any(_minus(parts["sign"])).as_py()) and bool(around["before"]), sure,
    )  # fmt: skip
    return np.where(negative.to_numpy(zero_copy_only=False), -numbers, numbers), notation


def _minus(signs: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.is_in(signs, pa.array(["-", "−"]))


def _one_of(texts: Any) -> str | None:
    """What all texts are but for the blanks in them, as the first has it; None where they are not one."""
    import pyarrow.compute as pc

    different = pc.unique(texts).to_pylist()
    return different[0] if len({text.strip() for text in different}) == 1 else None


def _reading(digits: Any, has_unit: bool, like: NumberNotation | None) -> tuple[str, str, bool] | None:
    """The separators of thousands and decimals that all texts of digits allow, and whether one shows which is which."""
    import pyarrow.compute as pc

    def all_match(pattern: str) -> bool:
        return bool(pc.all(pc.match_substring_regex(digits, pattern)).as_py())

    if pc.any(pc.match_substring_regex(digits, r"^0[0-9]")).as_py():
        return None
    shown = like is not None and bool(like.thousands or like.decimals)  # by which of its texts
    candidates = READINGS if like is None or not shown else [
        r for r in READINGS if r[1] == like.point and (not like.thousands or r[0] == like.thousands)
    ]  # fmt: skip
    readings = []
    for thousands, point in candidates:
        t, p = re.escape(thousands), re.escape(point)
        if all_match(rf"^([0-9]{{1,3}}({t}[0-9]{{3}})+|[0-9]*)({p}[0-9]+)?$"):
            readings.append((thousands, point))
    if not readings:
        return None
    thousands, point = readings[0]
    if thousands in BLANKS and not has_unit and _are_codes(digits):
        return None
    either = [r for r in readings if r in READINGS[:2]]
    sure = len(either) < 2 or not pc.any(pc.match_substring_regex(digits, "[.,]")).as_py() or shown
    if not sure:  # every separator has three digits behind it, and no text has two of them
        separator = next(s for s in ",." if pc.any(pc.match_substring(digits, s)).as_py())
        thousands, point = next(r for r in either if r[0] == separator)
    return thousands, point, sure


def _are_codes(digits: Any) -> bool:
    """Whether groups between blanks are those of telephone numbers: all texts have one length, and no decimals."""
    import pyarrow.compute as pc

    return len(pc.unique(pc.utf8_length(digits))) == 1 and not pc.any(pc.match_substring_regex(digits, "[.,]")).as_py()


def write_numbers(numbers: np.ndarray, notation: NumberNotation) -> np.ndarray:
    """Numbers (N,), NaN for missing -> texts (N,) of objects, None for missing."""
    return np.array([None if v != v else _written(v, notation) for v in numbers.tolist()], dtype=object)


def _written(number: float, notation: NumberNotation) -> str:
    text = f"{abs(number):,.{notation.decimals}f}"
    negative = number < 0 and any(c in "123456789" for c in text)
    whole, _, fraction = text.partition(".")
    fraction = fraction if notation.fixed else fraction.rstrip("0")
    text = whole.replace(",", notation.thousands) + (notation.point + fraction if fraction else "")
    before = notation.before + "-" * (negative and notation.inside and not notation.brackets)
    text = f"{before}{text}{notation.after}"
    if negative and notation.brackets:
        return f"({text})"
    return f"-{text}" if negative and not notation.inside else text
