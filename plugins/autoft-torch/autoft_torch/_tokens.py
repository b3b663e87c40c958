"""Texts to numbers of tokens, by the tokenizer of a checkpoint. What is kept with a model is the whole of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tokenizers import Encoding, Tokenizer

from autoft.api import TrialFailed, shared_room, text_pair
from autoft_torch.encoders import FACTS, KEPT, TOKENIZERS

UNBOUNDED = 1_000_000
"""Tokenizers that know no limit name a number beyond this one."""


class Row(NamedTuple):
    """One sample."""

    ids: list[int]
    kinds: list[int]
    """0 for the first text, 1 for the second."""


class Tokens:
    """A tokenizer with what the network must know of it."""

    def __init__(self, tokenizer: Tokenizer, facts: dict[str, Any]) -> None:
        """`facts`: `pad`, `mask` (or None), `special`, numbers of tokens; `most`, tokens of a row (0: no limit)."""
        self.tokenizer, self.facts = tokenizer, facts
        self.pad, self.mask = int(facts["pad"]), facts["mask"]
        self.special, self.most = tuple(facts["special"]), int(facts["most"])
        tokenizer.no_truncation()
        tokenizer.no_padding()

    @classmethod
    def of(cls, folder: Path, config: Any) -> Tokens:
        """From the folder of a checkpoint, or of a saved model.

        Raises:
            TrialFailed: there is no tokenizer that can be read, or it has tokens that the network has not.
        """
        kept = folder / KEPT
        if (kept / FACTS).is_file():
            facts = json.loads((kept / FACTS).read_text(encoding="utf-8"))
            return cls(Tokenizer.from_file(str(kept / "tokenizer.json")), facts)
        if not any((folder / name).is_file() for name in TOKENIZERS):
            raise TrialFailed(
                f"a text network needs its tokenizer, but {folder} has none of the files {', '.join(TOKENIZERS)}.",
                "Save it beside the weights: tokenizer.save_pretrained(FOLDER)",
            )
        found = cls(*_read(folder, config))
        if (count := found.tokenizer.get_vocab_size()) > config.vocab_size:
            highest = max(found.tokenizer.get_vocab().values())
            if highest >= config.vocab_size:
                raise TrialFailed(
                    f"the tokenizer in {folder} has {count} tokens, but the network knows {config.vocab_size}: they do "
                    "not belong together."
                )
        return found

    def save(self, folder: Path) -> None:
        """Into a folder of its own below `folder`."""
        kept = folder / KEPT
        kept.mkdir(parents=True, exist_ok=True)
        self.tokenizer.save(str(kept / "tokenizer.json"))
        (kept / FACTS).write_text(json.dumps(self.facts), encoding="utf-8")

    def rows(self, samples: Sequence[tuple[str, ...]], each: int, most: int, truncation: str) -> list[Row]:
        """The tokens of samples of one text, or of two that the tokenizer puts together. From the third text on, they
        count as part of the second.

        Args:
            each: tokens of each text, at most; 0 takes all.
            most: tokens of a row, at most, those that the tokenizer adds included.
            truncation: what is left out of longer texts: end, start or middle.
        """
        texts = [part for sample in samples for part in text_pair(sample)]
        encoded = iter(self.tokenizer.encode_batch(texts, add_special_tokens=False))
        return [self._row([next(encoded) for _ in text_pair(sample)], each, most, truncation) for sample in samples]

    def _row(self, parts: list[Encoding], each: int, most: int, truncation: str) -> Row:
        room = max(1, most - self.tokenizer.num_special_tokens_to_add(len(parts) > 1))
        lengths = shared_room([min(len(part), each or len(part)) for part in parts], room)
        cut = [_cut(part, length, truncation) for part, length in zip(parts, lengths, strict=True)]
        whole = self.tokenizer.post_process(cut[0], cut[1] if len(cut) > 1 else None, add_special_tokens=True)
        return Row(whole.ids, whole.type_ids) if whole.ids else Row([self.pad], [0])


def _cut(part: Encoding, most: int, truncation: str) -> Encoding:
    if len(part) <= most:
        return part
    if truncation == "middle":
        return Encoding.merge([_end(part, most - most // 2, "right"), _end(part, most // 2, "left")])
    return _end(part, most, "left" if truncation == "start" else "right")


def _end(part: Encoding, most: int, direction: str) -> Encoding:
    """A copy, cut at the side named."""
    copy = Encoding.merge([part])
    copy.truncate(most, direction=direction)
    return copy


def _read(folder: Path, config: Any) -> tuple[Tokenizer, dict[str, Any]]:
    from transformers import AutoTokenizer

    try:
        found = AutoTokenizer.from_pretrained(
            folder, config=config, use_fast=True, local_files_only=True, trust_remote_code=False
        )
    except Exception as error:  # whatever libraries of tokenizers raise for files that they cannot read
        raise TrialFailed(f"the tokenizer in {folder} cannot be read: {type(error).__name__}: {error}") from error
    if not found.is_fast:
        raise TrialFailed(
            f"the tokenizer in {folder} must be a fast one, but {type(found).__name__} is not.",
            "Save it again with a tokenizer.json.",
        )
    ends = (found.pad_token_id, found.eos_token_id, found.unk_token_id, 0)
    most = found.model_max_length if 0 < found.model_max_length < UNBOUNDED else 0
    facts = {
        "pad": next(number for number in ends if number is not None),
        "mask": found.mask_token_id,
        "special": sorted(found.all_special_ids),
        "most": most,
    }
    return found.backend_tokenizer, facts
