"""What a search looks like: plain lines, the outcome alone, JSON on its own, a live table on a terminal."""

from __future__ import annotations

import io
import json
import pickle
import re
import sys
import time
from pathlib import Path

import msgspec
import pytest
import typer
from rich.console import Console

from autoft import events
from autoft.cli import outcome, planned, screen, told
from autoft.cli.board import Board
from autoft.cli.live import LiveScreen
from autoft.cli.search import end
from autoft.records import EpochReport, Metric, Param, TrialResult
from autoft.report.words import ELSEWHERE
from tests.cli import records

ESCAPE = "\x1b"


def feed(listener: screen.Screen) -> None:
    for event in records.search(time.time() + 600):
        listener(event)


def plain(**options: bool) -> str:
    out = io.StringIO()
    feed(screen.Screen(out, **options))
    return out.getvalue()


def terminal(width: int = 120, **options: bool) -> tuple[LiveScreen, io.StringIO]:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=width, height=40, highlight=False, color_system="standard")
    return LiveScreen(out, console=console, **options), out


def test_plain_lines_without_control_codes() -> None:
    text = plain()
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", text)
    assert len(re.findall(r"^t\d{4}  ", text, flags=re.MULTILINE)) == len(records.results())
    assert "t0005  timm/mobilenetv3_small_100  freeze=0 lr=0.01 batch_size=32  failed: the loss must be finite" in text


def test_data_and_issues_are_counted_and_named() -> None:
    text = plain()
    assert "1,797 samples (1,077 train, 360 val, 360 test)" in text
    assert "2 corrupt (left out): ant [wild]/[red]7.png, ant [wild]/\\x1b[31m8.png" in text
    assert "1 duplicate (kept): bee & wasp/<b>1</b>.png" in text


def test_the_outcome_comes_last_and_the_paths_end_it() -> None:
    lines = plain().splitlines()
    assert lines[-2:] == ["best model: runs/image-cls/search1/best", "run folder: runs/image-cls/search1"]
    text = "\n".join(lines)
    assert "locked test: accuracy 94.4% (95% CI 92.0% to 96.6%), 360 samples" in text
    assert "gain over the baseline (86.1%): +8.3 points (CI +5.0 points to +12.0 points)" in text
    assert "verdict: The best model beats the default recipe" in text


def told_of(trials: list[TrialResult]) -> str:
    """What a search of these trials says in plain lines."""
    out = io.StringIO()
    shown = screen.Screen(out)
    for event in records.search(time.time() + 60, trials):
        shown(event)
    return out.getvalue()


def test_what_ran_on_other_validation_samples_is_marked() -> None:
    trials = [records.result(0), msgspec.structs.replace(records.result(1), division=1, seed=1)]
    text = told_of(trials)
    assert re.search(r"^t0001  .*\(again, on other validation samples\)$", text, flags=re.MULTILINE)
    assert re.search(r"^[12] +t0001 \(again\) ", text, flags=re.MULTILINE) and ELSEWHERE in text
    assert ELSEWHERE not in told_of([records.result(0), msgspec.structs.replace(records.result(1), seed=1)])


def test_what_must_be_said_of_an_interval_is_said() -> None:
    test = {"interval": [0.794, 1.0], "interval_note": "exact, as all 16 samples say the same", "confidence": 0.95}
    assert outcome.interval(test, percent=True) == " (95% CI 79.4% to 100.0%; exact, as all 16 samples say the same)"
    none = {"interval": None, "interval_note": "no interval: too few of these 16 samples differ"}
    assert outcome.interval(none, percent=False) == " (no interval: too few of these 16 samples differ)"
    assert outcome.interval({"interval": None, "interval_note": ""}, percent=False) == ""


def test_quiet_tells_the_outcome_alone() -> None:
    quiet, loud = plain(quiet=True), plain()
    assert loud.endswith(quiet)
    assert quiet.startswith("rank")
    assert "data:" not in quiet and "plan:" not in quiet


def test_a_warning_is_told_even_with_quiet() -> None:
    out = io.StringIO()
    listener = screen.Screen(out, quiet=True)
    for level in ("info", "warning", "detail"):
        listener(events.Note(text=f"{level} [b]", level=level))
    assert out.getvalue() == "warning: warning [b]\n"


def test_verbose_adds_details_and_tracebacks() -> None:
    assert "Traceback" not in plain()
    assert "    Traceback (most recent call last):" in plain(verbose=True)
    out = io.StringIO()
    screen.Screen(out, verbose=True)(events.Note(text="deep", level="detail"))
    assert out.getvalue() == "deep\n"


def test_json_leaves_stdout_to_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    with screen.opened(json=True) as listener:
        feed(listener)
    end(records.summary(), json=True)
    captured = capsys.readouterr()
    assert json.loads(captured.out) == records.summary()
    assert "t0007" in captured.err
    assert "locked test" not in captured.err


