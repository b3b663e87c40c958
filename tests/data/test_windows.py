"""Recordings longer than what a network hears at once are heard in several parts when a model predicts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import soundfile

from autoft import scoring
from autoft.data import audio, forms, images, longer, store
from autoft.data.feed import DecodedFeed, StoreFeed, WholeFeed
from autoft.errors import DataError
from autoft.records import Dataset, Decoding, Fold, Output, Problem, Sample, Schema, Splits
from autoft.testing import ToyTask

RATE = 8000
DECODING = Decoding(size=32, seconds=1.0, windows=4)


def staircase(path: Path, seconds: float) -> Sample:
    """Louder from second to second: a twentieth of full scale more in each."""
    loud = 0.05 * (1 + np.arange(round(seconds * RATE)) // RATE)
    soundfile.write(path, loud, RATE)
    return Sample(id=path.name, fields={"audio": str(path)})


class Loudness:
    """Gives the loudest sample of what it hears, and how often it was asked."""

    def __init__(self) -> None:
        self.heard: list[int] = []

    def predict(self, feed: scoring.Feed) -> dict[str, np.ndarray]:
        self.heard.append(len(feed))
        batch = feed.batch(np.arange(len(feed)))
        return {"loud": (np.median(batch["audio"], axis=1)[:, None] / 32768).astype(np.float32)}


def problem(**more: str) -> Problem:
    plain = {"name": "loud", "head": "pooled", "loss": "mse", "post": "identity", "target": "loud"}
    return Problem(name="any", inputs=("audio",), outputs=(Output(**{**plain, **more}, size=1),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("total", "most", "expected"),
    [
        (0.5, 5, [0.0]),
        (1.05, 5, [0.0]),
        (2.0, 5, [0.0, 1.0]),
        (2.5, 5, [0.0, 0.75, 1.5]),
        (100.0, 3, [0.0, 49.5, 99.0]),
        (100.0, 1, [0.0]),
    ],
)
def test_parts_cover_a_recording_from_its_beginning_to_its_end(total: float, most: int, expected: list[float]) -> None:
    assert np.allclose(audio.starts(total, 1.0, most), expected)


def test_the_mean_over_its_parts_is_predicted_for_a_long_recording(tmp_path: Path) -> None:
    samples = [staircase(tmp_path / f"{n}.wav", seconds) for n, seconds in enumerate((4.0, 0.6, 2.0))]
    feed, learner = DecodedFeed(samples, forms.inputs("audio", ["audio"], DECODING)), Loudness()
    found = scoring.whole(learner, feed, problem())["loud"]  # type: ignore[arg-type]
    assert found.dtype == np.float32 and learner.heard == [3, 4], "three parts more of the first, one of the last"
    assert np.allclose(found[[0, 2], 0], [0.05 * 2.5, 0.05 * 1.5], atol=0.002)


def test_pictures_of_parts_are_those_of_the_parts_as_recordings(tmp_path: Path) -> None:
    long = staircase(tmp_path / "a.wav", 2.0)
    rng = np.random.default_rng(0)
    soundfile.write(tmp_path / "a.wav", 0.1 * rng.normal(size=2 * 16000), 16000)
    values, _ = soundfile.read(tmp_path / "a.wav", dtype="int16")
    soundfile.write(tmp_path / "b.wav", values[16000:], 16000)
    feed = DecodedFeed([long], forms.inputs("audio", ["image"], DECODING))
    arrays, owners = feed.further(np.array([0]))
    assert owners.tolist() == [0] and arrays["image"].shape == (1, 32, 32, 3)
    second = DecodedFeed([Sample(id="b", fields={"audio": str(tmp_path / "b.wav")})], feed.inputs)
    assert np.array_equal(arrays["image"], second.batch(np.array([0]))["image"])


def test_one_window_and_outputs_for_each_frame_are_left_alone(tmp_path: Path) -> None:
    samples = [staircase(tmp_path / "a.wav", 3.0)]
    learner = Loudness()
    once = Decoding(seconds=1.0)
    scoring.whole(learner, DecodedFeed(samples, forms.inputs("audio", ["audio"], once)), problem())  # type: ignore[arg-type]
    feed = DecodedFeed(samples, forms.inputs("audio", ["audio"], DECODING))
    scoring.whole(learner, feed, problem(head="sequence", loss="ctc", post="softmax"))  # type: ignore[arg-type]
    assert learner.heard == [1, 1]


class Counted(ToyTask):
    """Says how many steps of the staircase were heard, and joins by adding up."""

    def decode(self, outputs: Any, schema: Schema, problem: Problem) -> dict[str, Any]:
        return {"steps": outputs["loud"][:, 0] / 0.05}

    def joined(self, decoded: Any, parts: Any, owners: Any, schema: Schema) -> dict[str, Any]:
        steps = np.array(decoded["steps"])
        steps[owners] = 0
        np.add.at(steps, owners, parts["steps"])
        return {"steps": steps}


def test_a_task_that_joins_hears_all_parts_of_longer_recordings(tmp_path: Path) -> None:
    seconds = [0.6, *[1.0] * 8, 3.0]  # the long one is in the second handful
    samples = [staircase(tmp_path / f"{n}.wav", long) for n, long in enumerate(seconds)]
    learner, told = Loudness(), problem(head="sequence", loss="ctc", post="softmax")
    feed = DecodedFeed(samples, forms.inputs("audio", ["audio"], Decoding(seconds=1.0, windows=0)))
    found = scoring.decoded(Counted(), learner, feed, Schema(task="toy"), told)["steps"]  # type: ignore[arg-type]
    arrays, owners = feed.further(np.arange(len(samples)))
    assert owners.tolist() == [9] * 4 and arrays["length"].sum() == 3 * 16000, "every sample is heard once"
    assert learner.heard == [10, 4] and np.allclose(found[:9], 1, atol=0.1) and found[9] > 5
    plain = scoring.decoded(ToyTask(), Said(), feed, Schema(task="toy"), told)  # type: ignore[arg-type]
    assert len(plain["index"]) == 10, "others see the first part alone"


class Said(Loudness):
    """The same under the name that the toy task asks for."""

    def predict(self, feed: scoring.Feed) -> dict[str, np.ndarray]:
        return {"label": super().predict(feed)["loud"]}


def test_rows_of_a_store_are_heard_to_their_end(tmp_path: Path) -> None:
    samples = [staircase(tmp_path / "a.wav", 2.0), staircase(tmp_path / "b.wav", 0.5)]
    wanted = forms.inputs("audio", ["audio"], DECODING)
    fresh = DecodedFeed(samples, wanted)
    kept = StoreFeed(fresh.batch(np.array([1, 0])), np.array([1, 0]), {"loud": np.arange(2)})
    whole = WholeFeed(kept, samples, wanted)
    assert whole.batch(np.array([0]))["loud"].tolist() == [0]
    found, alone = (scoring.whole(Loudness(), feed, problem())["loud"] for feed in (whole, fresh))  # type: ignore[arg-type]
    assert np.array_equal(found, alone)
    Path(samples[0].fields["audio"]).unlink()
    with pytest.raises(DataError, match="missing is said now"):
        scoring.whole(Loudness(), WholeFeed(kept, samples, wanted), problem())  # type: ignore[arg-type]


def test_a_recording_that_ends_too_early_is_named(tmp_path: Path) -> None:
    staircase(tmp_path / "a.wav", 3.0)
    with pytest.raises(images.BadSample):
        audio.further(str(tmp_path / "none.wav"), 1.0, 4)
    (tmp_path / "cut.flac").write_bytes(b"fLaC nothing")
    feed = DecodedFeed(
        [Sample(id="cut", fields={"audio": str(tmp_path / "cut.flac")})], forms.inputs("audio", ["audio"], DECODING)
    )
    _, owners = feed.further(np.array([0]))
    assert not len(owners) and feed.bad[0].kind == "not_audio"


def test_further_parts_of_what_trains_are_samples_of_their_own(tmp_path: Path) -> None:
    samples = tuple(
        staircase(tmp_path / f"{name}.wav", seconds) for name, seconds in (("a", 3.0), ("b", 0.5), ("c", 3.0))
    )
    samples = tuple(msgspec.structs.replace(sample, group=f"g{sample.id}") for sample in samples)
    dataset = Dataset(samples=samples, reader="none", root="", recognised="")
    fold = Fold(train=("a.wav", "b.wav"), val=("c.wav",))
    spare = (Fold(train=("c.wav", "b.wav"), val=("a.wav",)),)
    divided = Splits(seed=0, kind="given", sentence="two train.", folds=(fold,), test=(), spare=spare)
    found = longer.extend(dataset, ("x", "y", "z"), np.array([3.0, 0.5, 3.0]), divided, DECODING)
    assert (
        found
        and found.parts == 4
        and found.splits.sentence.endswith("4 further parts of long recordings train as well.")
    )
    assert found.splits.folds == (Fold(train=("a.wav", "b.wav", "a.wav@1s", "a.wav@2s"), val=("c.wav",)),)
    assert found.splits.spare == (Fold(train=("c.wav", "b.wav", "c.wav@1s", "c.wav@2s"), val=("a.wav",)),)
    assert len(set(found.digests)) == 7 and found.digests[:3] == ("x", "y", "z")
    assert {s.group for s in found.dataset.samples if s.id.startswith("a")} == {"ga.wav"}
    whole = Decoding(size=32, seconds=1.0, windows=4)
    built, _ = store.build(found.dataset, found.digests, forms.inputs("audio", ("audio",), whole), whole, tmp_path)
    loud = np.median(built.arrays["audio"], axis=1) / 32768
    assert np.allclose(loud[[0, 2, 3, 4, 5, 6]], [0.05, 0.05, 0.1, 0.15, 0.1, 0.15], atol=0.01)
    assert longer.extend(dataset, ("x", "y", "z"), np.full(3, 0.5), divided, DECODING) is None
