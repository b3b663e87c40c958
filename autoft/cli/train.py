"""`autoft train`: one fixed configuration, through the same code as a trial of a search."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from autoft import artifact, places
from autoft.cli import params as p
from autoft.cli import screen, settings
from autoft.cli.command import verb
from autoft.cli.params import DEFAULTS
from autoft.cli.planned import show
from autoft.cli.search import end, say
from autoft.errors import UsageError
from autoft.options import DataOptions, SearchOptions

if TYPE_CHECKING:
    from autoft.records import TrialResult
    from autoft.run import Run

EXAMPLES = (
    ("autoft train --task image-cls --data ./imgs --models timm/resnet18", "the default recipe"),
    ("autoft train --task image-cls --data ./imgs --models timm/resnet18 lr=1e-3 freeze=0.5 epochs=10", "your own"),
    ("autoft train --from runs/image-cls/search1:t0007", "a row of a leaderboard again, on the same data and splits"),
    ("autoft train --from search1:t0007 --seed 1 epochs=40", "the same with changes"),
)

#: What a run's options say about data and meaning; how it was scheduled does not matter to one trial.
INHERITED = (
    *DataOptions.__struct_fields__,
    *("task", "backend", "metric", "seed", "offline", "preset"),
)

From = Annotated[
    str,
    typer.Option(
        "--from",
        help="Take data, seed and configuration of a trial; what else you say wins.",
        rich_help_panel="Search",
        metavar="RUN:TRIAL",
        show_default="none",
    ),
]


def train(
    ctx: typer.Context,
    words: p.Values = None,
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
    models: p.Models = None,
    source: From = "",
    time: p.Time = "",
    preset: p.Preset = DEFAULTS.preset,
    backend: p.Backend = DEFAULTS.backend,
    metric: p.MetricName = "",
    seed: p.Seed = DEFAULTS.seed,
    repeat: p.Repeat = DEFAULTS.repeat,
    cpus_per_trial: p.Cpus = DEFAULTS.cpus_per_trial,
    gpus_per_trial: p.Gpus = DEFAULTS.gpus_per_trial,
    memory_per_trial: p.Memory = DEFAULTS.memory_per_trial,
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
    """Train one fixed configuration.

    Parameters that are not given keep the default recipe's values. The result is a run folder like that of a
    search, with one trial.
    """
    base, said = of_trial(source, out) if source else ({}, "")
    options, remark = settings.with_task(settings.search_options(ctx, base))
    like = _like(source, out, base, options)
    if len(options.models) > 1:
        raise UsageError(f"train takes one network, but got {len(options.models)}: {', '.join(options.models)}.")
    with screen.opened(json=json, quiet=quiet, verbose=verbose) as listener:
        say(listener, remark, said)
        if dry_run:
            from autoft.pipeline.search import plan_search
            from autoft.pipeline.train import single

            show(plan_search(single(options), listener, like), json=json, fixed=True)
            return
        from autoft.pipeline.train import run_train

        finished = run_train(options, listener, ctx.obj or 0.0, like)
    end(finished.summary, json=json)


def of_trial(source: str, out: str) -> tuple[dict[str, Any], str]:
    """Options that repeat a trial, written `RUN:t0007`, and what must be said if it did not begin with its network's
    own weights.

    Raises:
        UsageError: there is no such run or trial.
    """
    run, result = _found(source, out)
    arguments = run.arguments
    options = {key: arguments[key] for key in INHERITED if key in arguments}
    if isinstance(options.get("metric"), dict):  # a run keeps the whole record of its metric
        options["metric"] = options["metric"]["name"]
    words = {k: str(v).lower() if isinstance(v, bool) else str(v) for k, v in result.recipe.said().items()}
    said = f"{result.name} went on from the model of {Path(result.start).name}; this training begins anew"
    base = places.base_of(arguments, run.path)
    models = (places.network(result.model, base),)
    own = {"models": models, "backend": result.backend, "overrides": words, "repeat": repeat_of(run, result)}
    return {**places.fixed(options, base), **own}, said if result.start else ""


def _like(source: str, out: str, base: dict[str, Any], options: SearchOptions) -> str:
    """Folder of the run whose data these should be; empty where the user names others."""
    same = source and all(getattr(options, key) == base.get(key, "") for key in ("data", "val", "test"))
    return str(_found(source, out)[0].path) if same else ""


class _Seeded(msgspec.Struct):
    """What is asked of a model's `config.json`, whatever else this or another version has put there."""

    seed: int


def repeat_of(run: Run, result: TrialResult) -> int:
    """How often its configuration had run before: as often its seed was raised. Older runs tell it of kept models."""
    seed, began = result.seed, int(run.arguments.get("seed", 0))
    kept = run.path / "trials" / result.name / artifact.CONFIG
    if seed is None and kept.is_file():
        seed = msgspec.json.decode(kept.read_bytes(), type=_Seeded).seed
    return max(0, seed - began) if seed is not None else 0


def _found(source: str, out: str) -> tuple[Run, TrialResult]:
    from autoft.run import find

    run_name, _, trial = source.rpartition(":")
    if not run_name:
        raise UsageError(f"--from must be RUN:TRIAL, but got '{source}'.", f"For example: --from {source}:t0000")
    run = find(run_name, out)
    result = next((r for r in run.results() if r.name == trial), None)
    if result is None:
        known = [r.name for r in run.results()]
        raise UsageError(f"the run '{run.path}' has no trial '{trial}'.", f"It has: {', '.join(known) or 'none yet'}")
    return run, result


app = verb(train, EXAMPLES)
