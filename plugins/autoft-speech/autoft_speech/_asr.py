"""`SpeechRecognition`: transcripts as rows of characters, learned by connectionist temporal classification.

Graves et al. (2006). A network gives for each frame the chances of every character and of a blank; the transcript is
what is left when repeated characters are merged and blanks are dropped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from autoft.api import DataError, Dataset, Output, Problem, Sample, Scalar, Schema, counted
from autoft_speech import _beam, _characters, _errors, _joining, _language, _telling
from autoft_speech._words import words

Array = np.ndarray[Any, np.dtype[Any]]
Arrays = Mapping[str, Array]

BLANK = 0


class SpeechRecognition:
    """What is said in a recording, by characters. Implements `Task`, `Tallying`, `Calibrated`, `Counting`,
    `Joining` and `Learning`."""

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
        noises: Counter[str] = Counter()
        samples = sorted(dataset.samples, key=lambda sample: sample.id)  # what is told must not hang on their order
        texts = {sample.id: _characters.normalise(_said(sample), dropped, noises) for sample in samples}
        learned = [texts[sample.id] for sample in samples if sample.split in ("", "train")]
        if len(set(learned)) < 2:
            raise DataError(
                f"speech recognition needs transcripts that differ, but the {len(learned)} training transcripts of "
                f"{dataset.root} hold {len(set(learned))} text.",
                "Name the column with what is said: --target COLUMN.",
            )
        characters = _characters.alphabet(learned)
        longest = max(len(text) for text in texts.values())
        warnings = [
            *_telling.sentences(samples, texts, characters, dropped),
            *_telling.noises(noises, map(_said, samples)),
        ]
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
        return [len(words(_characters.normalise(_said(sample)))) for sample in dataset.samples]

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
        rows = _characters.indices((_characters.normalise(_said(sample)) for sample in samples), characters)
        found = np.full((len(rows), max([schema.extra["longest"], 1, *map(len, rows)])), -1, np.int64)
        for number, row in enumerate(rows):
            found[number, : len(row)] = row
        return {"transcript": found}

    def learn(self, targets: Arrays, schema: Schema) -> Schema:
        """`extra["lm"]`: a language model of these transcripts, unless validation has chosen to do without."""
        set_before = schema.extra.get("calibrated")
        extra = {key: value for key, value in schema.extra.items() if key != "lm"}
        if set_before is None or _language.vote(set_before):
            rows = targets["transcript"].tolist()
            extra["lm"] = _language.learned([_characters.spell(row, extra["characters"]) for row in rows])
        return msgspec.structs.replace(schema, extra=extra)

    def decode(self, outputs: Arrays, schema: Schema, problem: Problem) -> Arrays:
        """Greedily: `index` int64 (n, frames), the classes of the transcript, then 0; `confidence` float32 (n,), the
        mean over its characters of the chance of the frame that says it, 1 where there are none. By a beam:
        `beam_index` and `beam_confidence`, where a model was chosen with one, or could be. By a language model:
        `lm_index` and `lm_confidence` where a model was chosen with one, `votes_index` and `votes_confidence`, with a
        second axis for weights that it may get, where it could be."""
        chances = np.asarray(outputs["transcript"])
        index, confidence = _greedy(chances)
        found = {"index": index, "confidence": confidence}
        set_before = schema.extra.get("calibrated", {})
        if vote := _language.vote(set_before):
            rows, sure = _language.heard(chances, schema.extra, [vote])
            return {**found, "lm_index": rows[:, 0], "lm_confidence": sure[:, 0]}
        width = set_before.get("beam", 0)
        if width > 1 or (not width and _beam.available()):
            found["beam_index"], found["beam_confidence"] = _beam.search(chances)
        if not width and "lm" in schema.extra and index.any():  # a network that is silent has nothing to choose from
            found["votes_index"], found["votes_confidence"] = _language.heard(chances, schema.extra)
        return found

    def joined(self, decoded: Arrays, parts: Arrays, owners: Array, schema: Schema) -> Arrays:
        """Transcripts of parts with a space between them, where the language has one; the confidence of each part
        counts by its characters. What may still be chosen from is not joined: nothing is, where a model is used."""
        characters = schema.extra["characters"]
        space = characters.index(" ") + 1 if " " in characters else BLANK
        found = {key: values for key, values in decoded.items() if not key.startswith("votes_")}
        for kind in ("", "beam_", "lm_"):
            if f"{kind}index" in decoded:
                index, sure = f"{kind}index", f"{kind}confidence"
                found[index], found[sure] = _joining.joined(
                    decoded[index], decoded[sure], parts[index], parts[sure], owners, space
                )
        return found

    def calibrate(self, decoded: Arrays, targets: Arrays, schema: Schema) -> Schema:
        """`beam`: the width of the beam if it makes fewer errors than greedy decoding, in words and, where these are
        level or tell nothing, in characters; else 1, which is greedy. `lm`: the weight of a language model where it
        makes clearly fewer errors than both, with what else belongs to it; 0 where it does not."""
        found: dict[str, float] = {"beam": 1}
        plain, extra = decoded["index"], dict(schema.extra)
        if "beam_index" in decoded:
            names = [metric.name for metric in self.metrics]
            greedy = self.score(decoded, targets, schema, names)
            beam = self.score({"index": decoded["beam_index"]}, targets, schema, names)
            first = self.metrics[0]
            if (counted(first, beam), beam["cer"]) < (counted(first, greedy), greedy["cer"]):
                plain, found = decoded["beam_index"], {"beam": _beam.WIDTH}
        if "lm" in extra:
            vote = None
            if "votes_index" in decoded:

                def tally(rows: Array) -> Arrays:
                    return self.tally({"index": rows}, targets, schema)

                vote = _language.chosen(decoded["votes_index"], plain, tally, extra["lm"]["new"])
            found = _language.named(vote) if vote else {**found, "lm": 0.0}
            if vote is None:
                del extra["lm"]  # nothing is kept with a model that it does not use
        return msgspec.structs.replace(schema, extra={**extra, "calibrated": found})

    def settled(self, decoded: Arrays, schema: Schema) -> Arrays:
        """`index` and `confidence`, of the beam or of the language model where validation has chosen them."""
        set_before = schema.extra.get("calibrated", {})
        vote = _language.vote(set_before)
        if vote and "votes_index" in decoded:
            place = _language.VOTES.index(vote)
            return {key: decoded["votes_" + key][:, place] for key in ("index", "confidence")}
        kind = "lm_" if vote else "beam_" if set_before.get("beam", 1) > 1 else ""
        kind = kind if kind + "index" in decoded else ""
        return {key: decoded[kind + key] for key in ("index", "confidence")}

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


def _greedy(chances: Array) -> tuple[Array, Array]:
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
    return index, confidence


def _said(sample: Sample) -> str:
    text = sample.fields.get("transcript")
    if text is None:
        raise DataError(
            f"every sample needs a transcript, but '{sample.id}' has none.",
            "Name the column with what is said: --target COLUMN.",
        )
    return str(text)
