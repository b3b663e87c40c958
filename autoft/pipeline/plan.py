"""Turns options and data into a plan: networks, space, image sizes, and the recipe of every trial."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from autoft import heads, places, remote, scoring, trial
from autoft.abilities import Aimed
from autoft.contracts import Task
from autoft.data.lengths import worth_cutting
from autoft.data.readers import named_columns
from autoft.data.splits import TEST, VAL
from autoft.errors import UsageError
from autoft.events import Listener, Note
from autoft.observers import Observers
from autoft.options import SearchOptions
from autoft.pipeline import crowded, fitting, models, prepare, resources
from autoft.pipeline.prepare import Checked
from autoft.recipe import LEVELS, Recipe
from autoft.records import (
    Caching,
    DataRef,
    Decoding,
    Mask,
    Metric,
    ModelCard,
    Param,
    Problem,
    Resources,
    Scalar,
    Schema,
    Splits,
    TrialSpec,
    trial_name,
)
from autoft.registry import Registry
from autoft.search import families, listed, overrides, space
from autoft.search.defaults import default_space
from autoft.search.presets import sizes_for
from autoft.version import API_VERSION
from autoft.vocab import did_you_mean

PLACED: Final = ("dense", "boxes")
"""Heads whose outputs are places in the image."""
TRAIN: Final = (1 - TEST) * (1 - VAL)
"""Part of the samples that train, where the user has no parts of their own."""


class Plan(NamedTuple):
    """All that a search is about to do."""

    task: Task
    metric: Metric
    candidates: dict[str, models.Candidate]
    problems: dict[str, dict[str, Problem]]
    """By candidate and name: the formulations that a trial can have."""
    space: tuple[Param, ...]
    decoding: Decoding
    epochs: int
    listed: tuple[listed.Row, ...] = ()
    """Configurations that the user gave."""
    guessed: Mapping[str, str] = {}
    """Field word -> column of the table that was read."""
    names: Mapping[str, str] = {}
    """Number -> name of classes that are numbers in the data."""
    meaning: Mask | None = None
    """What the values of mask files mean."""

    @property
    def modalities(self) -> frozenset[str]:
        """What the networks take in."""
        return frozenset(candidate.card.modality for candidate in self.candidates.values())


def make(registry: Registry, options: SearchOptions, task: Task, checked: Checked, listener: Listener) -> Plan:
    """Choose networks and the space.

    Raises:
        UsageError: an unknown name, or a parameter out of its range.
    """
    metric = metric_of(task, options.metric)
    candidates = models.choose(
        registry,
        task,
        checked.schema,
        listener,
        named=options.models,
        backend=options.backend,
        preset=options.preset,
        offline=options.offline,
        single=options.trials == 1,
    )
    cards = [msgspec.structs.replace(models.posed(c.card, c.problem), name=c.key) for c in candidates]
    sizes = {card.name: sizes_for(card, checked.side, options.preset) for card in cards if card.modality == "image"}
    samples = max(2, int(TRAIN * len(checked.dataset.samples)))
    texts = any(card.modality == "text" for card in cards)
    cuts = worth_cutting(checked.dataset.samples, {*checked.divided.test}) if texts else ()
    whole = default_space(cards, sizes, options.preset, samples, alike=metric.alike, lengths=cuts)
    if options.strategy == "auto":
        norms = any(card.modality == "image" and card.pretrained for card in cards)
        whole = (*whole, *families.additions(norms=norms, levels=_leveled(registry, options, candidates)))
    ways = fitting.problems(registry, task, checked.schema, candidates)
    whole = fitting.fit(whole, ways)
    seconds = float("inf") if resources.on_gpus(options) else options.time / samples
    for edits in Observers(registry, listener).ask(
        "autoft_edit_space", space=whole, schema=checked.schema, cards=cards, seconds=seconds
    ):
        whole = space.edit(whole, edits)
    rows = listed.read(options.configs) if options.configs else []
    given = listed.values(rows, options.overrides) if rows else options.overrides
    whole = space.edit(whole, overrides.parse(given, whole))
    space.validate(whole)
    fitting.refuse(whole, ways)
    fitting.refuse_mixed(whole, [listed.exact(row, whole) for row in rows], single=options.trials == 1)
    whole_recordings = _stepwise(ways)
    if whole_recordings and (said := crowded.told(task, checked, ways)):
        listener(Note(text=said, level="warning"))
    return Plan(
        task=task,
        metric=metric,
        candidates={candidate.key: candidate for candidate in candidates},
        problems=ways,
        space=whole,
        decoding=_decoding(
            checked, (options.decode_size or _largest_size(whole, sizes)) if sizes else 0, whole=whole_recordings
        ),
        epochs=int(_largest(whole, "epochs") or Recipe().epochs),
        listed=tuple(rows),
        guessed=checked.dataset.columns,
        names=checked.dataset.names,
        meaning=checked.dataset.meaning,
    )


def _decoding(checked: Checked, size: int, *, whole: bool) -> Decoding:
    heard = prepare.seconds_for(checked, whole=whole)
    windows = prepare.windows_for(heard, whole=whole)
    return Decoding(size=size, seconds=heard, windows=windows, greys=checked.greys)


def metric_of(task: Task, name: str) -> Metric:
    """The task's metric of this name, or its first one.

    Raises:
        UsageError: the task has no such metric.
    """
    if not name:
        return task.metrics[0]
    for metric in task.metrics:
        if metric.name == name:
            return metric
    known = [metric.name for metric in task.metrics]
    raise UsageError(f"{task.name} has no metric '{name}'.{did_you_mean(name, known)} Known: {', '.join(known)}.")


def spec_maker(
    plan: Plan, registry: Registry, options: SearchOptions, schema: Schema, ref: DataRef, trials: str, threads: int = 1
) -> Callable[[int, dict[str, Any]], TrialSpec]:
    """What makes a trial of proposed parameters. `trials` holds the trials' own folders; each has so many `threads`."""
    versions = {
        name: trial.versions(registry.get("backend", name))
        for name in {c.card.backend for c in plan.candidates.values()}
    }
    if isinstance(plan.task, Aimed):
        schema = plan.task.aimed(schema, plan.metric.name)
    caching, columns = _caching(plan, options), named_columns(options, plan.task)
    cpus, gpus = resources.cpus(options), max(0.0, options.gpus_per_trial)
    shares = Resources(cpus=cpus, gpus=gpus, threads=threads)

    def make_spec(number: int, params: dict[str, Any]) -> TrialSpec:
        recipe = Recipe.of(space.resolve(plan.space, params))
        candidate = plan.candidates[recipe.model]
        return TrialSpec(
            api=API_VERSION,
            number=number,
            task=plan.task.name,
            backend=candidate.card.backend,
            card=candidate.card,
            problem=plan.problems[recipe.model].get(recipe.formulation, candidate.problem),
            schema=schema,
            recipe=recipe,
            data=ref,
            metric=plan.metric,
            seed=options.seed + options.repeat,
            division=options.repeat,
            folder=remote.join(trials, trial_name(number)),
            resources=shares,
            versions=versions[candidate.card.backend],
            caching=caching,
            columns=columns,
            guessed=dict(plan.guessed),
            names=dict(plan.names),
            meaning=plan.meaning,
        )

    return make_spec


