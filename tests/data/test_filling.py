"""The pace at which a store is filled: told by its first rows, and believed only after a while."""

from __future__ import annotations

import math

import numpy as np
import pytest

from autoft.data import filling, store
from autoft.data.filling import TooSlow
from autoft.data.forms import Waves
from autoft.records import Decoding, Sample
from autoft.testing import toys


class Clock:
    """Time that passes by what is done."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def filled(number: int, within: float, pace: float, first: float = 0.0) -> tuple[list[int], float]:
    """The rows that are filled, and the seconds that pass; `first` more for the first portion."""
    clock, rows = Clock(), []
    for portion in filling._portions(number, 1, within, clock):
        clock.now += pace * len(portion) + (0.0 if rows else first)
        rows += portion
    return rows, clock.now


@pytest.mark.parametrize(
    ("number", "within", "pace"), [(100, math.inf, 9.0), (50, 0.1, 0.01), (1000, 20.0, 0.019), (5, 1.0, 100.0)]
)
def test_all_rows_are_filled_once_where_they_fit_or_are_few(number, within, pace):
    rows, _ = filled(number, within, pace)
    assert sorted(rows) == list(range(number))
    assert (rows == list(range(number))) == math.isinf(within) or number < 8


def test_rows_that_do_not_fit_are_stopped_soon():
    with pytest.raises(TooSlow) as caught:
        filled(100_000, 20.0, 0.01)
    assert caught.value.pace == pytest.approx(0.01)
    assert 5.0 <= caught.value.spent < 5.2, "a quarter of the time"
    with pytest.raises(TooSlow) as caught:
        filled(100_000, 200.0, 0.01)
    assert caught.value.spent < 10.2


def test_a_slow_beginning_is_no_pace():
    rows, spent = filled(1000, 20.0, 0.012, first=4.0)
    assert len(rows) == 1000 and spent < 20


def test_a_store_that_is_not_filled_leaves_nothing(cache, classes, checked, monkeypatch):
    found = checked(classes({"a": 12, "b": 12}))
    monkeypatch.setattr(filling, "LOOK", 0.0)
    with pytest.raises(TooSlow):
        store.build(found.dataset, found.digests, *toys.pictures(16), cache, workers=1, within=0.0)
    assert list((cache / "stores").iterdir()) == []


def test_zeros_behind_a_short_recording_are_not_written(tmp_path, monkeypatch):
    pytest.importorskip("soundfile")
    form = Waves(Decoding(size=16, seconds=60.0))
    monkeypatch.setattr(form, "row", lambda number, sample: filling_row(form, number))
    plan = filling.Plan([Sample(id=str(n), fields={}) for n in range(3)], [form])
    filling.fill(tmp_path, plan, workers=1)
    written = np.load(tmp_path / "audio.npy")
    assert written.shape == (3, 960_000) and (written[:, :10] == 7).all() and not written[:, 10:].any()
    assert np.load(tmp_path / "length.npy").tolist() == [10, 10, 10]
    assert (tmp_path / "audio.npy").stat().st_blocks * 512 < 200_000 < (tmp_path / "audio.npy").stat().st_size


def filling_row(form: Waves, number: int) -> object:
    from autoft.data.forms import Row

    return Row(form.arrays(np.full(10, 7, np.int16)))
