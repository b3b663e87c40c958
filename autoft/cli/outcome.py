"""The last words of a search: the leaders, the score on the locked test part, where everything is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autoft.cli.board import Board, Row
from autoft.records import Metric
from autoft.report import by_class, final
from autoft.report.compared import compared
from autoft.report.words import DASH, ELSEWHERE, count, duration, gain, line, score, trial, value

TOP = 5
MOST = 12
"""Numbers of single classes that are shown: the report has the others."""
CHOSEN = "whose score is not the highest: second runs, cross-validation, and how sure a model is count, too"
COLUMNS = ("rank", "trial", "model", "freeze", "lr", "batch", "epochs", "score")


def leaders(board: Board) -> list[tuple[str, ...]]:
    """The best few trials as cells, in the order of `COLUMNS`."""
    return [cells(place, row, board.metric) for place, row in enumerate(board.ended[:TOP], start=1)]


def cells(place: int, row: Row, metric: Metric) -> tuple[str, ...]:
    recipe = row.recipe
    return (
        str(place),
        trial(row.name, row.division),
        line(row.model),
        value(recipe.get("freeze")),
        value(recipe.get("lr")),
        value(recipe.get("batch_size")),
        str(row.epoch or DASH),
        compared(metric, row.score, row.metrics),
    )


def sentences(board: Board) -> Iterator[str]:
    """The result in words, without the paths."""
    summary, metric = board.summary, board.metric
    if any(row.division for row in board.ended[:TOP]):
        yield ELSEWHERE
    yield _trials(summary)
    if words := _beside(board):
        yield words
    if words := final.sentence(summary):
        yield f"final model: {line(words)}"
    test, best = summary.get("test"), summary.get("best") or {}
    if not test:
        yield f"validation {metric.name}: {score(best.get('score'), metric.percent)} (no locked test)"
    else:
        yield from _test(test, metric)
        yield from _compared(summary, test, metric)
    if words := final.masks(summary):
        yield words
    if best.get("calibrated"):
        shown, rest = by_class.told(best["calibrated"], MOST)
        told = [f"{line(name)} {number:g}" for name, number in shown.items() if number is not None]
        yield f"set on validation: {', '.join([*told, *_elsewhere(rest)])}"
    if summary.get("status") == "interrupted":
        yield "The search was interrupted; what it found so far is kept."


def _trials(summary: dict[str, Any]) -> str:
    trials, seconds = summary.get("trials") or {}, summary.get("seconds") or {}
    told = [f"{trials[word]:,} {word}" for word in ("finished", "stopped", "failed") if trials.get(word)]
    total = seconds.get("total")
    return f"trials: {', '.join(told) or 'none'}" + (f" in {duration(total)}" if total else "")


def _beside(board: Board) -> str:
    """Why the model is not that of the trial which stands first."""
    name = (board.summary.get("best") or {}).get("trial")
    if not name or not board.ended or name == board.ended[0].name:
        return ""
    alike = [row.name for row in board.ended if row.score == board.ended[0].score]
    return f"chosen: {name}, {f'one of {len(alike)} trials with the best score' if name in alike else CHOSEN}"


def _test(test: dict[str, Any], metric: Metric) -> Iterator[str]:
    percent = metric.percent
    own = (test.get("metrics") or {}).get(metric.name)
    samples = count(int(test.get("samples") or 0), "sample")
    yield f"locked test: {metric.name} {score(own, percent)}{interval(test, percent)}, {samples}"
    others = {k: v for k, v in (test.get("metrics") or {}).items() if k != metric.name}
    if others:
        shown, rest = by_class.told(others, MOST)
        told = [f"{line(name)} {score(number)}" for name, number in shown.items()]
        yield "             " + ", ".join([*told, *_elsewhere(rest)])


def _elsewhere(rest: str) -> list[str]:
    return [f"{rest} in report.html"] if rest else []


def _compared(summary: dict[str, Any], test: dict[str, Any], metric: Metric) -> Iterator[str]:
    """The gain over trial 0, unless trial 0 itself is the best; and what to make of it."""
    percent, gained = metric.percent, final.gained_in(test, metric)
    baseline = (test.get("baseline") or {}).get(gained.name)
    if final.compared(summary) and test.get("gain") is not None and baseline is not None:
        more = f"{gain(test['gain'], gained.percent)}{_span(test, gained.percent)}"
        own = "" if gained is metric else f"{line(gained.name)} "
        yield f"gain over the baseline ({own}{score(baseline, gained.percent)}): {more}"
    plain = test.get("plain") or {}
    if plain.get("metrics"):
        yield f"without a network: {line(plain['name'])}, {score(plain['metrics'].get(metric.name), percent)}"
    elif plain.get("failed"):
        yield f"without a network: no score ({line(plain['failed'])})"
    if test.get("verdict"):
        yield f"verdict: {line(test['verdict'])}"


def interval(test: dict[str, Any], percent: bool) -> str:
    """` (95% CI 95.1% to 98.3%)`, or why there is none; nothing where nothing is known."""
    span = final.interval(test, percent, f"{100 * test.get('confidence', 0.95):.0f}% CI ")
    return f" ({span})" if span else ""


def _span(test: dict[str, Any], percent: bool) -> str:
    span = final.gain_interval(test, percent, "CI ")
    return f" ({span})" if span else ""


def paths(board: Board) -> list[tuple[str, str]]:
    """What the user wants to copy, last of all."""
    given = board.summary.get("paths") or {}
    found = []
    if given.get("best"):
        found.append(("best model", _short(given["best"])))
    found.append(("run folder", _short(given.get("run") or board.folder)))
    return found


def _short(path: str) -> str:
    """A path below the current folder without what leads there."""
    here = Path.cwd()
    return line(str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else path)


def text(board: Board) -> Iterator[str]:
    """The outcome as plain lines."""
    rows = [COLUMNS, *leaders(board)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS))]
    if len(rows) > 1:
        for row in rows:
            yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        yield ""
    yield from sentences(board)
    yield from (f"{label}: {path}" for label, path in paths(board))
