"""Which networks a search tries: those the user named, or the preset's pick among those that can be used now."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from autoft import compose
from autoft.contracts import ModelSource, Task
from autoft.errors import AutoftError, UsageError
from autoft.events import Listener, Note
from autoft.records import ModelCard, Problem, Schema
from autoft.registry import Registry
from autoft.search.presets import pick_models
from autoft.vocab import did_you_mean


class Candidate(NamedTuple):
    """A network and the problem that the task and its backend agreed on."""

    card: ModelCard
    problem: Problem


class _Found(NamedTuple):
    source: ModelSource
    card: ModelCard
    problem: Problem


def choose(
    registry: Registry,
    task: Task,
    schema: Schema,
    listener: Listener,
    *,
    named: tuple[str, ...] = (),
    backend: str = "auto",
    preset: str = "balanced",
    offline: bool = False,
) -> list[Candidate]:
    """Networks with their weights on this machine, the preset's first choice first.

    Raises:
        UsageError: a name is unknown or does not fit the task, or nothing is left.
    """
    backends = _backends(registry, backend)
    sources: list[ModelSource] = [registry.get("models", entry.name) for entry in registry.entries("models")]
    if named:
        wanted = [_resolve(registry, sources, name, task, schema, backends) for name in named]
    else:
        wanted = _pick(registry, sources, task, schema, backends, preset, offline, listener)
    usable = list(_fetched(wanted, bool(named), offline, listener))
    if not usable:
        raise UsageError(
            "a search needs at least one network, but none is at hand.",
            "Name a local one: --models PATH; `autoft ls models` shows what is at hand offline.",
        )
    for candidate in usable:
        if not candidate.card.pretrained:
            listener(Note(text=f"{candidate.card.name}: {candidate.card.summary or 'trained from scratch'}"))
    return usable


def _backends(registry: Registry, wanted: str) -> set[str]:
    if wanted != "auto":
        return {registry.entry("backend", name.strip()).name for name in wanted.split(",")}
    found = {entry.name for entry in registry.entries("backend")}
    if not found:
        raise UsageError("a search needs a backend, but none is installed.", "pip install 'autoft[torch]'")
    return found


def _resolve(
    registry: Registry, sources: list[ModelSource], name: str, task: Task, schema: Schema, backends: set[str]
) -> _Found:
    for source in sources:
        card = source.resolve(name)
        if card is None:
            continue
        if card.backend not in backends:
            raise UsageError(f"{name} runs on {card.backend}, but --backend asks for {', '.join(sorted(backends))}.")
        problem, reason = compose.agree(task, schema, registry.get("backend", card.backend), card)
        if problem is None:
            raise UsageError(f"{name} cannot be used for {task.name}: {reason}")
        return _Found(source, card, problem)
    known = [card.name for source in sources for card in source.catalogue()]
    raise UsageError(
        f"there is no model '{name}', and no file or folder of that name.{did_you_mean(name, known)}",
        f"See `autoft ls models --task {task.name}`.",
    )


def _pick(
    registry: Registry,
    sources: list[ModelSource],
    task: Task,
    schema: Schema,
    backends: set[str],
    preset: str,
    offline: bool,
    listener: Listener,
) -> list[_Found]:
    found: dict[str, _Found] = {}
    silent: list[str] = []
    for source in sources:
        cards = [card for card in source.catalogue() if card.backend in backends and card.modality == task.modality]
        remote = [card for card in cards if not card.offline]
        if remote:
            reason = "--offline" if offline else source.reachable()
            if reason:
                silent.append(reason)
                cards = [card for card in cards if card.offline]
        for card in cards:
            problem, _ = compose.agree(task, schema, registry.get("backend", card.backend), card)
            if problem is not None:
                found[card.name] = _Found(source, card, problem)
    picked = pick_models([one.card for one in found.values()], preset)
    if silent:
        names = ", ".join(card.name for card in picked) or "nothing"
        listener(
            Note(text=f"no download of weights ({silent[0]}): searching with what is at hand: {names}", level="warning")
        )
    return [found[card.name] for card in picked]


def _fetched(wanted: Iterable[_Found], named: bool, offline: bool, listener: Listener) -> Iterable[Candidate]:
    for one in wanted:
        try:
            if offline and not one.card.offline:
                raise UsageError(
                    f"the weights of {one.card.name} are not at hand, and --offline forbids to fetch them."
                )
            yield Candidate(one.source.fetch(one.card), one.problem)
        except AutoftError as error:
            if named:
                raise
            listener(Note(text=f"{one.card.name} is left out: {error}", level="warning"))
