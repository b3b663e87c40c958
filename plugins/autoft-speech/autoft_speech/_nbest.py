"""The likeliest transcripts of a recording, many of them, by flashlight-text (the extra `lm`).

The library follows texts of any characters, or of known words alone, by a trie of their spellings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

from autoft.api import UsageError

Array = np.ndarray[Any, np.dtype[Any]]

WIDTH = 50
"""Transcripts that are followed at a time, and given back at most."""
TOKENS = 12
"""Characters of a frame that are followed."""
BEHIND = 25.0
"""Natural logarithm by which a transcript may be behind the best one."""
FLOOR = 1e-6
"""The least chance of a character in a frame: a word may need one that the network did not hear."""
SURE = 1 - 1e-6
"""Chance of the blank from which on a frame at the end says nothing."""


class Heard(NamedTuple):
    """One transcript of a recording."""

    row: tuple[int, ...]
    """Classes."""
    score: float
    """Natural logarithm of its chance, of the paths that were followed."""
    sure: float
    """The mean over its characters of their chance in the frame that says them, 1 where there are none."""


def available() -> bool:
    try:
        return find_spec("flashlight.lib.text.decoder") is not None
    except ModuleNotFoundError:
        return False


def heard(chances: Array, words: Sequence[Sequence[int]] = (), space: int = 0) -> Iterator[list[Heard]]:
    """Transcripts of each recording, the likeliest one first, one at least: the empty one where nothing is said.

    Args:
        chances: (n, frames, classes), class 0 is the blank.
        words: classes of all words that may be said; without any, everything may.
        space: class of what stands between them; 0 where a transcript is one word.

    Raises:
        UsageError: the library is not installed.
    """
    classes = chances.shape[2]
    mark = space or classes  # words are spelled with what ends them: a space, or a class that no frame has
    decoder = _decoder(classes + (mark == classes and bool(words)), words, mark)
    for frames in chances:
        said = np.flatnonzero(frames[:, 0] < SURE)
        if not len(said):
            yield [Heard((), 0.0, 1.0)]
            continue
        logs = _logs(frames[: said[-1] + 1], mark if words else 0)
        found = _found(decoder, logs, words, space)
        yield sorted(found.values(), key=lambda one: (-one.score, one.row)) or [Heard((), 0.0, 1.0)]


def _logs(frames: Array, mark: int) -> Array:
    """Natural logarithms of chances, float32; with the end of a word behind the last frame if `mark` is its class."""
    if mark:
        end = np.zeros((2, max(mark + 1, frames.shape[1])), np.float32)
        end[0, 0], end[1, mark] = 1, 1
        frames = np.pad(frames, ((0, 0), (0, end.shape[1] - frames.shape[1])))
        frames = np.concatenate([frames, end])
    return np.ascontiguousarray(np.log(np.maximum(frames, FLOOR)), np.float32)


def _decoder(classes: int, words: Sequence[Sequence[int]], mark: int) -> Any:
    try:
        from flashlight.lib.text import decoder as library
    except ImportError as error:
        raise UsageError(
            f"this model was chosen with a language model, which needs flashlight-text, but that cannot be imported: "
            f"{error}.",
            "pip install 'autoft-speech[lm]'",
        ) from error
    usual: dict[str, Any] = {
        "beam_size": WIDTH,
        "beam_size_token": min(TOKENS, classes),
        "beam_threshold": BEHIND,
        "lm_weight": 0.0,
        "sil_score": 0.0,
        "log_add": True,
        "criterion_type": library.CriterionType.CTC,
    }
    if not words:
        options = library.LexiconFreeDecoderOptions(**usual)
        return library.LexiconFreeDecoder(options, library.ZeroLM(), -1, 0, [])
    trie = library.Trie(classes, mark)
    for number, word in enumerate(words):
        trie.insert([*word, mark], number, 0.0)
    options = library.LexiconDecoderOptions(**usual, word_score=0.0, unk_score=float("-inf"))
    return library.LexiconDecoder(options, trie, library.ZeroLM(), mark, 0, -1, [], False)


def _found(decoder: Any, logs: Array, words: Sequence[Sequence[int]], space: int) -> dict[tuple[int, ...], Heard]:
    """By transcript: what ends in a blank and in a character are two for the library, and one here."""
    found: dict[tuple[int, ...], Heard] = {}
    for result in decoder.decode(logs.ctypes.data, *logs.shape):
        path = np.asarray(result.tokens[1:-1], np.int64)[: len(logs)]  # the library puts a frame before and behind
        new = np.ones(len(path), bool)
        new[1:] = path[1:] != path[:-1]
        places = np.flatnonzero(new & (path > 0))
        if words:
            spoken = [number for number in result.words if number >= 0]
            if not space and len(spoken) > 1:
                continue
            row = tuple(part for number in spoken for part in (space, *words[number]))[1:]
        else:
            row = tuple(path[places].tolist())
        sure = float(np.exp(logs[places, path[places]]).mean()) if len(places) else 1.0
        known = found.get(row)
        score = result.score if known is None else float(np.logaddexp(known.score, result.score))
        found[row] = Heard(row, score, sure if known is None else known.sure)
    return found
