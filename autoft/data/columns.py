"""Which column is which: as the user named them, else guessed when there is one answer only."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import pairwise

import msgspec

from autoft.data import guess, lstasks, synonyms
from autoft.data.media import SUFFIXES
from autoft.data.pictures import plain_path
from autoft.errors import DataError, UsageError
from autoft.records import ReadOptions
from autoft.vocab import did_you_mean

#: Field -> names that columns with it usually have, compared without case.
USUAL = {
    "image": (
        *("image", "images", "img", "image_path", "img_path", "path", "file", "filename", "file_name", "filepath"),
        *("filepaths", "file_path", "image_name", "image_id", "img_name", "img_id", "name", "id"),
    ),
    "audio": ("audio", "path", "file", "filename", "file_name", "audio_path", "clip", "wav"),
    "label": (
        "label",
        "labels",
        "gold_label",
        "class",
        "class_name",
        "target",
        "category",
        "y",
        "sentiment",
        "emotion",
        "intent",
    ),
    "labels": ("labels", "tags", "classes", "categories", "label", "class", "target", "genres", "genre"),
    "value": ("value", "target", "y", "score", "label", "rating", "stars", "overall", "mos"),
    "text": ("text", "sentence", "review", "tweet", "content", "message", "comment", "document", "utterance", "body"),
    "transcript": ("transcript", "transcription", "sentence", "text", "normalized_text", "utterance", "wrd", "words"),
}
SPLIT_NAMES = ("split", "set", "subset", "partition")
UNNAMED = ("", "unnamed: 0")
INDEX_NAMES = ("", "index", "unnamed: 0", "level_0")
KNOWN = frozenset({*SPLIT_NAMES, *INDEX_NAMES[1:], *(name for names in USUAL.values() for name in names)})
"""A first line with one of these holds names."""
FLAGS = dict.fromkeys(("label", "labels", "value", "transcript"), "--target")
AGAIN = re.compile(r"(_binary)?_parse$|_original$|_tokenized$")
"""What SNLI and MultiNLI call the tree of a sentence, XNLI its words and SICK what it was made of, behind its name."""
PROBE = 200
SHOWN = 20
"""Columns that a message lists at most."""


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
        f"Its columns are: {shown(columns)}",
    )


def shown(names: Sequence[str]) -> str:
    """Names of columns for a message, not hundreds of them."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


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
    """The options with the columns that a model was trained on, where the user names no others now. Those that were
    guessed then may be missing, but not one of several texts: the first would be read in the place of the second.

    Raises:
        DataError: the table lacks one of them; the message names it.
    """
    found, known = dict(options.columns), {column.lower() for column in columns}
    texts = {field: words for field, words in options.guessed.items() if field == "text" and "," in words}
    for field, words in {**texts, **options.remembered}.items():
        if field in found or field not in options.needs:
            continue
        parts = [words] if words in columns else [part.strip() for part in words.split(",") if part.strip()]
        missing = [part for part in parts if part.lower() not in known]
        if not missing:
            found[field] = words
        elif field not in options.optional:
            gone = " and ".join(f"'{part}'" for part in missing)
            raise DataError(
                f"the table must have the columns that the model was trained on ({words}), "
                f"but '{where}' has no {gone}. Its columns are: {shown(columns)}.",
                f"Name others: {FLAGS.get(field, f'--{field}-col')} {'COLUMN' + ',COLUMN' * (len(parts) - 1)}",
            )
    for field, column in options.guessed.items():
        if field in options.needs and column.lower() in known and column not in found.values():
            found.setdefault(field, column)
    return msgspec.structs.replace(options, columns=found)


def choose(
    options: ReadOptions,
    columns: Sequence[str],
    probe: Mapping[str, Sequence[str]],
    where: str,
    taken: set[str],
    names_files: Callable[[Sequence[str]], bool] | None = None,
    inner: Collection[str] = (),
) -> dict[str, str]:
    """Field -> column for all `options.needs`; optional fields may be absent.

    Args:
        probe: some values of each column, to see what they hold.
        where: the file, for messages; relative paths are looked up beside it.
        taken: columns that are spoken for (split, group).
        names_files: whether values without suffixes name files all the same.
        inner: columns of what is in objects.

    Raises:
        UsageError: a column that the user named does not exist.
        DataError: a column was not named, and none or several could be meant.
    """
    chosen = {field: named(options.columns[field], columns, FLAGS.get(field, f"--{field}-col"), where)
              for field in options.needs if field in options.columns}  # fmt: skip
    for field in options.needs:
        if field in chosen:
            continue
        free = unspoken(columns, {*chosen.values(), *taken})
        free = outer(free, inner, probe) if field == "text" else free
        guesses = _paths(free, probe, field, where) if field in SUFFIXES else likely(free, probe, field, where)
        if field in SUFFIXES and names_files and all(_leads_away(probe[column], names_files) for column in guesses):
            others = [c for c in free if c not in guesses and not _counts_rows(c, probe[c]) and names_files(probe[c])]
            guesses = (others if len(others) < 2 else by_name(others, field) or others) or guesses
        guesses = synonyms.without_numbers(guesses, probe) if field == "label" else guesses
        if len(guesses) == 1:
            chosen[field] = guesses[0]
        elif field not in options.optional:
            raise _ambiguous(field, guesses, columns, where)
    return chosen


