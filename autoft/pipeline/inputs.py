"""What a run keeps of its data, and how it is told that data are other ones when a trial of it is made again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from autoft.contracts import Task
from autoft.data.forms import MASK, START
from autoft.events import Listener, Note
from autoft.pipeline import storage
from autoft.pipeline.prepare import Checked, Prepared
from autoft.records import Splits, from_json, to_json
from autoft.run import RunWriter

REPORT = "data_report.json"


class _Sample(msgspec.Struct):
    id: str
    fields: dict[str, Any]


class _Dataset(msgspec.Struct):
    """What is compared of `dataset.json`."""

    samples: tuple[_Sample, ...]


def write(writer: RunWriter, prepared: Prepared, modalities: tuple[str, ...]) -> None:
    """Write the samples, their parts, what is to be said of them, and where they lie decoded."""
    writer.write_json(storage.DATASET, prepared.dataset)
    writer.write_json(storage.SPLITS, prepared.splits)
    told = {"issues": prepared.issues, "warnings": prepared.schema.extra.get("warnings", ())}
    used = {part: {"used": used, "there": there} for part, (used, there) in prepared.used.items()}
    about = prepared.store
    store = storage.Kept(folder=str(about.folder), fingerprint=about.fingerprint, modalities=modalities)
    kept = {"split": prepared.splits.sentence, "used": used, "content": prepared.content, "store": store}
    writer.write_json(REPORT, {**told, **kept})


def content(checked: Checked) -> str:
    """One word for what all samples hold, wherever their files lie."""
    pairs = sorted((sample.id, digest) for sample, digest in zip(checked.dataset.samples, checked.digests, strict=True))
    return hashlib.sha256(json.dumps(pairs).encode()).hexdigest()[:32]


def compare(like: str, task: Task, checked: Checked, splits: Splits | None, listener: Listener) -> None:
    """Tell of all differences from the run in the folder `like`, if any is named."""
    for words in differences(Path(like), checked, task.targets, splits) if like else ():
        listener(Note(text=words, level="warning"))


def differences(run: Path, checked: Checked, targets: Sequence[str], splits: Splits | None = None) -> Iterator[str]:
    """Sentences on how data that were read now differ from those of a run, whose trial is to be made again.

    Args:
        targets: fields that hold what is learned.
        splits: the parts now, where they are known.
    """
    try:
        before = msgspec.json.decode((run / storage.DATASET).read_bytes(), type=_Dataset).samples
        parts = from_json((run / storage.SPLITS).read_bytes(), Splits)
        report = json.loads((run / REPORT).read_bytes())
    except (OSError, ValueError) as error:
        yield f"whether the data are those of {run} cannot be told: {error}"
        return
    old = {sample.id: sample.fields for sample in before if START not in sample.fields}
    new = {sample.id: sample.fields for sample in checked.dataset.samples}
    lost, fresh = old.keys() - new.keys(), new.keys() - old.keys()
    if lost or fresh:
        yield (
            f"the data are not those of {run}: of its {len(old):,} samples {len(lost):,} are not there, and "
            f"{len(fresh):,} are new, such as '{min(lost or fresh)}'"
        )
    elif report.get("content") and report["content"] != content(checked):
        yield f"the data are not those of {run}: samples of the same names hold something else"
    asked = [key for key in targets if key != MASK]
    told = [name for name in sorted(old.keys() & new.keys()) if _told(old[name], asked) != _told(new[name], asked)]
    if told:
        yield f"{len(told):,} samples have another {' or '.join(asked)} than in {run}, such as '{told[0]}'"
    moved = sorted(_moved(parts, splits)) if splits else []
    if moved:
        yield (
            f"{len(moved):,} samples lie in another part than in {run}, such as '{moved[0]}': its scores and those of "
            "this training are not of the same samples"
        )


def _told(fields: dict[str, Any], keys: Sequence[str]) -> list[str]:
    return [to_json(fields.get(key)) for key in keys]


def _moved(before: Splits, now: Splits) -> set[str]:
    """Samples of both that are in other parts."""
    old, new = _parts(before), _parts(now)
    return {name for name in old.keys() & new.keys() if old[name] != new[name]}


def _parts(splits: Splits) -> dict[str, list[str]]:
    """For each sample its part in every fold."""
    found: dict[str, list[str]] = {name: ["test"] for name in splits.test}
    for fold in splits.folds:
        for part, names in (("train", fold.train), ("val", fold.val)):
            for name in names:
                found.setdefault(name, []).append(part)
    return found
