"""The whole search, from the user's data to the best model and an honest number."""

from __future__ import annotations

import importlib
import os
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import msgspec

from autoft import counted, gpus, heads
from autoft import registry as plugins
from autoft.abilities import Baselined
from autoft.contracts import Forkable, Task
from autoft.errors import BudgetEnded, Interrupted, NoTrialSucceeded, UsageError
from autoft.events import Finished, Listener, Note, Planned
from autoft.machine import cores
from autoft.options import SearchOptions
from autoft.pipeline import finish, plan, prepare, proposals, storage
from autoft.pipeline.budget import PLAIN, Budget
from autoft.pipeline.storage import Storage
from autoft.pipeline.watch import Watch
from autoft.records import DataRef, Splits, TrialSpec
from autoft.registry import Registry
from autoft.run import RunWriter
from autoft.search import pool
from autoft.search.crew import Crew
from autoft.search.defaults import is_weak
from autoft.search.desk import Desk
from autoft.search.forkserver import ForkServers
from autoft.search.presets import find_preset
from autoft.search.settings import FLAT, HALVING, RAYLESS, Cluster, Settings, check_scheduler, check_strategy
from autoft.search.strategy import Facts, Strategy


def run_search(options: SearchOptions, listener: Listener, began: float = 0.0, verb: str = "search") -> Finished:
    """Search until the budget ends, then score the best model once on the test part.

    Args:
        began: Unix time at which the user's command began; the budget counts from there.
        verb: how the command that repeats this is written: search, or train for a single configuration.

    Raises:
        UsageError, DataError: the search cannot begin.
        NoTrialSucceeded: every trial failed.
        BudgetEnded: time ran out before any model was usable.
    """
    budget = Budget(options.time, began or time.time())
    registry = plugins.installed()
    options, task = resolved(registry, options)
    if _alone(options):
        options = _with_resources(options, len(gpus.names()))
    if options.offline:
        os.environ["HF_HUB_OFFLINE"] = "1"  # for libraries that would look for newer files, here and in workers
    place = storage.of(options)
    place.probe()
    RunWriter.check_name(place.out, task.name, options.name)
    checked = prepare.check(registry, options, task, options.seed, listener)
    made = plan.make(registry, options, task, checked, listener)
    with ThreadPoolExecutor(1) as starter, _fork_servers(registry, made, task, options) as forked:
        budget.forks(forked, cluster=not _alone(options))
        # Ray takes seconds to start; the images are decoded meanwhile.
        cluster = starter.submit(pool.machine) if _alone(options) else starter.submit(_start_ray, options)
        try:
            prepared = prepare.prepare(
                *(checked, task, options, made.decoding, made.modalities, options.seed, listener, place.cache),
                within=budget.preparing,
            )
            return _search(registry, options, made, prepared, budget, place, cluster, listener, verb)
        finally:
            _stop_ray(cluster)


@contextmanager
def _fork_servers(registry: Registry, made: plan.Plan, task: Task, options: SearchOptions) -> Iterator[tuple[str, ...]]:
    """Import the frameworks beside everything else, once for all trials on this machine; gives the backends whose
    processes are forked. Not for Ray's own division of GPUs: its workers see theirs only once they run."""
    wanted: dict[str, dict[str, None]] = {}
    for candidate in made.candidates.values():
        backend = registry.get("backend", candidate.card.backend)
        if isinstance(backend, Forkable):
            modules = wanted.setdefault(candidate.card.backend, {})
            modules |= dict.fromkeys((*backend.modules(candidate.card), type(task).__module__, "autoft.trial"))
    if _on_gpus(options) and not _alone(options):
        wanted = {}
    servers = ForkServers()
    try:
        for name, modules in wanted.items():
            servers.start(name, list(modules), max(1, int(options.cpus_per_trial)))
        yield tuple(wanted)
    finally:
        servers.close()


def _on_gpus(options: SearchOptions) -> bool:
    return options.gpus_per_trial > 0 or (options.gpus_per_trial < 0 and gpus.present())


