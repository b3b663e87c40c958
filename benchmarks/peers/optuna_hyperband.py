"""A fair script: Optuna's TPE with Hyperband pruning around `loop`, in several processes that share a journal."""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from benchmarks.peers import loop


def study(journal: Path, made: loop.Setup, number: int) -> optuna.Study:
    return optuna.create_study(
        storage=JournalStorage(JournalFileBackend(str(journal))),
        study_name="search",
        load_if_exists=True,
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=1000 * made.seed + number, multivariate=True, constant_liar=True),
        pruner=optuna.pruners.HyperbandPruner(
            min_resource=min(2, made.epochs), max_resource=made.epochs, reduction_factor=3
        ),
    )


def work(journal: Path, made: loop.Setup, number: int, options: Any) -> None:
    """Trials of one process, until there are enough or time is over."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    data = loop.load(made)

    def objective(trial: optuna.Trial) -> float:
        config = {key: trial.suggest_float(key, *options.space[key], log=True) for key in ("lr", "weight_decay")}
        for key in ("freeze", "batch_size", "dropout"):
            config[key] = trial.suggest_categorical(key, options.space[key])
        best = 0.0
        for epoch, value in enumerate(loop.Trial(made, data, config).epochs(), start=1):
            best = max(best, value)
            trial.report(value, epoch)
            if over(made, options.time) or trial.should_prune():
                raise optuna.TrialPruned
        return best

    left = loop.left(made, options.time)
    enough = [optuna.study.MaxTrialsCallback(options.trials, states=None)] if options.trials else []
    study(journal, made, number).optimize(objective, timeout=left, callbacks=enough)


def over(made: loop.Setup, seconds: float) -> bool:
    """Whether time is over; a timeout of Optuna alone would let the present trial run on."""
    return bool(seconds) and time.time() > made.began + seconds


def main() -> None:
    made, options = loop.setup()
    loop.load(made)  # fills the cache of decoded images for all processes
    journal = Path(tempfile.mkdtemp()) / "journal.log"
    study(journal, made, 0)
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=work, args=(journal, made, number, options)) for number in range(options.workers)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    trials = study(journal, made, 0).trials
    epochs = sum(len(trial.intermediate_values) for trial in trials)
    failed = sum(trial.state == optuna.trial.TrialState.FAIL for trial in trials)
    loop.finish(made, trials=len(trials), epochs=epochs, failed=failed)


if __name__ == "__main__":
    main()
