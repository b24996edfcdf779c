"""How the command line says things: Python's arguments as options, and nothing that a terminal would obey."""

from __future__ import annotations

import re
import shlex
import unicodedata
from dataclasses import fields

from hourglass.parameters import Network, Training

# parameters of Python that are options of another name
NAMES = {"random_state": "seed", "n_threads": "threads", "n_samples": "samples"}
# what messages speak of beside the parameters of `Network` and `Training`
OTHERS = (
    "binarise", "categories", "columns", "condition", "counts", "crop", "day_first", "given", "grey", "identifiers",
    "labels", "modality", "n", "n_draws", "n_latent", "n_latents", "n_samples", "numbers", "prior", "recipe", "recipes",
    "resize", "rounds", "seeds", "split",
)  # fmt: skip
ARGUMENTS = tuple(field.name for kind in (Network, Training) for field in fields(kind)) + OTHERS
_VALUE = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\([^()]*\)|\[[^\[\]]*\]|[^\s,;:()]+"""
_GIVEN = re.compile(rf"(?<![\w'\"./-])({'|'.join(ARGUMENTS)})=({_VALUE})")
_NAMED = re.compile(rf"(?<![\w'\"./=-])({'|'.join(name for name in ARGUMENTS if '_' in name)})(?![\w'\"=(.-])")
_DATA = re.compile(r"(?<![\w'\"./(])X(?![\w'\"./(=])")
UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")  # categories of characters that steer a terminal, or cannot be seen in it


def option(name: str) -> str:
    """n_latent -> --n-latent."""
    name = NAMES.get(name, name)
    return f"-{name}" if len(name) == 1 else f"--{name.replace('_', '-')}"


def in_shell_words(text: str) -> str:
    """A message that speaks of Python's arguments, said in options: n_latent=-3 -> --n-latent -3, X -> DATA.

    Examples
    --------
    >>> in_shell_words("n_latent=-3 must be a whole number of at least 1, or None to estimate it")
    '--n-latent -3 must be a whole number of at least 1, or left out to estimate it'
    >>> in_shell_words("hidden=(8, -1) must hold whole numbers; () makes the networks linear")
    '--hidden 8 -1 must hold whole numbers; 0 makes the networks linear'
    """
    text = re.sub(r"modality=\w+\((\w+)=[^()]*\)", lambda found: f"{option(found[1])} ...", text)
    text = _GIVEN.sub(lambda found: f"{option(found[1])} {_shell_value(found[2])}", text)
    text = _NAMED.sub(lambda found: option(found[1]), text)
    text = _DATA.sub("DATA", text)
    text = re.sub(r",? or None\b(?! to)", "", text).replace("or None to", "or left out to")
    return re.sub(r"(?<!\w)\(\)", "0", text)


def _shell_value(text: str) -> str:
    if text[0] in "([":
        return " ".join(_shell_value(part.strip()) for part in text[1:-1].split(",") if part.strip()) or "0"
    if text[0] in "'\"":
        word = text[1:-1]
        return word if word and not set(word) & set(" \t;&|<>$`'\"\\") else f'"{word}"'
    return text


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
