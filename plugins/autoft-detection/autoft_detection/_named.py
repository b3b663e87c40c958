"""JSON that lists boxes by the names of images, as Kvasir-SEG has it (Jha et al., 2020): `kavsir_bboxes.json`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from autoft.api import Dataset, Issue, Pictures, ReadOptions, missing_picture, part_word
from autoft_detection._drafts import Draft
from autoft_detection._drawn import BEFORE
from autoft_detection._reading import claimed, dataset, learning, refuse, wanted

PEEK = 4096
SIDES = ("xmin", "ymin", "xmax", "ymax")


class NamedBoxReader:
    """`{"cju0qk": {"height": 529, "width": 622, "bbox": [{"label": "polyp", "xmin": 38, ...}]}}`."""

    name = "named-boxes"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """Why `source` is in this form, or an empty string. Looks at the beginning of the JSON files."""
        found = next(_files(source), None) if learning(source, options) else None
        if not found or any(reader().sniff(source, options) for reader in BEFORE):
            return ""
        return f"boxes by the names of images ({found.name})"

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each name whose image is there; the suffix may be left out.

        Raises:
            DataError: there is no such file.
        """
        files = list(_files(source)) if wanted(source, options) else []
        lists = [(file, found) for file in files if (found := _listed(file))]
        if not lists:
            raise refuse(source, "JSON that lists boxes by the names of images")
        path = Path(source).absolute()
        pictures, issues, drafts = Pictures(path if path.is_dir() else path.parent), list[Issue](), list[Draft]()
        for file, images in lists:
            part = part_word(file.stem) or pictures.split(str(file))
            for name, image in images.items():
                place = pictures.named(name, file.parent, part)
                if place:
                    drafts.append(_draft(image, Draft(pictures.id(place), place, part, _size(image))))
                else:
                    issues.append(missing_picture(name))
        words = f"boxes by the names of images ({', '.join(file.name for file, _ in lists)})"
        return dataset(self.name, pictures.root, words, drafts, issues, options)


def _draft(image: dict[str, Any], draft: Draft) -> Draft:
    for thing in image["bbox"]:
        label = str(thing.get("label") or "") if isinstance(thing, dict) else ""
        try:
            x1, y1, x2, y2 = (float(thing[side]) for side in SIDES)
        except (KeyError, TypeError, ValueError, OverflowError):  # counted as a box whose corners are no numbers
            x1 = y1 = x2 = y2 = float("nan")
        draft.add((x1, y1, x2, y2), label, called=label)
    return draft


def _size(image: dict[str, Any]) -> tuple[int, int]:
    sides = (image.get("width"), image.get("height"))
    wide, high = (int(side) if isinstance(side, int | float) and 0 < side < 1e9 else 0 for side in sides)
    return wide, high


def _files(source: str) -> Iterator[Path]:
    return (file.absolute() for file in claimed(source, ".json", PEEK, _claims))


def _claims(head: bytes) -> bool:
    keys = (b'"bbox"', b'"xmin"', b'"label"', b'"width"', b'"height"')
    return head.lstrip().startswith(b"{") and all(key in head for key in keys)


def _listed(file: Path) -> dict[str, dict[str, Any]]:
    try:
        found = msgspec.json.decode(file.read_bytes())
    except (OSError, msgspec.DecodeError):  # damaged: none of its images is taken
        return {}
    listed = found.items() if isinstance(found, dict) else ()
    return {name: image for name, image in listed if isinstance(image, dict) and isinstance(image.get("bbox"), list)}
