"""Parquet and Arrow files as columns of words, with media that lie in them, and classes that their metadata name."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from autoft.data import jsonlines, unpack
from autoft.data.media import SUFFIXES, media_field, medium_magic
from autoft.errors import DataError, UsageError

ARROW: Final = (".arrow", ".feather")
"""Suffixes of Arrow's own files."""
METADATA: Final = b"huggingface"
"""Key under which the library `datasets` says what the columns are."""
KINDS: Final = {"Image": "image", "Audio": "audio"}
BATCH: Final = 64
"""Rows of media that are in memory at once."""


class Columns(NamedTuple):
    """What one file holds."""

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    media: tuple[str, ...]
    """Columns with media that lie in the file itself; their cells are paths of unpacked files."""
    said: str
    """What was taken from them, for the user."""


def read(path: str, needs: Sequence[str]) -> Columns:
    """All columns of words, numbers and lists; those of media are unpacked into the cache where they are needed.

    Args:
        needs: fields that are asked for. Where `value` is among them, numbers of classes stay numbers; where `boxes`
            is, what is nested is there, too, as JSON.

    Raises:
        DataError: it is no such file, or has no columns that can be read.
        UsageError: pyarrow is not installed, or the cache cannot be written.
    """
    if importlib.util.find_spec("pyarrow") is None:
        raise UsageError(
            f"reading Parquet needs pyarrow, which is not installed: '{path}'.", "pip install 'autoft[parquet]'"
        )
    arrow = importlib.import_module("pyarrow")
    try:
        file = _ArrowFile(path, arrow) if path.lower().endswith(ARROW) else _ParquetFile(path)
        return _read(path, file, arrow, needs)
    except (arrow.ArrowInvalid, arrow.ArrowNotImplementedError) as error:
        kind = "Arrow" if path.lower().endswith(ARROW) else "Parquet"
        raise DataError(f"the table '{path}' must be {kind}, but it cannot be read: {error}.") from error


class _ParquetFile:
    """A Parquet file that is read in pieces."""

    def __init__(self, path: str) -> None:
        self._file = importlib.import_module("pyarrow.parquet").ParquetFile(path)
        self.schema = self._file.schema_arrow

    def column(self, place: int) -> list[Any]:
        name = self.schema.names[place]
        found = self._file.read(columns=[name])
        return list(found.column(found.schema.names.index(name)).to_pylist())

    def pieces(self, place: int) -> Iterator[Any]:
        name = self.schema.names[place]
        for batch in self._file.iter_batches(batch_size=BATCH, columns=[name]):
            yield from batch.column(batch.schema.names.index(name)).to_pylist()


class _ArrowFile:
    """An Arrow file, or the stream that `datasets` writes. It is mapped, not read as a whole."""

    def __init__(self, path: str, arrow: Any) -> None:
        ipc, mapped = importlib.import_module("pyarrow.ipc"), arrow.memory_map(path)
        try:
            self._table = ipc.open_stream(mapped).read_all()
        except arrow.ArrowInvalid:
            self._table = ipc.open_file(arrow.memory_map(path)).read_all()
        self.schema = self._table.schema

    def column(self, place: int) -> list[Any]:
        return list(self._table.column(place).to_pylist())

    def pieces(self, place: int) -> Iterator[Any]:
        for chunk in self._table.column(place).chunks:
            for start in range(0, len(chunk), BATCH):
                yield from chunk.slice(start, BATCH).to_pylist()


def _read(path: str, file: _ParquetFile | _ArrowFile, arrow: Any, needs: Sequence[str]) -> Columns:
    names, types = list(file.schema.names), list(file.schema.types)
    features, medium = _features(file.schema.metadata), media_field(tuple(needs))
    digest = unpack.digest(path) if medium and any(_holds_bytes(arrow, kind) for kind in types) else ""
    cells: dict[str, list[str]] = {}
    media, named = [], []
    for place, (name, kind) in enumerate(zip(names, types, strict=True)):
        if _holds_bytes(arrow, kind):
            if medium and medium == _medium(file, place, features.get(name)):
                folder = os.path.dirname(os.path.abspath(path))
                key = unpack.key(digest, str(place), medium, folder)
                found = (_cell(value, folder) for value in file.pieces(place))
                cells[name] = unpack.files(key, medium, found)
                media.append(name)
        elif not _unreadable(arrow, kind):
            known = [] if "value" in needs else _classes(features.get(name))
            values = file.column(place)
            named += [name] * bool(known)
            cells[name] = [jsonlines.word(_named(value, known) if known else value) for value in values]
        elif "boxes" in needs and "binary" not in str(kind):
            cells[name] = [jsonlines.word(_told(value, features.get(name))) for value in file.column(place)]
    if not cells:
        wanted = f" or {medium} files" if medium else ""
        raise DataError(
            f"the table '{path}' must have columns of words or numbers{wanted}, but all of its columns are nested."
        )
    said = [f"{medium} files unpacked from {' and '.join(map(repr, media))}"] * bool(media)
    said += [f"names of classes in {' and '.join(map(repr, named))} from its metadata"] * bool(named)
    return Columns(tuple(cells), tuple(zip(*cells.values(), strict=True)), tuple(media), ", ".join(said))


