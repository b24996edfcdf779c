"""Lines of text <-> tokens. Put together again, the tokens of a line are the line: spaces and signs are in them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

Unit = Literal["character", "word", "bytepair"]
Fields = Literal["typed"]

END = "<end>"  # the class that ends a line
UNKNOWN = "<unk>"
WORD = re.compile(r" ?(?:<(?:num|time|ip|hex)>|\w+|[^\w\s])|\s")  # a word, or a sign, with the space before it
MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
DATE = rf"(?:\d{{4}}[-./]\d\d[-./]\d\d|\d\d?[-./](?:\d\d|{MONTH})[-./]\d{{4}}|{MONTH} {{1,2}}\d\d?(?![\w.]))"
CLOCK = r"\d\d[:.]\d\d[:.]\d\d(?:[.,]\d+)?"
ENDS = "(?![A-Za-z0-9])"
TYPED = re.compile(
    r"(?<![A-Za-z0-9])(?<!\d\.)(?:"
    rf"(?P<time>(?:{DATE}(?:[-T :]{CLOCK}(?:Z|[+-]\d\d:?\d\d)?)?|{CLOCK})(?: \d{{4}})?{ENDS})"
    rf"|(?P<ip>(?:\d{{1,3}}(?:\.\d{{1,3}}){{3}}|[0-9a-fA-F]{{1,4}}(?::[0-9a-fA-F]{{1,4}}){{7}}){ENDS})"
    rf"|(?P<hex>(?:0x[0-9a-fA-F]+|(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{{8,}}){ENDS})"
    rf"|(?P<num>\d+(?:\.\d+)*(?=(?:[mun]?s|[kMG]i?B?|B)?{ENDS}))"  # with a unit, or without
    ")"
)
MOST_UNKNOWN = 0.2  # of the words: where more of them occur once, lines are learned by characters
MIN_WORDS = 3  # a line, on average


def typed(line: str) -> str:
    """The line with its times, addresses, hexadecimal and other numbers replaced by <time>, <ip>, <hex>, <num>."""
    return TYPED.sub(lambda found: f"<{found.lastgroup}>", line)


def suited_unit(lines: Iterable[str]) -> Unit:
    """Words where lines have several and most of them come again; else characters."""
    words: Counter[str] = Counter()
    n = 0
    for line in lines:
        words.update(WORD.findall(line))
        n += 1
    total, once = words.total(), sum(count == 1 for count in words.values())
    return "word" if total >= MIN_WORDS * n and once <= MOST_UNKNOWN * total else "character"


@dataclass(frozen=True)
class Tokeniser:
    """Lines <-> places of their tokens among all that are known.

    Attributes
    ----------
    tokens : all that are known. The first ends a line; then one or two that stand for all others, one of them with a
        space before it; then the most frequent first.
    merges : what the package tokenizers has learned, as its JSON; "" for characters and words.
    """

    unit: Unit
    fields: Fields | None
    tokens: tuple[str, ...]
    merges: str = ""

    @classmethod
    def learn(cls, lines: Sequence[str], unit: Unit, vocabulary: int, fields: Fields | None) -> Tokeniser:
        """From lines, the most frequent tokens, at most `vocabulary`; words that occur once are not known."""
        if fields:
            lines = [typed(line) for line in lines]
        if unit == "bytepair":
            return _learned_byte_pairs(lines, vocabulary, fields)
        counts: Counter[str] = Counter()
        for line in lines:
            counts.update(_split(line, unit))
        least = 2 if unit == "word" else 1
        known = [token for token, count in counts.most_common(vocabulary) if count >= least]
        unknown = (UNKNOWN, f" {UNKNOWN}") if unit == "word" else (UNKNOWN,)
        return cls(unit, fields, (END, *unknown, *known))

    def __len__(self) -> int:
        return len(self.tokens)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {token: place for place, token in enumerate(self.tokens)}

    @cached_property
    def _byte_pairs(self) -> Any:
        return _tokenizers().Tokenizer.from_str(self.merges)

    def split(self, line: str) -> list[str]:
        """The tokens of a line, known or not."""
        line = typed(line) if self.fields else line
        return self._byte_pairs.encode(line).tokens if self.unit == "bytepair" else _split(line, self.unit)

    def encode(self, line: str) -> list[int]:
        """The places of its tokens, without the one that ends it."""
        with_space = 2 if self.unit == "word" else 1
        return [self._places.get(t, with_space if t.startswith(" ") else 1) for t in self.split(line)]

    def decode(self, places: Sequence[int]) -> list[str]:
        """Places up to the end of a line -> its tokens."""
        tokens = []
        for place in places:
            if place == 0:
                break
            tokens.append(self.tokens[place])
        return tokens

    def join(self, tokens: Sequence[str]) -> str:
        """The line that tokens make."""
        if self.unit == "bytepair":
            return str(_tokenizers().decoders.ByteLevel().decode(list(tokens)))
        return "".join(tokens)


def _split(line: str, unit: Unit) -> list[str]:
    return WORD.findall(line) if unit == "word" else list(line)


def _learned_byte_pairs(lines: Sequence[str], vocabulary: int, fields: Fields | None) -> Tokeniser:
    """Source: Sennrich et al. 2016, arXiv:1508.07909; of bytes as Radford et al. 2019, so that nothing is unknown."""
    package = _tokenizers()
    model = package.Tokenizer(package.models.BPE())
    model.pre_tokenizer = package.pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = package.pre_tokenizers.ByteLevel.alphabet()
    model.train_from_iterator(
        lines,
        package.trainers.BpeTrainer(vocab_size=vocabulary, initial_alphabet=alphabet, show_progress=False),
    )
    known = sorted(model.get_vocab().items(), key=lambda item: item[1])
    return Tokeniser("bytepair", fields, (END, UNKNOWN, *(token for token, _ in known)), model.to_str())


def _tokenizers() -> Any:
    """The package, which is an extra.

    Raises
    ------
    ImportError : with the remedy, where it is not installed.
    """
    try:
        import tokenizers
        import tokenizers.decoders
        import tokenizers.models
        import tokenizers.pre_tokenizers
        import tokenizers.trainers
    except ImportError as error:
        raise ImportError(
            'unit=bytepair needs the package tokenizers: pip install "hourglass-ae[text]"; or take unit=word'
        ) from error
    return tokenizers
