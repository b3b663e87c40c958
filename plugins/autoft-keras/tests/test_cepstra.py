"""The network for recordings that has nothing to learn: heads on it are trained, saved and solved like others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autoft.api import Cut, Job, Output, Problem, Recipe, View
from autoft.data.cepstrum import WIDTH, usual
from autoft.testing.toys import ArrayFeed
from autoft.vocab import ACTIVATION
from autoft_keras import catalogue
from autoft_keras.backend import KerasBackend

LABEL = Output(name="label", head="pooled", size=2, loss="cross_entropy", post="softmax", target="label")


def job(field: str = "audio", **recipe: Any) -> Job:
    card = catalogue.find("autoft/cepstra")
    assert card is not None and card.fixed and card.offline
    problem = Problem(name="any", inputs=(field,), outputs=(LABEL,))
    plain = {"model": card.name, "augment": "none", "precision": "fp32", "batch_size": 4, "lr": 1e-2, "epochs": 6}
    return Job(card=card, problem=problem, recipe=Recipe.of({**plain, **recipe}), seed=3)


def feed() -> ArrayFeed:
    """Two kinds of sounds, which differ in a few numbers by half of what is usual."""
    middle, size = usual()
    labels = np.arange(16) % 2
    sounds = middle + size * np.random.default_rng(0).normal(0, 0.1, (16, WIDTH))
    sounds[:, :9] += (labels[:, None] - 0.5) * size[:9]
    return ArrayFeed({"cepstra": sounds.astype(np.float32), "label": labels})


@pytest.mark.parametrize("freeze", [1.0, 0.0])
@pytest.mark.parametrize("head_width", [0, 8])
def test_heads_alone_are_trained_and_predict_the_same_when_loaded(
    tmp_path: Path, freeze: float, head_width: int
) -> None:
    wanted = job(freeze=freeze, head_width=head_width, augment="strong")
    learner, data = KerasBackend().build(wanted), feed()
    before = learner.arrays()
    losses = [learner.train_epoch(data, epoch, lambda: False).loss for epoch in range(1, 7)]
    after = learner.arrays()
    assert losses[-1] < 0.8 * losses[0]
    (block,) = learner.blocks()
    assert all(np.array_equal(before[block][name], array) for name, array in after[block].items())
    learner.save(tmp_path)
    found = learner.predict(data)["label"]
    assert (found.argmax(1) == data.arrays["label"]).all()
    assert np.allclose(found, KerasBackend().load(wanted, tmp_path).predict(data)["label"], atol=1e-5)


def test_its_features_are_kept_and_entered() -> None:
    learner: Any = KerasBackend().build(job(freeze=1.0))
    data = feed()
    assert list(learner.cuts()) == [Cut(depth=1, shape=(WIDTH,))]
    ((rows,),) = learner.extract(data, learner.cuts(), View())
    middle, size = usual()
    assert np.allclose(rows, (data.arrays["cepstra"] - middle) / size, atol=1e-4)
    wanted = learner.predict(data)["label"]
    learner.enter(learner.cuts()[0])
    assert np.allclose(learner.predict(ArrayFeed({ACTIVATION: rows}))["label"], wanted, atol=1e-5)


def test_it_takes_recordings_alone() -> None:
    wanted = job()
    images = Problem(name="any", inputs=("image",), outputs=(LABEL,))
    assert not KerasBackend().supports(wanted.problem, wanted.card)
    assert "cepstra" in KerasBackend().supports(images, wanted.card)