def _features(metadata: Mapping[bytes, bytes] | None) -> dict[str, Any]:
    """Column -> what `datasets` says it is; empty where another program wrote the file."""
    try:
        found = json.loads((metadata or {}).get(METADATA, b"{}"))["info"]["features"]
    except (ValueError, KeyError, TypeError):  # words of another program
        return {}
    return found if isinstance(found, dict) else {}


def _classes(feature: Any) -> list[str]:
    """The names of a column's classes, or of those in its lists."""
    if isinstance(feature, list) and len(feature) == 1:
        return _classes(feature[0])
    if not isinstance(feature, dict):
        return []
    names = feature.get("names") if feature.get("_type") == "ClassLabel" else None
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        return names
    return _classes(feature["feature"]) if "feature" in feature else []


def _named(value: Any, names: Sequence[str]) -> Any:
    """Names in place of numbers, also in lists. Those below 0 are hidden, and those without a name stay."""
    if isinstance(value, list):
        return [_named(each, names) for each in value if each is not None and each != -1]
    if isinstance(value, int) and value < len(names):
        return names[value] if value >= 0 else None
    return value


def _told(value: Any, feature: Any) -> Any:
    """What is nested, with names in place of numbers where a feature names them; items of lists keep their places."""
    if isinstance(value, dict):
        while (inside := _inside(feature)) is not None:
            feature = inside
        known = feature if isinstance(feature, dict) else {}
        return {key: _told(each, known.get(key)) for key, each in value.items()}
    if isinstance(value, list):
        inside = _inside(feature)
        return [_told(each, feature if inside is None else inside) for each in value]
    names = _classes(feature)
    return names[value] if isinstance(value, int) and 0 <= value < len(names) else value


def _inside(feature: Any) -> Any:
    """What a feature is a list of, or None if it is none."""
    if isinstance(feature, list) and len(feature) == 1:
        return feature[0]
    return feature.get("feature") if isinstance(feature, dict) and "_type" in feature else None


def _medium(file: _ParquetFile | _ArrowFile, place: int, feature: Any) -> str:
    """What the bytes of a column are: as the metadata say, else by the first of them; or an empty string."""
    said = feature.get("_type") if isinstance(feature, dict) else None
    if said in KINDS:
        return KINDS[said]
    first = next((cell for value in file.pieces(place) if (cell := _cell(value))), None)
    if not first or first.get("bytes"):
        return medium_magic(first["bytes"][:16])[0] if first else ""
    suffix = os.path.splitext(first.get("path") or "")[1].lower()
    return next((medium for medium, suffixes in SUFFIXES.items() if suffix in suffixes), "")


def _cell(value: Any, folder: str = "") -> dict[str, Any] | None:
    """What `unpack` takes. A path without bytes is relative to the folder of the table."""
    if not isinstance(value, dict):
        return {"bytes": value} if value else None
    data, path = value.get("bytes"), value.get("path")
    return {"bytes": data, "path": path if data or not path else os.path.join(folder, path)}


def _holds_bytes(arrow: Any, kind: Any) -> bool:
    """Bytes alone, or beside the path that they had, as `datasets` writes media."""
    if arrow.types.is_struct(kind):
        fields = {kind.field(place).name: kind.field(place).type for place in range(kind.num_fields)}
        return (
            "bytes" in fields and fields.keys() <= {"bytes", "path", "sampling_rate"} and _bytes(arrow, fields["bytes"])
        )
    return _bytes(arrow, kind)


def _bytes(arrow: Any, kind: Any) -> bool:
    return bool(arrow.types.is_binary(kind) or arrow.types.is_large_binary(kind))


def _unreadable(arrow: Any, kind: Any) -> bool:
    """What is nested, other than lists of words or numbers."""
    types = arrow.types
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        kind = kind.value_type
    return bool(types.is_nested(kind) or _bytes(arrow, kind))
