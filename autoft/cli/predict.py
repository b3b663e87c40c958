"""`autoft predict`: label new files with a trained model."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from autoft.cli import params as p
from autoft.cli.command import verb
from autoft.cli.emit import document, table
from autoft.options import DataOptions
from autoft.report.issues import summarised
from autoft.report.words import clean, count

if TYPE_CHECKING:
    from autoft.pipeline.predict import Prediction

EXAMPLES = (
    ("autoft predict runs/image-cls/search1 --source ./new --out preds.csv", "a folder, to a table"),
    ("autoft predict search1 --source photo.jpg", "one file, on the screen"),
    ("autoft predict search1 --source new/*.jpg --source older --out preds.csv", "several files and folders"),
    ("autoft predict ./best --source list.csv --image-col path --out preds.jsonl", "files that a table names"),
    ("autoft predict search1:t0000 --source ./new --json", "another trial's model, for scripts"),
)
SHOWN = 50

More = Annotated[
    list[str] | None,
    typer.Argument(metavar="SOURCE", help="Further sources, as a shell makes them of --source *.jpg."),
]
Source = Annotated[
    list[str],
    typer.Option(
        "--source",
        help="File, folder, table of files or pattern such as 'new/*.jpg'; may be given several times.",
        metavar="PATH",
        show_default=False,
    ),
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
    more: More = None,
    out: Out = "",
    conf: Conf = None,
    image_col: p.ImageCol = "",
    text_col: p.TextCol = "",
    audio_col: p.AudioCol = "",
    encoding: p.Encoding = "",
    runs: p.Runs = "runs",
    json: p.Json = False,
    quiet: p.Quiet = False,
) -> None:
    """Label new files with the best model of a run.

    Each row names its file as you did, or by its path below a folder; a row of texts by the table's column of ids, or
    its line. With several sources, each name begins with its source. Boxes of a picture stand in .json, .jsonl and
    --json, masks and pictures in a folder.

    A CSV cell that a spreadsheet would run as a formula gets an apostrophe in front; JSON keeps every name as it is.
    """
    from autoft.cli import rowfile

    sources = [*source, *(more or ())]
    folder = Path(out) if out and not Path(out).suffix else None
    if folder:
        rowfile.check_folder(out)
    elif out:
        rowfile.check(out)
    from autoft.pipeline.predict import Prediction
    from autoft.predictor import Predictor
    from autoft.run import model_folder

    predictor = Predictor(model_folder(model, runs))
    if folder:
        predictor.refuse_export()
    columns = DataOptions(image_col=image_col, text_col=text_col, audio_col=audio_col, encoding=encoding)
    asked = Prediction(predictor, sources, columns, conf)
    for sentence in () if quiet else asked.said:
        print(clean(sentence), file=sys.stderr)
    words: Sequence[str] = where_else(predictor.task, out) if out else ()
    if folder:
        words = asked.export(folder)
    elif out:
        rowfile.write(asked.rows(nested=rowfile.nested(out)), out)
    elif json:
        _document(asked)
    else:
        _screen(asked)
    for sentence in summarised(tuple(asked.issues)):
        print(f"warning: {sentence}", file=sys.stderr)
    if out and json:
        document({"predictions": asked.done, "out": out}, sys.stdout)
    elif out and not quiet:
        print(f"{count(asked.done, 'prediction')}: {clean(out)}" + "".join(f"\n  {clean(word)}" for word in words))


def where_else(task: object, out: str) -> Sequence[str]:
    """What a table cannot hold of a task's predictions, and where it can be had; nothing for the other files."""
    from autoft.abilities import Itemizing
    from autoft.cli import rowfile
    from autoft.contracts import Exporting

    if not isinstance(task, Exporting) or not Path(out).suffix:
        return ()
    listed = isinstance(task, Itemizing)
    if listed and rowfile.nested(out):
        return ()
    places = "--out preds.json, or a folder for pictures, too" if listed else "a folder, such as --out preds"
    return (f"a row for each file, which counts alone; what was found, and where: {places}",)


def _document(asked: Prediction) -> None:
    """One document, or none: what fails in the middle is told in one of its own."""
    from autoft.cli import rowfile

    with tempfile.TemporaryFile("w+", encoding="utf-8") as file:
        for text in rowfile.pieces(asked.rows(nested=True), ".json"):
            file.write(text)
        file.seek(0)
        shutil.copyfileobj(file, sys.stdout)


def _screen(asked: Prediction) -> None:
    rows = list(islice(every := asked.rows(), SHOWN))
    table(list(_short(rows)), cut="file")
    if further := sum(1 for _ in every):
        print(f"and {further} more; write them all with --out preds.csv")


def _short(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Long rows (one probability per class) would not fit; the first few columns do."""
    for row in rows:
        cells = list(row.items())[:6]
        yield {key: f"{cell:.4f}" if isinstance(cell, float) else cell for key, cell in cells}


app = verb(predict, EXAMPLES)
