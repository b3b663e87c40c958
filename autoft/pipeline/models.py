"""Which networks a search tries: those the user named, or the preset's pick among those that can be used now."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import zip_longest
from typing import NamedTuple

import msgspec

from autoft import compose
from autoft.contracts import ModelSource, Task
from autoft.errors import AutoftError, UsageError
from autoft.events import Listener, Note
from autoft.pipeline import backends
from autoft.records import ModelCard, Problem, Schema
from autoft.registry import Registry
from autoft.search.presets import Preset, find_preset, pick_models, suits
from autoft.vocab import did_you_mean


class Candidate(NamedTuple):
    """A network and the problem that the task and its backend agreed on."""

    card: ModelCard
    problem: Problem
    key: str
    """What `recipe.model` holds: its name, with `:BACKEND` where another backend has the same one in this search."""


class _Found(NamedTuple):
    source: ModelSource
    card: ModelCard
    problem: Problem
    key: str


class _Place(NamedTuple):
    """Where networks are looked for."""

    registry: Registry
    task: Task
    schema: Schema
    backends: tuple[str, ...]
    compares: bool
    """A name means the network on every backend that has it, not on the first one."""

    def sources(self) -> list[tuple[str, ModelSource]]:
        """Every source with the distribution that it comes from. Their order decides which backend comes first."""
        return [(entry.plugin, self.registry.get("models", entry.name)) for entry in self.registry.entries("models")]

    def agree(self, card: ModelCard) -> tuple[Problem | None, str]:
        return compose.agree(self.task, self.schema, self.registry.get("backend", card.backend), card)


def choose(
    registry: Registry,
    task: Task,
    schema: Schema,
    listener: Listener,
    *,
    named: tuple[str, ...] = (),
    backend: str = backends.AUTO,
    preset: str = "balanced",
    offline: bool = False,
    single: bool = False,
) -> list[Candidate]:
    """Networks with their weights on this machine, the preset's first choice first.

    Args:
        single: one configuration is trained: networks beside those that were named are not spoken of.

    Raises:
        UsageError: a name is unknown or does not fit the task, or nothing is left.
    """
    wanted_backends = backends.chosen(registry, backend)
    place = _Place(registry, task, schema, wanted_backends, backends.compares(backend, wanted_backends))
    if named:
        every = [one for name in named for one in _resolve(place, name, listener)]
        wanted = list({(one.card.name, one.card.backend): one for one in every}.values())
    else:
        wanted = _pick(place, preset, offline, listener)
    usable = list(_fetched(wanted, bool(named), offline, listener))
    if not usable:
        raise UsageError(
            "a search needs at least one network, but none is at hand.",
            "Name a local one: --models PATH; `autoft ls models` shows what is at hand offline.",
        )
    if named and not single and (beside := _beside(place, usable)):
        told = f"--models is all that is searched: {', '.join(beside)}, which costs little, is not among it"
        listener(Note(text=told))
    for candidate in usable:
        if not candidate.card.pretrained:
            listener(Note(text=f"{candidate.key}: {candidate.card.summary or 'trained from scratch'}"))
    return usable


def _beside(place: _Place, usable: list[Candidate]) -> list[str]:
    """Networks that a preset's pick always has on top, where the user named others alone."""
    found, _ = _usable(place, offline=True)
    free = [one.card.name for one in found.values() if one.card.counts or one.card.fixed]
    known = {candidate.card.name for candidate in usable}
    return [] if known & {*free} else list(dict.fromkeys(free))


def _resolve(place: _Place, written: str, listener: Listener) -> list[_Found]:
    """The network of this name on the backends that are asked for: one, unless the search compares backends."""
    name, only = backends.divided(place.registry, written)
    cards = _cards(place, name)
    having = list(dict.fromkeys(card.backend for _, card in cards))
    if only and only not in having:
        raise UsageError(f"{name} runs on {', '.join(having)}, not on {only}.", f"Leave ':{only}' out.")
    asked = [only] if only else list(place.backends)
    allowed = [backend for backend in asked if backend in having and backend in place.backends]
    if not allowed:
        where = only or ", ".join(having)
        raise UsageError(
            f"{name} runs on {where}, but --backend asks for {', '.join(place.backends)}.",
            f"To search it: --backend {','.join((*place.backends, where.partition(',')[0]))}",
        )
    if not place.compares:
        allowed = [backend for backend in having if backend in allowed][:1]
    found, reasons = [], []
    for backend in allowed:
        source, card = next(pair for pair in cards if pair[1].backend == backend)
        problem, reason = place.agree(card)
        if problem is None:
            reasons.append(f"{reason} ({backend})" if len(allowed) > 1 else reason)
            continue
        found.append(_Found(source, card, problem, card.name))
    if not found:
        raise UsageError(f"{name} cannot be used for {place.task.name}: {'; '.join(reasons)}")
    for reason in reasons:
        listener(Note(text=f"{name} is left out on one backend: {reason}", level="warning"))
    if only or len(found) > 1:
        return [one._replace(key=backends.keyed(one.card.name, one.card.backend)) for one in found]
    return found


