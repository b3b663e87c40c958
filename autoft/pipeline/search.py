"""The whole search, from the user's data to the best model and an honest number."""

from __future__ import annotations

import importlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import msgspec

from autoft import counted, full, gpus, heads, held
from autoft import registry as plugins
from autoft.abilities import Baselined
from autoft.contracts import Forkable, Task
from autoft.errors import UsageError
from autoft.events import Finished, Listener, Note, Planned
from autoft.options import SearchOptions
from autoft.pipeline import finish, inputs, nodes, plan, prepare, proposals, resources, storage
from autoft.pipeline.budget import PLAIN, Budget
from autoft.pipeline.resolve import resolved
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
from autoft.search.process import ended_in_words
from autoft.search.settings import FLAT, RAYLESS, Cluster, Settings
from autoft.search.strategy import Facts, Keeping, Strategy


@ended_in_words()
def run_search(
    options: SearchOptions, listener: Listener, began: float = 0.0, verb: str = "search", like: str = ""
) -> Finished:
    """Search until the budget ends, then score the best model once on the test part.

    Args:
        began: Unix time at which the user's command began; the budget counts from there.
        verb: how the command that repeats this is written: search, or train for a single configuration.
        like: folder of the run whose data these should be; what differs is said.

    Raises:
        UsageError, DataError: the search cannot begin.
        NoTrialSucceeded: every trial failed.
        BudgetEnded: time ran out before any model was usable.
    """
    budget = Budget(options.time, began or time.time())
    registry = plugins.installed()
    options, task = resolved(registry, options)
    if resources.alone(options):
        options = resources.shared(options, len(gpus.names()))
    if options.offline:
        os.environ["HF_HUB_OFFLINE"] = "1"  # for libraries that would look for newer files, here and in workers
    place = storage.of(options)
    place.probe()
    RunWriter.check_name(place.out, task.name, options.name)
    checked = prepare.check(registry, options, task, options.seed, listener)
    made = plan.make(registry, options, task, checked, listener)
    with ThreadPoolExecutor(1) as starter, _fork_servers(registry, made, task, options) as forked:
        budget.forks(forked, cluster=not resources.alone(options))
        # Ray takes seconds to start; the images are decoded meanwhile.
        cluster = starter.submit(pool.machine) if resources.alone(options) else starter.submit(_start_ray, options)
        try:
            prepared = prepare.prepare(
                *(checked, task, options, made.decoding, made.modalities, options.seed, listener, place.cache),
                within=budget.preparing,
            )
            prepared = prepared._replace(content=inputs.content(checked))
            made = made._replace(metric=counted.on(made.metric, sum(len(fold.val) for fold in prepared.splits.folds)))
            inputs.compare(like, task, checked, prepared.splits, listener)
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
    if resources.on_gpus(options) and not resources.alone(options):
        wanted = {}
    servers, here = ForkServers(), pool.machine()
    threads = resources.threads(options, here, resources.concurrency(options, here))
    try:
        for name, modules in wanted.items():
            servers.start(name, list(modules), threads)
        yield tuple(wanted)
    finally:
        servers.close()


def plan_search(options: SearchOptions, listener: Listener, like: str = "") -> Planned:
    """What `run_search` would do, without training, decoding or writing anything."""
    registry = plugins.installed()
    options, task = resolved(registry, options)
    checked = prepare.check(registry, options, task, options.seed, listener)
    made = plan.make(registry, options, task, checked, listener)
    listener(prepare.recognised(checked.dataset, checked.schema, checked.divided, checked.issues))
    inputs.compare(like, task, checked, None, listener)
    named = len(gpus.names())
    # What a cluster has is known when it is asked, which a plan does not.
    if options.address or (gpus.present() and not named):  # Ray counts them
        options = msgspec.structs.replace(options, gpus_per_trial=0.0)
    options = resources.shared(options, named)
    concurrency = resources.concurrency(options, pool.machine())
    event = _planned("", plan.arguments(options, made), made, time.time() + options.time, concurrency)
    listener(event)
    return event


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
    there = cluster.result()
    place.check(nodes.reaching(options, there))
    asked, options = options, resources.shared(options, there.gpus)
    resources.check(options, asked, there, listener)
    folder = RunWriter.create(place.out, made.task.name, options.name)
    writer = RunWriter(folder.resolve(), made.metric)
    with held.hold(writer.path):
        given = registry, asked, options, made, prepared, budget, place, there, str(folder), writer, listener, verb
        return _held(*given)


