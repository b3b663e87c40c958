"""Encoders of texts and recordings whose features are kept: heads alone learn from them what they learn from inputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autoft.api import Cut, Output, View
from autoft.testing.toys import ArrayFeed
from autoft.vocab import ACTIVATION
from autoft_torch import _batches
from autoft_torch.backend import TorchBackend

pytest.importorskip("transformers", reason="autoft-torch is here without its extra hf")
import checkpoints as ck
from checkpoints import LABEL, card_of, job

VALUE = Output(name="value", head="pooled", size=1, loss="mse", post="identity", target="value")
SAID = Output(name="transcript", head="sequence", size=4, loss="ctc", post="softmax", target="transcript")
KINDS = [*ck.TEXTS, *ck.SOUNDS]


def feed_of(kind: str) -> ArrayFeed:
    return ck.text_feed() if kind in ck.TEXTS else ck.sound_feed()


def kept(learner: Any, feed: ArrayFeed, view: View | None = None) -> ArrayFeed:
    rows = np.concatenate([arrays[0] for arrays in learner.extract(feed, learner.cuts(), view or View())])
    return ArrayFeed({ACTIVATION: rows, **{key: feed.arrays[key] for key in ("label",) if key in feed.arrays}})


@pytest.mark.parametrize("kind", KINDS)
def test_a_head_learns_the_same_from_features_that_are_kept(kind: str, folder: Any) -> None:
    wanted, feed = job(card_of(folder(kind)), freeze=1.0, dropout=0.1, lr=1e-2), feed_of(kind)
    plain, cached = TorchBackend().build(wanted), TorchBackend().build(wanted)
    (cut,) = cached.cuts()
    assert (cut.depth, cut.shape) == (len(cached.blocks()), (cached.net.trunk.width,))
    rows = kept(cached, feed)
    assert rows.arrays[ACTIVATION].dtype == np.float32 and rows.arrays[ACTIVATION].shape == (len(feed), *cut.shape)
    cached.enter(cut)
    for epoch in (1, 2):
        losses = [one.train_epoch(some, epoch, lambda: False).loss for one, some in ((plain, feed), (cached, rows))]
        assert losses[0] == pytest.approx(losses[1], abs=1e-5)
    np.testing.assert_allclose(cached.predict(rows)["label"], plain.predict(feed)["label"], atol=1e-5)
    cached.enter(None)
    np.testing.assert_allclose(cached.predict(feed)["label"], plain.predict(feed)["label"], atol=1e-5)


def test_a_solved_head_is_put_on_the_features(folder: Any) -> None:
    learner = TorchBackend().build(job(card_of(folder("bert")), VALUE, freeze=1.0))
    feed, (cut,) = ck.text_feed(), learner.cuts()
    weights, bias = np.full((1, cut.shape[0]), 0.5, np.float32), np.ones(1, np.float32)
    learner.set_head({"value": (weights, bias)})
    features = kept(learner, feed).arrays[ACTIVATION]
    np.testing.assert_allclose(learner.predict(feed)["value"], features @ weights.T + bias, atol=1e-4)


@pytest.mark.parametrize("kind", ["bert", "wav2vec2", "ast"])
@pytest.mark.parametrize("augment", ["light", "strong"])
def test_views_are_drawn_sample_by_sample(kind: str, augment: str, folder: Any) -> None:
    learner, feed = TorchBackend().build(job(card_of(folder(kind)), freeze=1.0, augment=augment)), feed_of(kind)
    view = View(augment=augment, number=1)
    plain, first, again = (kept(learner, feed, one).arrays[ACTIVATION] for one in (View(), view, view))
    assert np.array_equal(first, again) and np.isfinite(first).all() and np.abs(first - plain).max() > 1e-3
    other = kept(learner, feed, View(augment=augment, number=2)).arrays[ACTIVATION]
    assert np.abs(first - other).max() > 1e-3


def test_only_the_features_are_a_cut_and_only_of_frozen_blocks(folder: Any) -> None:
    learner = TorchBackend().build(job(card_of(folder("bert")), freeze=0.67))
    (cut,) = learner.cuts()
    with pytest.raises(ValueError, match="what stands before a cut must be frozen"):
        learner.enter(cut)
    with pytest.raises(ValueError, match="a cut must be the network's"):
        learner.enter(Cut(depth=1, shape=(4,)))
    (sound,) = [TorchBackend().build(job(card_of(folder("wav2vec2")), SAID, freeze=1.0))]
    assert sound.cuts() == (), "speech is read frame by frame"
    assert LABEL.name in learner.predict(ck.text_feed())


def test_where_texts_are_read_otherwise_features_are_others(folder: Any, tmp_path: Path) -> None:
    from autoft.activations import origin_of

    card = card_of(folder("bert"))
    ways: list[dict[str, Any]] = [{}, {"text_length": 5}, {"truncation": "start"}, {"pooling": "max"}]
    families = {origin_of(job(card, **way), {}, "").family() for way in ways}
    assert len(families) == len(ways)
    assert origin_of(job(card, lr=1.0), {}, "").family() in families, "how a head learns changes nothing"


def test_lengths_change_neither_predictions_nor_features(folder: Any, monkeypatch: Any) -> None:
    learner, feed = TorchBackend().build(job(card_of(folder("bert")), freeze=1.0)), ck.text_feed()
    feed.arrays["text"] = ck.texts(*(("word " * (n * 7 % 16 + 1),) for n in range(16)))
    monkeypatch.setitem(_batches.ROWS, "cpu", 2)
    sizes, values = [], type(learner.net.trunk).values
    monkeypatch.setattr(
        type(learner.net.trunk), "values", lambda *a, **k: (found := values(*a, **k), sizes.append(found.shape[2]))[0]
    )
    sorted_ones = learner.predict(feed)["label"], kept(learner, feed).arrays[ACTIVATION]
    padded = sum(sizes)
    monkeypatch.setattr(learner.inputs, "lengths", lambda feed: None)
    plain = learner.predict(feed)["label"], kept(learner, feed).arrays[ACTIVATION]
    for one, other in zip(sorted_ones, plain, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    assert padded < sum(sizes) - padded
