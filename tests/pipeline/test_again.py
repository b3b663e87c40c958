"""Trials of a run made again: each row of a leaderboard, and the command on a model's card, plan the same recipe."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.main import get_command

from autoft import registry
from autoft.artifact import Config
from autoft.cli import settings, train
from autoft.errors import UsageError
from autoft.options import SearchOptions
from autoft.pipeline import plan, prepare
from autoft.pipeline.search import plan_search, resolved
from autoft.pipeline.train import single
from autoft.recipe import Recipe
from autoft.records import ModelCard, TrialResult, to_json
from autoft.report.card import train_command
from autoft.run import RunWriter
from autoft.search import families
from tests.pipeline.conftest import Heard, options


def typed(*words: str, base: dict[str, Any] | None = None) -> SearchOptions:
    """What `autoft train WORDS` would train."""
    command: Any = get_command(train.app)
    with command.make_context("train", list(words)) as context:
        return settings.search_options(context, base)


def planned(wanted: SearchOptions) -> tuple[Recipe, plan.Plan]:
    """The recipe of the only trial."""
    wanted = single(wanted)
    plugins = registry.installed()
    wanted, task = resolved(plugins, wanted)
    checked = prepare.check(plugins, wanted, task, wanted.seed, Heard())
    made = plan.make(plugins, wanted, task, checked, Heard())
    return Recipe.of(plan.space.resolve(made.space, {})), made


def fabricated(images: Path, out: Path) -> tuple[Path, list[TrialResult], plan.Plan]:
    """A run that was never searched: the default recipe, heads that are solved in every way, and others."""
    plugins = registry.installed()
    wanted, task = resolved(plugins, SearchOptions(data=str(images), out=str(out), task="toy", models=("numpy/mlp",)))
    checked = prepare.check(plugins, wanted, task, wanted.seed, Heard())
    made = plan.make(plugins, wanted, task, checked, Heard())
    solved = families.heads(made.space, "numpy/mlp")
    assert {params["head_init"] for params in solved} == {"ridge", "logistic"}
    rows = [{}, *solved, {"freeze": 0.5, "optimizer": "sgd", "nesterov": True, "head_init": "ridge"}]
    writer = RunWriter(RunWriter.create(out, task.name, ""), made.metric)
    writer.write_yaml("args.yaml", plan.arguments(wanted, made))
    results = []
    for number, row in enumerate(rows):
        recipe = Recipe.of(plan.space.resolve(made.space, row))
        name = {"model": recipe.model, "backend": made.candidates[recipe.model].card.backend}
        results.append(TrialResult(number=number, status="finished", recipe=recipe, score=0.5, **name))
    (writer.path / "trials.jsonl").write_text("".join(to_json(row) + "\n" for row in results))
    return writer.path, results, made


def test_every_row_of_a_leaderboard_can_be_trained_again(images: Path, tmp_path: Path) -> None:
    run, results, _ = fabricated(images, tmp_path)
    for row in results:
        base, _ = train.of_trial(f"{run}:{row.name}", "runs")
        assert planned(typed(base=base))[0].flat() == row.recipe.flat()


def test_the_command_on_the_card_trains_every_row_again(images: Path, tmp_path: Path) -> None:
    run, results, made = fabricated(images, tmp_path)
    arguments = settings_of(run)
    for row in results:
        words = shlex.split(train_command(config_of(row, made), arguments))
        assert planned(typed(*words[2:]))[0].flat() == row.recipe.flat()


def settings_of(run: Path) -> dict[str, Any]:
    import yaml

    found: dict[str, Any] = yaml.safe_load((run / "args.yaml").read_text())
    return found


def config_of(row: TrialResult, made: plan.Plan, **changes: Any) -> Config:
    """That of the model folder of this trial."""
    card: ModelCard = made.candidates[row.model].card
    config = Config(
        format=1,
        api="1",
        task="toy",
        backend=row.backend,
        card=card,
        problem=made.candidates[row.model].problem,
        schema=msgspec.convert({"task": "toy"}, type=prepare.Schema),
        recipe=row.recipe,
        metric=made.metric,
        image_size=32,
        decode_size=32,
        seed=0,
        trial=row.name,
        epoch=1,
    )
    return msgspec.structs.replace(config, **changes)


def test_what_only_goes_together_is_checked_as_a_whole(images: Path, tmp_path: Path) -> None:
    words = ("--task", "toy", "--data", str(images), "--models", "numpy/mlp", "optimizer=solve", "head_init=ridge")
    assert planned(typed(*words, "freeze=1"))[0].optimizer == "solve"
    with pytest.raises(UsageError, match="optimizer=solve needs a linear head on a frozen backbone"):
        planned(typed(*words))


def test_a_search_refuses_at_once_what_some_of_its_trials_could_not_be(images: Path, tmp_path: Path) -> None:
    wanted = {"optimizer": "adamw,solve", "head_init": "ridge", "freeze": "1"}
    with pytest.raises(UsageError, match="optimizer=solve needs head_width=0 in every trial"):
        plan_search(options(images, tmp_path, overrides=wanted), Heard())
    with pytest.raises(UsageError, match="optimizer=solve needs head_init=ridge or logistic in every trial"):
        plan_search(
            options(images, tmp_path, overrides={"optimizer": "adamw,solve", "freeze": "1", "head_width": "0"}), Heard()
        )
    assert plan_search(options(images, tmp_path, overrides={**wanted, "head_width": "0"}), Heard())
