"""`autoft report`: write the report of a run again from its records."""

from __future__ import annotations

from typing import Annotated

import typer

from autoft.cli import params as p
from autoft.cli.command import verb
from autoft.report.words import clean

EXAMPLES = (
    ("autoft report search1", "rebuild report.html and leaderboard.csv"),
    ("autoft report runs/image-cls/search1 --open", "and show it in a browser"),
)

Run = Annotated[str, typer.Argument(metavar="RUN", help="A run: its name or path.", show_default=False)]
Open = Annotated[bool, typer.Option("--open", help="Show it in a browser.")]


def report(run: Run, out: p.Out = p.DEFAULTS.out, show: Open = False) -> None:
    """Write report.html and leaderboard.csv of a run again.

    The report is one file that needs no network: learning curves, every trial, the score on the locked test.
    """
    from autoft.report.write import write_report
    from autoft.run import find

    path = write_report(find(run, out).path)
    print(clean(str(path)))
    if show:
        typer.launch(str(path))


app = verb(report, EXAMPLES)
