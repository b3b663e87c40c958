"""`autoft search`: the main command."""

from __future__ import annotations

import sys
from typing import Any

import typer

from autoft.cli import params as p
from autoft.cli import screen, settings
from autoft.cli.command import verb
from autoft.cli.emit import document
from autoft.cli.params import DEFAULTS
from autoft.cli.planned import show
from autoft.errors import EXIT_INTERRUPTED
from autoft.events import Listener, Note

EXAMPLES = (
    ("autoft search --task image-cls --data ./imgs --time 10m", "class folders, ten minutes"),
    (
        "autoft search --task image-cls --data train.csv --test test.csv --target species --group-col animal",
        "a table with given test data",
    ),
    ("autoft search --task image-cls --data ./imgs --models timm/resnet18,./ckpt --preset fast", "which networks"),
    (
        "autoft search --task image-cls --data ./imgs lr=1e-5..1e-2:log freeze=0,0.5,1 optimizer=adamw",
        "search two parameters, fix one",
    ),
    ("autoft search -c config.yaml --dry-run", "check a configuration, see the plan"),
    (
        "autoft search --task image-cls --data ./imgs --gpus-per-trial 0.25 --address auto --storage /shared/runs",
        "on a Ray cluster",
    ),
    ("autoft search --task image-cls --data ./imgs --json -q > outcome.json", "for scripts"),
)


def search(
    ctx: typer.Context,
    words: p.Words = None,
    data: p.Data = "",
    val: p.Val = "",
    test: p.Test = "",
    target: p.Target = "",
    image_col: p.ImageCol = "",
    text_col: p.TextCol = "",
    audio_col: p.AudioCol = "",
    encoding: p.Encoding = "",
    group_col: p.GroupCol = "",
    max_bad: p.MaxBad = p.MAX_BAD,
    decode_size: p.DecodeSize = DEFAULTS.decode_size,
    task: p.Task = "",
    time: p.Time = "",
    trials: p.Trials = DEFAULTS.trials,
    preset: p.Preset = DEFAULTS.preset,
    models: p.Models = None,
    backend: p.Backend = DEFAULTS.backend,
    metric: p.MetricName = "",
    strategy: p.Strategy = DEFAULTS.strategy,
    searcher: p.Searcher = DEFAULTS.searcher,
    scheduler: p.Scheduler = DEFAULTS.scheduler,
    configs: p.Configs = "",
    refit: p.Refit = DEFAULTS.refit,
    seed: p.Seed = DEFAULTS.seed,
    concurrency: p.Concurrency = DEFAULTS.concurrency,
    cpus_per_trial: p.Cpus = DEFAULTS.cpus_per_trial,
    gpus_per_trial: p.Gpus = DEFAULTS.gpus_per_trial,
    memory_per_trial: p.Memory = DEFAULTS.memory_per_trial,
    max_disk: p.MaxDisk = DEFAULTS.max_disk,
    address: p.Address = "",
    storage: p.Storage = "",
    offline: p.Offline = False,
    name: p.Name = "",
    out: p.Out = DEFAULTS.out,
    config: p.ConfigFile = "",
    dry_run: p.DryRun = False,
    json: p.Json = False,
    quiet: p.Quiet = False,
    verbose: p.Verbose = False,
) -> None:
    """Search for the best fine-tuned model for your data.

    Tries networks and ways to fine-tune them until --time is over, keeps the best model usable at every moment,
    and scores it once on data that no trial has seen. Trial 0 is the default recipe: the baseline to beat.

    Exit codes: 0 ok, 1 internal error, 2 usage, 3 data, 4 no trial succeeded, 5 no model in time, 130 interrupted.
    """
    options, remark = settings.with_task(settings.search_options(ctx))
    with screen.opened(json=json, quiet=quiet, verbose=verbose) as listener:
        say(listener, remark)
        from autoft.pipeline.search import plan_search, run_search

        if dry_run:
            show(plan_search(options, listener), json=json)
            return
        finished = run_search(options, listener, ctx.obj or 0.0)
    end(finished.summary, json=json)


def say(listener: Listener, *remarks: str) -> None:
    """What there is to say of the options themselves; empty words are nothing."""
    for text in filter(None, remarks):
        listener(Note(text=text))


def end(summary: dict[str, Any], *, json: bool) -> None:
    """The JSON document if it was asked for, and the exit code of an interrupted run."""
    if json:
        document(summary, sys.stdout)
    if summary.get("status") == "interrupted":
        raise typer.Exit(EXIT_INTERRUPTED)


app = verb(search, EXAMPLES)
