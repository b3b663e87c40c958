"""The search: it finds the best of all texts, by sound and language model together, alone or beside others."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from autoft_speech import _ngram, _search
from autoft_speech._aligned import sure
from autoft_speech._search import Vote

LETTERS = ("a", "b", " ")
TABLE = _ngram.table(_ngram.learned(["ab a", "ba ab", "a a b"]), LETTERS)
SILENT = Vote(1e-9, 0.0)
"""A language model that has nothing to say."""


def all_texts(frames: Any) -> dict[tuple[int, ...], float]:
    """Every transcript and its chance, of all paths that say it."""
    found: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(frames.shape[1]), repeat=len(frames)):
        said = tuple(letter for letter, _ in itertools.groupby(path) if letter)
        chance = float(np.prod([frames[number, letter] for number, letter in enumerate(path)]))
        found[said] = found.get(said, 0.0) + chance
    return found


def spoken(text: tuple[int, ...]) -> float:
    state, total = TABLE.first, 0.0
    for letter in text:
        total, state = total + float(TABLE.score[state, letter]), int(TABLE.follow[state, letter])
    return total + float(TABLE.end[state])


@pytest.mark.parametrize("vote", [SILENT, Vote(0.4, 0.4), Vote(1.0, 0.0), Vote(0.7, 2.0)])
@pytest.mark.parametrize("seed", range(4))
def test_it_finds_the_best_of_all_texts(monkeypatch: pytest.MonkeyPatch, seed: int, vote: Vote) -> None:
    monkeypatch.setattr(_search, "WIDTH", 400)
    frames = np.random.default_rng(seed).dirichlet([0.6] * 4, 5).astype(np.float32)
    worth = {
        text: np.log(chance) + vote.weight * spoken(text) + vote.bonus * len(text)
        for text, chance in all_texts(np.maximum(frames, _search.FLOOR)).items()
    }
    index, _ = _search.search(frames[None], TABLE, [vote])
    assert tuple(index[0, 0][index[0, 0] > 0].tolist()) == max(worth, key=lambda text: worth[text])


def test_repeated_characters_need_a_blank_between_them() -> None:
    frames = np.eye(4, dtype=np.float32)[[[1, 1, 0, 1, 2, 2, 0, 0]]]
    index, confidence = _search.search(frames, TABLE, [SILENT])
    assert index.tolist() == [[[1, 1, 2]]] and np.allclose(confidence, 1)


def test_a_confidence_is_of_the_frames_that_say_each_character_best() -> None:
    frames = np.full((2, 6, 4), 0.01, np.float32)
    frames[:, [1, 4], 0] = 0.97
    frames[0, 0, 1], frames[0, 2, 1], frames[0, 3, 1], frames[0, 5, 2] = 0.5, 0.6, 0.9, 0.7
    frames[1, [0, 2, 3, 5], 0] = 0.97
    logs = np.log(frames)
    said = np.array([[1, 1, 2], [0, 0, 0]])
    assert np.allclose(sure(logs, said), [(0.5 + 0.9 + 0.7) / 3, 1])
    assert np.allclose(sure(logs, np.array([[1, 2, 0], [0, 0, 0]])), [(0.9 + 0.7) / 2, 1])
    assert sure(logs[:0], said[:0]).shape == (0,)


def test_neighbours_and_other_votes_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    chances = np.random.default_rng(1).dirichlet([0.3] * 4, (5, 30)).astype(np.float32)
    chances[2, 12:] = np.eye(4)[0]  # ends earlier
    votes = [SILENT, Vote(0.4, 0.4), Vote(0.7, 1.4)]
    index, confidence = _search.search(chances, TABLE, votes)
    assert np.array_equal(index, _search.search(chances, TABLE, votes)[0]), "the same each time"
    for row, place in itertools.product(range(5), range(3)):
        alone, sure = _search.search(chances[row : row + 1], TABLE, votes[place : place + 1])
        said = index[row, place]
        assert alone[0, 0].tolist() == said[: alone.shape[2]].tolist() and not said[alone.shape[2] :].any()
        assert np.isclose(sure[0, 0], confidence[row, place])
    monkeypatch.setattr(_search, "ROWS", 4)
    assert np.array_equal(index, _search.search(chances, TABLE, votes)[0]), "in parts"


def test_silence_says_nothing_and_no_recordings_are_none() -> None:
    silent = np.zeros((2, 7, 4), np.float32)
    silent[..., 0] = 1
    index, confidence = _search.search(silent, TABLE, [SILENT, Vote(0.4, 0.4)])
    assert index.shape[:2] == (2, 2) and not index.any() and (confidence == 1).all()
    none, sure = _search.search(silent[:0], TABLE, [SILENT])
    assert none.shape[:2] == sure.shape == (0, 1)


def test_more_classes_than_are_looked_at() -> None:
    letters = tuple(chr(0x4E00 + number) for number in range(300))
    table = _ngram.table(_ngram.learned([letters[3] + letters[299], letters[7]]), letters)
    frames = np.full((1, 3, 301), 1e-5, np.float32)
    frames[0, [0, 1, 2], [4, 0, 300]] = 1
    assert _search.search(frames, table, [Vote(0.4, 0.4)])[0].tolist() == [[[4, 300]]]
