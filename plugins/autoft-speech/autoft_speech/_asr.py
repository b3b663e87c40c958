"""`SpeechRecognition`: transcripts as rows of characters, learned by connectionist temporal classification.

Graves et al. (2006). A network gives for each frame the chances of every character and of a blank; the transcript is
what is left when repeated characters are merged and blanks are dropped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autoft.api import DataError, Dataset, Output, Problem, Sample, Scalar, Schema
from autoft_speech import _characters, _errors

Array = np.ndarray[Any, np.dtype[Any]]
Arrays = Mapping[str, Array]

BLANK = 0
RARE = 5
"""Characters that training transcripts have fewer times are named: a network sees them too seldom to learn them."""
SHOWN = 20
"""Characters that a sentence names at most."""


class SpeechRecognition:
    """What is said in a recording, by characters. Implements `Task`, `Tallying` and `Counting`."""

    name = "asr"
    modality = "audio"
    inputs = ("audio",)
    targets = ("transcript",)
    metrics = _errors.METRICS
    modules = ("jiwer",)

    def schema(self, dataset: Dataset) -> Schema:
        """`extra` keeps the characters, the length of the longest transcript, and sentences for the user.

        Raises:
            DataError: a transcript is missing, or all of them are empty or the same.
        """
        dropped: Counter[str] = Counter()
        samples = sorted(dataset.samples, key=lambda sample: sample.id)  # what is told must not hang on their order
        texts = {sample.id: _characters.normalise(_said(sample), dropped) for sample in samples}
        learned = [texts[sample.id] for sample in samples if sample.split in ("", "train")]
        if len(set(learned)) < 2:
            raise DataError(
                f"speech recognition needs transcripts that differ, but the {len(learned)} training transcripts of "
                f"{dataset.root} hold {len(set(learned))} text.",
                "Name the column with what is said: --target COLUMN.",
            )
        characters = _characters.alphabet(learned)
        longest = max(len(text) for text in texts.values())
        warnings = [*_told(characters, dropped), *_rare(samples, texts), *_unknown(samples, texts, characters)]
        warnings += _silent(texts)
        return Schema(
            task=self.name,
            extra={
                "recordings": len(learned),
                "characters": list(characters),
                "longest": longest,
                "rules": _characters.RULES,
                "warnings": warnings,
            },
        )

    def strata(self, dataset: Dataset) -> Sequence[str]:
        """All samples are alike."""
        return [""] * len(dataset.samples)

    def counts(self, dataset: Dataset) -> Sequence[int]:
        """Words of each transcript: a rate of errors is over words."""
        return [len(_characters.normalise(_said(sample)).split()) for sample in dataset.samples]

    def formulations(self, schema: Schema) -> Sequence[Problem]:
        """One class for each character, and the blank."""
        letters = ("", *schema.extra.get("characters", schema.classes))
        output = Output(
            name="transcript",
            head="sequence",
            size=len(letters),
            loss="ctc",
            post="softmax",
            target="transcript",
            letters=letters,
        )
        return (Problem(name="ctc", inputs=self.inputs, outputs=(output,)),)

    def encode(self, samples: Sequence[Sample], schema: Schema, problem: Problem) -> Arrays:
        """`transcript` int64 (n, longest), classes from 1 on, padded with -1.

        Raises:
            DataError: a transcript is missing.
        """
        characters = schema.extra["characters"]
        rows = [_characters.indices(_characters.normalise(_said(sample)), characters) for sample in samples]
        found = np.full((len(rows), max([schema.extra["longest"], 1, *map(len, rows)])), -1, np.int64)
        for number, row in enumerate(rows):
            found[number, : len(row)] = row
        return {"transcript": found}

    def decode(self, outputs: Arrays, schema: Schema, problem: Problem) -> Arrays:
        """Greedily: `index` int64 (n, frames), the classes of the transcript, then 0; `confidence` float32 (n,), the
        mean over its characters of the chance of the frame that says it, 1 where there are none."""
        chances = np.asarray(outputs["transcript"])
        best = chances.argmax(-1)
        new = np.ones(best.shape, bool)
        new[:, 1:] = best[:, 1:] != best[:, :-1]
        kept = new & (best != BLANK)
        index = np.zeros(best.shape, np.int64)
        confidence = np.ones(len(best), np.float32)
        for row, places in enumerate(kept):
            count = int(places.sum())
            index[row, :count] = best[row, places]
            if count:
                confidence[row] = chances[row, places].max(-1).mean()
        return {"index": index, "confidence": confidence}

    def tally(self, decoded: Arrays, targets: Arrays, schema: Schema) -> Arrays:
        """Edits and lengths of each sample, in words and in characters."""
        characters = schema.extra["characters"]
        said, heard = (
            [_characters.spell(row, characters) for row in rows.tolist()]
            for rows in (targets["transcript"], decoded["index"])
        )
        return _errors.tally(said, heard)

    def score(self, decoded: Arrays, targets: Arrays, schema: Schema, names: Sequence[str]) -> dict[str, float]:
        """Rates over the whole set. `decoded` may be what `tally` gave, with no targets."""
        tallies = dict(decoded) if "edits_words" in decoded else dict(self.tally(decoded, targets, schema))
        return {name: _errors.rate(name, tallies) for name in names}

    def rows(self, decoded: Arrays, schema: Schema) -> Iterator[dict[str, Scalar]]:
        """`prediction`, the transcript, and `confidence`."""
        for row, confidence in zip(decoded["index"].tolist(), decoded["confidence"].tolist(), strict=True):
            yield {"prediction": _characters.spell(row, schema.extra["characters"]), "confidence": confidence}


def _said(sample: Sample) -> str:
    text = sample.fields.get("transcript")
    if text is None:
        raise DataError(
            f"every sample needs a transcript, but '{sample.id}' has none.",
            "Name the column with what is said: --target COLUMN.",
        )
    return str(text)


def _told(characters: Sequence[str], dropped: Counter[str]) -> Iterator[str]:
    letters = "".join(characters[:-1]).replace(" ", "")
    words = f"transcripts are learned as {len(letters)} characters and the space ({_characters.RULES})"
    if dropped:
        words += f"; dropped: {_shown(dropped)}"
    yield f"{words}."


def _rare(samples: Sequence[Sample], texts: Mapping[str, str]) -> Iterator[str]:
    """Characters that training transcripts have too few times, and where the first one stands."""
    trained = [sample.id for sample in samples if sample.split in ("", "train")]
    counts = Counter(letter for name in trained for letter in texts[name])
    rare = Counter({letter: count for letter, count in counts.items() if count < RARE and letter != " "})
    if rare:
        first = next(name for name in trained if not rare.keys().isdisjoint(texts[name]))
        is_are = "1 character is" if len(rare) == 1 else f"{len(rare)} characters are"
        yield (
            f"{is_are} too rare to learn, in training transcripts fewer than {RARE} times, the first in '{first}': "
            f"{_shown(rare)}."
        )


def _unknown(samples: Sequence[Sample], texts: Mapping[str, str], characters: Sequence[str]) -> Iterator[str]:
    """Characters that cannot be learned, and where the first one stands."""
    counts: Counter[str] = Counter()
    first = ""
    for sample in samples:
        strange = [letter for letter in texts[sample.id] if letter not in characters]
        counts.update(strange)
        first = first or (sample.id if strange else "")
    if counts:
        yield (
            f"validation and test transcripts have {len(counts)} characters that no training transcript has, the "
            f"first in '{first}': {_shown(counts)}. They count as errors."
        )


def _silent(texts: Mapping[str, str]) -> Iterator[str]:
    empty = [name for name, text in texts.items() if not text]
    if empty:
        yield f"{len(empty)} transcripts are empty, the first that of '{empty[0]}': nothing is said there, it is taken."


def _shown(counts: Counter[str]) -> str:
    names = [f"{letter} ({count})" for letter, count in counts.most_common(SHOWN)]
    return " ".join(names) + (f" and {len(counts) - SHOWN} more" if len(counts) > SHOWN else "")