def _alone(options: SearchOptions) -> bool:
    """Whether a strategy decides all there is to decide: one machine, no GPUs but those that can be dealt by name, none
    of Ray's schedulers."""
    if options.address or (options.strategy == FLAT and options.scheduler not in RAYLESS):
        return False
    return not _on_gpus(options) or bool(gpus.names())


def plan_search(options: SearchOptions, listener: Listener) -> Planned:
    """What `run_search` would do, without training, decoding or writing anything."""
    registry = plugins.installed()
    options, task = resolved(registry, options)
    checked = prepare.check(registry, options, task, options.seed, listener)
    made = plan.make(registry, options, task, checked, listener)
    listener(prepare.recognised(checked.dataset, checked.schema, checked.divided, checked.issues))
    # What a cluster has is known when it is asked, which a plan does not.
    wished = options.concurrency if options.address else 0
    named = len(gpus.names())
    if options.address or (gpus.present() and not named):  # Ray counts them
        options = msgspec.structs.replace(options, gpus_per_trial=0.0)
    options = _with_resources(options, named)
    concurrency = wished or plan.concurrency(options, cores(), named)
    event = _planned("", plan.arguments(options, made), made, time.time() + options.time, concurrency)
    listener(event)
    return event


def resolved(registry: Registry, options: SearchOptions) -> tuple[SearchOptions, Task]:
    """The options with aliases and paths resolved, and the task.

    Raises:
        UsageError: an unknown name.
    """
    if not options.task:
        raise UsageError("a search needs a task.", "Name one: --task; `autoft ls tasks` lists them.")
    if not options.data:
        raise UsageError("a search needs data.", "Name a folder, a table or a dataset: --data PATH")
    task: Task = registry.get("task", options.task)
    options = _strategy(registry, options)
    if options.strategy == FLAT:
        if not options.configs:
            registry.entry("searcher", options.searcher)
        check_scheduler(options.scheduler)
    preset = find_preset(options.preset)
    return msgspec.structs.replace(options, task=task.name, preset=preset.name), task


def _strategy(registry: Registry, options: SearchOptions) -> SearchOptions:
    """With the strategy and, if it is flat, its two parts filled in."""
    named = [f"--{k} {getattr(options, k)}" for k in ("searcher", "scheduler", "configs") if getattr(options, k)]
    strategy = check_strategy(options.strategy or (FLAT if named else "auto"), registry.entries("strategy"))
    if options.configs and options.searcher:
        raise UsageError(f"--configs says what is tried, but --searcher {options.searcher} was given too.")
    if strategy == FLAT:
        usual = HALVING if options.configs else "asha"
        proposing = "" if options.configs else options.searcher or "random"
        parts = {"searcher": proposing, "scheduler": options.scheduler or usual}
        return msgspec.structs.replace(options, strategy=strategy, **parts)
    if named:
        raise UsageError(
            f"--strategy {strategy} proposes and stops trials itself, but {' and '.join(named)} was given too.",
            "Leave one of them out, or use --strategy flat.",
        )
    return msgspec.structs.replace(options, strategy=strategy)


