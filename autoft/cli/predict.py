"""`autoft predict`: label new files with a trained model."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from autoft.cli import params as p
from autoft.cli.command import verb
from autoft.cli.emit import document, table
from autoft.options import DataOptions
from autoft.report.issues import summarised
from autoft.report.words import clean, count

EXAMPLES = (
    ("autoft predict runs/image-cls/search1 --source ./new --out preds.csv", "a folder, to a table"),
    ("autoft predict search1 --source photo.jpg", "one file, on the screen"),
    ("autoft predict ./best --source list.csv --image-col path --out preds.jsonl", "files that a table names"),
    ("autoft predict search1:t0000 --source ./new --json", "another trial's model, for scripts"),
)
SHOWN = 50

Source = Annotated[
    str, typer.Option("--source", help="File, folder or table of files.", metavar="PATH", show_default=False)
]
Out = Annotated[
    str,
    typer.Option(
        "--out",
        help="Write a .csv, .tsv, .json or .jsonl file; a folder for pictures and the like, where the task has them.",
        metavar="FILE",
        show_default="the screen",
    ),
]
Conf = Annotated[
    float | None,
    typer.Option(
        "--conf", help="Leave out what is less sure, from 0 to 1.", min=0.0, max=1.0, show_default="the model's own"
    ),
]


def predict(
    model: p.Model,
    source: Source,
    out: Out = "",
    conf: Conf = None,
    image_col: p.ImageCol = "",
    text_col: p.TextCol = "",
    audio_col: p.AudioCol = "",
    runs: p.Runs = "runs",
    json: p.Json = False,
    quiet: p.Quiet = False,
) -> None:
    """Label new files with the best model of a run.

    A CSV cell that a spreadsheet would run as a formula gets an apostrophe in front; JSON keeps every name as it is.
    """
    from autoft.cli import rowfile

    files = Path(out) if out and not Path(out).suffix else None
    if out and not files:
        rowfile.check(out)
    from autoft.pipeline import predict as pipeline

    columns = DataOptions(image_col=image_col, text_col=text_col, audio_col=audio_col)
    predictions = pipeline.predict(model, source, runs, confidence=conf, columns=columns)
    rows = list(predictions.rows())
    for sentence in summarised(getattr(predictions, "issues", ())):
        print(f"warning: {sentence}", file=sys.stderr)
    written = predictions.export(files) if files else ()
    if out and not files:
        rowfile.write(rows, out)
    if json:
        document({"predictions": len(rows), "out": out} if out else rows, sys.stdout)
    elif out:
        if not quiet:
            print(f"{count(len(rows), 'prediction')}: {clean(out)}" + "".join(f"\n  {clean(word)}" for word in written))
    else:
        _screen(rows)


def _screen(rows: list[dict[str, Any]]) -> None:
    table(list(_short(rows[:SHOWN])), cut="file")
    if len(rows) > SHOWN:
        print(f"and {len(rows) - SHOWN} more; write them all with --out preds.csv")


def _short(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Long rows (one probability per class) would not fit; the first few columns do."""
    for row in rows:
        cells = list(row.items())[:6]
        yield {key: f"{cell:.4f}" if isinstance(cell, float) else cell for key, cell in cells}


app = verb(predict, EXAMPLES)