def _caching(plan: Plan, options: SearchOptions) -> Caching | None:
    if options.max_disk <= 0:
        return None
    freezes = {
        float(v) for param in plan.space if param.key == "freeze" for v in param.choices if isinstance(v, int | float)
    }
    levels = any(param.key == "pooling" and LEVELS in param.choices for param in plan.space)
    return Caching(freezes=tuple(sorted(freezes)), max_bytes=int(options.max_disk * 1e9), levels=levels)


def _leveled(registry: Registry, options: SearchOptions, candidates: Sequence[models.Candidate]) -> list[str]:
    """Pretrained networks for images whose solved heads may stand on all levels."""
    return [
        one.key
        for one in candidates
        if one.card.modality == "image"
        and one.card.pretrained
        and options.max_disk > 0
        and "levels" in getattr(registry.get("backend", one.card.backend), "abilities", ())
        and heads.solvable(one.problem)
    ]


def sharing(plan: Plan, registry: Registry, options: SearchOptions) -> frozenset[str]:
    """The networks whose backend can cut them, so that trials share what frozen blocks give. Those of other modalities
    are a sequence of tokens or of frames before the head, unless they have nothing to learn: then all is frozen."""
    cut = _kept(plan, registry, options, "cut", lambda card: card.modality == "image")
    return cut | _kept(plan, registry, options, "features", lambda card: card.fixed)


def featured(plan: Plan, registry: Registry, options: SearchOptions) -> frozenset[str]:
    """The networks whose backend keeps the features of the whole backbone for all trials: those that share what frozen
    blocks give, and pretrained ones of other modalities."""

    def encodes(card: ModelCard) -> bool:
        return card.modality != "image" and card.pretrained and not card.counts

    return sharing(plan, registry, options) | _kept(plan, registry, options, "features", encodes)


def _kept(
    plan: Plan, registry: Registry, options: SearchOptions, word: str, fits: Callable[[ModelCard], bool]
) -> frozenset[str]:
    """Networks with pooled heads whose backend has this ability, where results may be kept at all."""
    able = _able(plan, registry, word) if options.max_disk > 0 else set[str]()
    return frozenset(
        name
        for name, candidate in plan.candidates.items()
        if candidate.card.backend in able and fits(candidate.card) and scoring.is_pooled(candidate.problem)
    )


def scored_at(plan: Plan) -> int:
    """Side in pixels of the masks that all trials are scored on, so that they compare; 0 where none are predicted."""
    return plan.decoding.size if all(scoring.is_indexed(c.problem) for c in plan.candidates.values()) else 0


