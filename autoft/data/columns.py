"""Which column is which: as the user named them, else guessed when there is one answer only."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import msgspec

from autoft.data.elsewhere import Elsewhere
from autoft.data.media import SUFFIXES
from autoft.data.pictures import plain_path
from autoft.errors import DataError, UsageError
from autoft.records import ReadOptions
from autoft.vocab import did_you_mean

#: Field -> names that columns with it usually have, compared without case.
USUAL = {
    "image": (
        "image",
        "images",
        "img",
        "image_path",
        "img_path",
        "path",
        "file",
        "filename",
        "file_name",
        "filepath",
        "filepaths",
        "file_path",
        "image_name",
        "image_id",
        "img_name",
        "img_id",
        "name",
        "id",
    ),
    "audio": ("audio", "path", "file", "filename", "file_name", "audio_path", "clip", "wav"),
    "label": ("label", "labels", "class", "class_name", "target", "category", "y"),
    "labels": ("labels", "tags", "classes", "categories", "label", "class", "target"),
    "value": ("value", "target", "y", "score"),
    "text": ("text", "sentence", "review"),
    "transcript": ("transcript", "transcription", "sentence", "text"),
}
SPLIT_NAMES = ("split", "set", "subset", "partition")
INDEX_NAMES = ("", "index", "unnamed: 0", "level_0")
FLAGS = {"image": "--image-col", "label": "--target", "labels": "--target", "value": "--target"}
PROBE = 200


def named(column: str, columns: Sequence[str], flag: str, where: str) -> str:
    """The column with this name, upper and lower case apart if need be.

    Raises:
        UsageError: there is none; the message lists the columns and the nearest one.
    """
    if column in columns:
        return column
    alike = [known for known in columns if known.lower() == column.lower()]
    if len(alike) == 1:
        return alike[0]
    raise UsageError(
        f"{flag} must name a column of '{where}', but got '{column}'.{did_you_mean(column, list(columns))}",
        f"Its columns are: {', '.join(columns)}",
    )


def several(words: str, columns: Sequence[str], flag: str, where: str) -> tuple[str, ...]:
    """The columns that `words` name: one, or several with commas between them.

    Raises:
        UsageError: one of them does not exist.
    """
    parts = [part.strip() for part in words.split(",") if part.strip()]
    if words in columns or len(parts) < 2:
        return (named(words, columns, flag, where),)
    return tuple(dict.fromkeys(named(part, columns, flag, where) for part in parts))


def remembering(options: ReadOptions, columns: Sequence[str], where: str) -> ReadOptions:
    """The options with the columns that a model was trained on, where the user names no others now.

    Raises:
        DataError: the table lacks one of them; the message names it.
    """
    found, known = dict(options.columns), {column.lower() for column in columns}
    for field, words in options.remembered.items():
        if field in found or field not in options.needs:
            continue
        parts = [words] if words in columns else [part.strip() for part in words.split(",") if part.strip()]
        missing = [part for part in parts if part.lower() not in known]
        if not missing:
            found[field] = words
        elif field not in options.optional:
            shown = " and ".join(f"'{part}'" for part in missing)
            raise DataError(
                f"the table must have the columns that the model was trained on ({words}), "
                f"but '{where}' has no {shown}. Its columns are: {', '.join(columns)}.",
                f"Name others: {FLAGS.get(field, f'--{field}-col')} {'COLUMN' + ',COLUMN' * (len(parts) - 1)}",
            )
    return msgspec.structs.replace(options, columns=found)


def choose(
    options: ReadOptions,
    columns: Sequence[str],
    probe: Mapping[str, Sequence[str]],
    where: str,
    taken: set[str],
    files: Elsewhere | None = None,
) -> dict[str, str]:
    """Field -> column for all `options.needs`; optional fields may be absent.

    Args:
        probe: the first values of each column, to see which hold paths.
        where: the file, for messages; relative paths are looked up beside it.
        taken: columns that are spoken for (split, group).
        files: around the table, to see which column names some without their suffix.

    Raises:
        UsageError: a column that the user named does not exist.
        DataError: a column was not named, and none or several could be meant.
    """
    chosen = {field: named(options.columns[field], columns, FLAGS.get(field, f"--{field}-col"), where)
              for field in options.needs if field in options.columns}  # fmt: skip
    for field in options.needs:
        if field in chosen:
            continue
        _require_names(columns, field, where)
        free = [c for c in columns if c not in chosen.values() and c not in taken]
        guesses = _paths(free, probe, field, where, files) if field in SUFFIXES else _others(free, probe, field, where)
        if len(guesses) == 1:
            chosen[field] = guesses[0]
        elif field not in options.optional:
            raise _ambiguous(field, guesses, columns, where)
    return chosen


def _require_names(columns: Sequence[str], field: str, where: str) -> None:
    """A table without a line of names would lose its first sample, silently."""
    if any(os.path.splitext(column)[1].lower() in SUFFIXES.get(field, ()) for column in columns):
        raise DataError(
            f"the first line of '{where}' must hold the column names, but it holds data: {', '.join(columns)}.",
            "Put a line such as `image,label` above it.",
        )


def _paths(
    free: list[str], probe: Mapping[str, Sequence[str]], field: str, where: str, files: Elsewhere | None
) -> list[str]:
    """Columns most of whose values look like files of this medium; among several the one with a usual name."""
    likely = [column for column in free if _share_of_paths(probe[column], field, where) >= 0.5]
    if not likely and files:
        likely = [column for column in free if files.names(probe[column], field)]
    return likely if len(likely) == 1 else by_name(likely, field) or likely


def _others(free: list[str], probe: Mapping[str, Sequence[str]], field: str, where: str) -> list[str]:
    usual = by_name(free, field)
    if usual:
        return usual
    rest = [c for c in free if c.lower() not in INDEX_NAMES]
    return [c for c in rest if not holds_paths(probe[c], where)]


def holds_paths(values: Sequence[str], where: str) -> bool:
    """Whether most of the values look like files of a medium."""
    return any(_share_of_paths(values, kind, where) >= 0.5 for kind in SUFFIXES)


def names_files(
    columns: Sequence[str], rows: Sequence[Sequence[str]], field: str, where: str, files: Elsewhere
) -> list[str]:
    """The columns of a table that look like files of this medium."""
    probe = {name: [row[place] for row in rows[:PROBE]] for place, name in enumerate(columns)}
    return _paths(list(columns), probe, field, where, files)


def by_name(columns: Sequence[str], field: str) -> list[str]:
    """The columns with the most usual name for this field; one, unless two differ by case alone."""
    for usual in USUAL.get(field, (field,)):
        found = [column for column in columns if column.lower() == usual]
        if found:
            return found
    return []


def _share_of_paths(values: Sequence[str], field: str, where: str) -> float:
    filled = [value for value in values if value][:PROBE]
    folder = os.path.dirname(os.path.abspath(where))
    looks = sum(
        plain_path(value).suffix.lower() in SUFFIXES[field] or ("/" in value and os.path.isfile(_join(folder, value)))
        for value in filled
    )
    return looks / len(filled) if filled else 0.0


def _join(folder: str, value: str) -> str:
    return os.path.join(folder, value.replace("\0", ""))


def _ambiguous(field: str, guesses: list[str], columns: Sequence[str], where: str) -> DataError:
    flag = FLAGS.get(field, f"--{field}-col")
    reason = f"several could be: {', '.join(guesses)}" if guesses else "none looks like it"
    return DataError(
        f"one column of '{where}' must be the {field}, but {reason}. Its columns are: {', '.join(columns)}.",
        f"Name it: {flag} COLUMN",
    )
