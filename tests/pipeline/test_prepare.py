"""What is known of targets comes from samples that will not be the test part."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from autoft.data import store
from autoft.data.filling import TooSlow
from autoft.errors import DataError
from autoft.events import Event, Listener, Note
from autoft.options import DataOptions
from autoft.pipeline import prepare
from autoft.pipeline.prepare import Checked
from autoft.records import Dataset, Decoding, Issue, Sample
from autoft.tasks.regression import Regression

DIGESTS = tuple(f"{number:032x}" for number in range(80))


class Numbers(Regression):
    name = "numbers"
    modality = "image"
    inputs = ("image",)


def dataset(**last: str) -> Dataset:
    samples = [Sample(id=f"{n:02d}", fields={"image": f"{n}.png", "value": float(n)}) for n in range(79)]
    samples.append(Sample(id="79", fields={"image": "79.png", "value": 1e6}, **last))
    return Dataset(samples=tuple(samples), reader="none", root="here", recognised="numbers")


@pytest.mark.parametrize("seed", range(3))
def test_samples_that_are_drawn_for_the_test_part_tell_nothing(seed: int) -> None:
    test = {*prepare.split(dataset(), Numbers(), DIGESTS, seed).test}
    told = prepare._told(dataset(), test)
    locked = {sample.id for sample in told.samples if sample.split == "test"}
    assert locked == test and len(locked) == 12
    mean, deviation = Numbers().schema(told).extra["value"]
    known = [float(s.fields["value"]) for s in dataset().samples if s.id not in locked]
    assert mean == pytest.approx(sum(known) / len(known), rel=1e-3)
    assert deviation > 0


def test_a_test_part_of_the_data_stays_what_it_is() -> None:
    given = dataset(split="test")
    told = prepare._told(given, {*prepare.split(given, Numbers(), DIGESTS, 0).test})
    assert [sample.id for sample in told.samples if sample.split == "test"] == ["79"]
    assert Numbers().schema(told).extra["value"][0] < 100


class Lengths(Numbers):
    inputs = ("audio",)


def prepared(
    monkeypatch: pytest.MonkeyPatch,
    build: object,
    seconds: float = 10.0,
    windows: int = 5,
    listener: Listener = lambda event: None,
    lengths: np.ndarray | None = None,
) -> prepare.Prepared:
    """Of 80 recordings of 30 seconds."""
    data = dataset()
    samples = tuple(
        msgspec.structs.replace(s, fields={"audio": s.id, "value": 1.0 * n}) for n, s in enumerate(data.samples)
    )
    data = msgspec.structs.replace(data, samples=samples)
    divided = prepare.split(data, Lengths(), DIGESTS, 0)
    checked = Checked(
        data, Lengths().schema(data), DIGESTS, (), 32, np.full(80, 30.0) if lengths is None else lengths, 80, divided
    )
    monkeypatch.setattr(store, "build", build)
    decoding = Decoding(size=32, seconds=seconds, windows=windows)
    return prepare.prepare(
        checked, Lengths(), DataOptions(), decoding, ("image",), 0, listener, Path("none"), within=100.0
    )


def test_further_parts_of_long_recordings_train(monkeypatch: pytest.MonkeyPatch) -> None:
    def build(data: Dataset, *_: object, **__: object) -> tuple[SimpleNamespace, tuple[Issue, ...]]:
        return SimpleNamespace(arrays={}), (Issue(kind="cut_off", subject="01@10s"),)

    found = prepared(monkeypatch, build)
    train = found.splits.folds[0].train
    assert "01" in train and "01@20s" in train and "01@10s" not in train
    whole = [name for name in train if "@" not in name]
    assert len(train) == 3 * len(whole) - 1 and {name.split("@")[0] for name in train} == {*whole}
    assert not any("@" in name for name in (*found.splits.folds[0].val, *found.splits.test))
    assert "further parts of long recordings train as well" in found.splits.sentence


def test_recordings_that_are_heard_whole_or_have_no_time_are_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = []

    def build(data: Dataset, *_: object, within: float) -> tuple[SimpleNamespace, tuple[Issue, ...]]:
        limits.append(within)
        if len(data.samples) > 80:
            raise TooSlow(25.0, 1.0)
        return SimpleNamespace(arrays={}), ()

    found = prepared(monkeypatch, build)
    assert len(found.dataset.samples) == 80 and "further parts" not in found.splits.sentence and not found.used
    assert limits == [100.0, 75.0]
    assert len(prepared(monkeypatch, build, seconds=9.0).dataset.samples) == 80
    assert len(prepared(monkeypatch, build, windows=1).dataset.samples) == 80
    assert limits == [100.0, 75.0, 100.0, 100.0]


def kept(*_: object, **__: object) -> tuple[SimpleNamespace, tuple[Issue, ...]]:
    return SimpleNamespace(arrays={}), ()


def test_recordings_that_no_trial_hears_to_their_end_neither_train_nor_validate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard: list[Event] = []
    whole = prepared(monkeypatch, kept, seconds=30.0, windows=0, listener=heard.append)
    assert not [event for event in heard if isinstance(event, Note)]
    fold, seconds = whole.splits.folds[0], np.full(80, 30.0)
    long = (fold.train[0], fold.train[1], fold.val[0], whole.splits.test[0])
    seconds[[int(name) for name in long]] = 41.0
    found = prepared(monkeypatch, kept, seconds=30.0, windows=0, listener=heard.append, lengths=seconds)
    (note,) = [event for event in heard if isinstance(event, Note)]
    assert note.level == "warning" and "said there: 3 recordings longer than 30 s, '" in note.text
    assert all(f"'{name}'" in note.text for name in long[:3])
    assert found.splits.sentence.endswith("Left out of training and validation: 3 recordings longer than 30 s.")
    assert found.splits.folds[0].train == fold.train[2:] and found.splits.folds[0].val == fold.val[1:]
    assert found.splits.test == whole.splits.test and len(found.dataset.samples) == 80


def test_where_most_recordings_are_too_long_they_must_be_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"at most 20 s long .* 68 of 68 that train or validate are longer"):
        prepared(monkeypatch, kept, seconds=20.0, windows=0)


def test_those_left_out_stay_so_where_others_are_damaged(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths = np.full(80, 30.0)
    fold = prepare.split(dataset(), Numbers(), DIGESTS, 0).folds[0]
    lengths[int(fold.train[0])] = 41.0

    def build(*_: object, **__: object) -> tuple[SimpleNamespace, tuple[Issue, ...]]:
        return SimpleNamespace(arrays={}), (Issue(kind="corrupt", subject=fold.train[1], detail="x"),)

    found = prepared(monkeypatch, build, seconds=30.0, windows=0, lengths=lengths)
    assert found.splits.folds[0].train == fold.train[2:]
