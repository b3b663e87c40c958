"""Trials of a run made again: each row of a leaderboard, and the command on a model's card, plan the same recipe."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import msgspec
import pytest
from typer.main import get_command

from autoft import registry
from autoft.artifact import Config
from autoft.cli import settings, train
from autoft.errors import UsageError
from autoft.events import Note
from autoft.options import SearchOptions
from autoft.pipeline import inputs, plan, prepare
from autoft.pipeline.search import plan_search, resolved
from autoft.pipeline.train import single
from autoft.recipe import Recipe
from autoft.records import DataRef, Fold, ModelCard, Schema, Splits, TrialResult, to_json
from autoft.report.card import train_command
from autoft.run import RunWriter
from autoft.search import headgrid
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


def fabricated(images: Path, out: Path, **changes: Any) -> tuple[Path, list[TrialResult], plan.Plan]:
    """A run that was never searched: the default recipe, heads that are solved in every way, and others."""
    plugins = registry.installed()
    asked = SearchOptions(data=str(images), out=str(out), task="toy", models=("numpy/mlp",), **changes)
    wanted, task = resolved(plugins, asked)
    checked = prepare.check(plugins, wanted, task, wanted.seed, Heard())
    made = plan.make(plugins, wanted, task, checked, Heard())
    solved = headgrid.heads(made.space, "numpy/mlp")
    assert {params["head_init"] for params in solved} == {"ridge", "logistic"}
    rows = [{}, *solved, {"freeze": 0.5, "optimizer": "sgd", "nesterov": True, "head_init": "ridge"}]
    writer = RunWriter(RunWriter.create(out, task.name, ""), made.metric)
    writer.write_yaml("args.yaml", plan.arguments(wanted, made))
    results = []
    for number, row in enumerate(rows):
        recipe = Recipe.of(plan.space.resolve(made.space, row))
        name = {"model": recipe.model, "backend": made.candidates[recipe.model].card.backend}
        results.append(TrialResult(number=number, status="finished", recipe=recipe, score=0.5, **name))
    rewritten(writer.path, results)
    return writer.path, results, made


def test_every_row_of_a_leaderboard_can_be_trained_again(images: Path, tmp_path: Path) -> None:
    run, results, _ = fabricated(images, tmp_path)
    for row in results:
        base, _ = train.of_trial(f"{run}:{row.name}", "runs")
        assert planned(typed(base=base))[0].flat() == row.recipe.flat()


def test_the_command_on_the_card_trains_every_row_again(images: Path, tmp_path: Path) -> None:
    run, results, made = fabricated(images, tmp_path)
    arguments = arguments_of(run)
    for row in results:
        words = shlex.split(train_command(config_of(row, made), arguments))
        assert planned(typed(*words[2:]))[0].flat() == row.recipe.flat()


def arguments_of(run: Path) -> dict[str, Any]:
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
        schema=Schema(task="toy"),
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


# ---- a configuration that ran again --------------------------------------------------------------------


def rewritten(run: Path, results: list[TrialResult]) -> None:
    (run / "trials.jsonl").write_text("".join(to_json(row) + "\n" for row in results))


def test_what_ran_again_is_trained_with_its_seed_and_division(images: Path, tmp_path: Path) -> None:
    run, results, made = fabricated(images, tmp_path, seed=5)
    last = msgspec.structs.replace(results[-1], seed=7, division=2)
    rewritten(run, [*results[:-1], last])
    ref = DataRef(store="", fingerprint="", dataset="", splits="")
    words = shlex.split(train_command(config_of(last, made, seed=7), arguments_of(run)))
    for wanted in (typed(base=train.of_trial(f"{run}:{last.name}", "runs")[0]), typed(*words[2:])):
        assert (wanted.seed, wanted.repeat) == (5, 2), "the seed of the split stays"
        _, plans = planned(wanted)
        spec = plan.spec_maker(plans, registry.installed(), single(wanted), Schema(task="toy"), ref, "")(0, {})
        assert (spec.seed, spec.division) == (7, 2)
    assert train.of_trial(f"{run}:{results[0].name}", "runs")[0]["repeat"] == 0
    assert "--repeat" not in train_command(config_of(last, made, seed=5), arguments_of(run))


def test_older_runs_tell_it_of_the_models_that_were_kept(images: Path, tmp_path: Path) -> None:
    run, results, made = fabricated(images, tmp_path, seed=5)
    kept = run / "trials" / results[-1].name
    kept.mkdir(parents=True)
    (kept / "config.json").write_text(to_json(config_of(results[-1], made, seed=6)))
    assert train.of_trial(f"{run}:{results[-1].name}", "runs")[0]["repeat"] == 1
    assert train.of_trial(f"{run}:{results[0].name}", "runs")[0]["repeat"] == 0


@pytest.mark.parametrize(("repeat", "trials"), [(-1, 1), (1, 0)])
def test_a_repeat_is_of_one_configuration(images: Path, tmp_path: Path, repeat: int, trials: int) -> None:
    with pytest.raises(UsageError, match="repeat must be 0 or above, and is for a single configuration"):
        plan_search(options(images, tmp_path, repeat=repeat, trials=trials), Heard())


# ---- the same data -------------------------------------------------------------------------------------


def test_paths_mean_the_same_from_another_folder(images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another folder of the same name lies where the trial is made again."""
    here, there = tmp_path / "here", tmp_path / "there"
    for place in (here, there):
        shutil.copytree(images, place / "imgs")
    monkeypatch.chdir(here)
    run, results, made = fabricated(Path("imgs"), Path("runs"))
    run = run.resolve()
    monkeypatch.chdir(there)
    name = f"{run}:{results[0].name}"
    assert train.of_trial(name, "runs")[0]["data"] == str(here / "imgs")
    assert f"--data {here / 'imgs'}" in train_command(config_of(results[0], made), arguments_of(run))
    old = {key: what for key, what in arguments_of(run).items() if key != "folder"} | {"data": "imgs"}
    (run / "args.yaml").write_text(json.dumps(old))
    assert train.of_trial(name, "runs")[0]["data"] == str(here / "imgs"), "an older run: its data lie beside it"
    shutil.rmtree(here / "imgs")
    assert train.of_trial(name, "runs")[0]["data"] == str(there / "imgs"), "nothing is there any more"


