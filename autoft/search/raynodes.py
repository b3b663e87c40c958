"""The nodes of a cluster: what each has, whether more may come, and which of them cannot run these trials. Imported by
`ray.py` alone, which sets Ray's switches first."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from autoft.search.process import called
from autoft.search.settings import Machine

_held: list[Any] = []
"""Actors that keep trials from nodes, until Ray is left."""


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


def asked(machines: tuple[Machine, ...], function: str, payload: str, seconds: float) -> dict[str, str]:
    """What `package.module:function` says on each of these nodes, by their keys. One that does not answer in time is
    left out."""
    ask = ray.remote(num_cpus=0, max_retries=0)(called)
    pending = {ask.options(scheduling_strategy=_on(one)).remote(function, payload): one.key for one in machines}
    ready, late = ray.wait(list(pending), num_returns=len(pending), timeout=seconds)
    for one in late:
        ray.cancel(one, force=True)
    found: dict[str, str] = {}
    for one in ready:
        try:
            found[pending[one]] = ray.get(one)
        except Exception as error:  # autoft itself may be missing there
            found[pending[one]] = str(getattr(error, "cause", None) or error).strip().splitlines()[-1]
    return found


def leave_out(machine: Machine) -> None:
    """Let no trial run on this node: all that it has is taken, for as long as this process is connected."""
    held = ray.remote(num_cpus=machine.cpus, num_gpus=machine.gpus, max_restarts=0)(_Held)
    _held.append(held.options(scheduling_strategy=_on(machine)).remote())


def forget() -> None:
    _held.clear()


class _Held:
    """Does nothing."""


def _on(machine: Machine) -> NodeAffinitySchedulingStrategy:
    return NodeAffinitySchedulingStrategy(node_id=machine.key, soft=False)
