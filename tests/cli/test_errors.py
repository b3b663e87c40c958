"""Every error is a sentence and a hint on stderr, with the exit code of its class; with --json also a document."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from autoft.cli import failures
from autoft.errors import BudgetEnded, DataError, Interrupted, NoTrialSucceeded, PluginError, UsageError
from tests.cli.conftest import Cli

PLAIN = failures.Style()


@pytest.mark.parametrize(
    ("words", "said", "hinted"),
    [
        (["serch"], "no such command 'serch'. Did you mean 'search'?", "autoft --help"),
        (["search", "--dta", "x"], "Did you mean '--data'?", "autoft search --help"),
        (["search", "--trials", "many", "--data", "x"], "--trials", "autoft search --help"),
        (["predict", "run"], "--source", "autoft predict --help"),
        (["search"], "--data must name", "--data ./imgs"),
        (["search", "--data", "x", "--time", "soon"], "a duration must look like", ""),
        (["search", "--data", "x", "--max-bad", "many"], "--max-bad must be a percentage", ""),
        (["search", "--data", "x", "--preset", "blanced"], "Did you mean 'balanced'?", ""),
        (["search", "lr"], "must be key=value, but got 'lr'", "lr=1e-4"),
        (["ls", "modls"], "Did you mean 'models'?", "Known: tasks"),
        (["ls", "models", "--task", "no-such"], "there is no task 'no-such'", ""),
        (["predict", "run", "--source", "x", "--out", "p.xls"], "--out must end with", ""),
        (["predict", "no-such-run", "--source", "x"], "there is no run 'no-such-run'", "autoft ls runs"),
        (["report", "no-such-run"], "there is no run", "autoft ls runs"),
        (["train", "--from", "no-such"], "--from must be RUN:TRIAL", "no-such:t0000"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_usage_errors(cli: Cli, words: list[str], said: str, hinted: str) -> None:
    ran = cli(*words)
    assert ran.code == 2
    assert ran.out == ""
    first, *rest = ran.err.splitlines()
    assert first.startswith("error: ")
    assert said in first
    assert hinted in "\n".join(rest)
    assert "Traceback" not in ran.err


def test_a_folder_where_key_value_belongs_points_to_data(cli: Cli) -> None:
    Path("imgs").mkdir()
    assert "hint: Data go after --data: --data imgs" in cli("search", "imgs").err


@pytest.mark.parametrize(
    ("kind", "code"),
    [(UsageError, 2), (PluginError, 2), (DataError, 3), (NoTrialSucceeded, 4), (BudgetEnded, 5), (Interrupted, 130)],
)
def test_exit_code_of_each_class(kind: type[UsageError], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert failures.known(kind("the law [x] was broken", "do this"), PLAIN) == code
    captured = capsys.readouterr()
    assert captured.err == "error: the law [x] was broken\nhint: do this\n"
    assert captured.out == ""


def test_json_errors_are_one_document(cli: Cli) -> None:
    ran = cli("search", "--json", "--data", "x", "--time", "soon")
    told = json.loads(ran.out)
    assert told["code"] == ran.code == 2
    assert "duration" in told["error"]
    assert set(told) == {"error", "hint", "code"}
    assert ran.err.startswith("error: ")


def test_json_holds_for_words_that_cannot_be_read(cli: Cli) -> None:
    ran = cli("search", "--json", "--dta", "x")
    assert json.loads(ran.out)["code"] == 2


@pytest.mark.usefixtures("demo_plugin")
def test_an_unexpected_exception_is_one_line_and_a_file(cli: Cli, tmp_path: Path) -> None:
    ran = cli("greet", "bob", "--fail")
    assert ran.code == 1
    first, second = ran.err.splitlines()[-2:]
    assert first == "internal error: ValueError: no greeting for [bob]"
    log = Path(second.rpartition(" ")[2])
    assert log.is_relative_to(tmp_path / "cache")
    assert "Traceback" in log.read_text()
    assert "ValueError: no greeting for [bob]" in log.read_text()


def test_verbose_shows_the_traceback_too(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise ValueError("deep")
    except ValueError as error:
        assert failures.internal(error, failures.Style(verbose=True)) == 1
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_control_codes_in_an_error_do_not_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    failures.known(DataError("cannot read '\x1b[31mred\x07.png' or 'caf\udce9'"), PLAIN)
    err = capsys.readouterr().err
    assert "\x1b" not in err and "\x07" not in err
    assert r"\x1b[31mred" in err


PROGRAM = """
import sys, time, types
from autoft.cli import env
env.machine = lambda: (print("waiting", flush=True), time.sleep(60))
from autoft.cli.main import main
sys.argv = ["autoft", "env"]
main()
"""


def test_control_c_ends_with_130() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting\n"
    time.sleep(0.1)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err