def _search(
    registry: Registry,
    options: SearchOptions,
    made: plan.Plan,
    prepared: prepare.Prepared,
    budget: Budget,
    place: Storage,
    cluster: Future[Cluster],
    listener: Listener,
    verb: str,
) -> Finished:
    nodes = cluster.result()
    place.check(nodes.nodes)
    options = _with_resources(options, nodes.gpus)
    folder = RunWriter.create(place.out, made.task.name, options.name)
    writer = RunWriter(folder.resolve(), made.metric)
    _write_inputs(writer, prepared)
    ref, made = _shared(place, writer, prepared, made, listener)
    arguments = plan.arguments(options, made, verb)
    writer.write_yaml("args.yaml", arguments)
    _inform(budget, options, made, prepared.splits)
    concurrency = plan.concurrency(options, nodes.cpus, nodes.gpus)
    listener(planned := _planned(str(folder), arguments, made, budget.deadline, concurrency))

    searching = time.time()
    threading.Thread(target=_import, args=(getattr(made.task, "modules", ()),), daemon=True).start()
    watch = Watch(writer, budget, listener, registry, place)
    watch.observers.tell("autoft_search_started", folder=str(folder), arguments=planned.arguments)
    make_spec = plan.spec_maker(made, registry, options, prepared.schema, ref, place.trials())

    def spec_of(number: int, params: dict[str, Any]) -> TrialSpec | None:
        spec = make_spec(number, params)
        solved = spec.recipe.optimizer == "solve"
        if not budget.room_for_another(spec.backend, solved=solved):
            return None
        until = budget.latest if solved else budget.deadline
        return msgspec.structs.replace(spec, deadline=until, allowance=budget.allowance(searching))

    interrupted = _run(
        registry, options, made, place.ray(), budget, watch, spec_of, concurrency, prepared.splits, nodes.ray
    )
    writer.sweep()
    if writer.best is None:
        raise _no_model(writer, interrupted)
    outcome = finish.Outcome(
        options=options,
        arguments=arguments,
        plan=made,
        splits=prepared.splits,
        ref=ref,
        writer=writer,
        budget=budget,
        spec=watch.specs[writer.best.number],
        searching=searching,
        interrupted=interrupted,
        storage=place,
    )
    finished = finish.finish(outcome, listener)
    watch.observers.tell("autoft_search_finished", folder=str(folder), summary=finished.summary)
    return finished


def _inform(budget: Budget, options: SearchOptions, made: plan.Plan, splits: Splits) -> None:
    """Tell the budget what comes after the trials."""
    first = splits.folds[0]
    budget.backends = tuple({candidate.card.backend for candidate in made.candidates.values()})
    budget.test_ratio = len(splits.test) / max(1, len(first.val) * len(splits.folds))
    if options.refit:
        learned = sum(len(fold.train) for fold in splits.folds)
        budget.views_anew = not splits.spare
        budget.expect_refit((len(first.train) + len(first.val)) / max(1, learned))
    budget.plain = PLAIN * options.time if isinstance(made.task, Baselined) else 0.0


def _start_ray(options: SearchOptions) -> Cluster:
    from autoft.search import ray

    return ray.start(options.address)


def _stop_ray(cluster: Future[Cluster]) -> None:
    if cluster.exception() is None and cluster.result().ray:
        from autoft.search import ray

        ray.stop()


def _run(
    registry: Registry,
    options: SearchOptions,
    made: plan.Plan,
    folder: str,
    budget: Budget,
    watch: Watch,
    spec_of: Any,
    concurrency: int,
    splits: Splits,
    on_ray: bool,
) -> bool:
    settings = Settings(
        metric=made.metric,
        folder=folder,
        trials=options.trials,
        concurrency=concurrency,
        cpus=options.cpus_per_trial,
        gpus=max(0.0, options.gpus_per_trial),
        scheduler=options.scheduler,
        epochs=made.epochs,
        space=made.space,
        deadline=budget.end,
        seed=options.seed,
    )
    facts = _facts(registry, options, made, budget, concurrency, splits)
    if options.strategy == FLAT:
        proposed = proposals.of(registry, options, made)
        if options.scheduler in RAYLESS:
            flat = proposals.strategy(options.scheduler, facts, proposed)
            return _carried_out(on_ray, settings, Crew(settings, flat, spec_of, watch))
        from autoft.search import ray

        return ray.run(settings, proposed.searcher, spec_of, watch)
    strategy: Strategy = registry.get("strategy", options.strategy).start(facts)
    interrupted = _carried_out(on_ray, settings, Crew(settings, strategy, spec_of, watch))
    if (why := strategy.over()) and not interrupted:
        watch.listener(Note(text=f"the search is over: {why}"))
    chosen = strategy.chosen()
    if chosen is not None:
        watch.choose(chosen)
    return interrupted


