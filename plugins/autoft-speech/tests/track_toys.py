"""Files beside recordings, and how the reader of tracks takes them."""

from __future__ import annotations

from pathlib import Path

from autoft.api import Dataset, ReadOptions
from autoft_speech._tracks import TracksReader

LABELS = ReadOptions(needs=("audio", "label"))
WORDS = ReadOptions(needs=("audio", "transcript"))


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def read(folder: Path, options: ReadOptions = LABELS) -> Dataset:
    assert TracksReader().sniff(str(folder), options)
    return TracksReader().read(str(folder), options)
