"""The backend kit finds what it is there to find: each fake breaks one law, and the check beside it fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from autoft.contracts import EpochStats, Feed, Stop
from autoft.errors import TrialFailed
from autoft.records import Cut, Job, ModelCard, Output, Problem, View
from autoft.testing import BackendContract, NumpyBackend, numpy_net
from autoft.testing.numpy_backend import CARD
from autoft.testing.numpy_learner import NumpyLearner, write
from autoft.vocab import ACTIVATION

Array = np.ndarray[Any, np.dtype[Any]]


class StatisticsLeak(NumpyLearner):
    """Normalisation statistics move although their block is frozen: what frameworks do by default."""

    def _step(self, batch: dict[str, Array], rng: np.random.Generator) -> float:
        numpy_net.observe(self._blocks, self._features(batch["image"]))
        return super()._step(batch, rng)


class FrozenStem(NumpyLearner):
    def __init__(self, job: Job, blocks: numpy_net.Blocks) -> None:
        super().__init__(job, blocks)
        self._trained[:] = [name for name in self._trained if name != "stem"]


class TrainsWhilePredicting(NumpyLearner):
    def predict(self, feed: Feed) -> dict[str, Array]:
        numpy_net.observe(self._blocks, self._features(feed.batch(np.arange(len(feed)))["image"]))
        return super().predict(feed)


class OtherStatisticsInEvaluation(NumpyLearner):
    """Learns well, predicts with statistics that never caught up."""

    def predict(self, feed: Feed) -> dict[str, Array]:
        stem, kept = self._blocks["stem"], dict(self._blocks["stem"])
        stem["mean"], stem["variance"] = stem["mean"] + 20, stem["variance"] * 100
        outputs = super().predict(feed)
        stem.update(kept)
        return outputs


class Deaf(NumpyLearner):
    def train_epoch(self, feed: Feed, epoch: int, stop: Stop) -> EpochStats:
        return super().train_epoch(feed, epoch, lambda: False)


class Unseeded(NumpyLearner):
    def train_epoch(self, feed: Feed, epoch: int, stop: Stop) -> EpochStats:
        return super().train_epoch(feed, epoch + int(np.random.default_rng().integers(1 << 30)), stop)


class LosesItsHead(NumpyLearner):
    def save(self, folder: Path) -> None:
        self._blocks["head"] = numpy_net.start(self.job)["head"]
        super().save(folder)


class Pickles(NumpyLearner):
    def save(self, folder: Path) -> None:
        super().save(folder)
        (folder / "optimizer.pkl").touch()


class Silent(NumpyLearner):
    def train_epoch(self, feed: Feed, epoch: int, stop: Stop) -> EpochStats:
        try:
            return super().train_epoch(feed, epoch, stop)
        except TrialFailed:
            return EpochStats(float("nan"), 1, True)


class OwnArrays(NumpyLearner):
    def arrays(self) -> Any:
        return self._blocks


class DoublePrecision(NumpyLearner):
    def predict(self, feed: Feed) -> dict[str, Array]:
        return {name: values.astype(np.float64) for name, values in super().predict(feed).items()}


class ForgetsItsOptimizer(NumpyLearner):
    def save_state(self, folder: Path) -> None:
        self.save(folder)
        write(folder / "state.npz", {"step": np.array(0)})


class CutsAfterItsHead(NumpyLearner):
    def cuts(self) -> Sequence[Cut]:
        return [*super().cuts(), Cut(depth=4, shape=(4,))]


class CutsItsOwnWay(NumpyLearner):
    """Offers other cuts to a trial with other frozen blocks: they could not be shared."""

    def cuts(self) -> Sequence[Cut]:
        return super().cuts()[4 - len(self._trained) :]


class MixesUpItsCuts(NumpyLearner):
    def extract(self, feed: Feed, cuts: Sequence[Cut], view: View) -> Iterator[list[Array]]:
        for arrays in super().extract(feed, cuts, view):
            yield arrays[::-1]


class ExtractsWhatItHasSeen(NumpyLearner):
    """What it gives moves with the number of samples it was asked for."""

    def extract(self, feed: Feed, cuts: Sequence[Cut], view: View) -> Iterator[list[Array]]:
        numpy_net.observe(self._blocks, self._features(feed.batch(np.arange(len(feed)))["image"]))
        return super().extract(feed, cuts, view)


class ExtractsInHalves(NumpyLearner):
    """A precision that cannot be told from the cut."""

    def extract(self, feed: Feed, cuts: Sequence[Cut], view: View) -> Iterator[list[Array]]:
        for arrays in super().extract(feed, cuts, view):
            yield [array.astype(np.float16).astype(np.float32) for array in arrays]


class AugmentsWhatIsCached(NumpyLearner):
    def _step(self, batch: dict[str, Array], rng: np.random.Generator) -> float:
        if ACTIVATION in batch:
            rng.random(3)
        return super()._step(batch, rng)


class EntersAnywhere(NumpyLearner):
    def enter(self, cut: Cut | None) -> None:
        self._cut = cut


class DropsItsPrefix(NumpyLearner):
    def enter(self, cut: Cut | None) -> None:
        super().enter(cut)
        if cut:
            self._blocks["stem"] = {key: np.zeros_like(array) for key, array in self._blocks["stem"].items()}


class StaysInside(NumpyLearner):
    def enter(self, cut: Cut | None) -> None:
        super().enter(cut or self._cut)


class TurnsItsHead(NumpyLearner):
    def set_head(self, values: Mapping[str, tuple[Array, Array]]) -> None:
        super().set_head({name: (weights[::-1], bias) for name, (weights, bias) in values.items()})


class TakesAnyHead(NumpyLearner):
    def set_head(self, values: Mapping[str, tuple[Array, Array]]) -> None:
        for name, (weights, bias) in values.items():
            self._blocks["head"] |= {f"{name}.weight": weights.T, f"{name}.bias": bias}


class NeedsAnOptimizer(NumpyLearner):
    def __init__(self, job: Job, blocks: numpy_net.Blocks) -> None:
        super().__init__(job, blocks)
        self.moments = {"sgd": 1, "adam": 2, "adamw": 2}[job.recipe.optimizer]


class ChoosesForHeads(NumpyLearner):
    """Features that trials share would hang on which of them came first."""

    def precision_chosen(self) -> str:
        return "bf16" if self.job.recipe.precision == "auto" else ""


class ChoosesWhatWasSaid(NumpyLearner):
    def precision_chosen(self) -> str:
        return "" if self.job.recipe.freeze == 1 else "bf16"


class DrawsViewsByChance(NumpyLearner):
    def extract(self, feed: Feed, cuts: Sequence[Cut], view: View) -> Iterator[list[Array]]:
        seed = int(np.random.default_rng().integers(1 << 30))
        return super().extract(feed, cuts, msgspec.structs.replace(view, seed=seed))


class DrawsViewsByCount(NumpyLearner):
    def extract(self, feed: Feed, cuts: Sequence[Cut], view: View) -> Iterator[list[Array]]:
        return super().extract(feed, cuts, msgspec.structs.replace(view, seed=view.seed + len(feed)))


class HasOneView(NumpyLearner):
    def extract(self, feed: Feed, cuts: Sequence[Cut], view: View) -> Iterator[list[Array]]:
        return super().extract(feed, cuts, msgspec.structs.replace(view, number=min(1, view.number)))


class DropsTheLastBatch(NumpyLearner):
    def train_epoch(self, feed: Feed, epoch: int, stop: Stop) -> EpochStats:
        whole = len(feed) // self.job.recipe.batch_size
        asked: list[int] = []
        return super().train_epoch(feed, epoch, lambda: asked.append(1) or len(asked) > whole)  # type: ignore[func-returns-value]


BROKEN_LEARNERS: list[tuple[type[NumpyLearner], str]] = [
    (StatisticsLeak, "freeze_1_leaves_every_backbone_array_bit_identical"),
    (FrozenStem, "freeze_0_moves_every_block"),
    (TrainsWhilePredicting, "predicting_changes_nothing"),
    (OtherStatisticsInEvaluation, "overfits_the_toys_in_evaluation_mode"),
    (Deaf, "stop_ends_an_epoch_early"),
    (Unseeded, "same_seed_same_first_epoch"),
    (LosesItsHead, "load_needs_the_folder_alone"),
    (Pickles, "saved_files_run_no_code"),
    (Silent, "a_loss_that_is_not_finite_fails_the_trial"),
    (OwnArrays, "arrays_are_copies_by_block"),
    (DoublePrecision, "every_supported_loss_trains"),
    (ForgetsItsOptimizer, "a_resumed_training_goes_on_the_same"),
    (DropsTheLastBatch, "an_epoch_sees_every_row_once"),
    (CutsAfterItsHead, "cuts_are_ordered_and_within_the_blocks"),
    (CutsItsOwnWay, "cuts_are_ordered_and_within_the_blocks"),
    (MixesUpItsCuts, "extract_gives_what_its_cuts_say"),
    (ExtractsWhatItHasSeen, "extract_gives_what_its_cuts_say"),
    (ExtractsInHalves, "every_cut_gives_the_outputs_that_the_inputs_give"),
    (StaysInside, "every_cut_gives_the_outputs_that_the_inputs_give"),
    (AugmentsWhatIsCached, "training_from_a_cut_is_training_from_the_inputs"),
    (EntersAnywhere, "a_cut_behind_trained_blocks_is_refused"),
    (DropsItsPrefix, "entering_changes_no_array"),
    (DropsItsPrefix, "a_model_trained_from_a_cut_takes_inputs_when_loaded"),
    (TurnsItsHead, "set_head_is_exact"),
    (TakesAnyHead, "set_head_refuses_what_does_not_fit"),
    (NeedsAnOptimizer, "a_learner_whose_heads_are_solved_needs_no_optimizer"),
    (ChoosesForHeads, "a_precision_that_was_chosen_builds_the_same_where_it_is_said"),
    (ChoosesWhatWasSaid, "a_precision_that_was_chosen_builds_the_same_where_it_is_said"),
    (DrawsViewsByChance, "views_repeat_and_differ"),
    (DrawsViewsByCount, "views_repeat_and_differ"),
    (HasOneView, "views_repeat_and_differ"),
]


@pytest.mark.parametrize(
    ("learner", "check"), BROKEN_LEARNERS, ids=[f"{kind.__name__}-{check}" for kind, check in BROKEN_LEARNERS]
)
def test_a_broken_learner_is_caught(learner: type[NumpyLearner], check: str, tmp_path: Path) -> None:
    class Broken(NumpyBackend):
        def build(self, job: Job) -> NumpyLearner:
            return learner(job, numpy_net.start(job))

    assert_caught(Broken, check, tmp_path)


class Raises(NumpyBackend):
    def supports(self, problem: Problem, card: ModelCard) -> str:
        return super().supports(problem, card) + problem.outputs[0].name


class Mumbles(NumpyBackend):
    def supports(self, problem: Problem, card: ModelCard) -> str:
        return "cannot" if super().supports(problem, card) else ""


class OtherWeights(NumpyBackend):
    """Class weights without their normalisation."""

    def loss(self, output: Output, raw: Array, targets: Array, label_smoothing: float = 0.0) -> float:
        factor = np.asarray(output.class_weights)[targets].mean() if output.class_weights and targets.ndim == 1 else 1
        return float(super().loss(output, raw, targets, label_smoothing) * factor)


class OtherSignature(NumpyBackend):
    def load(self, folder: Path, job: Job) -> NumpyLearner:  # type: ignore[override]
        return super().load(job, folder)


BROKEN_BACKENDS: list[tuple[type[NumpyBackend], str, dict[str, str]]] = [
    (Raises, "supports_never_raises", {}),
    (Mumbles, "supports_names_the_missing_loss", {"loss": "focal"}),
    (Mumbles, "supports_names_the_missing_head", {"head": "dense"}),
    (OtherWeights, "loss_matches_reference", {"name": "cross_entropy weighted"}),
    (OtherSignature, "conforms_to_the_protocol", {}),
]


@pytest.mark.parametrize(("backend", "check", "arguments"), BROKEN_BACKENDS)
def test_a_broken_backend_is_caught(
    backend: type[NumpyBackend], check: str, arguments: dict[str, str], tmp_path: Path
) -> None:
    assert_caught(backend, check, tmp_path, **arguments)


def assert_caught(broken: type[NumpyBackend], check: str, folder: Path, **arguments: str) -> None:
    class Kit(BackendContract):
        backend = broken
        card = CARD
        recipe = {"epochs": 10}

    method: Callable[..., None] = getattr(Kit(), f"test_{check}")
    given = method.__code__.co_varnames[: method.__code__.co_argcount]
    extra: dict[str, Any] = {"tmp_path": folder} if "tmp_path" in given else {}
    for name, value in (("loss", "cross_entropy"), ("count", 5), ("freeze", 0.5), ("augment", "light")):
        if name in given:
            extra.setdefault(name, value)
    with pytest.raises((AssertionError, IndexError, KeyError, pytest.fail.Exception)):
        method(**{**extra, **arguments})
