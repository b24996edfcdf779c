"""What a terminal may show: nothing that it would obey."""

from __future__ import annotations

import shlex
import unicodedata

UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")  # categories of characters that steer a terminal, or cannot be seen in it


def printable(text: str, keep: str = "") -> str:
    r"""The text with every character that a terminal would obey, or not show, as Python writes it: \x1b, \u202e.

    `keep` are characters that stay, such as the line breaks of a message of several lines.
    """
    return "".join(c if c in keep or unicodedata.category(c) not in UNSEEN else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    if "\udc80" <= character <= "\udcff":  # a byte of a file name that is not UTF-8
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")


def quoted(word: str) -> str:
    """A word as a shell takes it back, with control characters written out: $'a\\x1bb'."""
    if printable(word) == word:
        return shlex.quote(word)
    plain = printable(word.replace("\\", "\\\\").replace("'", "\\'"))
    return f"$'{plain}'"
