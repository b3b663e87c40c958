"""Every verb of the command line, one after another, as a user would: search, look, predict, score, train again."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import SHORT, Cli, Ran, command, environment

TOYS = ("search", "--task", "toy", "--data", "imgs", "--time", "10m")
SEARCH = (*TOYS, "--models", "numpy/mlp")


@pytest.fixture(scope="module")
def searched(cli: Cli) -> Ran:
    """A search of three trials, with --json."""
    return cli(*SEARCH, "--trials", "3", "--name", "first", "--json", *SHORT)


def test_search_gives_one_json_document(searched: Ran, place: Path) -> None:
    assert searched.code == 0, searched.err
    summary = searched.json
    assert sum(summary["trials"].values()) == 3
    assert summary["trials"]["failed"] == 0
    assert summary == json.loads((place / "runs" / "toy" / "first" / "metrics.json").read_text())
    assert "Ray" not in searched.err
    assert "raylet" not in searched.err + searched.out
    assert "Traceback (most" not in searched.err


def test_ls_runs_lists_it(searched: Ran, cli: Cli) -> None:
    (run,) = cli("ls", "runs", "--json").json
    assert run["run"].endswith("first")
    assert run["validation"] == searched.json["best"]["score"]
    assert "first" in cli("ls", "runs").out


def test_predict_writes_a_table(searched: Ran, cli: Cli, place: Path) -> None:
    done = cli("predict", "first", "--source", "imgs/red_disc", "--out", "preds.csv")
    assert done.code == 0, done.err
    with (place / "preds.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 20
    assert {"file", "prediction", "confidence"} <= set(rows[0])
    one = cli("predict", "first", "--source", "imgs/red_disc/" + Path(rows[0]["file"]).name, "--json").json
    assert one[0]["prediction"] == rows[0]["prediction"]


def test_val_scores_labelled_data(searched: Ran, cli: Cli) -> None:
    done = cli("val", "first", "--data", "imgs", "--json")
    assert done.code == 0, done.err
    assert done.json["samples"] == 80
    low, high = done.json["interval"]
    assert low <= done.json["metrics"]["accuracy"] <= high


@pytest.mark.slow
def test_train_repeats_a_row(searched: Ran, cli: Cli, place: Path) -> None:
    log = (place / "runs" / "toy" / "first" / "trials.jsonl").read_text().splitlines()
    row = next(row for row in map(json.loads, log) if row["number"] == 1 and row["status"] == "finished")
    done = cli("train", "--from", "first:t0001", "--name", "again", "--json")
    assert done.code == 0, done.err
    assert done.json["best"]["score"] == row["score"]


def test_a_dry_run_changes_nothing(searched: Ran, cli: Cli, place: Path) -> None:
    before = sorted(place.rglob("*"))
    done = cli(*SEARCH, "--dry-run", *SHORT)
    assert done.code == 0, done.err
    assert "numpy/mlp" in done.out
    assert sorted(place.rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ((*SEARCH, "--name", "first"), 2, "exists already"),
        (("search", "--task", "toy", "--data", "nowhere"), 3, "nowhere"),
        (("predict", "frist", "--source", "imgs"), 2, "Did you mean 'first'"),
        (("val", "first", "--data", "nowhere"), 3, "nowhere"),
        pytest.param(
            *((*TOYS, "--models", "barren/mlp", "--trials", "1"), 4, "barren builds no network"), marks=pytest.mark.slow
        ),
        pytest.param(*((*SEARCH, "--time", "0.1s"), 5, "the budget ended before any trial"), marks=pytest.mark.slow),
    ],
    ids=["name taken", "no data", "no run", "no data to score", "no trial", "no time"],
)
def test_what_goes_wrong_has_a_code(words: tuple[str, ...], code: int, message: str, searched: Ran, cli: Cli) -> None:
    done = cli(*words)
    assert done.code == code, done.err
    assert message in done.err
    assert "Traceback (most" not in done.err
    assert "raylet" not in done.err + done.out


@pytest.mark.slow
def test_ctrl_c_keeps_the_best(place: Path) -> None:
    words = (*SEARCH, "--name", "cut", "--json", "--scheduler", "none", "epochs=200", "patience=0", "batch_size=4")
    process = subprocess.Popen(
        command(*words),
        cwd=place,
        env=environment(place),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    run = place / "runs" / "toy" / "cut"
    until = time.time() + 200
    while not (run / "best" / "config.json").is_file():
        assert process.poll() is None, process.communicate()
        assert time.time() < until, "no trial came to its end"
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert json.loads(out)["status"] == "interrupted"
    assert json.loads((run / "metrics.json").read_text())["status"] == "interrupted"
    assert (run / "best" / "config.json").is_file()
    assert "Traceback (most" not in err
    assert "raylet" not in err + out
    reasons = [json.loads(line)["reason"] for line in (run / "trials.jsonl").read_text().splitlines()]
    assert any("interrupted" in reason for reason in reasons), reasons
    assert not left_over(process.pid)


def left_over(session: int) -> list[str]:
    """Processes of this session that are still there after a moment."""
    until = time.time() + 15
    while (found := _of_session(session)) and time.time() < until:
        time.sleep(0.2)
    return found


def _of_session(session: int) -> list[str]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text().rpartition(")")
        except OSError:
            continue
        if int(rest.split()[3]) == session and rest.split()[0] != "Z":
            found.append(name)
    return found
