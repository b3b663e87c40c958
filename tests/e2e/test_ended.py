"""Searches that others end: by SIGTERM, as containers and clusters do, or without a word."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import Cli, command, environment
from tests.e2e.test_cli import left_over

LONG = ("--task", "toy", "--data", "imgs", "--time", "10m", "--models", "numpy/mlp", "--preset", "best")
ENDLESS = (*LONG, "epochs=3000", "patience=0", "batch_size=4", "image_size=32")


def started(place: Path, verb: str, name: str) -> tuple[subprocess.Popen[str], Path]:
    """A search or training that has a model."""
    process = subprocess.Popen(
        command(verb, *ENDLESS, "--name", name, "--json"),
        cwd=place,
        env=environment(place),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    run = place / "runs" / "toy" / name
    until = time.time() + 120
    while not (run / "best" / "config.json").is_file():
        assert process.poll() is None, process.communicate()
        assert time.time() < until, "no trial came to the end of its first epoch"
        time.sleep(0.1)
    return process, run


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["search", "train"])
def test_sigterm_keeps_the_best_and_scores_it(verb: str, place: Path) -> None:
    process, run = started(place, verb, f"{verb}-ended")
    # As `timeout` does: to the process, and at once to its group, workers and all.
    os.kill(process.pid, signal.SIGTERM)
    os.killpg(process.pid, signal.SIGTERM)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    summary = json.loads(out)
    assert summary["status"] == "interrupted"
    assert summary["test"]["metrics"]["accuracy"] is not None, summary["notes"]
    assert (run / "report.html").is_file()
    assert json.loads((run / "metrics.json").read_text()) == summary
    assert "Traceback (most" not in err
    assert not left_over(process.pid)
    assert not [entry.name for entry in run.iterdir() if entry.name.startswith(".")]


@pytest.mark.slow
def test_a_killed_search_can_be_finished(cli: Cli, place: Path) -> None:
    process, run = started(place, "search", "killed")
    assert "at work" in cli("report", "killed", "--finish").err
    assert "still running" in cli("report", "killed").out
    process.kill()
    process.communicate()
    assert not left_over(process.pid)
    told = cli("report", "killed")
    assert told.code == 0, told.err
    assert "autoft report killed --finish" in told.out
    done = cli("report", "killed", "--finish")
    assert done.code == 0, done.err
    summary = json.loads((run / "metrics.json").read_text())
    assert summary["status"] == "interrupted"
    assert summary["test"]["metrics"]["accuracy"] is not None, summary["notes"]
    assert "locked test" in done.out
    assert summary["best"]["trial"] in (run / "trials.jsonl").read_text() or summary["best"]["trial"] == "t0000"
    assert cli("report", "killed", "--finish").code == 2, "it has its outcome"
    assert cli("predict", "killed", "--source", "imgs/red_disc", "--json").code == 0
