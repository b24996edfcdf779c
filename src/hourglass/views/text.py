"""How lines of text look."""

from __future__ import annotations

from typing import Any

from hourglass.modalities import Text
from hourglass.views.forms import Texts


def view(modality: Text, restored: Any) -> Texts:
    """Lines of text, and their tokens as the model has them."""
    texts = tuple(map(str, restored))
    return Texts(texts, tuple(tuple(modality.pieces(text)) for text in texts))