def test_not_a_terminal_means_no_live_table(capsys: pytest.CaptureFixture[str]) -> None:
    with screen.opened() as listener:
        assert type(listener) is screen.Screen
        feed(listener)
    assert ESCAPE not in capsys.readouterr().out


def test_a_dumb_terminal_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    class Tty(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "dumb")
    assert not screen.is_terminal(Tty())
    monkeypatch.setenv("TERM", "xterm-256color")
    assert screen.is_terminal(Tty())
    assert not screen.is_terminal(io.StringIO())


def test_an_interrupted_search_ends_with_130() -> None:
    with pytest.raises(typer.Exit) as caught:
        end(records.summary(status="interrupted"), json=False)
    assert caught.value.exit_code == 130
    end(records.summary(), json=False)
    end(records.summary(status="time"), json=False)


# ---- the live table ---------------------------------------------------------------------------------


def drawn(listener: LiveScreen, width: int = 120) -> str:
    out = io.StringIO()
    Console(file=out, width=width, highlight=False).print(listener.drawn())
    return out.getvalue()


def test_the_table_shows_running_trials_and_the_best_few() -> None:
    listener, _ = terminal()
    listener(records.planned(time.time() + 600))
    try:
        for trial in records.results():
            listener.take(events.TrialFinished(result=trial, best=False))
        for number in (30, 31):
            listener.take(events.TrialStarted(spec=records.spec(number, "my/[net]", epochs=12)))
        listener.take(
            events.TrialReported(number=30, report=records.reports(0.9, 3, __import__("random").Random(1))[2])
        )
        text = drawn(listener)
    finally:
        listener.stop()
    assert re.search(r"t0030 +my/\[net\] +0 +0\.001 +32 +3/12 +\d\d\.\d%", text)
    assert "best so far 94.7%" in text
    assert re.search(r"t0031 +my/\[net\] +0 +0\.001 +32 +0/12 +–", text)
    assert len(re.findall(r"^ *t\d{4}", text, flags=re.MULTILINE)) == 2 + 5
    assert "24 trials ended, 1 failed" in text
    assert re.search(r"(9:5\d|10:00) left", text)


def test_hundreds_of_running_trials_do_not_fill_the_screen() -> None:
    listener, _ = terminal()
    for number in range(300):
        listener.take(events.TrialStarted(spec=records.spec(number)))
    text = drawn(listener)
    assert "and 292 more running" in text
    assert "best so far –" in text
    assert len(text.splitlines()) < 20


def test_the_table_fits_a_narrow_terminal() -> None:
    listener, _ = terminal(width=60)
    listener.take(events.TrialStarted(spec=records.spec(1, "timm/" + "very_long_name" * 8)))
    assert max(map(len, drawn(listener, 60).splitlines())) <= 60


def test_live_search_from_start_to_end() -> None:
    listener, out = terminal()
    feed(listener)
    assert listener.live is None
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", out.getvalue())
    assert "[red]7.png" in text
    assert r"\x1b[31m8.png" in text
    assert "t0005 timm/mobilenetv3_small_100 failed: the loss must be finite, but it is nan [step 3] <i>" in text
    assert text.rstrip().splitlines()[-1] == "run folder: runs/image-cls/search1"
    assert out.getvalue().count("\x1b[?25l") == out.getvalue().count("\x1b[?25h"), "the cursor must be shown again"


def test_the_terminal_is_given_back_after_an_error() -> None:
    listener, out = terminal()
    stdout = sys.stdout
    listener(records.planned(time.time() + 600))
    assert sys.stdout is not stdout
    listener.stop()
    assert sys.stdout is stdout
    assert out.getvalue().count("\x1b[?25l") == out.getvalue().count("\x1b[?25h") == 1


def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    listener, out = terminal()
    feed(listener)
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", out.getvalue())


# ---- parts -------------------------------------------------------------------------------------------


def test_a_metric_to_minimise_ranks_the_other_way() -> None:
    board = Board()
    board.take(events.TrialStarted(spec=records.spec(0, metric=Metric(name="log_loss", mode="min"))))
    for number in (1, 2, 3):
        board.take(events.TrialFinished(result=records.result(number, 0.9 - number / 10), best=number == 3))
    assert [row.number for row in board.ended] == [3, 2, 1]
    assert board.best is not None and board.best.number == 3
    assert board.better(0.1, 0.2)
    assert not board.better(float("nan"), None)


def test_of_equal_epochs_the_last_one_is_shown() -> None:
    board = Board()
    board.take(events.TrialStarted(spec=records.spec(1)))
    for epoch, score in ((1, 0.5), (2, 0.5), (3, 0.4)):
        report = EpochReport(epoch=epoch, score=score, metrics={"epoch": epoch}, train_loss=1.0, seconds=1.0)
        board.take(events.TrialReported(number=1, report=report))
    assert (board.running[1].score, board.running[1].metrics) == (0.5, {"epoch": 2}), "the one whose model is kept"


def test_a_failed_trial_is_never_ranked() -> None:
    board = Board()
    board.take(events.TrialFinished(result=records.failed(1), best=False))
    assert (board.ended, board.failed, board.best) == ([], 1, None)


