"""Where options come from: the command line, then the file, then the preset and the defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer
from typer.main import get_command

from autoft.cli import configfile, search, settings, train
from autoft.errors import UsageError
from autoft.options import SearchOptions
from autoft.records import Entry, to_json
from autoft.search.presets import PRESETS
from tests.cli import records


def options(*words: str, base: dict[str, Any] | None = None) -> SearchOptions:
    """What `autoft search WORDS` would search with."""
    command: Any = get_command(search.app)
    with command.make_context("search", list(words)) as context:
        return settings.search_options(context, base)


def file(folder: Path, text: str, name: str = "config.yaml") -> str:
    (folder / name).write_text(text)
    return str(folder / name)


def test_nothing_but_data_gives_the_defaults() -> None:
    assert options("--data", "x") == SearchOptions(data="x")


def test_units_and_lists() -> None:
    got = options(
        "--data", "x", "--time", "1h30m", "--max-bad", "2.5%", "--models", "a,b", "--model", "c", "--seed", "4"
    )
    assert (got.time, got.max_bad, got.models, got.seed) == (5400, 0.025, ("a", "b", "c"), 4)


def test_the_presets_time_holds_unless_one_is_given(tmp_path: Path) -> None:
    assert options("--data", "x", "--preset", "best").time == PRESETS["best"].time
    assert options("--data", "x", "--preset", "best", "--time", "60").time == 60
    assert options("-c", file(tmp_path, "data: x\ntime: 2m\n"), "--preset", "best").time == 120


def test_command_line_beats_file_beats_default(tmp_path: Path) -> None:
    path = file(
        tmp_path, "data: x\nseed: 5\nimage-col: pic\nmodels: [a, b]\nmax_bad: 10%\nspace:\n  lr: 1e-3\n  batch: 8\n"
    )
    got = options("-c", path, "--seed", "6", "batch_size=16", "freeze=0,1")
    assert (got.seed, got.image_col, got.models, got.max_bad) == (6, "pic", ("a", "b"), 0.1)
    assert got.overrides == {"lr": "1e-3", "batch_size": "16", "freeze": "0,1"}
    assert got.searcher == SearchOptions().searcher


def test_a_value_equal_to_the_default_still_beats_the_file(tmp_path: Path) -> None:
    assert options("-c", file(tmp_path, "data: x\nseed: 5\n"), "--seed", "0").seed == 0


@pytest.mark.parametrize("name", ["config.yaml", "config.yml", "config"])
def test_any_suffix(tmp_path: Path, name: str) -> None:
    assert options("-c", file(tmp_path, "data: x\ntask: t\n", name)).task == "t"


def test_yaml_values_become_words_of_the_command_line(tmp_path: Path) -> None:
    text = "data: x\nspace:\n  lr: 1e-5..1e-2:log\n  freeze: [0, 0.5, 1]\n  nesterov: true\n  epochs: 3\n"
    assert options("-c", file(tmp_path, text)).overrides == {
        "lr": "1e-5..1e-2:log",
        "freeze": "0,0.5,1",
        "nesterov": "true",
        "epochs": "3",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dta: x\n", "there is no option 'dta'"),
        ("data: x\nseeds: 1\n", "Did you mean 'seed'?"),
        ("data: x\nseed: many\n", "seed"),
        ("data: x\nspace: [lr]\n", "must be a mapping"),
        ("data: x\nspace:\n  lr: {low: 1}\n", "must be a value, a list or a range"),
        ("- data\n", "must be a mapping of options"),
        ("data: [x\n", "not valid YAML"),
        ("data: !!python/object/apply:os.system [ls]\n", "not valid YAML"),
    ],
)
def test_a_wrong_file_is_a_usage_error(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said.replace("?", r"\?")) as caught:
        options("-c", file(tmp_path, text))
    assert "config.yaml" in caught.value.message


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        options("-c", str(tmp_path / "none.yaml"))


def test_data_are_found_beside_the_file_that_names_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "conf" / "imgs").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    path = file(tmp_path / "conf", "data: imgs\nval: hub/name\n")
    got = options("-c", path)
    assert Path(got.data).resolve() == (tmp_path / "conf" / "imgs")
    assert got.val == "hub/name"


def test_the_options_of_a_run_can_be_read_back(tmp_path: Path) -> None:
    run = records.write_run(tmp_path / "image-cls" / "search1")
    got = options("-c", str(run / "args.yaml"))
    assert (got.data, got.metric, got.seed, got.overrides) == ("/data/my imgs", "accuracy", 7, {"lr": "1e-5..1e-2:log"})


@pytest.mark.parametrize(
    ("written", "part"), [("5%", 0.05), ("0.05", 0.05), (0.2, 0.2), ("100%", 1.0), ("0", 0.0), (".5%", 0.005)]
)
def test_fraction(written: str, part: float) -> None:
    assert settings.fraction(written) == pytest.approx(part)


@pytest.mark.parametrize("written", ["5", "-1%", "101%", "five", "", "nan"])
def test_not_a_fraction(written: str) -> None:
    with pytest.raises(UsageError):
        settings.fraction(written)


def test_the_only_task_is_taken() -> None:
    one, two = Entry(name="image-cls", target="x:y"), Entry(name="asr", target="x:y")
    assert settings.only_task([one]) == "image-cls"
    with pytest.raises(UsageError, match="must be one of image-cls, asr"):
        settings.only_task([one, two])
    with pytest.raises(UsageError, match="no task is installed"):
        settings.only_task([])


def test_fields_and_parameters_have_the_same_names() -> None:
    names = {param.name for app in (search.app, train.app) for param in _params(app)}
    assert set(configfile.KEYS) - {"overrides"} <= names


def _params(app: typer.Typer) -> Any:
    return get_command(app).params


def test_a_trial_gives_its_configuration_again(tmp_path: Path) -> None:
    run = records.write_run(tmp_path / "image-cls" / "search1")
    wanted = next(r for r in records.results() if r.name == "t0007")
    base, _ = train.of_trial(f"{run}:t0007", "runs")
    got = options("--seed", "9", "epochs=3", base=base)
    assert got.models == (wanted.model,)
    assert (got.data, got.task, got.metric, got.backend) == ("/data/my imgs", "image-cls", "accuracy", "torch")
    assert got.seed == 9
    assert got.overrides == {**base["overrides"], "epochs": "3"}
    assert float(got.overrides["lr"]) == wanted.recipe.lr
    assert got.overrides["nesterov"] == "false"
    assert "model" not in got.overrides


def test_what_began_with_another_model_is_said(tmp_path: Path) -> None:
    run = records.write_run(tmp_path / "image-cls" / "search1")
    assert train.of_trial(f"{run}:t0007", "runs")[1] == ""
    rows = [msgspec.structs.replace(r, start="/a/trials/t0003" if r.number == 7 else "") for r in records.results()]
    (run / "trials.jsonl").write_text("".join(to_json(row) + "\n" for row in rows))
    said = "t0007 went on from the model of t0003; this training begins anew"
    assert train.of_trial(f"{run}:t0007", "runs")[1] == said


def test_an_unknown_trial_names_those_there_are(tmp_path: Path) -> None:
    run = records.write_run(tmp_path / "image-cls" / "search1")
    with pytest.raises(UsageError, match="has no trial 't0099'") as caught:
        train.of_trial(f"{run}:t0099", "runs")
    assert "t0000, t0001" in caught.value.hint


def test_records_are_valid() -> None:
    assert to_json(records.results()[5])
