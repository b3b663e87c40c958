"""Boxes from toy pictures to a model: the task and the PyTorch backend, which know nothing of each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from autoft import compose, registry
from autoft.api import Job, Recipe
from autoft.testing import scenes, toys

SIDE = 96
EPOCHS = 12


@pytest.mark.slow
def test_the_bundled_network_learns_to_find_shapes(tmp_path: Path) -> None:
    pytest.importorskip("autoft_torch"), pytest.importorskip("autoft_detection")
    plugins = registry.installed()
    task, backend = plugins.get("task", "object-det"), plugins.get("backend", "torch")
    card = next(c for c in plugins.get("models", "autoft").catalogue() if c.name == "autoft/resnet-s")
    data = scenes.dataset(tmp_path / "imgs", count=96, width=SIDE, height=SIDE)
    schema = task.schema(data)
    problem, reason = compose.agree(task, schema, backend, card)
    assert problem, reason
    targets = task.encode(data.samples, schema, problem)
    pictures = np.stack([scene.picture for scene in scenes.scenes(96, SIDE, SIDE)])
    parts = [
        toys.ArrayFeed({"image": pictures[rows], "boxes": targets["boxes"][rows]})
        for rows in np.split(np.arange(96), [72])
    ]
    truth = {"boxes": targets["boxes"][72:]}
    recipe = Recipe(lr=2e-3, batch_size=8, epochs=EPOCHS, augment="light")
    job = Job(card=card, problem=problem, recipe=recipe, image_size=SIDE, steps_per_epoch=9)
    learner = backend.build(job)

    def score(model: object) -> float:
        decoded = task.decode(model.predict(parts[1]), schema, problem)
        return task.score(decoded, truth, schema, ["map"])["map"]

    scores = []
    for epoch in range(1, EPOCHS + 1):
        assert learner.train_epoch(parts[0], epoch, lambda: False).complete
        scores.append(score(learner))
    assert scores[-1] > 0.4 and scores[-1] > scores[0] + 0.2, scores
    (tmp_path / "model").mkdir()
    learner.save(tmp_path / "model")
    assert score(backend.load(job, tmp_path / "model")) == pytest.approx(scores[-1], abs=1e-4)
