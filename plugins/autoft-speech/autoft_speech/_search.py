"""Prefix beam search (Graves et al., 2006) in which a language model has a say in what comes next.

All recordings are searched side by side, frame by frame, by numpy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from autoft_speech._aligned import NEVER, sure

Array = np.ndarray[Any, np.dtype[Any]]

WIDTH = 16
"""Transcripts of a recording that are followed at a time."""
LETTERS = 12
"""Characters of a frame that are looked at, the likeliest ones."""
FLOOR = 1e-6
"""The least chance of a character in a frame: a text may need one that the network did not hear."""
QUIET = 0.999
"""Chance of the blank from which on a frame says nothing: several in a row are as one."""
ROWS = 128
"""Recordings, or weights of one, that are searched at once."""
NOBODY = np.uint64(2**64 - 1)
"""Of whom there is no transcript with one character less."""


class Table(NamedTuple):
    """What a language model says, as an automaton over classes."""

    follow: Array
    """int32 (states, classes): the next state."""
    score: Array
    """float32 (states, classes): natural logarithm of the chance of the class there."""
    end: Array
    """float32 (states,): the same of the end."""
    first: int = 0
    """The state that it begins in."""


class Vote(NamedTuple):
    """How much the scores of a table count beside those of the sound."""

    weight: float
    bonus: float
    """What each character adds, since each makes a text less likely."""


def search(chances: Array, table: Table, votes: Sequence[Vote]) -> tuple[Array, Array]:
    """The best transcript of each recording by each vote: `index` int32 (n, votes, longest), classes, then 0, and
    `confidence` float32 (n, votes), how sure it is of them (`_aligned.sure`).

    Args:
        chances: (n, frames, classes), class 0 is the blank.
    """
    brief = [_brief(frames) for frames in chances]
    weights = np.array(votes, np.float32).reshape(-1, 2)
    jobs = [(row, vote) for row in range(len(brief)) for vote in range(len(votes))]
    found: list[tuple[Array, Array]] = []
    for first in range(0, len(jobs), ROWS):
        some = jobs[first : first + ROWS]
        logs = _logs([brief[row] for row, _ in some])
        said = _beams(logs, table, weights[[vote for _, vote in some]])
        found.append((said, sure(logs, said)))
    longest = max([1, *(said.shape[1] for said, _ in found)])
    index = np.zeros((len(jobs), longest), np.int32)
    confidence = np.ones(len(jobs), np.float32)
    for number, (said, how) in enumerate(found):
        place = slice(number * ROWS, number * ROWS + len(said))
        index[place, : said.shape[1]], confidence[place] = said, how
    shape = (len(brief), len(votes))
    return index.reshape(*shape, longest), confidence.reshape(shape)


def _brief(frames: Array) -> Array:
    """Without frames that are blank behind others that are."""
    quiet = frames[:, 0] >= QUIET
    kept = ~quiet
    kept[1:] |= ~quiet[:-1]
    return np.asarray(frames[kept])


def _logs(rows: Sequence[Array]) -> Array:
    """float32 (rows, frames, classes), blank behind the last frame of each."""
    found = np.full((len(rows), max(map(len, rows)), rows[0].shape[1]), np.log(FLOOR), np.float32)
    found[:, :, 0] = 0
    for number, frames in enumerate(rows):
        found[number, : len(frames)] = np.log(np.maximum(frames, FLOOR))
    return found


class _Beam:
    """Transcripts of each row, the arrays (rows, width)."""

    def __init__(self, rows: int, first: int) -> None:
        shape = (rows, 1)
        self.blank = np.zeros(shape, np.float32)
        """Natural logarithm of the chance of all paths that end in a blank; `letter`: in the last character."""
        self.letter = np.full(shape, NEVER, np.float32)
        self.vote = np.zeros(shape, np.float32)
        """What table and bonus add."""
        self.state, self.last = np.full(shape, first, np.int64), np.zeros(shape, np.int64)
        self.name, self.before = np.ones(shape, np.uint64), np.full(shape, NOBODY)
        """A number for each transcript, and that of the same without its last character; 0 for a place that is free."""

    def both(self) -> Array:
        return np.asarray(np.logaddexp(self.blank, self.letter))


def _beams(logs: Array, table: Table, votes: Array) -> Array:
    """The best transcript of each row: classes int32 (rows, longest), then 0."""
    beam, steps = _Beam(len(logs), table.first), list[tuple[Array, Array]]()
    for frame in range(logs.shape[1]):
        steps.append(_step(beam, logs[:, frame], table, votes))
    place = (beam.both() + beam.vote + votes[:, :1] * table.end[beam.state]).argmax(1)
    row, said = np.arange(len(logs)), np.zeros((len(steps), len(logs)), np.int32)
    for number in range(len(steps) - 1, -1, -1):
        parent, came = steps[number]
        said[number], place = came[row, place], parent[row, place]
    texts = [letters[letters > 0] for letters in said.T]
    found = np.zeros((len(texts), max([1, *map(len, texts)])), np.int32)
    for number, text in enumerate(texts):
        found[number, : len(text)] = text
    return found


def _step(beam: _Beam, logs: Array, table: Table, votes: Array) -> tuple[Array, Array]:
    """Follow the beam through one frame; gives for each of its places the one before, and the character that came."""
    rows, width = beam.state.shape
    row, both = np.arange(rows)[:, None], beam.both()
    count = min(LETTERS, logs.shape[1] - 1)
    letters = np.sort(np.argpartition(-logs[:, 1:], count - 1, axis=1)[:, :count], axis=1) + 1
    heard = logs[row, letters]
    again = np.where(beam.last > 0, beam.letter + logs[row, beam.last], NEVER)
    more = heard[:, None] + np.where(letters[:, None] == beam.last[..., None], beam.blank[..., None], both[..., None])
    # What is followed already, and would come once more from the transcript before it, comes there alone.
    same = np.nonzero(beam.name[:, :, None] == beam.before[:, None, :])
    if len(same[0]):
        here, parent, child = same
        letter = beam.last[here, child]
        of = np.where(letter == beam.last[here, parent], beam.blank[here, parent], both[here, parent])
        again[here, child] = np.logaddexp(again[here, child], of + logs[here, letter])
        place = (letters[here] == letter[:, None]).argmax(1)
        told = letters[here, place] == letter
        more[here[told], parent[told], place[told]] = NEVER
    stay = both + logs[:, :1]
    score = table.score[beam.state[..., None], letters[:, None]]
    vote = beam.vote[..., None] + votes[:, :1, None] * score + votes[:, 1:, None]
    worth = np.concatenate([np.logaddexp(stay, again) + beam.vote, (more + vote).reshape(rows, -1)], axis=1)
    best = np.argpartition(-worth, min(WIDTH, worth.shape[1]) - 1, axis=1)[:, :WIDTH]
    old = best < width
    parent = np.where(old, best, (best - width) // count)
    place = np.where(old, 0, (best - width) % count)
    came = np.where(old, 0, letters[row, place])
    name = beam.name[row, parent]
    beam.blank = np.where(old, stay[row, parent], NEVER).astype(np.float32)
    beam.letter = np.where(old, again[row, parent], more[row, parent, place]).astype(np.float32)
    beam.vote = np.where(old, beam.vote[row, parent], vote[row, parent, place]).astype(np.float32)
    free = np.take_along_axis(worth, best, 1) <= NEVER / 2
    beam.before = np.where(free, NOBODY, np.where(old, beam.before[row, parent], name))
    new = name * np.uint64(6364136223846793005) + came.astype(np.uint64) * np.uint64(2) + np.uint64(1)
    beam.name = np.where(free, np.uint64(0), np.where(old, name, new))
    beam.last = np.where(old, beam.last[row, parent], came)
    state = beam.state[row, parent]
    beam.state = np.where(old, state, table.follow[state, came])
    return parent.astype(np.int16), came.astype(np.int32)  # of all frames: in little room
