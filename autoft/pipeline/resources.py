"""How trials share what there is to compute on: the GPUs, cores and threads of each, and how many run at a time."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from autoft import gpus
from autoft.errors import UsageError
from autoft.events import Listener, Note
from autoft.names import listed
from autoft.options import SearchOptions
from autoft.search.settings import FLAT, LOCAL, RAYLESS, Cluster, Machine

GROWTH: Final = 4
"""Times as many trials as have room now are asked of a cluster that adds nodes, where the user names no number."""
FEWEST: Final = 8
"""Trials that are asked of such a cluster at least: it may have no room at all now."""


class Room(NamedTuple):
    """How trials share what there is."""

    now: int
    """Trials at a time."""
    given_out: int
    """Trials that Ray is given at a time: more, where a cluster adds nodes for those that wait."""
    threads: int
    """Of each."""


def room(options: SearchOptions, there: Cluster) -> Room:
    now = concurrency(options, there)
    return Room(now, given_out(options, there), threads(options, there, now))


def on_gpus(options: SearchOptions) -> bool:
    return options.gpus_per_trial > 0 or (options.gpus_per_trial < 0 and gpus.present())


def alone(options: SearchOptions) -> bool:
    """Whether a strategy decides all there is to decide: one machine, no GPUs but those that can be dealt by name, none
    of Ray's schedulers."""
    if options.address or (options.strategy == FLAT and options.scheduler not in RAYLESS):
        return False
    return not on_gpus(options) or bool(gpus.names())


def shared(options: SearchOptions, there: float) -> SearchOptions:
    """One GPU per trial where there are any, if the user said nothing.

    Raises:
        UsageError: a trial is to have more GPUs than there are. A cluster may still grow.
    """
    if options.cpus_per_trial < 0:
        raise UsageError(f"--cpus-per-trial must be above 0, but got {options.cpus_per_trial:g}.")
    if options.memory_per_trial < 0:
        raise UsageError(f"--memory-per-trial must be above 0, but got {options.memory_per_trial:g}.")
    share = options.gpus_per_trial if options.gpus_per_trial >= 0 else float(min(1.0, there))
    if share > there and not options.address:
        raise UsageError(
            f"--gpus-per-trial {share:g} asks for more GPUs than this search may use: {there:g}.",
            "Give a smaller number, or 0 to train on the CPU; `autoft env` lists the GPUs.",
        )
    return msgspec.structs.replace(options, gpus_per_trial=share)


def cpus(options: SearchOptions) -> float:
    """Cores that are asked for each trial; one, where nobody said how many, so that others may use the rest."""
    return options.cpus_per_trial or 1.0


def memory(options: SearchOptions) -> float:
    """Bytes that are asked for each trial."""
    return round(options.memory_per_trial * 1e9)


def concurrency(options: SearchOptions, there: Cluster) -> int:
    """Trials at a time. A cluster may still grow to what the user asks for."""
    most = max(1, sum(_held(options, machine) for machine in there.machines))
    if options.concurrency and options.address not in ("", LOCAL):
        return options.concurrency
    return min(options.concurrency or most, most)


def given_out(options: SearchOptions, there: Cluster) -> int:
    """Trials that Ray is given at a time. What has no room yet waits there, and is what nodes are added for."""
    now = concurrency(options, there)
    return now if options.concurrency or not there.grows else max(FEWEST, GROWTH * now)


def threads(options: SearchOptions, there: Cluster, trials: int) -> int:
    """Of each of so many trials at a time: the cores that the user gives it. Without a word one, but where GPUs are the
    limit, all cores of their machine, which would lie idle."""
    if options.cpus_per_trial or options.gpus_per_trial <= 0:
        return max(1, int(options.cpus_per_trial))
    sides = [(machine.cpus, min(trials, _held(options, machine))) for machine in there.machines]
    return max(1, min((int(cores / beside) for cores, beside in sides if beside), default=1))