def _paths(free: list[str], probe: Mapping[str, Sequence[str]], field: str, where: str) -> list[str]:
    """Columns most of whose values look like files of this medium; among several the one with a usual name."""
    paths = [column for column in free if _share_of_paths(probe[column], field, where) >= 0.5]
    return paths if len(paths) == 1 else by_name(paths, field) or paths


def unspoken(columns: Sequence[str], taken: Collection[str]) -> list[str]:
    """The columns that may be guessed."""
    notes = aside(columns)
    return [column for column in columns if column not in taken and column not in notes]


def outer(free: list[str], inner: Collection[str], probe: Mapping[str, Sequence[str]]) -> list[str]:
    """The columns among which a text is looked for: not those of what is in objects (`inner`) where others hold one."""
    found = [column for column in free if column not in inner]
    holds = by_name(found, "text") or any(guess.shows_prose(column, probe[column]) for column in found)
    return found if holds else free


def likely(free: list[str], probe: Mapping[str, Sequence[str]], field: str, where: str) -> list[str]:
    """By a usual name; else by a name that ends in one, such as `question_text`; else by what stands in the columns."""
    usual = by_name(free, field)
    if usual:
        return usual
    rest = [c for c in free if c.lower() not in INDEX_NAMES and not guess.is_id(c, probe[c])]
    rest = [c for c in rest if not holds_paths(probe[c], where)]
    if len(rest) < 2:
        return rest
    ending = [c for c in rest if last_word(c) in USUAL.get(field, ()) and guess.fits(field, c, probe[c])]
    return ending if len(ending) == 1 else guess.narrow(field, rest, probe) or rest


def aside(columns: Sequence[str]) -> set[str]:
    """Columns that are never guessed: how an annotation of Label Studio was made, where all of these are there; and
    other forms of sentences that stand in columns of their own."""
    trees = {name for name in columns if AGAIN.search(name) and AGAIN.sub("", name) in columns}
    return trees | ({"id", *lstasks.NOTES} if lstasks.is_short(columns) else set())


def last_word(name: str) -> str:
    """In small letters: `labels` of `Finding Labels`."""
    return re.split(r"[\W_]+", name.strip().lower())[-1]


def holds_paths(values: Sequence[str], where: str) -> bool:
    """Whether most of the values look like files of a medium."""
    return any(_share_of_paths(values, kind, where) >= 0.5 for kind in SUFFIXES)


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


def _leads_away(values: Sequence[str], names_files: Callable[[Sequence[str]], bool]) -> bool:
    """Whether a column holds addresses of pages whose files are not at hand, as movie posters have them."""
    filled = [value for value in values if value]
    away = sum("://" in value for value in filled)
    return 2 * away > len(filled) and not names_files(values)


def _counts_rows(name: str, values: Sequence[str]) -> bool:
    """Whether a column without a name counts the rows, as programs write it: no file is meant by its numbers."""
    if name.lower() not in UNNAMED or not all(value.isdecimal() for value in values):
        return False
    numbers = [int(value) for value in values]
    return len({after - before for before, after in pairwise(numbers)}) <= 1  # of many rows every third, say, is seen


def _join(folder: str, value: str) -> str:
    return os.path.join(folder, value.replace("\0", ""))


def _ambiguous(field: str, guesses: list[str], columns: Sequence[str], where: str) -> DataError:
    flag = FLAGS.get(field, f"--{field}-col")
    reason = f"several could be: {shown(guesses)}" if guesses else "none looks like it"
    if field == "image" and sum(name.lower().startswith("pixel") for name in columns) > SHOWN:
        return DataError(
            f"each row of '{where}' must name an image file, but its {len(columns)} columns hold pixels.",
            "Write the images as files, in one folder per class, such as 7/0001.png.",
        )
    if field == "image" and {"images", "annotations", "categories"} <= {*columns}:
        return DataError(
            f"each row of '{where}' must be an image and what is said of it, but it is COCO's JSON, which tells boxes "
            "or shapes in images.",
            "Learn these (--task object-det, --task image-seg), or write a table with the columns image,label.",
        )
    several = f", or texts that belong together: {flag} COLUMN,COLUMN" if field == "text" and len(guesses) > 1 else ""
    return DataError(
        f"one column of '{where}' must be the {field}, but {reason}. Its columns are: {shown(columns)}.",
        f"Name it: {flag} COLUMN{several}",
    )
