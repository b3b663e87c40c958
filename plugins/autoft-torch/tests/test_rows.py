"""Networks for texts and recordings: what they are fed, how they learn, and that a saved one predicts the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from autoft import textstart
from autoft.api import Job, Output, Problem, Recipe
from autoft.testing.backend_losses import check_ctc
from autoft.testing.toys import ArrayFeed
from autoft.testing.toys import speech as speech_toys
from autoft.texthash import terms, weighed
from autoft_torch import _sounds, catalogue
from autoft_torch._ctc import Trunk as Recurrent
from autoft_torch._ctcconv import Trunk as Convolutional
from autoft_torch._frames import Frames
from autoft_torch._hashing import Trunk as Words
from autoft_torch._learner import TorchLearner
from autoft_torch._losses import evaluate
from autoft_torch.backend import TorchBackend

Array = np.ndarray[Any, np.dtype[Any]]
GOOD, BAD = "a fine and lovely day", "an awful dull night"

SPEECH = ("autoft/ctc-s", "autoft/ctc-conv")


def texts(*values: str) -> Array:
    found = np.empty(len(values), object)
    for row, value in enumerate(values):
        found[row] = (value,)
    return found


def job(name: str, output: Output, field: str, **recipe: Any) -> Job:
    card = catalogue.find(name)
    assert card is not None
    plain = {"model": name, "augment": "none", "precision": "fp32", "warmup": 0.0, "batch_size": 4, "patience": 0}
    problem = Problem(name="any", inputs=(field,), outputs=(output,))
    assert not TorchBackend().supports(problem, card)
    return Job(card=card, problem=problem, recipe=Recipe.of({**plain, **recipe}), seed=3)


LABEL = Output(name="label", head="pooled", size=2, loss="cross_entropy", post="softmax", target="label")
SAID = Output(name="transcript", head="sequence", size=4, loss="ctc", post="softmax", target="transcript")


def text_feed() -> ArrayFeed:
    words = [f"{GOOD if n % 2 else BAD} number {n}" for n in range(16)]
    return ArrayFeed({"text": texts(*words), "label": np.arange(16) % 2})


@pytest.mark.parametrize("augment", ["none", "strong"])
def test_hashed_texts_are_learned_saved_and_predicted_alike(tmp_path: Path, augment: str) -> None:
    wanted = job("autoft/text-hash", LABEL, "text", lr=1e-2, epochs=8, augment=augment)
    learner, feed = TorchBackend().build(wanted), text_feed()
    for epoch in range(1, 9):
        stats = learner.train_epoch(feed, epoch, lambda: False)
    assert stats.complete and stats.loss < 0.3
    found = learner.predict(feed)["label"]
    assert (found.argmax(1) == feed.arrays["label"]).all()
    learner.save(tmp_path)
    again = TorchBackend().load(wanted, tmp_path).predict(ArrayFeed({"text": feed.arrays["text"][::-1]}))["label"]
    assert np.abs(again[::-1] - found).max() < 1e-6, "neither neighbours nor padding matter"


def test_the_same_seed_gives_the_same_first_epoch() -> None:
    wanted = job("autoft/text-hash", LABEL, "text", augment="strong")
    losses = {TorchBackend().build(wanted).train_epoch(text_feed(), 1, lambda: False).loss for _ in range(2)}
    assert len(losses) == 1


def test_each_number_counts_as_core_says() -> None:
    trunk, rng = Words(64, 4), np.random.default_rng(0)
    trunk.rare.copy_(torch.from_numpy(rng.uniform(1, 3, 128).astype(np.float32)))
    trunk.eval()
    several = texts("walking home, walking", "很好", "", "a longer text than the others are")
    features = trunk(trunk.values({"text": several}, cropped=True)).detach().numpy()
    for (words,), found in zip(several, features, strict=True):
        numbers = terms([words], 64)
        wanted = weighed(numbers, trunk.rare.numpy(), 64) @ trunk.table.weight.detach().numpy()[numbers]
        assert np.allclose(found, wanted, atol=1e-6)


def test_the_first_epoch_solves_what_words_say_and_later_ones_go_on(tmp_path: Path) -> None:
    wanted, feed = job("autoft/text-hash", LABEL, "text", lr=1e-3, epochs=3), text_feed()
    learner = TorchBackend().build(wanted)
    stats = learner.train_epoch(feed, 1, lambda: False)
    first = learner.predict(feed)["label"]
    assert stats.steps == 1 and (first.argmax(1) == feed.arrays["label"]).all()
    assert stats.loss == pytest.approx(-np.log(first[np.arange(16), feed.arrays["label"]]).mean(), abs=1e-4)
    assert learner.train_epoch(feed, 2, lambda: False).steps == 4
    learner.save(tmp_path)
    other = TorchBackend().build(wanted)
    other.inherit(tmp_path)
    assert other.train_epoch(feed, 1, lambda: False).steps == 4, "what was learned is not thrown away"


def test_of_too_many_words_nothing_is_solved_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(textstart, "MOST_TERMS", 20)
    monkeypatch.setattr(textstart, "_remembered", {})
    stats = TorchBackend().build(job("autoft/text-hash", LABEL, "text")).train_epoch(text_feed(), 1, lambda: False)
    assert stats.steps == 4 and "without the linear solution: there is memory for 1 of 16 texts" in stats.said


def test_a_head_with_a_hidden_layer_is_trained_from_the_start() -> None:
    wanted = job("autoft/text-hash", LABEL, "text", head_width=8)
    learner = TorchBackend().build(wanted)
    assert learner.train_epoch(text_feed(), 1, lambda: False).steps == 4
    assert float(learner.net.trunk.rare.max()) > 1


def test_texts_can_be_cut() -> None:
    trunk = Words(64, 4)
    trunk.follow(Recipe.of({"text_length": 2, "truncation": "start"}))
    both = trunk.values({"text": texts("one two three four", "three four")}, cropped=True)
    assert torch.equal(both[0], both[1])


@pytest.mark.parametrize("name", SPEECH)
def test_speech_is_learned_saved_and_predicted_alike(tmp_path: Path, name: str) -> None:
    wanted = job(name, SAID, "audio", lr=4e-3, epochs=40, clip=5.0)
    learner, feed = TorchBackend().build(wanted), speech_toys()
    first = learner.train_epoch(feed, 1, lambda: False).loss
    for epoch in range(2, 41):
        loss = learner.train_epoch(feed, epoch, lambda: False).loss
    assert loss < 0.5 * first
    found = learner.predict(feed)["transcript"]
    assert found.shape[0] == 8 and found.shape[2] == 4 and np.allclose(found.sum(2), 1, atol=1e-4)
    behind = found[0, -(-10000 // 160 // 4) + 1 :]
    assert (behind[:, 0] > 0.999).all(), "what stands behind the end of a recording says nothing"
    learner.save(tmp_path)
    assert np.array_equal(TorchBackend().load(wanted, tmp_path).predict(feed)["transcript"], found)


@pytest.mark.parametrize("trunk", [Recurrent(16, 16), Convolutional(16, 5, 2)])
def test_padding_and_neighbours_do_not_change_what_is_heard(trunk: Frames) -> None:
    trunk, feed = trunk.eval(), speech_toys()
    with torch.no_grad():
        whole = trunk(trunk.values(feed.arrays, cropped=False))
        for row in range(3):
            alone = {key: feed.arrays[key][row : row + 1] for key in ("audio", "length")}
            cropped = trunk(trunk.values(alone, cropped=True))[0]
            count = -(-(int(alone["length"][0]) // 160) // 4)
            assert cropped[:count].isfinite().all() and whole[row, count:].isnan().all()
            assert torch.allclose(cropped[:count], whole[row, :count], atol=1e-4)


@pytest.mark.parametrize("trunk", [Recurrent(16, 16), Convolutional(16, 5, 2)])
def test_quiet_ends_say_nothing_and_do_not_count(trunk: Frames) -> None:
    trunk, rng = trunk.eval(), np.random.default_rng(0)
    audio = rng.normal(0, 3, (1, 48000))
    audio[:, 16000:32000] += 9000 * np.sin(np.arange(16000) / 8)
    with torch.no_grad():
        found = trunk(trunk.values({"audio": audio.astype(np.int16), "length": np.array([48000])}, cropped=True))[0]
    there = found[:, 0].isfinite().nonzero()[:, 0]
    assert (int(there[0]), int(there[-1])) == ((100 - 22) // 4, (200 + 21) // 4), "a fifth of a second is left"
    assert found[int(there[0]) : int(there[-1]) + 1].isfinite().all()
    silent = trunk(trunk.values({"audio": np.zeros((1, 8000)), "length": np.array([8000])}, cropped=True))
    assert silent.isfinite().any()


def test_convolutions_hear_a_stretch_of_sound_alone_and_no_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said elsewhere, or how much, changes nothing; before the beginning stands what comes behind it."""
    trunk = Convolutional(16, 5, 2).eval()
    assert trunk.reach == 3 * 2 + 4 * 2 * 2
    frames = torch.randn(1, 64, 64)
    begins, ends = torch.tensor([0]), torch.tensor([64])
    other = frames.clone()
    other[:, 40:] = 0.0

    def told(x: torch.Tensor) -> torch.Tensor:
        monkeypatch.setattr(trunk, "heard", lambda values: (x, begins, ends))
        return trunk(torch.zeros(1, 64 * 160)).detach()[0]

    same = (told(frames) - told(other)).abs().amax(1)[:16]
    assert (same[: (40 - trunk.reach) // 4] == 0).all() and same[9:].min() > 0
    still = told(torch.ones(1, 64, 64) * frames[:, :1])
    assert torch.allclose(still[:16], still[:1].expand(16, -1), atol=1e-5), "the first frame is like any other"


def test_depth_of_freezing_counts_the_convolutions() -> None:
    learner = TorchBackend().build(job("autoft/ctc-conv", SAID, "audio", freeze=0.6))
    assert list(learner.blocks()) == ["stem", "second", "blocks.0", "blocks.1", "blocks.2"]
    before = learner.arrays()
    learner.train_epoch(speech_toys(), 1, lambda: False)
    changed = [
        any(not np.array_equal(v, before[block][k]) for k, v in a.items()) for block, a in learner.arrays().items()
    ]
    assert changed == [False, False, False, True, True, True]


def test_ctc_means_what_the_vocabulary_says() -> None:
    check_ctc(SAID, evaluate)


@pytest.mark.parametrize("word", ["none", "light", "trivial", "strong"])
def test_pictures_of_sound_are_moved_and_covered(word: str) -> None:
    pictures = torch.full((6, 3, 32, 32), 200, dtype=torch.uint8)
    changed = _sounds.policy(word, 32)(pictures, torch.Generator().manual_seed(0)).float()
    alone = _sounds.fixed(word, 32)
    assert changed.shape == pictures.shape and changed.min() >= 0 and changed.max() <= 255
    assert torch.equal(alone(pictures, list(range(6)))[2:3].float(), alone(pictures[2:3], [2]).float())
    assert (changed == 0).any() if word != "none" else (changed == 200).all()
    if word == "strong":  # the noise is another one at each call
        draws = [_sounds.policy(word, 32)(pictures, torch.Generator().manual_seed(seed)).float() for seed in (1, 2)]
        inner = [one[0, 0][one[0, 0] > 100] for one in draws]
        assert not torch.equal(inner[0].sort().values[:200], inner[1].sort().values[:200])


def test_networks_for_recordings_are_refused_for_images() -> None:
    card = catalogue.find("autoft/ctc-s")
    assert card is not None
    problem = Problem(name="any", inputs=("image",), outputs=(LABEL,))
    assert "audio" in TorchBackend().supports(problem, card)


def test_a_text_network_has_no_cuts() -> None:
    learner = TorchBackend().build(job("autoft/text-hash", LABEL, "text"))
    assert isinstance(learner, TorchLearner) and learner.cuts() == ()
