"""A fair script: Ray Tune with ASHA around `loop`.

Actors are reused, data go through the object store, the first rung is at 2 epochs and a third goes on, as autoft's own
ASHA has it. Trials keep no checkpoints with Ray, which is quicker still: the best model is on disk anyway.
"""

from __future__ import annotations

import json
import os
import tempfile
from typing import Any

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")

import ray
from ray import tune
from ray.tune.schedulers import ASHAScheduler

from benchmarks.peers import loop


def train(config: dict[str, Any], base: Any = None) -> None:
    made, data = base
    for value in loop.Trial(made, data, config.get("listed", config)).epochs():
        tune.report({"acc": value})


def space(words: dict[str, Any]) -> dict[str, Any]:
    """Ray's words for `benchmarks.common.space`."""
    ranges = {key: tune.loguniform(*words[key]) for key in ("lr", "weight_decay")}
    return {**ranges, **{key: tune.choice(words[key]) for key in ("freeze", "batch_size", "dropout")}}


def main() -> None:
    made, options = loop.setup()
    ray.init(
        address="local", num_cpus=options.workers, include_dashboard=False, log_to_driver=False, logging_level="ERROR"
    )
    data = loop.load(made)
    listed = json.loads(options.configs.read_text()) if options.configs else None
    result = tune.Tuner(
        tune.with_resources(tune.with_parameters(train, base=(made, data)), {"cpu": 1}),
        param_space={"listed": tune.grid_search(listed)} if listed else space(options.space),
        tune_config=tune.TuneConfig(
            metric="acc",
            mode="max",
            num_samples=1 if listed else options.trials or -1,
            time_budget_s=loop.left(made, options.time),
            reuse_actors=True,
            scheduler=ASHAScheduler(max_t=made.epochs, grace_period=min(2, made.epochs), reduction_factor=3),
        ),
        run_config=tune.RunConfig(storage_path=tempfile.mkdtemp(), verbose=0),
    ).fit()
    epochs = sum(one.metrics.get("training_iteration", 0) for one in result if one.metrics)
    loop.finish(made, trials=len(result), epochs=epochs, failed=result.num_errors)


if __name__ == "__main__":
    main()
