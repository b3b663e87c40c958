"""Laws of a network for recordings that has nothing to learn: heads on it are trained, saved and solved like others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autoft.contracts import Backend, Learner
from autoft.data.cepstrum import WIDTH, usual
from autoft.recipe import Recipe
from autoft.records import Cut, Job, ModelCard, Output, Problem, View
from autoft.testing.toys import ArrayFeed
from autoft.vocab import ACTIVATION

LABEL = Output(name="label", head="pooled", size=2, loss="cross_entropy", post="softmax", target="label")


def feed() -> ArrayFeed:
    """Two kinds of sounds, which differ in a few numbers by half of what is usual."""
    middle, size = usual()
    labels = np.arange(16) % 2
    sounds = middle + size * np.random.default_rng(0).normal(0, 0.1, (16, WIDTH))
    sounds[:, :9] += (labels[:, None] - 0.5) * size[:9]
    return ArrayFeed({"cepstra": sounds.astype(np.float32), "label": labels})


class CepstraContract:
    """Subclass it as `Test...` and name the two."""

    backend: Backend
    card: ModelCard | None

    def job(self, field: str = "audio", **recipe: Any) -> Job:
        card = self.card
        assert card is not None and card.fixed and card.offline
        problem = Problem(name="any", inputs=(field,), outputs=(LABEL,))
        plain = {"model": card.name, "augment": "none", "precision": "fp32", "batch_size": 4, "lr": 1e-2, "epochs": 6}
        return Job(card=card, problem=problem, recipe=Recipe.of({**plain, **recipe}), seed=3)

    @pytest.mark.parametrize("freeze", [1.0, 0.0])
    @pytest.mark.parametrize("head_width", [0, 8])
    def test_heads_alone_are_trained_and_predict_the_same_when_loaded(
        self, tmp_path: Path, freeze: float, head_width: int
    ) -> None:
        wanted = self.job(freeze=freeze, head_width=head_width, augment="strong")
        learner, data = self.backend.build(wanted), feed()
        before = learner.arrays()
        losses = [learner.train_epoch(data, epoch, lambda: False).loss for epoch in range(1, 7)]
        after = learner.arrays()
        assert losses[-1] < 0.8 * losses[0]
        (block,) = learner.blocks()
        assert all(np.array_equal(before[block][name], array) for name, array in after[block].items())
        learner.save(tmp_path)
        found = learner.predict(data)["label"]
        assert (found.argmax(1) == data.arrays["label"]).all()
        again: Learner = self.backend.load(wanted, tmp_path)
        assert np.allclose(found, again.predict(data)["label"], atol=1e-5)

    def test_its_features_are_kept_and_entered(self) -> None:
        learner: Any = self.backend.build(self.job(freeze=1.0))
        data = feed()
        assert list(learner.cuts()) == [Cut(depth=1, shape=(WIDTH,))]
        ((rows,),) = learner.extract(data, learner.cuts(), View())
        middle, size = usual()
        assert np.allclose(rows, (data.arrays["cepstra"] - middle) / size, atol=1e-4)
        wanted = learner.predict(data)["label"]
        learner.enter(learner.cuts()[0])
        assert np.allclose(learner.predict(ArrayFeed({ACTIVATION: rows}))["label"], wanted, atol=1e-5)

    def test_it_takes_recordings_alone(self) -> None:
        wanted = self.job()
        images = Problem(name="any", inputs=("image",), outputs=(LABEL,))
        assert not self.backend.supports(wanted.problem, wanted.card)
        assert "cepstra" in self.backend.supports(images, wanted.card)