def test_a_report_after_the_end_changes_nothing() -> None:
    board = Board()
    trial = records.result(4)
    board.take(events.TrialFinished(result=trial, best=True))
    board.take(events.TrialReported(number=4, report=trial.history[0]))
    assert board.running == {}


def test_an_outcome_without_test_or_trials() -> None:
    board = Board()
    board.take(
        events.Finished(folder="runs/x", summary={"status": "interrupted", "trials": {}, "best": None, "test": None})
    )
    text = "\n".join(outcome.text(board))
    assert "trials: none" in text
    assert "no locked test" in text
    assert "interrupted" in text
    assert text.endswith("run folder: runs/x")


@pytest.mark.parametrize(
    ("param", "shown"),
    [
        (Param(key="lr", kind="float", low=1e-5, high=1e-2, log=True), "1e-5..0.01:log"),
        (Param(key="freeze", choices=(0.0, 0.5, 1.0)), "0,0.5,1"),
        (Param(key="epochs", choices=(20,)), "20"),
        (Param(key="nesterov", choices=(True, False)), "on,off"),
        (Param(key="batch_size", kind="int", low=8, high=64), "8..64"),
    ],
)
def test_a_range_is_shown_as_it_is_typed(param: Param, shown: str) -> None:
    assert told.param(param) == shown


def test_dry_run_prints_a_configuration_that_can_be_read_back(capsys: pytest.CaptureFixture[str]) -> None:
    import yaml

    planned.show(records.planned(0), json=False)
    out = capsys.readouterr().out
    configuration = yaml.safe_load(out.partition("# parameters")[0])
    assert configuration["space"] == {"lr": "1e-5..1e-2:log"}
    assert re.search(r"lr +1e-5\.\.0\.01:log +0\.001 +peak learning rate", out)
    assert re.search(r"momentum .* optimizer=sgd", out)


def test_dry_run_says_what_parameters_of_a_recipe_are(capsys: pytest.CaptureFixture[str]) -> None:
    plan = records.planned(0)
    bare = tuple(msgspec.structs.replace(param, summary="") for param in plan.space)
    planned.show(msgspec.structs.replace(plan, space=bare), json=False)
    out = capsys.readouterr().out
    assert re.search(r"lr .* Peak learning rate of the last block, and of the head\n", out)
    assert re.search(r"momentum .* Momentum of sgd\n", out)


def test_dry_run_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    planned.show(records.planned(0), json=True)
    document = json.loads(capsys.readouterr().out)
    assert document["models"] == list(records.MODELS)


def test_no_gain_is_told_where_the_baseline_itself_is_best() -> None:
    summary = records.summary(best=records.summary()["baseline"])
    summary["test"] |= {"gain": 0.0, "verdict": "the baseline itself is the best model"}
    board = Board()
    board.take(events.Finished(folder="runs/x", summary=summary))
    text = "\n".join(outcome.text(board))
    assert "gain over" not in text
    assert "verdict: the baseline itself is the best model" in text


@pytest.mark.parametrize(("classes", "shown"), [(6, True), (7, False)])
def test_numbers_of_many_classes_are_left_to_the_report(classes: int, shown: bool) -> None:
    by_class = {f"{word}:c{n}": 0.5 for word in ("ap", "f1") for n in range(classes)}
    limits = {f"threshold:c{n}": 0.25 for n in range(2 * classes)}
    summary = records.summary()
    summary["test"]["metrics"] |= by_class
    summary["best"]["calibrated"] = limits
    board = Board()
    board.take(events.Finished(folder="runs/x", summary=summary))
    text = "\n".join(outcome.text(board))
    assert ("ap:c5 0.5000" in text and "threshold:c11 0.25" in text) is shown
    assert ("log_loss 0.2100, 14 of single classes in report.html" in text) is not shown
    assert ("set on validation: 14 of single classes in report.html" in text) is not shown


def test_paths_below_the_current_folder_are_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    board = Board()
    board.take(events.Finished(folder="", summary={"paths": {"best": str(tmp_path / "r" / "best"), "run": "/else/r"}}))
    assert outcome.paths(board) == [("best model", "r/best"), ("run folder", "/else/r")]


def test_a_screen_may_be_saved_with_what_holds_it() -> None:
    listener, out = terminal()
    copied = pickle.loads(pickle.dumps(listener))
    feed(copied)
    assert out.getvalue() == ""


def test_it_is_said_at_which_side_masks_are_scored() -> None:
    event = records.planned(time.time() + 600)
    assert not any("masks" in line for line in told.plan(event, 600))
    lines = list(told.plan(msgspec.structs.replace(event, scored_at=224), 600))
    said = "masks are scored at 224 x 224 pixels"
    assert any(f"{said}, the largest side that is tried (--decode-size sets another)" in line for line in lines)
    board = Board()
    for one in (event, events.Finished(folder="", summary=records.summary(scored_at=224))):
        board.take(one)
    assert said in list(outcome.sentences(board))
