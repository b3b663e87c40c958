"""How trials are scheduled, and who is told of them: what `ray.py` is given."""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from typing import Protocol

from autoft.errors import UsageError
from autoft.records import Entry, EpochReport, Metric, Param, Record, TrialResult, TrialSpec
from autoft.registry import extra
from autoft.vocab import did_you_mean

LOCAL = "local"
"""Address that asks for Ray on this machine."""
FLAT = "flat"
"""The strategy that is no object: a searcher and a scheduler."""
HALVING = "halving"
SCHEDULERS = ("asha", HALVING, "none", "hyperband", "median", "pbt")
RAYLESS = (HALVING, "none")
"""Those that need no scheduler of Ray."""
MUTABLE = ("lr", "weight_decay", "momentum", "dropout", "label_smoothing", "l1", "clip", "mixup", "cutmix", "augment")
"""What population based training may change in a network that is already trained in part."""


class Machine(Record):
    """One of those that trials run on."""

    cpus: float
    gpus: float
    memory: float = 0.0
    """Bytes that Ray gives out there; 0 where it is not known."""
    key: str = ""
    """By which Ray knows it."""
    name: str = "this machine"


class Cluster(Record):
    """What there is to run trials on."""

    machines: tuple[Machine, ...]
    ray: bool = True
    """Ray runs on it; this machine alone can do without."""
    grows: bool = False
    """Something adds machines when they are asked for."""

    @property
    def gpus(self) -> float:
        return sum(machine.gpus for machine in self.machines)


class Settings(Record):
    """How trials are scheduled."""

    metric: Metric
    folder: str
    """Where Ray keeps its own files; may be an address that all nodes reach."""
    trials: int = 0
    """0 is as many as the deadline allows."""
    concurrency: int = 0
    cpus: float = 1.0
    gpus: float = 0.0
    memory: float = 0.0
    """Bytes, where Ray runs them."""
    threads: int = 1
    """Of the processes of each trial, where they are made for it: on one machine."""
    scheduler: str = "asha"
    epochs: int = 20
    space: tuple[Param, ...] = ()
    deadline: float = 0.0
    """Unix time at which all trials must have ended."""
    seed: int = 0
    target: str = "autoft.trial:Trial"
    """What runs a trial: a class with `step`, `save_state` and `load_state`, made from a `TrialSpec`."""


class Observer(Protocol):
    """Told of every trial, in the driver."""

    def started(self, spec: TrialSpec) -> None: ...

    def reported(self, number: int, report: EpochReport) -> None: ...

    def ended(self, result: TrialResult) -> None: ...


def check_scheduler(name: str) -> str:
    """The scheduler's name.

    Raises:
        UsageError: there is none of this name.
    """
    if name not in SCHEDULERS:
        raise UsageError(
            f"there is no scheduler '{name}'.{did_you_mean(name, SCHEDULERS)} Known: {', '.join(SCHEDULERS)}."
        )
    return name


def check_strategy(name: str, offered: Sequence[Entry]) -> str:
    """The strategy's name: flat, or one that is offered by this name or alias.

    Raises:
        UsageError: there is none of this name.
    """
    for entry in offered:
        if name == entry.name or name in entry.aliases:
            return entry.name
    if name != FLAT:
        known = sorted([FLAT, *(entry.name for entry in offered)])
        near = did_you_mean(name, known)
        raise UsageError(f"there is no strategy '{name}'.{near} Known: {', '.join(known)}.", extra(name))
    return name


def answers(address: str) -> None:
    """Open a connection to `host:port` and close it again. Addresses of another form are Ray's to understand.

    Raises:
        ConnectionError: nothing listens there.
    """
    match = re.fullmatch(r"(?P<host>[^/]+):(?P<port>\d+)", address)
    if match:
        try:
            socket.create_connection((match["host"].strip("[]"), int(match["port"])), timeout=10).close()
        except (OSError, OverflowError) as error:
            raise ConnectionError(str(error)) from error


def mutable(space: Sequence[Param]) -> list[Param]:
    """The parameters that population based training changes while it trains.

    Raises:
        UsageError: the space has none.
    """
    found = [param for param in space if param.key in MUTABLE and not param.fixed]
    if not found:
        raise UsageError(
            f"population based training changes parameters while it trains, so one of {', '.join(MUTABLE)} must be "
            "searched, but none is.",
            "Give a range, for example lr=1e-4..1e-2:log",
        )
    return found
