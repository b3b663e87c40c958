"""Makes `report.html` and `leaderboard.csv` of a run from the records in its folder."""

from __future__ import annotations

from pathlib import Path

import msgspec

from autoft.atomic import write_text
from autoft.errors import UsageError
from autoft.records import Issue, Splits, from_json
from autoft.report.leaderboard import write_leaderboard
from autoft.report.page import Material, page
from autoft.run import Run


class _Recognised(msgspec.Struct):
    """The one sentence of `dataset.json`; its samples, which may be many, are not built."""

    recognised: str = ""


class _DataReport(msgspec.Struct):
    issues: tuple[Issue, ...] = ()
    warnings: tuple[str, ...] = ()


def write_report(run_path: Path | str) -> Path:
    """Write both files from whatever the run has got so far. Returns the path of `report.html`.

    Raises:
        UsageError: the folder is no run, or its records cannot be read.
    """
    run = Run(run_path)
    try:
        material = gather(run)
    except (OSError, msgspec.MsgspecError, KeyError) as error:
        raise UsageError(f"'{run.path}' is not a run that this version can report on: {error}") from error
    write_leaderboard(material.results, material.metric, run.path / "leaderboard.csv")
    path = run.path / "report.html"
    write_text(path, page(material))
    return path


def gather(run: Run) -> Material:
    """All records of a run that a report shows."""
    arguments, results = run.arguments, run.results()
    found = Material(
        name="/".join(run.path.resolve().parts[-2:]),
        arguments=arguments,
        metric=run.metric,
        results=results,
        summary=run.metrics,
        began=_began(run.path),
    )
    _add_splits(found, run.path / "splits.json")
    _add_data(found, run.path)
    return found


def _began(path: Path) -> float:
    """When the search started to write, as Unix time."""
    return (path / "args.yaml").stat().st_mtime


def _add_splits(found: Material, path: Path) -> None:
    if not path.is_file():
        return
    splits = from_json(path.read_bytes(), Splits)
    found.split = splits.sentence
    first = splits.folds[0] if splits.folds else None
    found.parts = {"train": len(first.train), "val": len(first.val)} if first else {}
    found.parts["test"] = len(splits.test)


def _add_data(found: Material, folder: Path) -> None:
    """What was recognised, what was wrong, the classes."""
    if (folder / "dataset.json").is_file():
        found.recognised = msgspec.json.decode((folder / "dataset.json").read_bytes(), type=_Recognised).recognised
    if (folder / "data_report.json").is_file():
        report = msgspec.json.decode((folder / "data_report.json").read_bytes(), type=_DataReport)
        found.issues, found.warnings = report.issues, report.warnings
    if (folder / "best" / "labels.json").is_file():
        labels = msgspec.json.decode((folder / "best" / "labels.json").read_bytes(), type=dict[str, str])
        found.classes = tuple(labels.values())
