"""Texts to numbers of tokens, by the tokenizer of a KerasHub preset. What is kept with a model is the whole of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras
import keras_hub

from autoft.api import TrialFailed, UsageError, json_object, shared_room, text_pair
from autoft_keras.caches import KEPT, SENTENCES, TOKENIZER, TOKENIZER_FOLDER
from autoft_keras.folders import refuse_code

DOUBLE = ("RobertaTokenizer", "XLMRobertaTokenizer")
"""Tokenizers that put two ends between the texts of a pair."""


class Row(NamedTuple):
    """One sample."""

    ids: list[int]
    kinds: list[int]
    """0 for the first text, 1 for the second."""


class Tokens:
    """A tokenizer with what the network must know of it."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self.start, self.end = int(tokenizer.start_token_id), int(tokenizer.end_token_id)
        self.pad = int(tokenizer.pad_token_id or 0)
        self.mask: int | None = getattr(tokenizer, "mask_token_id", None)
        self.gap = [self.end] * (2 if type(tokenizer).__name__ in DOUBLE else 1)

    @classmethod
    def of(cls, folder: Path, most: int) -> Tokens:
        """From the folder of a preset, or of a saved model, for a network that knows `most` tokens. Its files are a
        configuration, which may name KerasHub's own classes alone, and vocabularies.

        Raises:
            TrialFailed: there is no tokenizer that can be read, or it has tokens that the network has not.
        """
        kept = folder / KEPT if (folder / KEPT / TOKENIZER).is_file() else folder
        path = kept / TOKENIZER
        if not path.is_file():
            raise TrialFailed(
                f"a text network needs its tokenizer, but {folder} has no {TOKENIZER}.",
                "Save it beside the weights: tokenizer.save_to_preset(FOLDER)",
            )
        try:
            config = json_object(path)
            refuse_code(config, path, keras_hub=True)
        except UsageError as error:
            raise TrialFailed(error.message, error.hint) from error
        try:
            tokenizer = keras.saving.deserialize_keras_object(config, safe_mode=True)
            if not isinstance(tokenizer, keras_hub.tokenizers.Tokenizer):
                raise TypeError(f"it is a {type(tokenizer).__name__}")
            _load(tokenizer, kept / TOKENIZER_FOLDER)
            count = int(tokenizer.vocabulary_size())
        except Exception as error:  # whatever the libraries of tokenizers raise for files that they cannot read
            raise TrialFailed(f"the tokenizer in {kept} cannot be read: {type(error).__name__}: {error}") from error
        if count > most:
            raise TrialFailed(
                f"the tokenizer in {kept} has {count} tokens, but the network knows {most}: they do not belong "
                "together."
            )
        return cls(tokenizer)

    def save(self, folder: Path) -> None:
        """Into a folder of its own below `folder`."""
        self.tokenizer.save_to_preset(str(folder / KEPT))

    @property
    def special(self) -> tuple[int, ...]:
        """What stands between and around the texts."""
        return self.start, self.end, self.pad

    def rows(self, samples: Sequence[tuple[str, ...]], each: int, most: int, truncation: str) -> list[Row]:
        """The tokens of samples of one text, or of two that are put together. From the third text on, they count as
        part of the second.

        Args:
            each: tokens of each text, at most; 0 takes all.
            most: tokens of a row, at most, those around the texts included.
            truncation: what is left out of longer texts: end, start or middle.
        """
        if not samples:
            return []
        texts = [part for sample in samples for part in text_pair(sample)]
        encoded = iter(_lists(self.tokenizer(texts)))
        return [self._row([next(encoded) for _ in text_pair(sample)], each, most, truncation) for sample in samples]

    def _row(self, parts: list[list[int]], each: int, most: int, truncation: str) -> Row:
        around = 2 if len(parts) == 1 else 2 + len(self.gap)
        lengths = shared_room([min(len(part), each or len(part)) for part in parts], max(len(parts), most - around))
        first, *others = (_cut(part, length, truncation) for part, length in zip(parts, lengths, strict=True))
        ids, kinds = [self.start, *first], [0] * (1 + len(first))
        for other in others:
            ids, kinds = [*ids, *self.gap, *other], [*kinds, *([0] * len(self.gap)), *([1] * len(other))]
        return Row([*ids, self.end], [*kinds, int(len(parts) > 1)])


def _load(tokenizer: Any, folder: Path) -> None:
    """Its vocabulary. Of one file KerasHub itself would leave the handle open."""
    if hasattr(tokenizer, "set_proto"):
        tokenizer.set_proto((folder / SENTENCES).read_bytes())
    else:
        tokenizer.load_assets(str(folder))


def _lists(found: Any) -> list[list[int]]:
    """Of whatever KerasHub gives for a batch: ragged tensors, arrays or lists."""
    rows = found.to_list() if hasattr(found, "to_list") else found
    return [[int(number) for number in row] for row in rows]


def _cut(part: list[int], most: int, truncation: str) -> list[int]:
    if len(part) <= most:
        return part
    if truncation == "start":
        return part[len(part) - most :]
    if truncation == "middle":
        return [*part[: most - most // 2], *part[len(part) - most // 2 :]]
    return part[:most]
