"""`NormsContract`: batch normalisation with statistics that follow training, or with those of the pretraining."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import msgspec
import numpy as np
import pytest

from autoft.contracts import Array, Learner
from autoft.records import ModelCard
from autoft.testing.backend_base import close, never, same, train
from autoft.testing.backend_boxes import SIDE, Posed
from autoft.testing.toys import ArrayFeed
from autoft.until import Until

Flat = dict[str, Array]


class NormsContract(Posed):
    """For backends whose networks have batch normalisation. `card` names one that has it, and is pretrained."""

    statistics: ClassVar[tuple[str, str]]
    """How the names of running means and variances end."""
    scale: ClassVar[str]
    """How those of the scales end that stand beside them."""

    @pytest.mark.parametrize("norms", ["kept", "batch"])
    def test_kept_statistics_stay_and_weights_are_trained(self, norms: str) -> None:
        learner = self.build(norms=norms, batch_size=16)
        before, all_before = self.known(learner), flat(learner)
        train(learner, self.feed())
        assert before and same(before, self.known(learner)) == (norms == "kept")
        scales = {key: all_before[key] for key in all_before if self._is_scale(key, before)}
        assert scales and not same(scales, flat(learner))

    def test_a_step_with_kept_statistics_sees_what_evaluation_sees(self) -> None:
        learner = self.build(norms="kept", lr=0.0, weight_decay=0.0, batch_size=16)
        seen = learner.predict(self.feed())
        train(learner, self.feed())
        assert close(seen, learner.predict(self.feed()), self.tolerance)

    def test_from_scratch_there_is_nothing_to_keep(self) -> None:
        job = self.job(norms="kept", batch_size=16)
        learner = self.backend().build(msgspec.structs.replace(job, card=untrained(job.card)))
        before = self.known(learner)
        train(learner, self.feed())
        assert not same(before, self.known(learner))

    @pytest.mark.parametrize("pretrained", [True, False])
    def test_for_maps_with_peaks_statistics_are_those_of_images_as_they_are(self, pretrained: bool) -> None:
        """Augmented ones have others: with grey edges for one."""
        found: list[Flat] = []
        before: Flat = {}
        for augment in ("none", "strong"):
            job = self.posed_job(
                augment=augment, lr=0.0, weight_decay=0.0, batch_size=8, freeze=0.3 if pretrained else 0.0
            )
            learner = self.backend().build(
                job if pretrained else msgspec.structs.replace(job, card=untrained(job.card))
            )
            before = self.known(learner)
            train(learner, pictures())
            found.append(self.known(learner))
        assert all(np.allclose(found[0][key], found[1][key], rtol=1e-3, atol=1e-4) for key in before)
        assert not same(before, found[0])
        still = [key for key in before if np.array_equal(before[key], found[0][key])]
        assert bool(still) is pretrained, "what is frozen stays as it was, and nothing else"

    def test_new_heads_learn_statistics_also_where_those_of_the_trunk_are_kept(self) -> None:
        learner = self.backend().build(self.posed_job(norms="kept"))
        before = self.known(learner)
        train(learner, pictures())
        changed = {key for key, values in self.known(learner).items() if not np.array_equal(values, before[key])}
        heads = list(learner.arrays().values())[-1]
        assert changed and changed == before.keys() & heads.keys()

    def known(self, learner: Learner) -> Flat:
        """The statistics of all layers, by name."""
        return {key: values for key, values in flat(learner).items() if key.endswith(self.statistics)}

    def _is_scale(self, key: str, statistics: Flat) -> bool:
        return key.endswith(self.scale) and key.removesuffix(self.scale) + self.statistics[0] in statistics


class Crowded:
    """A learner whose memory ends where more than `room` pictures are shown once more behind an epoch.

    Args:
        method: of the learner, which shows a batch of images.
        error: what the framework raises then.
    """

    room = 3

    def __init__(self, learner: Any, method: str, error: Callable[[], Exception], patch: pytest.MonkeyPatch) -> None:
        self.learner, self.error = learner, error
        self.shown: list[int] = []
        """Pictures of each batch that was shown."""
        self._show = getattr(learner, method)
        patch.setattr(learner, method, self._showing)

    def _showing(self, images: Any) -> Any:
        self.shown.append(len(images))
        found = self._show(images)  # statistics of some layers are new by then
        if len(images) > self.room:
            raise self.error()
        return found

    def check_time_ends(self, known: Callable[[Learner], Flat]) -> None:
        """Where time ends after few images, statistics stay as training left them."""
        self.room, trained = 8, list[Flat]()

        def late() -> bool:
            trained.append(known(self.learner)) if not trained else None
            return bool(self.shown)

        self.learner.train_epoch(pictures(), 1, Until(never, lambda: 0.0, late))
        assert len(self.shown) == 1 and same(trained[0], known(self.learner))


def flat(learner: Learner) -> Flat:
    return {key: values for block in learner.arrays().values() for key, values in block.items()}


def untrained(card: ModelCard) -> ModelCard:
    return msgspec.structs.replace(card, pretrained=False)


def pictures(count: int = 20) -> Any:
    """With a box in each, always at the same place."""
    rng = np.random.default_rng(0)
    boxes = np.tile(np.array([0.2, 0.3, 0.7, 0.8, 0], np.float32), (count, 1, 1))
    return ArrayFeed({"image": rng.integers(0, 255, (count, SIDE, SIDE, 3), np.uint8), "boxes": boxes})
