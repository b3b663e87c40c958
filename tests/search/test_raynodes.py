"""Which nodes trials and tasks may run on, without a cluster."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from ray import cloudpickle

from autoft.search import ray
from autoft.search.settings import Machine

raynodes = ray.raynodes
ONE, OTHER = (Machine(cpus=4, gpus=0, key=key * 56, name=key) for key in "ab")
SHARE = {"cpu": 1.0, "gpu": 0.5, "memory": 9.0}


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    yield
    raynodes.forget()


def pretend(monkeypatch: pytest.MonkeyPatch, version: str, label: str = raynodes.LABEL, **others: Any) -> None:
    """A Ray of this version, which labels its nodes so."""
    nodes = [{"NodeID": one.key, "Labels": {label: one.key}} for one in (ONE, OTHER)]
    monkeypatch.setattr(raynodes, "ray", SimpleNamespace(__version__=version, nodes=lambda: nodes, **others))


def test_without_such_nodes_nothing_is_asked_of_labels() -> None:
    assert raynodes.trials_on(SHARE) == SHARE
    assert raynodes.tasks_on() == {}


def test_nodes_are_left_out_by_their_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, "2.60.0")
    raynodes.leave_out((ONE, OTHER))
    rule = {"ray.io/node-id": f"!in({ONE.key},{OTHER.key})"}
    asked = raynodes.trials_on(SHARE)
    assert asked.bundles == [{"CPU": 1.0, "GPU": 0.5, "memory": 9.0}]
    assert asked._bound.arguments["bundle_label_selector"] == [rule]
    assert raynodes.tasks_on() == {"label_selector": rule}
    raynodes.forget()
    assert raynodes.tasks_on() == {}


@pytest.mark.parametrize(("version", "label"), [("2.43.0", "ray.io/node-id"), ("2.60.0", "ray.io/node_id")])
def test_where_labels_are_not_heeded_what_is_free_is_held(
    version: str, label: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rule about a label that a node does not have would let all trials onto it."""
    asked: list[dict[str, float]] = []
    actor = SimpleNamespace(options=lambda **_: SimpleNamespace(remote=lambda: "actor"))

    def remote(**amounts: float) -> Any:
        asked.append(amounts)
        return lambda kind: actor

    free = {ONE.key: {"CPU": 3.5, "GPU": 0.5}}
    state = SimpleNamespace(available_resources_per_node=lambda: free)
    pretend(monkeypatch, version, label, remote=remote, _private=SimpleNamespace(state=state))
    raynodes.leave_out((ONE, OTHER))
    assert [(one["num_cpus"], one["num_gpus"]) for one in asked] == [(3, 0.5), (0.0, 0.0)]
    assert raynodes.trials_on(SHARE) == SHARE and raynodes.tasks_on() == {}


def test_what_holds_a_node_needs_no_autoft_there() -> None:
    sent = cloudpickle.dumps(raynodes._nothing())
    assert b"autoft" not in sent
    assert pickle.loads(sent)() is not None
