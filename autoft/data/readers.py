"""Opens the user's data with whichever reader recognises them."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from autoft.data import advice, classnames, encodings, wrapped
from autoft.data.checks import summarise
from autoft.data.media import media_field
from autoft.data.merge import join, remarks, unique_ids
from autoft.data.named import SEVERAL
from autoft.errors import AutoftError, DataError, UsageError
from autoft.options import DataOptions
from autoft.records import Dataset, Entry, Issue, Mask, ReadOptions
from autoft.registry import installed

if TYPE_CHECKING:
    from autoft.contracts import Reader, Task
    from autoft.registry import Registry

#: From the surest signs to the weakest. Readers of other plugins come before all of these: they are for one format.
ORDER = (
    "hf",
    "voc-classes",
    "numbered",
    "levels",
    "celeba",
    "corpora",
    "faces",
    "trec",
    "name-parts",
    "lists",
    "numbers",
    "folder",
    "texts",
    "lines",
    "arrays",
    "table",
    "names",
    "number-folders",
)


class _Found(NamedTuple):
    reader: Reader | None
    failed: tuple[Issue, ...]


def open_dataset(
    registry: Registry,
    options: DataOptions,
    task: Task,
    *,
    labelled: bool = True,
    remembered: Mapping[str, str] = {},
    guessed: Mapping[str, str] = {},
    names: Mapping[str, str] = {},
    meaning: Mask | None = None,
    classes: Collection[str] = (),
) -> Dataset:
    """All samples of `--data`, with those of `--val` and `--test` joined to it. Ids are unique.

    Args:
        labelled: False when predicting: targets may then be absent, and any folder of files will do.
        remembered: columns by field as the user named them when a model was trained, for tables that it is used on.
        guessed: the same, where the user named none: they count where a table has them.
        names: of classes that were numbers then, by number.
        meaning: what the values of masks meant then.
        classes: those of the model: which words for nothing, such as `none`, are classes. Without these, `--data` tells
            it for `--val` and `--test` as well.

    Raises:
        DataError: a source is not there, or no reader recognises it; the message says what is expected.
        UsageError: a column does not exist, or `--val` is given for data that have their own.
    """
    read = ReadOptions(
        needs=(*task.inputs, *task.targets),
        columns=named_columns(options, task),
        remembered=dict(remembered),
        guessed=dict(guessed),
        encoding=encodings.named(options.encoding),
        group_col=options.group_col,
        optional=() if labelled else task.targets,
        meaning=meaning,
        classes=frozenset(classes),
    )
    dataset = classnames.as_known(_open(registry, options.data, read), names, classes)
    further = msgspec.structs.replace(
        read,
        guessed={**dataset.columns, **guessed},
        meaning=dataset.meaning or meaning,
        classes=read.classes or frozenset(str(s.fields["label"]) for s in dataset.samples if "label" in s.fields),
    )
    opened = [(split, _open(registry, source, further)) for split, source in _extra(options) if source]
    parts = [(split, classnames.as_known(part, dataset.names or names, further.classes)) for split, part in opened]
    for split, _ in parts:
        _refuse_second(dataset, split, options)
    if parts and not options.group_col:
        # Folds are counted in each table anew: fold 1 of the one is not that of the other.
        dataset, *rest = map(_ungrouped, (dataset, *(part for _, part in parts)))
        parts = [(split, part) for (split, _), part in zip(parts, rest, strict=True)]
    dataset = join(dataset, parts) if parts else msgspec.structs.replace(dataset, samples=unique_ids(dataset.samples))
    if not dataset.samples:
        raise _nothing_left(dataset, options, media_field(task.inputs))
    if not labelled:
        return dataset
    dataset = _divisible(dataset)
    return msgspec.structs.replace(dataset, issues=(*dataset.issues, *remarks(dataset.samples)))


def _divisible(dataset: Dataset) -> Dataset:
    """A lone part called val or test is no part of anything: people take COCO's val2017 alone to begin with."""
    (part, *others) = {sample.split for sample in dataset.samples}
    if others or part not in ("val", "test"):
        return dataset
    samples = tuple(msgspec.structs.replace(sample, split="") for sample in dataset.samples)
    said = f"{dataset.recognised}; all of it is called {part}, which makes it no part"
    return msgspec.structs.replace(dataset, samples=samples, recognised=said)


def _ungrouped(dataset: Dataset) -> Dataset:
    """Other readers tell speakers, who are the same everywhere."""
    if dataset.reader not in ("table", "hf") or not any(sample.group for sample in dataset.samples):
        return dataset
    samples = tuple(msgspec.structs.replace(sample, group="") for sample in dataset.samples)
    said = f"{dataset.recognised}; not so with --val or --test, unless --group-col names the column"
    return msgspec.structs.replace(dataset, samples=samples, recognised=said)