def _carried_out(on_ray: bool, settings: Settings, desk: Desk) -> bool:
    if not on_ray:
        return pool.run(settings, desk)
    from autoft.search import ray

    return ray.run_strategy(settings, desk)


def _facts(
    registry: Registry, options: SearchOptions, made: plan.Plan, budget: Budget, concurrency: int, splits: Splits
) -> Facts:
    candidates = made.candidates.values()
    return Facts(
        space=made.space,
        mode=made.metric.mode,
        seed=options.seed,
        epochs=made.epochs,
        workers=concurrency,
        deadline=lambda: budget.deadline,
        sharing=plan.sharing(made, registry, options),
        featured=plan.featured(made, registry, options),
        weak=frozenset(n for n, c in made.candidates.items() if is_weak(c.card) or not c.card.pretrained),
        solvable=all(heads.solvable(c.problem) for c in candidates),
        trials=options.trials,
        posed=plan.posed(made),
        perfect=made.metric.best,
        blank=made.metric.blank,
        chance=counted.chance(made.metric),
        continues=plan.continuing(made, registry, splits),
        parts=(len(splits.folds[0].train), len(splits.folds[0].val)),
        gpu=options.gpus_per_trial > 0,
    )


def _import(modules: Sequence[str]) -> None:
    """What scoring needs, while trials run: at the end it would be waited for."""
    for module in modules:
        with suppress(ImportError):  # told by whoever needs it
            importlib.import_module(module)


def _with_resources(options: SearchOptions, there: float) -> SearchOptions:
    """One GPU per trial where there are any, if the user said nothing.

    Raises:
        UsageError: a trial is to have more GPUs than there are. A cluster may still grow.
    """
    share = options.gpus_per_trial if options.gpus_per_trial >= 0 else float(min(1.0, there))
    if share > there and not options.address:
        raise UsageError(
            f"--gpus-per-trial {share:g} asks for more GPUs than this search may use: {there:g}.",
            "Give a smaller number, or 0 to train on the CPU; `autoft env` lists the GPUs.",
        )
    return msgspec.structs.replace(options, gpus_per_trial=share)


def _write_inputs(writer: RunWriter, prepared: prepare.Prepared) -> None:
    writer.write_json(storage.DATASET, prepared.dataset)
    writer.write_json(storage.SPLITS, prepared.splits)
    told = {"issues": prepared.issues, "warnings": prepared.schema.extra.get("warnings", ())}
    used = {part: {"used": used, "there": there} for part, (used, there) in prepared.used.items()}
    writer.write_json("data_report.json", {**told, "split": prepared.splits.sentence, "used": used})


def _shared(
    place: Storage, writer: RunWriter, prepared: prepare.Prepared, made: plan.Plan, listener: Listener
) -> tuple[DataRef, plan.Plan]:
    """Samples and weights where all workers reach them."""
    place.begin(writer)
    candidates = {name: c._replace(card=place.weights(c.card)) for name, c in made.candidates.items()}
    return place.data(writer, prepared, listener), made._replace(candidates=candidates)


def _planned(folder: str, arguments: dict[str, Any], made: plan.Plan, deadline: float, concurrency: int) -> Planned:
    return Planned(
        folder=folder,
        arguments=arguments,
        space=made.space,
        models=tuple(made.candidates),
        metric=made.metric.name,
        deadline=deadline,
        concurrency=concurrency,
    )


def _no_model(writer: RunWriter, interrupted: bool) -> Exception:
    failed = [result for result in writer.results if result.status == "failed"]
    if failed and len(failed) == len(writer.results):
        return NoTrialSucceeded(
            f"all {len(failed)} trials failed; the first one: {failed[0].reason}",
            f"Tracebacks are in {writer.path / 'trials.jsonl'}; -v shows them.",
        )
    if interrupted:
        return Interrupted("interrupted before the first trial had a model.")
    return BudgetEnded(
        "the budget ended before any trial came to the end of its first epoch.",
        "Give more --time, or a smaller network: --preset fast",
    )
