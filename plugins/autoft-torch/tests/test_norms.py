"""Batch normalisation with statistics that follow training, or with those of the pretraining."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from autoft_torch.backend import TorchBackend

STATISTICS = ("running_mean", "running_var")


def never():
    return False


def flat(learner):
    return {key: values for block in learner.arrays().values() for key, values in block.items()}


def statistics(learner):
    return {key: values for key, values in flat(learner).items() if key.endswith(STATISTICS)}


def same(one, other):
    return all(np.array_equal(one[key], other[key]) for key in one)


@pytest.fixture
def network(card):
    return msgspec.structs.replace(card("autoft", "resnet-s"), pretrained=True)


@pytest.mark.parametrize("norms", ["kept", "batch"])
def test_kept_statistics_stay_and_weights_are_trained(norms, network, job, toys):
    learner = TorchBackend().build(job(network, norms=norms, batch_size=16))
    before, all_before = statistics(learner), flat(learner)
    learner.train_epoch(toys, 1, never)
    assert before and same(before, statistics(learner)) == (norms == "kept")
    scales = [key for key in all_before if key.removesuffix("weight") + "running_mean" in before]
    assert scales and not same({key: all_before[key] for key in scales}, flat(learner))


def test_a_step_with_kept_statistics_sees_what_evaluation_sees(network, job, toys):
    learner = TorchBackend().build(job(network, norms="kept", lr=0.0, weight_decay=0.0, batch_size=16))
    seen = learner.predict(toys)
    learner.train_epoch(toys, 1, never)
    assert same(seen, learner.predict(toys))


def test_from_scratch_there_is_nothing_to_keep(network, job, toys):
    learner = TorchBackend().build(job(msgspec.structs.replace(network, pretrained=False), norms="kept", batch_size=16))
    before = statistics(learner)
    learner.train_epoch(toys, 1, never)
    assert not same(before, statistics(learner))
