"""Which precision a CPU trains in where the recipe leaves it open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from msgspec.structs import replace

from autoft.api import Job
from autoft.testing import toys
from autoft_torch import _precision, _probe
from autoft_torch._learner import TorchLearner
from autoft_torch.backend import TorchBackend

Ask = Callable[..., Job]


@pytest.fixture(autouse=True)
def native(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AUTOFT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(_probe, "_known", {})
    monkeypatch.setattr(_probe, "computes_bf16", lambda: True)


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Seconds of a step by precision, as the probe is told; how many it `asked` for, and the `samples` of the last."""
    told = {"fp32": 0.02, "bf16": 0.01, "asked": 0.0, "samples": 0.0}

    def step(net: object, values: torch.Tensor, precision: _precision.Precision) -> float:
        told["asked"] += 1
        told["samples"] = len(values)
        return told[precision.word]

    monkeypatch.setattr(_probe, "_step", step)
    return told


@pytest.fixture
def wanted(card: Any, job: Any) -> Ask:
    """A job that is long enough to find out, for a batch of eight."""

    def make(**recipe: Any) -> Job:
        plain = {"precision": "auto", "epochs": 20}
        made: Job = job(card("autoft", "resnet-s"), **{**plain, **recipe})
        return replace(made, steps_per_epoch=50)

    return make


def build(job: Job) -> TorchLearner:
    learner = TorchBackend().build(job)
    assert isinstance(learner, TorchLearner)
    return learner


@pytest.mark.parametrize(("seconds", "word"), [(0.01, "bf16"), (0.019, "fp32"), (0.03, "fp32")])
def test_bf16_must_be_clearly_quicker(steps: dict[str, float], wanted: Ask, seconds: float, word: str) -> None:
    steps["bf16"] = seconds
    learner = build(wanted())
    assert learner.precision_chosen() == learner.precision.word == learner.job.recipe.precision == word
    assert steps["asked"] == 2 + 2 * _probe.ROUNDS and steps["samples"] == 8, "a whole batch"


def test_large_networks_are_tried_on_fewer_samples(steps: dict[str, float], wanted: Ask) -> None:
    steps |= {"fp32": 0.3, "bf16": 0.15}
    assert build(wanted(batch_size=8)).precision_chosen() == "bf16"
    assert (steps["asked"], steps["samples"]) == (2 + 4, _probe.LEAST)
    steps |= {"fp32": 3.0, "bf16": 1.5, "asked": 0.0}
    assert build(wanted(batch_size=16)).precision_chosen() == "bf16"
    assert (steps["asked"], steps["samples"]) == (2 + 2, _probe.FEW)


