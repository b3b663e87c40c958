"""CreateML's JSON, as Roboflow exports it: a list of images, each with boxes by their middle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from autoft.api import Dataset, Issue, Pictures, ReadOptions, missing_picture, part_word
from autoft_detection._drafts import Draft
from autoft_detection._reading import claimed, dataset, learning, refuse, wanted

PEEK = 4096
SIDES = ("x", "y", "width", "height")


class CreateMLReader:
    """`_annotations.createml.json`: `[{"image": name, "annotations": [{"label", "coordinates": {x, y, ...}}]}]`."""

    name = "createml-boxes"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """Why `source` is CreateML's, or an empty string. Looks at the beginning of the JSON files."""
        found = next(_files(source), None) if learning(source, options) else None
        return f"CreateML ({found.name} lists coordinates)" if found else ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each image in the lists that is there.

        The part is the word in the name of the file or of its folder.

        Raises:
            DataError: no file is one of CreateML's.
        """
        files = list(_files(source)) if wanted(source, options) else []
        lists = [(file, found) for file in files if (found := _list(file))]
        if not lists:
            raise refuse(source, "JSON files of CreateML")
        path = Path(source).absolute()
        pictures, issues = Pictures(path if path.is_dir() else path.parent), list[Issue]()
        drafts = []
        for file, images in lists:
            part = part_word(file.stem) or pictures.split(str(file))
            for image in images:
                name = str(image.get("image") or image.get("imagefilename") or "")
                place = pictures.named(name, file.parent, part) if name else ""
                if not place:
                    issues.append(missing_picture(name or f"an image without a name in {file.name}"))
                    continue
                drafts.append(_draft(image, Draft(pictures.id(place), place, part)))
        words = f"CreateML ({', '.join(file.name for file, _ in lists)})"
        return dataset(self.name, pictures.root, words, drafts, issues, options)


def _draft(image: dict[str, Any], draft: Draft) -> Draft:
    for thing in image.get("annotations") or image.get("annotation") or ():
        label = str(thing.get("label") or "") if isinstance(thing, dict) else ""
        sides = thing.get("coordinates") if isinstance(thing, dict) else None
        try:
            x, y, width, height = (float(sides[side]) for side in SIDES) if sides else [float("nan")] * 4
        except (KeyError, TypeError, ValueError, OverflowError):  # counted as a box whose corners are no numbers
            x = y = width = height = float("nan")
        draft.add((x - width / 2, y - height / 2, x + width / 2, y + height / 2), label, called=label)
    return draft


def _files(source: str) -> Iterator[Path]:
    return (file.absolute() for file in claimed(source, ".json", PEEK, _claims))


def _claims(head: bytes) -> bool:
    image = b'"image"' in head or b'"imagefilename"' in head
    return head.lstrip().startswith(b"[") and image and b'"annotation' in head and b'"coordinates"' in head


def _list(file: Path) -> list[dict[str, Any]]:
    try:
        found = msgspec.json.decode(file.read_bytes())
    except (OSError, msgspec.DecodeError):  # damaged: none of its images is taken
        return []
    return [image for image in found if isinstance(image, dict)] if isinstance(found, list) else []
