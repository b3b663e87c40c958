"""`autoft val`: score a trained model on labelled data."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
import typer

from autoft.cli import outcome, settings
from autoft.cli import params as p
from autoft.cli.command import verb
from autoft.cli.emit import document
from autoft.errors import UsageError
from autoft.options import DataOptions
from autoft.records import Issue
from autoft.report.issues import summarised
from autoft.report.words import clean, count, score

EXAMPLES = (
    ("autoft val runs/image-cls/search1 --data ./more", "the best model on other data"),
    ("autoft val search1:t0000 --data ./more --json", "the baseline, for scripts"),
    ("autoft val ./best --data test.csv --target species --image-col file", "a table"),
)

Part = Annotated[
    str,
    typer.Option(
        "--part",
        help="What is scored: test, val, train or all.",
        metavar="PART",
        show_default="test where the data name it, else all",
    ),
]


def val(
    model: p.Model,
    data: p.Data = "",
    target: p.Target = "",
    image_col: p.ImageCol = "",
    text_col: p.TextCol = "",
    audio_col: p.AudioCol = "",
    encoding: p.Encoding = "",
    part: Part = "",
    max_bad: p.MaxBad = p.MAX_BAD,
    runs: p.Runs = "runs",
    json: p.Json = False,
) -> None:
    """Score the best model of a run on labelled data, with a confidence interval.

    Where the data name a test part, that part is scored. Samples that the model has learned from are counted, by their
    content: a score on these is no score on new data.
    """
    if not data:
        raise UsageError("--data must name labelled data.", f"For example: autoft val {model} --data ./more")
    bad = settings.fraction(max_bad)
    options = DataOptions(
        data=data,
        target=target,
        image_col=image_col,
        text_col=text_col,
        audio_col=audio_col,
        encoding=encoding,
        max_bad=bad,
    )
    from autoft.pipeline.validate import validate

    result = validate(model, options, runs, part)
    if json:
        document(result, sys.stdout)
    else:
        _tell(result)


def _tell(result: Mapping[str, Any]) -> None:
    if result.get("recognised"):
        print(clean(str(result["recognised"])))
    for sentence in summarised(_issues(result.get("issues") or ())):
        print(f"warning: {sentence}")
    samples, learned = int(result.get("samples") or 0), result.get("learned")
    if learned:
        print(f"warning: {learned:,} of {count(samples, 'sample')} were learned from: the score flatters")
    elif learned is None and result.get("refit"):
        print("note: this model has learned from the validation part of its search too: on that it looks too good")
    metrics = dict(result.get("metrics") or {})
    first = result.get("metric") or next(iter(metrics), "")
    print(count(samples, "sample") + _scored(result))
    for name, number in metrics.items():
        span = outcome.interval(dict(result), percent=False) if name == first else ""
        print(f"{name}: {score(number)}{span}")


def _scored(result: Mapping[str, Any]) -> str:
    """Which part of the data was scored, where it is not all of them."""
    if result.get("part", "all") == "all":
        return ""
    return f", the {result['part']} part of {int(result['of']):,}; all of them: --part all"


def _issues(found: Any) -> tuple[Issue, ...]:
    return msgspec.convert(msgspec.to_builtins(found), tuple[Issue, ...])


app = verb(val, EXAMPLES)