def test_other_data_and_other_parts_are_told(images: Path, tmp_path: Path) -> None:
    data = shutil.copytree(images, tmp_path / "imgs")
    run, _, _ = fabricated(data, tmp_path)
    plugins, wanted = registry.installed(), options(data, tmp_path)
    task = resolved(plugins, wanted)[1]

    def read() -> prepare.Checked:
        return prepare.check(plugins, wanted, task, 0, Heard())

    before = read()
    store = Mock(folder=tmp_path / "store", fingerprint="none")
    nothing = prepare.Prepared(before.dataset, before.schema, store, before.divided, (), content=inputs.content(before))
    inputs.write(RunWriter(run, task.metrics[0]), nothing, ("image",))

    def told(splits: Splits | None = before.divided) -> list[str]:
        return list(inputs.differences(run, read(), task.targets, splits))

    assert told() == []
    turned = msgspec.structs.replace(before.divided, test=(), folds=(Fold(train=before.divided.test, val=()),))
    (moved,) = told(turned)
    assert moved.startswith(f"{len(before.divided.test)} samples lie in another part than in {run}")
    first, second = sorted(data.glob("*/*.png"))[:2]
    first.write_bytes(second.read_bytes())
    (other,) = told(None)
    assert other.endswith("samples of the same names hold something else")
    first.unlink()
    (lost,) = told(None)
    assert "of its 80 samples 1 are not there, and 0 are new" in lost and first.name in lost
    heard = Heard()
    plan_search(wanted, heard, str(run))
    assert [note.text for note in heard.of(Note) if note.level == "warning"][-1:] == [lost]
    (run / "dataset.json").unlink()
    (unknown,) = told()
    assert unknown.startswith(f"whether the data are those of {run} cannot be told")
