"""`autoft report`: write the report of a run again from its records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from autoft.cli import params as p
from autoft.cli.command import verb
from autoft.report.words import clean

if TYPE_CHECKING:
    from autoft.run import Run as SomeRun

EXAMPLES = (
    ("autoft report search1", "rebuild report.html and leaderboard.csv"),
    ("autoft report runs/image-cls/search1 --open", "and show it in a browser"),
    ("autoft report search1 --finish", "score the locked test of a search that was killed"),
)

Run = Annotated[str, typer.Argument(metavar="RUN", help="A run: its name or path.", show_default=False)]
Open = Annotated[bool, typer.Option("--open", help="Show it in a browser.")]
Finish = Annotated[
    bool,
    typer.Option("--finish", help="Score the locked test part of a run that did not come to it, and write the rest."),
]


def report(run: Run, out: p.Out = p.DEFAULTS.out, finish: Finish = False, show: Open = False) -> None:
    """Write report.html and leaderboard.csv of a run again.

    The report is one file that needs no network: learning curves, every trial, the score on the locked test.
    A search that was killed, or could not be scored, keeps its model and its log of trials; --finish does the rest.
    """
    from autoft.report.write import write_report
    from autoft.run import find

    found = find(run, out)
    if finish:
        _finish(found)
        path = found.path / "report.html"
    else:
        path = write_report(found.path)
        print(clean(str(path)))
        _unfinished(found, run)
    if show:
        typer.launch(str(path))


def _finish(found: SomeRun) -> None:
    from autoft.cli import screen
    from autoft.pipeline.later import finish_later

    with screen.opened(quiet=True) as listener:
        listener.board.metric = found.metric
        finish_later(found, listener)


def _unfinished(found: SomeRun, name: str) -> None:
    from autoft import held

    if found.metrics:
        if found.metrics["test"] is None:
            print(f"its locked test part was not scored; to try it again: autoft report {clean(name)} --finish")
        return
    if held.is_held(found.path):
        print("the search is still running: there is no score on the locked test part yet")
    elif found.best_folder.is_dir():
        print(f"its process ended before the search did; for the locked test: autoft report {clean(name)} --finish")
    else:
        print("its process ended before any trial had a model")


app = verb(report, EXAMPLES)
