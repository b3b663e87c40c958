"""The nodes of a cluster: what each has, whether more may come, and which of them cannot run these trials. Imported by
`ray.py` alone, which sets Ray's switches first."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import ray
from ray import tune
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from autoft import fitness
from autoft.search.process import called
from autoft.search.settings import Machine

UNFIT: Final = "autoft.fitness:unfit"
"""What each node is asked."""

LABEL: Final = "ray.io/node-id"
LABELS_SINCE: Final = (2, 51)
"""The first Ray that heeds labels of bundles wherever it places them, and where its autoscaler does."""
_left_out: list[str] = []
"""Keys of nodes that get nothing of ours, until Ray is left."""
_held: list[Any] = []
"""Actors that keep others from nodes for the same purpose, under an older Ray."""


def alive() -> tuple[Machine, ...]:
    return tuple(_machine(node) for node in ray.nodes() if node["Alive"])


def _machine(node: Mapping[str, Any]) -> Machine:
    has, host = node["Resources"], str(node.get("NodeManagerHostname") or "")
    name = f"{host} ({node['NodeManagerAddress']})" if host else str(node["NodeManagerAddress"])
    shares = {"cpus": has.get("CPU", 0.0), "gpus": has.get("GPU", 0.0), "memory": has.get("memory", 0.0)}
    return Machine(**shares, key=node["NodeID"], name=name)


def grows() -> bool:
    """Whether an autoscaler adds nodes: those of a cluster that has one have types, with names that are not Ray's own.
    Ray has no public word for it, and two kinds of autoscalers; where neither can be asked, there may be one."""
    try:
        from ray.autoscaler.v2.sdk import get_cluster_status

        status = get_cluster_status(ray.get_runtime_context().gcs_address)
        types = {node.ray_node_type_name for node in (*status.active_nodes, *status.idle_nodes)}
        told = ray.experimental.internal_kv._internal_kv_get("__autoscaling_status")
        report = json.loads(told).get("autoscaler_report") or {} if told else {}
        types |= set(report.get("active_nodes") or {}) | set(report.get("pending_launches") or {})
    except Exception:  # of another version of Ray, whose insides have other names
        return True
    return any(not name.startswith("node_") for name in types)


def unfit(machines: tuple[Machine, ...], needs: str, seconds: float) -> dict[str, str]:
    """What keeps each of these nodes from running the trials, by their keys; empty words where nothing does. One that
    does not answer in time is left out."""
    found = {one.machine.key: _said(one) for one in _asked(machines, (UNFIT, needs), seconds)}
    able = tuple(one for one in machines if found.get(one.key) == "")
    # Their processes stand by now, so that the answer is a matter of milliseconds.
    for one in _asked(able, ("time:time",), seconds):
        if isinstance(one.what, float):
            found[one.machine.key] = fitness.wrong_clock(one.what, one.sent, one.heard)
    return found


class _Answer(NamedTuple):
    machine: Machine
    what: Any
    """What the function gave, or the exception that it ended in."""
    sent: float
    """Unix time at which it was asked."""
    heard: float


def _asked(machines: tuple[Machine, ...], call: tuple[str, ...], seconds: float) -> Iterator[_Answer]:
    """What `package.module:function` gives on each of these nodes, as the answers come, for so many seconds."""
    ask = ray.remote(num_cpus=0, max_retries=0)(called)
    sent, until = time.time(), time.monotonic() + seconds
    pending = {ask.options(scheduling_strategy=_on(one)).remote(*call): one for one in machines}
    while pending and (left := until - time.monotonic()) > 0:
        ready, _ = ray.wait(list(pending), timeout=left)
        heard = time.time()
        for one in ready:
            try:
                what = ray.get(one)
            except Exception as error:  # autoft itself may be missing there
                what = error
            yield _Answer(pending.pop(one), what, sent, heard)
    for one in pending:
        ray.cancel(one, force=True)


def _said(answer: _Answer) -> str:
    if not isinstance(answer.what, Exception):
        return str(answer.what)
    words = str(getattr(answer.what, "cause", None) or answer.what).strip() or type(answer.what).__name__
    return words.splitlines()[-1]


def leave_out(machines: tuple[Machine, ...]) -> None:
    """Let nothing of ours run on these nodes, for as long as this process is connected."""
    if _has_labels({one.key for one in machines}):
        _left_out.extend(one.key for one in machines)
        return
    free = ray._private.state.available_resources_per_node()
    for one in machines:  # what others have is theirs, and to ask for it would be to wait for it
        cpus, gpus = (_whole(free.get(one.key, {}).get(key, 0.0)) for key in ("CPU", "GPU"))
        held = ray.remote(num_cpus=cpus, num_gpus=gpus, max_restarts=0)(_nothing())
        _held.append(held.options(scheduling_strategy=_on(one)).remote())


def _whole(amount: float) -> float:
    """Ray gives parts of one alone."""
    return amount if amount < 1 else math.floor(amount)


def _nothing() -> type:
    """A class that does nothing. It is sent as it is: one of a module could not be made where autoft is missing."""
    return type("Held", (), {"__module__": "__main__"})


def trials_on(share: dict[str, float]) -> Any:
    """What each trial asks of Ray Tune: this share of a node, by Tune's names, on one that was not left out."""
    if not _left_out:
        return share
    bundle = {key.upper() if key in ("cpu", "gpu") else key: amount for key, amount in share.items()}
    return tune.PlacementGroupFactory([bundle], bundle_label_selector=[_elsewhere()])


def tasks_on() -> dict[str, Any]:
    """Options of tasks, for the same."""
    return {"label_selector": _elsewhere()} if _left_out else {}


def forget() -> None:
    _held.clear()
    _left_out.clear()


def _has_labels(keys: set[str]) -> bool:
    """Whether these nodes can be left out by the label that Ray gives to each: its name and the rules about it were
    others before."""
    major, minor = (int(part) for part in ray.__version__.split(".")[:2])
    labelled = {node["NodeID"] for node in ray.nodes() if node.get("Labels", {}).get(LABEL) == node["NodeID"]}
    return (major, minor) >= LABELS_SINCE and keys <= labelled


def _elsewhere() -> dict[str, str]:
    return {LABEL: f"!in({','.join(_left_out)})"}


def _on(machine: Machine) -> NodeAffinitySchedulingStrategy:
    return NodeAffinitySchedulingStrategy(node_id=machine.key, soft=False)