def test_it_is_found_out_once_on_a_machine(
    steps: dict[str, float], wanted: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(wanted())
    asked, steps["bf16"] = steps["asked"], 1.0
    assert build(wanted(freeze=0.5, lr=0.1)).precision_chosen() == "bf16", "all depths are trained alike"
    monkeypatch.setattr(_probe, "_known", {})  # another process
    assert build(wanted()).precision_chosen() == "bf16" and steps["asked"] == asked
    assert build(wanted(batch_size=64)).precision_chosen() == "fp32" and steps["asked"] > asked


@pytest.mark.parametrize("given", [{"precision": "fp32"}, {"precision": "bf16"}, {"freeze": 1.0}])
def test_what_is_said_and_heads_alone_stay_as_they_are(
    steps: dict[str, float], wanted: Ask, given: dict[str, Any]
) -> None:
    learner = build(wanted(**given))
    assert learner.precision_chosen() == "" and not steps["asked"]
    assert learner.precision.word == given.get("precision", "fp32")


def test_a_cpu_without_such_instructions_has_no_choice(
    steps: dict[str, float], wanted: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_probe, "computes_bf16", lambda: False)
    learner = build(wanted())
    assert (learner.precision_chosen(), learner.precision.word, steps["asked"]) == ("", "fp32", 0)


@pytest.mark.parametrize(("told", "found"), [({"avx512_bf16": True}, True), ({"avx512_f": True}, False), ({}, False)])
def test_instructions_are_asked_for_by_name(
    monkeypatch: pytest.MonkeyPatch, told: dict[str, bool], found: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: told, raising=False)
    assert _precision.computes_bf16() == (found and torch.backends.mkldnn.is_available())


def test_a_trial_too_short_to_find_out_is_trained_in_fp32(steps: dict[str, float], wanted: Ask) -> None:
    learner = build(wanted(epochs=2))
    assert (learner.precision_chosen(), steps["asked"]) == ("fp32", 0)


def test_a_short_trial_goes_by_what_a_longer_one_found(steps: dict[str, float], wanted: Ask) -> None:
    assert build(wanted(epochs=2)).precision_chosen() == "fp32"
    assert build(wanted()).precision_chosen() == "bf16", "what could not be found out was not kept"
    asked = steps["asked"]
    assert build(wanted(epochs=2)).precision_chosen() == "bf16" and steps["asked"] == asked, "as a second run"


def test_what_few_samples_tell_is_not_kept_for_large_batches(steps: dict[str, float], wanted: Ask) -> None:
    small = replace(wanted(batch_size=64), steps_per_epoch=1)
    assert (build(small).precision_chosen(), steps["asked"]) == ("fp32", 0)
    assert build(wanted(batch_size=64)).precision_chosen() == "bf16"


def test_what_cannot_be_tried_is_trained_in_fp32(
    steps: dict[str, float], wanted: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def step(net: object, values: torch.Tensor, precision: _precision.Precision) -> float:
        raise RuntimeError("not implemented for 'BFloat16'")

    monkeypatch.setattr(_probe, "_step", step)
    assert build(wanted()).precision_chosen() == "fp32"
    assert build(wanted(batch_size=1)).precision_chosen() == ""


def test_other_outputs_are_no_gain(steps: dict[str, float], wanted: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_probe, "_far", lambda net, values, kinds: True)
    assert build(wanted()).precision_chosen() == "fp32" and not steps["asked"]


def test_looking_leaves_the_network_and_its_draws_alone(wanted: Ask) -> None:
    found, plain = build(wanted()), build(wanted(precision="fp32"))  # with real steps
    assert found.precision_chosen() in ("fp32", "bf16")
    for block, arrays in plain.arrays().items():
        for name, array in arrays.items():
            np.testing.assert_array_equal(found.arrays()[block][name], array)
    assert [p.requires_grad for p in found.net.parameters()] == [p.requires_grad for p in plain.net.parameters()]


def test_a_model_of_the_chosen_precision_predicts_as_it_did(
    steps: dict[str, float], wanted: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner = build(wanted())
    feed = toys.feed(learner.job.problem, 8, 32)
    learner.save(tmp_path)
    (before,) = learner.predict(feed).values()
    (again,) = TorchBackend().load(learner.job, tmp_path).predict(feed).values()
    np.testing.assert_allclose(again, before, atol=1e-5)
    monkeypatch.setattr(_precision, "computes_bf16", lambda: False)
    there = TorchBackend().load(learner.job, tmp_path)
    assert isinstance(there, TorchLearner) and there.precision.word == "fp32"
    (other,) = there.predict(feed).values()
    np.testing.assert_allclose(other, before, atol=0.02)


def test_networks_for_texts_and_recordings_are_tried_on_theirs(
    wanted: Ask, tmp_path: Path, steps: dict[str, float]
) -> None:
    pytest.importorskip("transformers", reason="autoft-torch is here without its extra hf")
    import checkpoints as ck

    for kind in ("bert", "wav2vec2"):
        card = ck.card_of(ck.save(kind, tmp_path / kind))
        job = replace(ck.job(card, precision="auto", epochs=40), steps_per_epoch=50)
        assert build(job).precision_chosen() == "bf16"
