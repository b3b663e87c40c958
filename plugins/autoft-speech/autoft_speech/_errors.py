"""Edits between transcripts, counted by jiwer: the whole set's rates are sums of edits over sums of words."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoft.api import Metric
from autoft_speech._words import words

Array = np.ndarray[Any, np.dtype[Any]]

CER = Metric(
    name="cer",
    mode="min",
    percent=True,
    best=0.0,
    blank=1.0,
    summary="character errors for each character that was said",
)
METRICS = (
    Metric(
        name="wer",
        mode="min",
        percent=True,
        best=0.0,
        blank=1.0,
        stand_in=CER,
        summary="word errors for each word that was said",
    ),
    CER,
)
KINDS = {"wer": "words", "cer": "characters"}
"""Metric -> what it counts."""


def tally(said: list[str], heard: list[str]) -> dict[str, Array]:
    """For each sample the edits and the length in words (`_words`) and in characters, int64 (n,) each."""
    import jiwer

    found: dict[str, list[int]] = {f"{part}_{kind}": [] for kind in KINDS.values() for part in ("edits", "length")}
    for right, guess in zip(said, heard, strict=True):
        spoken, meant = words(right), words(guess)
        for kind, process, length, most in (
            ("words", jiwer.process_words, len(spoken), len(meant)),
            ("characters", jiwer.process_characters, len(right), len(guess)),
        ):
            if length:
                counts = process(*((" ".join(spoken), " ".join(meant)) if kind == "words" else (right, guess)))
                edits = counts.substitutions + counts.deletions + counts.insertions
            else:  # jiwer refuses an empty reference: all that was heard is too much
                edits = most
            found[f"edits_{kind}"].append(edits)
            found[f"length_{kind}"].append(length)
    return {key: np.array(values, np.int64) for key, values in found.items()}


def rate(name: str, tallies: dict[str, Array]) -> float:
    """One metric over all samples (can exceed 1); NaN where nothing was said."""
    length = int(tallies[f"length_{KINDS[name]}"].sum())
    return float(tallies[f"edits_{KINDS[name]}"].sum() / length) if length else float("nan")