def posed(plan: Plan) -> tuple[str, ...]:
    """The formulations whose solved heads differ, that of the default recipe first; none where there is no choice."""
    first, words = next(iter(plan.problems.values())), dict[str, Problem]()
    for param in plan.space:
        if param.key == "formulation":
            values = (space.default_of(param), *param.choices)
            words |= {str(value): first[str(value)] for value in values if value in first}
    return heads.distinct(words)


def continuing(plan: Plan, registry: Registry, splits: Splits) -> bool:
    """Whether trials may begin with the model of another one: heads for places can be shared in no other way.

    Of several folds one model alone is kept, and it has seen what the others validate on.
    """
    able = _able(plan, registry, "inherit")
    return len(splits.folds) == 1 and all(
        candidate.card.backend in able and all(output.head in PLACED for output in candidate.problem.outputs)
        for candidate in plan.candidates.values()
    )


def _able(plan: Plan, registry: Registry, word: str) -> set[str]:
    """Backends with this ability."""
    backends = {candidate.card.backend for candidate in plan.candidates.values()}
    return {name for name in backends if word in getattr(registry.get("backend", name), "abilities", ())}


def arguments(options: SearchOptions, plan: Plan, verb: str = "search") -> dict[str, Any]:
    """The resolved options as they stand in `args.yaml`."""
    values: dict[str, Any] = msgspec.to_builtins(options)
    values["metric"] = msgspec.to_builtins(plan.metric)
    values["models"] = list(plan.candidates)
    values["space"] = {
        row.key + (f" ({row.condition})" if row.condition else ""): row.values for row in space.describe(plan.space)
    }
    values["decode_size"] = plan.decoding.size
    paths = places.fixed({key: getattr(options, key) for key in (*places.DATA, "models")})
    repeated = msgspec.structs.replace(options, **{**paths, "models": tuple(paths["models"])})
    values["command"] = command(repeated, verb)
    return {**places.fixed(values), "folder": str(Path.cwd())}


FLAGS = {
    "task": "--task",
    "data": "--data",
    "val": "--val",
    "test": "--test",
    "target": "--target",
    "image_col": "--image-col",
    "text_col": "--text-col",
    "audio_col": "--audio-col",
    "encoding": "--encoding",
    "group_col": "--group-col",
    "preset": "--preset",
    "time": "--time",
    "trials": "--trials",
    "backend": "--backend",
    "metric": "--metric",
    "strategy": "--strategy",
    "searcher": "--searcher",
    "scheduler": "--scheduler",
    "configs": "--configs",
    "max_bad": "--max-bad",
    "decode_size": "--decode-size",
    "seed": "--seed",
    "repeat": "--repeat",
    "concurrency": "--concurrency",
    "cpus_per_trial": "--cpus-per-trial",
    "gpus_per_trial": "--gpus-per-trial",
    "memory_per_trial": "--memory-per-trial",
    "max_disk": "--max-disk",
    "address": "--address",
    "storage": "--storage",
}
#: What only a search can be told.
SCHEDULING = ("trials", "strategy", "searcher", "scheduler", "configs", "concurrency")


def command(options: SearchOptions, verb: str = "search") -> str:
    """The command line that asks for the same. Options that have their default are left out."""
    words = ["autoft", verb]
    for key, flag in FLAGS.items():
        if verb == "train" and key in SCHEDULING:
            continue
        value, usual = getattr(options, key), [getattr(SearchOptions(), key)]
        if key == "gpus_per_trial":
            usual = [-1.0, 0.0, 1.0]  # what the default comes to on a machine without GPUs, and with
        if key in ("task", "data") or value not in usual:
            words += [flag, f"{value:g}" if isinstance(value, float) else str(value)]
    if options.models:
        words += ["--models", ",".join(options.models)]
    if options.offline:
        words.append("--offline")
    if not options.refit and verb != "train":
        words.append("--no-refit")
    words += [f"{key}={_word(value)}" for key, value in options.overrides.items()]
    return shlex.join(words)


def _word(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _stepwise(ways: dict[str, dict[str, Problem]]) -> bool:
    outputs = [output for problems in ways.values() for problem in problems.values() for output in problem.outputs]
    return any(output.head == "sequence" for output in outputs)


def _largest(whole: tuple[Param, ...], key: str) -> float:
    values: list[Scalar] = []
    for param in whole:
        if param.key == key:
            values += param.choices if param.kind == "choice" else [param.high]
    return max((float(v) for v in values if isinstance(v, int | float)), default=0.0)


def _largest_size(whole: tuple[Param, ...], sizes: dict[str, tuple[int, ...]]) -> int:
    """Side to which files are decoded: the largest that any trial asks for."""
    return int(_largest(whole, "image_size")) or max((max(options) for options in sizes.values()), default=0)
