"""What to say when a source is no data set that anyone recognises: what was found, and what is expected."""

from __future__ import annotations

import os
import re

from autoft.data import unread
from autoft.data.media import ARCHIVES, entries, holds_media, is_media, media_field, split_word
from autoft.data.tablefiles import find, is_sheet, is_table, is_told, is_wide, of_folds, tables_in
from autoft.errors import DataError
from autoft.records import ReadOptions
from autoft.vocab import did_you_mean

SCHEME = "hf://"
HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
"""An owner and a name."""
FOLDERS = 100
"""Folders in which tables are looked for, to name them."""
SHOWN = 3
SHEET = "Save the sheet as CSV (in a spreadsheet program: Save as, CSV UTF-8), and give that file"


def unrecognised(source: str, options: ReadOptions, formats: str = "") -> DataError:
    """The error for `source`. `formats` lists what the installed readers understand."""
    medium = media_field(options.needs) or "data"
    message, hint = _what_is_wrong(source, options, medium)
    if source and missing(source):
        formats = ""  # whoever mistypes a path does not ask for formats
    return DataError(message, "\n".join(line for line in (hint, formats) if line))


def on_hub(source: str) -> bool:
    """Whether this names a data set on the Hugging Face hub, and nothing on this machine: `imgs/x` beside a folder
    `imgs` is a path that was mistyped."""
    if source.startswith(SCHEME):
        return True
    named = HUB_NAME.fullmatch(source) is not None
    return named and not os.path.exists(source) and not os.path.isdir(os.path.dirname(source))


def missing(source: str) -> str:
    """That a path does not exist, and a name near it, in words; empty for one that does and for names of a hub."""
    if os.path.exists(source) or on_hub(source):
        return ""
    return f"the data must exist, but there is no file or folder '{source}'.{_near(source)}"


def layout(medium: str) -> str:
    """The shape that class folders must have."""
    return f"Put the files into one folder per class, such as cats/1.{_suffix(medium)} and dogs/2.{_suffix(medium)}"


def _what_is_wrong(source: str, options: ReadOptions, medium: str) -> tuple[str, str]:
    if not source:
        return "a data set must be named, but none was.", "Say where it is: --data FOLDER"
    if words := missing(source):
        return words, ""
    if os.path.isfile(source):
        return _wrong_file(source, options, medium)
    if not os.access(source, os.R_OK | os.X_OK):
        return f"the folder '{source}' must be readable, but it is not.", f"Look at its rights: ls -ld '{source}'"
    return _wrong_folder(source, options, medium)


def _wrong_file(source: str, options: ReadOptions, medium: str) -> tuple[str, str]:
    if source.lower().endswith(ARCHIVES):
        return f"the data must be a folder or a table, but '{source}' is an archive.", "Unpack it and give its folder."
    if is_sheet(source):
        return (
            f"a table must be CSV, TSV, JSON or Parquet, but '{source}' is a spreadsheet, which is not read.",
            f"{SHEET}.",
        )
    if medium != "data" and is_media(source, medium):
        return f"one {medium} file is not enough to learn from: '{source}'.", layout(medium) + "."
    if is_table(source):
        return f"the table '{source}' cannot give what this task needs: {_needed(options)}.", ""
    return f"the data must be a folder or a table (CSV, TSV, Parquet), but '{source}' is neither.", ""