def _extra(options: DataOptions) -> tuple[tuple[str, str], ...]:
    return (("val", options.val), ("test", options.test))


def named_columns(options: DataOptions, task: Task) -> dict[str, str]:
    """Field word -> column, as the user names them.

    Raises:
        UsageError: the task has no such field.
    """
    columns = {}
    if options.target and task.targets:
        columns[task.targets[0]] = options.target
    for field, column in (("image", options.image_col), ("text", options.text_col), ("audio", options.audio_col)):
        if column and field not in (*task.inputs, *task.targets):
            raise UsageError(f"--{field}-col names a column of {field}s, but this task has none.", _inputs(task))
        if column:
            columns[field] = column
    return columns


def _inputs(task: Task) -> str:
    return f"It takes {' and '.join(task.inputs)}, and learns {' and '.join(task.targets)}."


def _open(registry: Registry, source: str, options: ReadOptions) -> Dataset:
    learning = not {*options.needs} & {*options.optional}
    place, found, likeliest = source, _Found(None, ()), source
    for place in wrapped.places(source) if learning else [source]:
        found = _recognise(registry, place, options)
        likeliest = place if likeliest == source else likeliest
        if found.reader and found.reader.name in ("folder", "texts") and wrapped.is_told_below(place, likeliest):
            found, source = _Found(None, found.failed), likeliest  # the folder around a data set is no class
        if found.reader:
            break
    if found.reader is None:
        formats = "; ".join(f"{entry.name}: {entry.summary}" for entry in _fitting(registry, options))
        raise advice.unrecognised(source, options, f"Understood are {formats}." if formats else "")
    dataset = found.reader.read(place, options)
    if place != source:
        within = f"{os.path.relpath(place, source)}/: {dataset.recognised}"
        dataset = msgspec.structs.replace(dataset, recognised=within)
    return msgspec.structs.replace(dataset, issues=(*dataset.issues, *found.failed))


def _fitting(registry: Registry, options: ReadOptions) -> list[Entry]:
    """The readers that could give what is asked for; all of them where none says so."""
    entries, asked = registry.entries("reader"), set(options.needs) - set(options.optional)
    return [entry for entry in entries if not entry.gives or asked <= {*entry.gives}] or list(entries)


def _recognise(registry: Registry, source: str, options: ReadOptions) -> _Found:
    names = [entry.name for entry in registry.entries("reader")]
    ordered = sorted(names, key=lambda name: (ORDER.index(name) if name in ORDER else -1, name))
    failed: list[Issue] = []
    for name in ordered if source else ():
        try:
            reader: Reader = registry.get("reader", name)
            if reader.sniff(source, options):
                return _Found(reader, tuple(failed))
        except Exception as error:  # a broken reader must not keep the others from looking
            if isinstance(error, AutoftError) and name in ORDER:
                raise
            detail = f"{type(error).__name__}: {error}"
            failed.append(Issue(kind="reader_failed", subject=name, detail=detail, drops=False))
    return _Found(None, tuple(failed))


def core_reader(source: str, options: ReadOptions) -> Reader | None:
    """The reader of core that recognises `source`, if one does. Readers of plugins are asked before these: one whose
    signs are weak leaves them what is theirs."""
    for name in ORDER:
        reader: Reader = installed().get("reader", name)
        if reader.sniff(source, options):
            return reader
    return None


def _refuse_second(dataset: Dataset, split: str, options: DataOptions) -> None:
    if any(sample.split == split for sample in dataset.samples):
        raise UsageError(
            f"there must be one {split} part, but '{options.data}' has its own and --{split} names another.",
            f"Leave out --{split}, or point --data at the training part alone.",
        )


def _nothing_left(dataset: Dataset, options: DataOptions, medium: str) -> DataError:
    reasons = "; ".join(summarise(dataset.issues))
    hint = ""
    several = next((issue.detail for issue in dataset.issues if issue.kind == SEVERAL), "")
    if several:
        reasons += f"; of the first, {several}"
        hint = "Write the folder into each name, such as train/1.png, or call the table after the folder: train.csv"
    elif any(issue.kind == "missing" for issue in dataset.issues) and dataset.reader == "table":
        hint = "File names in a table are relative to the table's own folder, or anywhere below it."
        hint += f" If another column names them: --{medium}-col COLUMN"
    elif first := next((issue.detail for issue in dataset.issues if issue.kind == "no_number"), ""):
        hint = f"The first value is {first}. Name the column of numbers: --target COLUMN"
    return DataError(
        f"there must be samples in '{options.data}', but none can be used"
        + (f": {reasons}." if reasons else f" ({dataset.recognised})."),
        hint,
    )