def check(options: SearchOptions, asked: SearchOptions, there: Cluster, listener: Listener) -> None:
    """Say what the user would wait for in vain, or without knowing.

    Args:
        asked: the options as they were before GPUs were counted.

    Raises:
        UsageError: no node holds a trial, and nothing adds further nodes.
    """
    if not there.ray:
        return
    if asked.gpus_per_trial < 0 and not there.gpus and there.grows:
        text = "the cluster has no GPU now, so trials compute on CPUs. For GPUs that it adds: --gpus-per-trial 1"
        listener(Note(text=text, level="warning"))
    _some_hold(options, there, listener)


def lessened(options: SearchOptions, asked: SearchOptions, there: Cluster, listener: Listener) -> SearchOptions:
    """The options once more, on what is left where nodes were left out.

    Args:
        asked: the options as they were before GPUs were counted.

    Raises:
        UsageError: no node that is left holds a trial, and nothing adds further nodes.
    """
    less = shared(asked, there.gpus)
    if options.gpus_per_trial > 0 >= less.gpus_per_trial:
        more = ". For GPUs that the cluster adds: --gpus-per-trial 1" if there.grows else ""
        listener(Note(text=f"trials compute on CPUs: no node that can run them has a GPU{more}", level="warning"))
    _some_hold(less, there, listener)
    return less


def tell(options: SearchOptions, there: Cluster, listener: Listener) -> None:
    """Say how far a search makes a cluster grow, and which nodes it leaves idle."""
    if not there.ray:
        if options.memory_per_trial:
            text = "--memory-per-trial is not heeded: Ray does not share this machine among trials. --concurrency does"
            listener(Note(text=text, level="warning"))
        return
    held = sum(_held(options, machine) for machine in there.machines)
    idle = [machine.name for machine in there.machines if machine.cpus >= 1 and not _held(options, machine)]
    if there.grows and not options.concurrency:
        text = (
            f"the cluster may add nodes: it has room for {held} trial{'s' * (held != 1)} now, and is asked for up to "
        )
        listener(Note(text=f"{text}{given_out(options, there)} at a time; --concurrency sets another number"))
    if idle and held:
        gets = "gets" if len(idle) == 1 else "get"
        text = f"{len(idle)} of {len(there.machines)} nodes {gets} no trials, as each trial asks for "
        hint = ". --gpus-per-trial 0 computes on CPUs alone, on all nodes" if options.gpus_per_trial > 0 else ""
        listener(Note(text=f"{text}{_wanted(options)}: {listed(idle)}{hint}"))


def _some_hold(options: SearchOptions, there: Cluster, listener: Listener) -> None:
    if any(_held(options, machine) for machine in there.machines):
        return
    wanted, largest = _wanted(options), _largest(there, options)
    if not there.grows:
        raise UsageError(
            f"one node must hold a trial, which has {wanted}, but {largest}.",
            "Give a smaller --cpus-per-trial, --gpus-per-trial or --memory-per-trial; `ray status` lists the nodes.",
        )
    text = f"no node holds a trial now, which has {wanted}, as {largest}: trials begin when the cluster adds nodes"
    listener(Note(text=text, level="warning"))


def _held(options: SearchOptions, machine: Machine) -> int:
    """Trials that this machine holds at a time."""
    most = int(machine.cpus / cpus(options) + 1e-9)
    if options.memory_per_trial and machine.memory:
        most = min(most, int(machine.memory / memory(options)))
    return min(most, gpus.fit(machine.gpus, options.gpus_per_trial)) if options.gpus_per_trial > 0 else most


def _largest(there: Cluster, options: SearchOptions) -> str:
    best = max(there.machines, key=lambda machine: (machine.gpus, machine.cpus), default=Machine(cpus=0.0, gpus=0.0))
    has = _words(best.cpus, best.gpus, best.memory if options.memory_per_trial else 0.0)
    return f"the largest of {len(there.machines)} has {has}"


def _wanted(options: SearchOptions) -> str:
    """What a trial asks for."""
    return _words(cpus(options), options.gpus_per_trial, memory(options))


def _words(cores: float, cards: float, room: float) -> str:
    words = [f"{cores:g} CPU{'s' * (cores != 1)}", f"{max(0.0, cards):g} GPU{'s' * (cards != 1)}"]
    if room:
        words.append(f"{room / 1e9:.3g} GB of memory")
    return f"{', '.join(words[:-1])} and {words[-1]}"