def _wrong_folder(source: str, options: ReadOptions, medium: str) -> tuple[str, str]:
    found = entries(source)
    tables = [entry.name for entry in found if entry.is_file() and is_table(entry.name)]
    sheets = [entry.name for entry in found if entry.is_file() and is_sheet(entry.name)]
    archives = [entry.name for entry in found if entry.is_file() and entry.name.lower().endswith(ARCHIVES)]
    if sheets and not tables:
        words = f"a table must be CSV, TSV, JSON or Parquet, but that in '{source}' is a spreadsheet, which is not read"
        return f"{words}: {sheets[0]}.", f"{SHEET} or put it in place of the spreadsheet."
    if (options.columns or options.group_col) and not tables_in(source) and not tables:
        return f"columns were named, but '{source}' holds no table that has any.", "Give a CSV file as the data."
    if len(tables) > 1:
        paths = [os.path.join(source, name) for name in tables]
        if of_folds(paths):
            return f"the folder '{source}' must hold one table, but it holds several: {', '.join(tables)}.", (
                "They are folds of cross-validation: put the tables of one fold into a folder of their own, or all"
                " rows into one table with a column fold"
            )
        if _alike(paths):
            return f"the folder '{source}' must hold one table, but it holds several: {', '.join(tables)}.", (
                "They have the same columns. If their names are classes, put them together into one table with a column"
                " for these, such as label; if they are parts, call them train.csv, val.csv and test.csv"
            )
        largest = max([path for path in paths if not is_wide(path)] or paths, key=os.path.getsize)
        return f"the folder '{source}' must hold one table, but it holds several: {', '.join(tables)}.", (
            f"Name the one that says the {' and the '.join(options.needs)}, such as {largest}"
        )
    further = _named_below(source, found)
    if medium == "data":
        most = unread.usual(source)
        held = f"; most files in it are {most}, and texts are read from tables and .txt files" if most else ""
        return f"nothing in '{source}' gives what this task needs: {_needed(options)}{held}.", further
    if not holds_media(source, medium):
        if find(source).parts and not archives and "label" not in options.needs:
            needed = _needed(options)
            words = f"the tables in '{source}' do not give what this task needs: {needed}"
            return f"{words}.", f"Write the {medium}s as files, and the rest in one of the formats below."
        there, instead = unread.words(source)
        if there:
            words = f"the folder '{source}' must hold {medium} files, but {there}"
            return f"{words}.", f"{instead}Write each sample as a file of its own. {layout(medium)}."
        hint = f"Unpack {archives[0]} first." if archives else f"{layout(medium)}, or give a CSV file that names them."
        return f"the folder '{source}' must hold {medium} files, but there are none in it or below it.", hint
    there = unread.words(source)[0]
    beside = f", and {there}" if there else ""
    if "label" not in options.needs:
        needed = " and ".join(field for field in options.needs if field != medium) or medium
        words = f"the {medium} files in '{source}' must come with {needed}, but no file that tells them is recognised"
        return f"{words}{beside}.", further
    flat = [entry.name + "/" for entry in found if entry.is_dir() and split_word(entry.name)]
    where = f"'{source}' ({', '.join(flat)})" if flat else f"'{source}'"
    words = f"the {medium} files in {where} must say their class, but they are not in class folders"
    lists = f"{layout(medium)}, or list them in a CSV file with the columns {medium},label."
    return f"{words}{beside}.", "\n".join(filter(None, [further, lists]))


def _named_below(source: str, found: list[os.DirEntry[str]]) -> str:
    """Which tables lie in a folder or those within it, as its data cannot be told from its names; empty where none
    does."""
    folders = [source, *(entry.path for entry in found if entry.is_dir())]
    folders += [inner.path for folder in folders[1:] for inner in entries(folder) if inner.is_dir()]
    tables = [entry.path for folder in folders[:FOLDERS] for entry in entries(folder) if is_told(entry)]
    if not tables:
        return ""
    shown = ", ".join(tables[:SHOWN]) + (f" and {len(tables) - SHOWN} more" if len(tables) > SHOWN else "")
    return f"If a table tells all, name it with --data, and others with --val and --test. There are: {shown}"


def _needed(options: ReadOptions) -> str:
    """The fields that must be there: what is to be predicted need not be."""
    return ", ".join([field for field in options.needs if field not in options.optional] or options.needs)


def _alike(paths: list[str]) -> bool:
    """Whether tables begin with the same line."""
    firsts = set()
    for path in paths:
        with open(path, "rb") as file:
            firsts.add(file.read(1 << 12).split(b"\n")[0].strip())
    return len(firsts) == 1


def _near(source: str) -> str:
    parent, name = os.path.split(os.path.abspath(source))
    return did_you_mean(name, [entry.name for entry in entries(parent)]) if os.path.isdir(parent) else ""


def _suffix(medium: str) -> str:
    return "wav" if medium == "audio" else "png"
