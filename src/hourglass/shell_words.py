"""The two faces of every message: it is written in Python's words, and said once in those of the command line.

n_latent=3 is --n-latent 3 there, X is DATA, and modality=Tables(numbers=['age']) is --numbers age.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import fields

from hourglass.parameters import Detection, Network, Training

# parameters of Python that are options of another name
NAMES = {"random_state": "seed", "n_threads": "threads", "n_samples": "samples"}
YES_OR_NO = {"header": {"True": "yes", "False": "no"}}
# what messages speak of beside the parameters of `Network` and `Training`
OTHERS = (
    "binarise", "categories", "columns", "condition", "counts", "crop", "day_first", "given", "grey", "header",
    "identifiers", "labels", "marginals", "modality", "month_first", "n", "n_draws", "n_latent", "n_latents",
    "n_samples", "null_words", "numbers", "prior", "recipe", "recipes", "resize", "resume", "rounds", "seeds", "split",
)  # fmt: skip
ARGUMENTS = tuple(field.name for kind in (Network, Training, Detection) for field in fields(kind)) + OTHERS
_TEXT = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_SEVERAL = rf"\[(?:{_TEXT}|[^\[\]'\"])*\]|\((?:{_TEXT}|[^()'\"])*\)"
_VALUE = rf"{_TEXT}|{_SEVERAL}|[^\s,;:()]+"
_CALL = re.compile(
    rf"(?<![\w'\"./-])(?:modality=\w+\(|readers\.read\(\.\.\., )(\w+)=({_TEXT}|{_SEVERAL}|[^\s,;:()]+)\)"
)
_GIVEN = re.compile(rf"(?<![\w'\"./-])({'|'.join(ARGUMENTS)})=({_VALUE})")
_BARE = re.compile(rf"(?<![\w'\"./-])({'|'.join(ARGUMENTS)})=(?![^\s,;:)])")
_NAMED = re.compile(rf"(?<![\w'\"./=-])({'|'.join(name for name in ARGUMENTS if '_' in name)})(?![\w'\"=(.-])")
_DATA = re.compile(r"(?<![\w'\"./(])X(?![\w'\"./(=])")
_ELEMENT = re.compile(rf"{_TEXT}|[^\s,][^,]*")


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
    >>> in_shell_words("declare modality=Tables(categories=['zip', 'area code'])")
    'declare --categories zip "area code"'
    """
    text = _CALL.sub(_said, text)
    text = _GIVEN.sub(_said, text)
    text = _BARE.sub(lambda found: option(found[1]), text)
    text = _NAMED.sub(lambda found: option(found[1]), text)
    text = _DATA.sub("DATA", text)
    text = re.sub(r",? or None\b(?! to)", "", text).replace("or None to", "or left out to")
    return re.sub(r"(?<!\w)\(\)", "0", text)


def _said(argument: re.Match[str]) -> str:
    """name=value -> --name value; what is switched on is named alone."""
    name, value = argument.groups()
    if name in YES_OR_NO:
        return f"{option(name)} {YES_OR_NO[name].get(value, value)}"
    return option(name) if value == "True" else f"{option(name)} {_shell_value(value)}"


def _shell_value(text: str) -> str:
    if text[0] in "([":
        return " ".join(map(_shell_value, (part.strip() for part in _ELEMENT.findall(text[1:-1])))) or "0"
    if text[0] in "'\"":
        word = re.sub(r"\\(['\"\\])", r"\1", text[1:-1])
        return f'"{word}"' if set(word) & set(" '") and not set(word) & set('"$`\\!') else shlex.quote(word)
    return text
