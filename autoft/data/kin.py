"""Which samples must stay in one part because their texts say the same, though not letter by letter."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from autoft.records import Sample

FIELD: Final = "text"
MOST: Final = 0.05
"""Share of the samples that may have a first text, for it to be one that comes again: what more have is no question or
premise but a kind of them."""


class Kin(NamedTuple):
    """What samples share beside their digest."""

    keys: Mapping[str, tuple[str, ...]] = {}
    """Id -> words that samples which stay together have in common."""
    said: str = ""
    """Why, where it is more than that texts are the same; for the user."""


NO_KIN: Final = Kin()


class _Letters(dict[int, int]):
    """Letters, their marks and digits stay, all else becomes a space."""

    def __missing__(self, code: int) -> int:
        kept = code if unicodedata.category(chr(code))[0] in "LMN" else 32
        self[code] = kept
        return kept


_LETTERS: Final = _Letters()


def plain(text: str) -> str:
    """The words of a text alone: how signs, spaces and capitals are written says nothing. A text of signs is itself."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(folded.translate(_LETTERS).split()) or "".join(folded.split())


def alike(value: Any) -> Any:
    """A text, or several, by their words; any other value as it is."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return [plain(one) for one in value]
    return value


def find(samples: Sequence[Sample], same: Sequence[str]) -> Kin:
    """What samples share: all of their words; of pairs also both texts in the other order, and the first text, which a
    question has with several answers, and a premise with what is said to follow from it.

    Args:
        same: for each sample one word, equal for those that say the same.
    """
    keys = {sample.id: [f"same {word}"] for sample, word in zip(samples, same, strict=True)}
    pairs = {s.id: texts for s in samples if isinstance(texts := s.fields.get(FIELD), list) and len(texts) > 1}
    plainly = {name: [plain(text) for text in texts] for name, texts in pairs.items()}
    firsts = Counter(texts[0] for texts in plainly.values())
    turned = {tuple(texts) for texts in plainly.values()}
    swapped = held = 0
    for name, texts in plainly.items():
        if texts != texts[::-1] and tuple(texts[::-1]) in turned:
            keys[name].append("pair " + "\n".join(sorted(texts)))
            swapped += 1
        if texts[0] and 1 < firsts[texts[0]] <= max(2, MOST * len(samples)):
            keys[name].append(f"first {texts[0]}")
            held += 1
    said = f"; {held:,} pairs share their first text with others, and stay with them" if held else ""
    said += f"; {swapped:,} pairs come in both orders, and stay together" if swapped else ""
    return Kin({name: tuple(words) for name, words in keys.items()}, said)