def _cards(place: _Place, name: str) -> list[tuple[ModelSource, ModelCard]]:
    """What every source knows by this name; at least one card.

    Raises:
        UsageError: none knows it. A source that owns such names says what is wrong with this one.
    """
    cards: list[tuple[ModelSource, ModelCard]] = []
    refusals: dict[str, tuple[str, UsageError]] = {}
    for plugin, source in place.sources():
        try:
            card = source.resolve(name)
        except UsageError as error:
            refusals.setdefault(error.message, (plugin, error))
            continue
        if card is not None:
            cards.append((source, card))
    if cards:
        return cards
    if len(refusals) == 1:
        raise next(iter(refusals.values()))[1]
    if refusals:
        said = "; ".join(f"{message} ({plugin})" for message, (plugin, _) in refusals.items())
        hints = dict.fromkeys(error.hint for _, error in refusals.values() if error.hint)
        raise UsageError(f"no backend can use '{name}': {said}", " ".join(hints))
    known = [card.name for _, source in place.sources() for card in source.catalogue()]
    raise UsageError(
        f"there is no model '{name}', and no file or folder of that name.{did_you_mean(name, known)}",
        f"See `autoft ls models --task {place.task.name}`.",
    )


def _pick(place: _Place, preset: str, offline: bool, listener: Listener) -> list[_Found]:
    """The preset's pick. A search that compares backends divides the preset's number of networks between them."""
    found, silent = _usable(place, offline)
    wanted = find_preset(preset)
    if not any(suits(one.card, wanted) for one in found.values()):
        raise _no_network(place, wanted, silent)
    count = wanted.models
    if place.compares:
        each = -(-count // len(place.backends))
        picks = [[(name, backend) for name in _names(found, backend, preset, each)] for backend in place.backends]
        chosen = [pair for row in zip_longest(*picks) for pair in row if pair is not None]
    else:
        chosen = _first_of_each(found, preset, count)
    twice = {name for name, _ in chosen if sum(name == other for other, _ in chosen) > 1}
    picked = [found[pair]._replace(key=backends.keyed(*pair) if pair[0] in twice else pair[0]) for pair in chosen]
    if silent:
        names = ", ".join(one.key for one in picked) or "nothing"
        listener(
            Note(text=f"no download of weights ({silent[0]}): searching with what is at hand: {names}", level="warning")
        )
    return picked


def _no_network(place: _Place, preset: Preset, silent: list[str]) -> UsageError:
    """Why a search cannot begin without the user naming a network."""
    cards = [card for _, source in place.sources() for card in source.catalogue() if card.backend in place.backends]
    made_for = list(dict.fromkeys(card.name for card in cards if suits(card, preset)))
    why = f" ({silent[0]})" if silent else ""
    if not preset.architecture or not made_for:
        return UsageError(
            f"a search needs at least one network, but none is at hand{why}.",
            "Name a local one: --models PATH; `autoft ls models` shows what is at hand offline.",
        )
    plain = next((name for name in made_for if name.endswith(f"/{preset.architecture}")), made_for[0])
    return UsageError(
        f"the preset {preset.name} needs {' or '.join(made_for)}, but its weights are not at hand and cannot be "
        f"downloaded{why}.",
        f"From a file: --models {plain}@FILE; from random weights: --models {plain}@scratch",
    )


def _usable(place: _Place, offline: bool) -> tuple[dict[tuple[str, str], _Found], list[str]]:
    """By name and backend what fits the task and can be had now, in the order of the sources; and why servers fail."""
    found: dict[tuple[str, str], _Found] = {}
    silent: list[str] = []
    able = compose.modalities(place.task)
    for _, source in place.sources():
        cards = [card for card in source.catalogue() if card.backend in place.backends and card.modality in able]
        if any(not card.offline for card in cards):
            reason = "--offline" if offline else source.reachable()
            if reason:
                silent.append(reason)
                cards = [card for card in cards if card.offline]
        for card in cards:
            problem, _ = place.agree(card)
            if problem is not None:
                found[card.name, card.backend] = _Found(source, card, problem, card.name)
    return found, silent


def posed(card: ModelCard, problem: Problem) -> ModelCard:
    """The card with those native heads alone that the problem is for."""
    return msgspec.structs.replace(card, native=card.native_for(problem))


def _names(found: dict[tuple[str, str], _Found], backend: str, preset: str, count: int) -> list[str]:
    cards = [posed(one.card, one.problem) for one in found.values() if one.card.backend == backend]
    return [card.name for card in pick_models(cards, preset, count)]


def _first_of_each(found: dict[tuple[str, str], _Found], preset: str, count: int) -> list[tuple[str, str]]:
    first: dict[str, ModelCard] = {}
    for one in found.values():
        first.setdefault(one.card.name, posed(one.card, one.problem))
    return [(card.name, card.backend) for card in pick_models(list(first.values()), preset, count)]


def _fetched(wanted: Iterable[_Found], named: bool, offline: bool, listener: Listener) -> Iterable[Candidate]:
    for one in wanted:
        try:
            if offline and not one.card.offline:
                raise UsageError(f"the weights of {one.key} are not at hand, and --offline forbids to fetch them.")
            yield Candidate(one.source.fetch(one.card), one.problem, one.key)
        except AutoftError as error:
            if named:
                raise
            listener(Note(text=f"{one.key} is left out: {error}", level="warning"))
