"""Hugging Face data sets: a folder that `save_to_disk` wrote, or a name on the hub."""

from __future__ import annotations

import importlib
import importlib.util
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from autoft.data import advice, columns, hftables
from autoft.data.advice import SCHEME
from autoft.data.media import media_field, parts_among, split_word
from autoft.data.named import Files
from autoft.data.roles import Source
from autoft.data.rows import told
from autoft.errors import DataError, UsageError
from autoft.records import Dataset, ReadOptions

ENDPOINT = "HF_ENDPOINT"
PATIENCE = 5.0
"""Seconds after which the hub counts as unreachable."""


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
        medium = media_field(options.needs)
        sources = []
        for split, part in parts.items():
            options = hftables.choosing(options, part.features, source)
            path = hftables.where(source, split)
            rows = hftables.table(library, part, path, options.needs)
            sources.append(Source(rows, split, Files(path, source, medium) if medium else None))
        for one in sources:
            options = columns.remembering(options, one.table.columns, one.table.path)
        found = told(sources, [split or "all" for split in parts], source, options)
        return Dataset(
            samples=found.samples,
            reader=self.name,
            root=os.path.abspath(source) if os.path.exists(source) else source,
            recognised=f"{self.sniff(source, options)}: {'; '.join(found.sentences)}",
            issues=found.issues,
            columns=found.columns,
            names=found.names,
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
