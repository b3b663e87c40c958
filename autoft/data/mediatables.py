"""Tables that hold pictures themselves, as data sets of the Hugging Face hub have them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from autoft.data.media import is_media, part_word, split_word, walk

SUFFIXES: Final = (".parquet", ".pq", ".arrow")
IMAGE_COLUMNS: Final = ("image", "images", "pixel_values", "img", "picture")
"""Names of the column that holds them, in small letters."""


def media_tables(source: str) -> list[Path]:
    """The tables in a folder, or a single one; none where images lie beside them: they are about the images then."""
    paths = [source] if Path(source).is_file() else list(walk(source))
    found = [Path(path) for path in paths if path.lower().endswith(SUFFIXES)]
    return [] if found and any(is_media(path, "image") for path in paths) else found


def table_part(file: Path) -> str:
    """The part that a table is by its name, `train-00000-of-00002.parquet`, or by that of its folder; or empty."""
    return split_word(file.stem.split("-")[0]) or part_word(file.stem) or split_word(file.parent.name)
