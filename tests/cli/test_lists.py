"""`ls`, `plugins`, `env`, commands of plugins: what is there is shown, what is broken is named."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from autoft import held
from autoft.search.presets import PRESETS
from tests.cli import records
from tests.cli.conftest import Cli


def test_presets(cli: Cli) -> None:
    rows = json.loads(cli("ls", "presets", "--json").out)
    assert [row["name"] for row in rows] == list(PRESETS)


@pytest.mark.parametrize("kind", ["readers", "reader"])
def test_readers_by_plural_or_singular(cli: Cli, kind: str) -> None:
    text = cli("ls", kind).out
    assert {"folder", "hf", "table"} <= {row.split()[0] for row in text.splitlines()}


@pytest.mark.usefixtures("demo_plugin")
def test_models_of_a_task(cli: Cli) -> None:
    text = cli("ls", "models", "--task", "demo-one").out
    heads = text.splitlines()[0]
    for head in ("name", "parameters", "input size", "licence", "source", "offline"):
        assert head in heads
    row = next(row for row in text.splitlines() if row.startswith("demo/[big]"))
    assert "11.2M" in row and "224" in row and "mit" in row and "yes" in row
    assert "demo/loud" not in text
    pytest.importorskip("autoft_torch")  # what a network cannot be trained for, its backend alone knows
    assert "demo/boxed" not in text
    assert all(name in cli("ls", "models").out for name in ("demo/loud", "demo/boxed"))


@pytest.mark.usefixtures("demo_plugin")
def test_models_as_json_keep_numbers(cli: Cli) -> None:
    rows = {row["name"]: row for row in json.loads(cli("ls", "models", "--json").out)}
    assert rows["demo/[big]"]["parameters"] == 11_200_000
    assert rows["demo/[big]"]["offline"] is True


def test_no_runs_yet(cli: Cli) -> None:
    ran = cli("ls", "runs")
    assert (ran.code, ran.out) == (0, "no runs (yet): start one with `autoft search`\n")


def test_runs_newest_first(cli: Cli, tmp_path: Path) -> None:
    for age, name in ((100, "old"), (0, "new")):
        run = records.write_run(tmp_path / "runs" / "image-cls" / name)
        os.utime(run / "args.yaml", (records.START - age, records.START - age))
    (tmp_path / "runs" / "image-cls" / "bad").mkdir()
    (tmp_path / "runs" / "image-cls" / "bad" / "args.yaml").write_text("[")
    lines = cli("ls", "runs").out.splitlines()
    names = [row.split()[0] for row in lines[1:]]
    assert names == ["runs/image-cls/bad", "runs/image-cls/new", "runs/image-cls/old"]
    assert "unreadable" in lines[1]
    assert "finished" in lines[2] and "0.9440" in lines[2]


def test_an_unfinished_run_of_another_version_hides_no_other(cli: Cli, tmp_path: Path) -> None:
    for name in ("good", "other"):
        records.write_run(tmp_path / "runs" / "image-cls" / name)
    other = tmp_path / "runs" / "image-cls" / "other"
    (other / "metrics.json").unlink()
    (other / "trials.jsonl").write_text('{"number":0,"state":"done"}\n')
    ran = cli("ls", "runs")
    assert ran.code == 0, ran.err
    rows = {row.split()[0]: row for row in ran.out.splitlines()[1:]}
    assert "unreadable (UsageError)" in rows["runs/image-cls/other"]
    assert "finished" in rows["runs/image-cls/good"]


def test_a_run_that_is_on_is_told_from_one_that_was_killed(cli: Cli, tmp_path: Path) -> None:
    run = records.write_run(tmp_path / "runs" / "image-cls" / "one")
    (run / "metrics.json").unlink()
    with held.hold(run):
        assert "running" in cli("ls", "runs").out
    assert "no outcome" in cli("ls", "runs").out


@pytest.mark.usefixtures("demo_plugin")
def test_plugins_and_what_they_offer(cli: Cli) -> None:
    text = cli("plugins").out
    assert (
        "reader: arrays, celeba, corpora, faces, folder, hf, levels, lines, lists, name-parts, names, number-folders, "
        "numbered" in text
    )
    row = next(row for row in text.splitlines() if row.startswith("tests.cli.demo_plugin"))
    assert "task: demo-one, demo-two" in row and "models: demo" in row


@pytest.mark.usefixtures("broken_plugin")
def test_a_broken_plugin_is_named_with_its_reason(cli: Cli) -> None:
    ran = cli("plugins")
    assert ran.code == 0
    assert "BROKEN" in ran.out
    assert "tests.cli.no_such_plugin could not be loaded: ModuleNotFoundError" in ran.err
    assert cli("--help").code == 0


@pytest.mark.usefixtures("demo_plugin")
def test_a_plugins_command_stands_beside_the_others(cli: Cli) -> None:
    ran = cli("--help")
    assert "greet    Say hello" in ran.out
    assert "offers 'env', which autoft has itself" in ran.err
    assert cli("greet", "ann").out == "hello ann\n"
    assert "Greet somebody." in cli("greet", "--help").out
    assert "Did you mean 'greet'" in cli("gret").err


def test_env_names_versions_and_hardware(cli: Cli) -> None:
    facts = json.loads(cli("env", "--json").out)
    assert facts["packages"]["numpy"][0].isdigit()
    assert facts["machine"]["cores"] >= 1
    assert "iB" in facts["machine"]["memory"]
    assert "hubs" not in facts
    text = cli("env").out
    assert "packages:" in text and "cache" in text


@pytest.mark.usefixtures("demo_plugin")
def test_env_tells_whether_hubs_answer(cli: Cli) -> None:
    from autoft import registry
    from autoft.cli.env import hubs

    demo = [entry for entry in registry.installed().entries("models") if entry.name == "demo"]
    assert demo
    assert hubs(demo) == {"demo": "no route to host"}


def test_an_nvidia_tool_that_fails_is_told(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "bin" / "nvidia-smi"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho 'driver gone'\nexit 9\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")
    assert json.loads(cli("env", "--json").out)["machine"]["GPUs"] == "nvidia-smi fails: driver gone"
    tool.write_text("#!/bin/sh\necho 'H200, 143771 MiB, 570.1'\n")
    assert json.loads(cli("env", "--json").out)["machine"]["GPUs"] == "H200, 143771 MiB, 570.1"