def _held(
    registry: Registry,
    asked: SearchOptions,
    options: SearchOptions,
    made: plan.Plan,
    prepared: prepare.Prepared,
    budget: Budget,
    place: Storage,
    there: Cluster,
    folder: str,
    writer: RunWriter,
    listener: Listener,
    verb: str,
) -> Finished:
    """The search in its run folder, which is this process's until it ends."""
    inputs.write(writer, prepared, tuple(made.modalities))
    ref, made = _shared(place, writer, prepared, made, listener)
    alone = len(there.machines) == 1 and not there.grows
    maker = partial(plan.spec_maker, made, registry, schema=prepared.schema, ref=ref, trials=place.trials())
    options, there = nodes.fit(partial(maker, options), made, asked, options, there, listener)
    resources.tell(options, there, listener)
    room = resources.room(options, there)
    writer.write_yaml(
        "args.yaml", arguments := {**plan.arguments(options, made, verb), "threads_per_trial": room.threads}
    )
    _inform(budget, options, made, prepared.splits)
    listener(planned := _planned(folder, arguments, made, budget.deadline, room.now))

    searching = time.time()
    threading.Thread(target=_import, args=(getattr(made.task, "modules", ()),), daemon=True).start()
    watch = Watch(writer, budget, listener, registry, place, alone=alone)
    watch.observers.tell("autoft_search_started", folder=folder, arguments=planned.arguments)
    spec_of = _within(budget, watch, maker(options, threads=room.threads), searching)
    interrupted = _run(registry, options, made, place.ray(), budget, watch, spec_of, room, prepared.splits, there.ray)
    writer.sweep()
    if writer.best is None:
        raise finish.no_model(writer, interrupted, watch.full, watch.waited)
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
        notes=watch.notes,
        on_ray=there.ray,
    )
    finished = _finished(outcome, listener)
    watch.observers.tell("autoft_search_finished", folder=folder, summary=finished.summary)
    return finished


def _within(
    budget: Budget, watch: Watch, make_spec: Callable[[int, dict[str, Any]], TrialSpec], searching: float
) -> Callable[[int, dict[str, Any]], TrialSpec | None]:
    """Makes trials that know until when they may run, for as long as there is time for another one.

    Args:
        searching: Unix time at which the first trial could start.
    """

    def spec_of(number: int, params: dict[str, Any]) -> TrialSpec | None:
        spec = make_spec(number, params)
        solved = spec.recipe.optimizer == "solve"
        if watch.full or not budget.room_for_another(spec.backend, solved=solved):
            return None
        until = budget.latest if solved else budget.deadline
        return msgspec.structs.replace(spec, deadline=until, allowance=budget.allowance(searching))

    return spec_of


def _finished(outcome: finish.Outcome, listener: Listener) -> Finished:
    try:
        outcome.writer.settle()
        return finish.finish(outcome, listener)
    except OSError as error:  # a full disk
        run, why = outcome.writer.path, full.why(error)
        hint = f"Free some space, then: autoft report {run} --finish"
        raise UsageError(f"the outcome of the search could not be written to {run}: {why}.", hint) from error


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
    room: resources.Room,
    splits: Splits,
    on_ray: bool,
) -> bool:
    settings = Settings(
        metric=made.metric,
        folder=folder,
        trials=options.trials,
        concurrency=room.given_out,
        cpus=resources.cpus(options),
        gpus=max(0.0, options.gpus_per_trial),
        memory=resources.memory(options),
        threads=room.threads,
        scheduler=options.scheduler,
        epochs=made.epochs,
        space=made.space,
        deadline=budget.end,
        seed=options.seed,
    )
    facts = _facts(registry, options, made, budget, room.now, splits, watch.writer.has)
    divides = bool(splits.spare)
    if options.strategy == FLAT:
        proposed = proposals.of(registry, options, made)
        if options.scheduler in RAYLESS:
            strategy: Strategy = proposals.strategy(options.scheduler, facts, proposed)
            return _carried_out(on_ray, settings, Crew(settings, strategy, spec_of, watch, divides=divides), watch)
        from autoft.search import ray

        return ray.run(settings, proposed.searcher, spec_of, watch, nodes.waiting(watch))
    strategy = registry.get("strategy", options.strategy).start(facts)
    if isinstance(strategy, Keeping):
        watch.writer.needed = strategy.needed
    interrupted = _carried_out(on_ray, settings, Crew(settings, strategy, spec_of, watch, divides=divides), watch)
    if (why := strategy.over()) and not interrupted:
        watch.listener(Note(text=f"the search is over: {why}"))
    chosen = strategy.chosen()
    if chosen is not None:
        watch.choose(chosen)
    return interrupted


def _carried_out(on_ray: bool, settings: Settings, desk: Desk, watch: Watch) -> bool:
    if not on_ray:
        return pool.run(settings, desk)
    from autoft.search import ray

    return ray.run_strategy(settings, desk, nodes.waiting(watch))


def _facts(
    registry: Registry,
    options: SearchOptions,
    made: plan.Plan,
    budget: Budget,
    concurrency: int,
    splits: Splits,
    kept: Callable[[int], bool],
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
        kept=kept,
    )


def _import(modules: Sequence[str]) -> None:
    """What scoring needs, while trials run: at the end it would be waited for."""
    for module in modules:
        with suppress(ImportError):  # told by whoever needs it
            importlib.import_module(module)


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
        scored_at=plan.scored_at(made),
    )
