"""`BackendContract`: composing is not agreeing, so it checks behaviour, from losses to a rebuild elsewhere."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from autoft.abilities import Inheriting
from autoft.contracts import Backend, Learner, Resumable
from autoft.records import Job, from_json, to_json
from autoft.testing.backend_base import close, files_below, same, train
from autoft.testing.backend_boxes import BoxLaws
from autoft.testing.backend_dense import DenseLaws
from autoft.testing.backend_levels import LevelLaws
from autoft.testing.backend_losses import LossLaws
from autoft.testing.backend_training import FreezeLaws, TrainingLaws
from autoft.testing.contract import FRAMEWORKS, dragged_in, fresh_python, misfits
from autoft.testing.rebuild import Order

UNSAFE = (".pkl", ".pickle", ".pt", ".pth", ".ckpt", ".bin", ".joblib", ".dill")
"""Endings of files that run code when they are loaded."""


class PredictionLaws(LossLaws):
    """Predicting looks, and does not touch."""

    def test_conforms_to_the_protocol(self) -> None:
        assert not misfits(self.backend(), Backend)
        assert not misfits(self.build(), Learner)

    def test_import_needs_no_framework(self) -> None:
        loaded = dragged_in(self.backend.__module__, FRAMEWORKS)
        assert not loaded, f"importing {self.backend.__module__} loads {', '.join(loaded)}; import them where used"

    def test_job_survives_json(self) -> None:
        assert from_json(to_json(self.job()), Job) == self.job()

    @pytest.mark.parametrize("count", [0, 1, 5])
    def test_outputs_have_their_shape(self, count: int) -> None:
        self.check_outputs(self.build().predict(self.feed(count=count)), self.problem(), count)

    def test_predicting_changes_nothing(self) -> None:
        learner, feed = self.build(dropout=0.5), self.feed()
        before = learner.arrays()
        first, again = learner.predict(feed), learner.predict(feed)
        assert same(first, again), "predictions must not hang on chance"
        assert all(same(before[block], arrays) for block, arrays in learner.arrays().items())

    def test_predictions_do_not_hang_on_their_neighbours(self) -> None:
        learner, feed = self.build(), self.feed()
        train(learner, feed)
        whole = learner.predict(feed)
        turned = learner.predict(type(feed)({key: values[::-1] for key, values in feed.arrays.items()}))
        alone = learner.predict(type(feed)({key: values[:1] for key, values in feed.arrays.items()}))
        assert close(whole, {key: values[::-1] for key, values in turned.items()}, 10 * self.tolerance)
        assert close({key: values[:1] for key, values in whole.items()}, alone, 10 * self.tolerance)


class SavingLaws(PredictionLaws):
    """A model is the same wherever it is opened."""

    def trained(self, folder: Path, **recipe: Any) -> tuple[Job, Any]:
        """A job whose weights are saved in `folder`, and what its learner predicts."""
        job, feed = self.job(**recipe), self.feed()
        learner = self.backend().build(job)
        train(learner, feed)
        folder.mkdir(parents=True, exist_ok=True)
        outputs = learner.predict(feed)
        learner.save(folder)
        return job, outputs

    @pytest.mark.parametrize("head_width", [0, 16])
    def test_save_and_load_predict_the_same(self, tmp_path: Path, head_width: int) -> None:
        job, wanted = self.trained(tmp_path / "model", head_width=head_width)
        assert close(self.backend().load(job, tmp_path / "model").predict(self.feed()), wanted, self.tolerance)

    def test_load_needs_the_folder_alone(self, tmp_path: Path) -> None:
        job, wanted = self.trained(tmp_path / "model")
        shutil.move(tmp_path / "model", tmp_path / "elsewhere")
        gone = msgspec.structs.replace(job.card, weights="", folder="", offline=False)
        job = msgspec.structs.replace(job, card=gone, steps_per_epoch=0)
        assert close(self.backend().load(job, tmp_path / "elsewhere").predict(self.feed()), wanted, self.tolerance)

    def test_a_model_trained_in_half_precision_predicts_on_a_cpu(self, tmp_path: Path) -> None:
        job, wanted = self.trained(tmp_path / "model")
        job = msgspec.structs.replace(job, recipe=msgspec.structs.replace(job.recipe, precision="fp16"))
        assert job.resources.gpus == 0
        assert close(self.backend().load(job, tmp_path / "model").predict(self.feed()), wanted, self.tolerance)

    def test_saved_files_run_no_code(self, tmp_path: Path) -> None:
        self.trained(tmp_path)
        files = files_below(tmp_path)
        assert files, "save wrote nothing"
        assert not [path.name for path in files if path.suffix in UNSAFE], "safetensors, not pickles"

    def test_a_new_process_builds_the_same(self, tmp_path: Path) -> None:
        job = self.job(seed=5)
        wanted = self.backend().build(job).predict(self.feed())
        assert close(self.elsewhere(job, tmp_path), wanted, self.tolerance)

    def test_a_new_process_loads_the_same(self, tmp_path: Path) -> None:
        job, wanted = self.trained(tmp_path / "model")
        assert close(self.elsewhere(job, tmp_path, tmp_path / "model"), wanted, self.tolerance)

    def elsewhere(self, job: Job, folder: Path, weights: Path | None = None) -> dict[str, Any]:
        """What a process that knows only the job's JSON predicts on the toys."""
        order = Order(
            backend=f"{self.backend.__module__}:{self.backend.__qualname__}",
            job=job,
            count=len(self.feed()),
            size=self.size,
            out=str(folder / "out.npz"),
            weights=str(weights) if weights else "",
        )
        fresh_python("import sys; from autoft.testing import rebuild; rebuild.main(sys.argv[1])", to_json(order))
        with np.load(order.out, allow_pickle=False) as found:
            return {key: found[key] for key in found.files}

    @pytest.mark.parametrize("freeze", [0.0, 0.5])
    def test_what_another_has_learned_can_be_taken_over_and_learned_further(
        self, tmp_path: Path, freeze: float
    ) -> None:
        _, wanted = self.trained(tmp_path / "model")
        learner = self.build(freeze=freeze, dropout=0.1, seed=7)
        assert isinstance(learner, Inheriting) == ("inherit" in getattr(self.backend, "abilities", ())), (
            "`abilities` of the backend tell of its learners"
        )
        if not isinstance(learner, Inheriting):
            pytest.skip("the learner is not Inheriting")
        learner.inherit(tmp_path / "model")
        feed = self.feed()
        assert close(learner.predict(feed), wanted, self.tolerance), "the head is taken over as well"
        before = learner.arrays()
        train(learner, feed)
        after = learner.arrays()
        still = list(before)[: round(freeze * len(learner.blocks()))]
        for block in before:
            assert same(before[block], after[block]) == (block in still), "this recipe says what is frozen"

    def test_a_resumed_training_goes_on_the_same(self, tmp_path: Path) -> None:
        learner, feed = self.build(seed=2), self.feed()
        if not isinstance(learner, Resumable):
            pytest.skip("the learner is not Resumable")
        train(learner, feed)
        learner.save_state(tmp_path)
        resumed = self.build(seed=2)
        assert isinstance(resumed, Resumable)
        resumed.load_state(tmp_path)
        losses = train(learner, feed, epochs=2, first=2), train(resumed, feed, epochs=2, first=2)
        assert np.allclose(*losses, rtol=10 * self.tolerance), losses
        assert close(learner.predict(feed), resumed.predict(feed), 10 * self.tolerance)


class BackendContract(LevelLaws, BoxLaws, DenseLaws, FreezeLaws, TrainingLaws, SavingLaws):
    """Set `backend` and `card`; `recipe` holds what the network needs to learn the toys."""
