"""Hugging Face data sets: a folder that `save_to_disk` wrote, or a name on the hub."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any

from autoft.data import advice, columns, unpack
from autoft.data.advice import SCHEME
from autoft.data.labels import FIELD as LABELS
from autoft.data.media import SUFFIXES, media_field, parts_among, split_word
from autoft.data.merge import unique_ids
from autoft.errors import DataError, UsageError
from autoft.records import Dataset, Issue, ReadOptions, Sample

ENDPOINT = "HF_ENDPOINT"
PATIENCE = 5.0
"""Seconds after which the hub counts as unreachable."""
FEATURES = {"image": "Image", "audio": "Audio"}
LISTS = ("List", "LargeList", "Sequence")


class HuggingFaceReader:
    """Needs the optional library `datasets`. Files are unpacked once, byte for byte, into the cache."""

    name = "hf"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """One sentence why `source` is such a data set, or an empty string. Opens no connection."""
        if not media_field(options.needs) and "text" not in options.needs:
            return ""
        if _saved(source):
            return "a Hugging Face data set saved to disk"
        if advice.on_hub(source):
            return "the name of a data set on the Hugging Face hub"
        return ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """All rows of all splits that are called train, validation or test, or of the only one.

        Raises:
            UsageError: the library `datasets` is missing, or a named column does not exist.
            DataError: the hub cannot be reached, has no such data set, or the columns cannot be told.
        """
        library = _library(source)
        parts = _load_saved(library, source) if _saved(source) else _load_hub(library, source)
        samples: list[Sample] = []
        issues: list[Issue] = []
        sentences = []
        hidden = {f"no_{field}" for field in options.needs}
        for split, part in parts.items():
            roles = _roles(part, options, source)
            own, faults = list[Sample](), list[Issue]()
            _read_part(library, part, split, roles, options, own, faults)
            if not own and split in ("val", "test") and faults and all(issue.kind in hidden for issue in faults):
                # a part of a competition, whose classes are kept back
                sentences.append(f"{split} {len(part)} rows say nothing of what is to be learned and are left out")
                continue
            samples, issues = samples + own, issues + faults
            said = ", ".join(f"{field} in '{name}'" for field, name in roles.items())
            sentences.append(f"{split or 'all'} {len(part)} rows ({said})")
        return Dataset(
            samples=unique_ids(samples),
            reader=self.name,
            root=os.path.abspath(source) if os.path.exists(source) else source,
            recognised=f"{self.sniff(source, options)}: {', '.join(sentences)}",
            issues=tuple(issues),
        )


def _saved(source: str) -> bool:
    def has(name: str) -> bool:
        return os.path.isfile(os.path.join(source, name))

    return has("dataset_dict.json") or (has("dataset_info.json") and has("state.json"))


def _library(source: str) -> Any:
    if importlib.util.find_spec("datasets") is None:
        absent = "" if os.path.exists(source) else f" (there is no file or folder '{source}')"
        raise UsageError(
            f"reading '{source}' as a Hugging Face data set needs the library `datasets`, "
            f"which is not installed{absent}.",
            "pip install 'autoft[datasets]'",
        )
    library = importlib.import_module("datasets")
    library.disable_progress_bars()
    return library


def _load_saved(library: Any, source: str) -> dict[str, Any]:
    try:
        return _parts(library.load_from_disk(source))
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"the saved data set '{source}' must be whole, but it cannot be read: {error}.") from error


def _load_hub(library: Any, source: str) -> dict[str, Any]:
    name = source.removeprefix(SCHEME)
    absent = f"'{source}' is no file or folder here, and"
    unreachable = _unreachable()
    if unreachable:
        raise DataError(
            f"{absent} the Hugging Face hub, where a data set may have that name, cannot be reached: {unreachable}.",
            "Check the path, or download the data set on another machine and copy its `save_to_disk` folder here.",
        )
    try:
        return _parts(library.load_dataset(name))
    except Exception as error:  # the library raises dozens of kinds, its dependencies' among them
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise DataError(f"{absent} the Hugging Face hub did not give a data set '{name}': {first}") from error


def _unreachable() -> str:
    address = os.environ.get(ENDPOINT, "https://huggingface.co")
    if os.environ.get("HF_HUB_OFFLINE", "0").lower() in ("1", "true", "yes", "on"):
        return "HF_HUB_OFFLINE is set"
    try:
        with urllib.request.urlopen(urllib.request.Request(address, method="HEAD"), timeout=PATIENCE):
            return ""
    except urllib.error.HTTPError:
        return ""  # it answered
    except (OSError, ValueError) as error:
        return str(getattr(error, "reason", None) or error)


def _parts(loaded: Any) -> dict[str, Any]:
    """Split -> rows. Splits of other names are an error unless there is one only: they may overlap."""
    if not isinstance(loaded, Mapping):
        return {"": loaded}
    if len(loaded) == 1:
        return {"": next(iter(loaded.values()))}
    parts = {part: loaded[name] for name, part in parts_among(loaded, split_word).items()}
    if "train" not in parts:
        raise DataError(f"a data set with several splits must have one named train, but it has {', '.join(loaded)}.")
    return parts


def _roles(part: Any, options: ReadOptions, source: str) -> dict[str, str]:
    """Field -> column: media by the type of the feature, the others by name or as the only one left."""
    features = {name: type(feature).__name__ for name, feature in part.features.items()}
    options = columns.remembering(options, list(features), source)
    chosen = {}
    for field in options.needs:
        if field not in FEATURES or field in options.columns:
            continue
        typed = [name for name, kind in features.items() if kind == FEATURES[field]]
        if len(typed) != 1:
            flag = columns.FLAGS.get(field, f"--{field}-col")
            raise DataError(
                f"one column of '{source}' must hold {field} data, but {len(typed)} do. Its columns are: "
                + ", ".join(f"{name} ({kind})" for name, kind in features.items()),
                f"Name it: {flag} COLUMN",
            )
        chosen[field] = typed[0]
    classes = [name for name, kind in features.items() if kind == "ClassLabel"]
    if "label" in options.needs and "label" not in options.columns and len(classes) == 1:
        chosen["label"] = classes[0]
    lists = [name for name, feature in part.features.items() if _of_words(feature)]
    if LABELS in options.needs and LABELS not in options.columns and len(lists) == 1:
        chosen[LABELS] = lists[0]
    fixed = ReadOptions(**{**_as_dict(options), "columns": {**chosen, **options.columns}})
    simple = [
        name for name, kind in features.items() if kind in ("Value", "ClassLabel") or name in fixed.columns.values()
    ]
    taken = {options.group_col} if options.group_col else set()
    return columns.choose(fixed, simple, {name: [] for name in simple}, source, taken)


def _of_words(feature: Any) -> bool:
    """Whether a column holds lists of words or classes."""
    return type(feature).__name__ in LISTS and type(feature.feature).__name__ in ("Value", "ClassLabel")


def _as_dict(options: ReadOptions) -> dict[str, Any]:
    return {name: getattr(options, name) for name in options.__struct_fields__}


def _read_part(
    library: Any,
    part: Any,
    split: str,
    roles: dict[str, str],
    options: ReadOptions,
    samples: list[Sample],
    issues: list[Issue],
) -> None:
    group = options.group_col and columns.named(options.group_col, part.column_names, "--group-col", "the data set")
    media = {field: name for field, name in roles.items() if field in SUFFIXES}
    for field, name in media.items():
        kind = type(part.features[name]).__name__
        if kind != FEATURES[field]:
            raise DataError(f"column '{name}' must hold {field} data, but it holds {kind}.")
        part = part.cast_column(name, getattr(library, kind)(decode=False))
    files = {field: _unpacked(part, field, name) for field, name in media.items()}
    rest = {*roles.values(), group} - {"", *media.values()}
    words = {name: _values(part.features[name], part[name]) for name in rest}
    for row in range(len(part)):
        where = f"{split or 'row'}/{row:06d}" if split else f"row {row:06d}"
        fields: dict[str, Any] = {field: paths[row] for field, paths in files.items()}
        fields |= {field: words[name][row] for field, name in roles.items() if field not in media}
        missing = next((field for field in roles if fields[field] in ("", None)), "")
        if missing and missing not in options.optional:
            kind = "missing" if missing in SUFFIXES else f"no_{missing}"
            issues.append(Issue(kind=kind, subject=where, detail="empty cell"))
            continue
        fields = {field: value for field, value in fields.items() if value not in ("", None)}
        if isinstance(fields.get(LABELS), str):  # a column of single classes
            fields[LABELS] = [fields[LABELS]]
        samples.append(Sample(id=where, fields=fields, split=split, group=str(words[group][row]) if group else ""))


def _values(feature: Any, cells: Sequence[Any]) -> list[Any]:
    """Words of a column; class numbers by name, those below 0 (hidden labels) and None as an empty word. Lists stay."""
    if _of_words(feature):
        return [list(dict.fromkeys(word for word in _values(feature.feature, cell or ()) if word)) for cell in cells]
    names = getattr(feature, "names", None)
    if names:
        return ["" if cell is None or cell < 0 else str(names[cell]) for cell in cells]
    return ["" if cell is None else (cell if isinstance(cell, float) else str(cell).strip()) for cell in cells]


def _unpacked(part: Any, field: str, column: str) -> list[str]:
    key = hashlib.blake2b(f"{part._fingerprint}|{column}|{len(part)}".encode(), digest_size=16).hexdigest()
    return unpack.files(key, field, (row[column] for row in part.select_columns([column])))
