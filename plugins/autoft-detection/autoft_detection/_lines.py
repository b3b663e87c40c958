"""Boxes in lines of text: VisDrone's file for each image, and the one of WIDER FACE for all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from autoft.api import Dataset, Issue, Pictures, ReadOptions, missing_picture, split_word, walk
from autoft_detection import _beside
from autoft_detection._beside import Line, filled
from autoft_detection._drafts import Draft
from autoft_detection._reading import dataset, learning, refuse, wanted

LINE = re.compile(r"-?\d+(,-?\d+){7},?")
"""Left, top, width, height, score, class, truncation, occlusion."""
CLASSES = (
    *("ignored regions", "pedestrian", "people", "bicycle", "car", "van", "truck", "tricycle", "awning-tricycle"),
    *("bus", "motor", "others"),
)
"""Of VisDrone, by number (Zhu et al., 2021)."""
CROWDS = frozenset({0, 11})
"""They are neither learned nor scored."""
FACE = "face"
FACES = re.compile(r"-?\d+( -?\d+){3,9}")
"""Left, top, width, height, then what WIDER FACE says of the face; the last but two is 1 where it is no use."""
INVALID = 7


class VisDroneReader:
    """A text file of eight numbers in each line for each image, in `annotations/` beside `images/`."""

    name = "visdrone-boxes"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """Why `source` is VisDrone's, or an empty string. Looks at the first lines of the first file that has any."""
        if not learning(source, options) or not Path(source).is_dir():
            return ""
        found = _beside.first_filled(_texts(source))
        return f"VisDrone's text files ({Path(found).name})" if found and _beside.begins(found, LINE) else ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each text file that has an image. Ignored regions and others are neither learned nor scored.

        Raises:
            DataError: there are no such files.
        """
        if not wanted(source, options) or not Path(source).is_dir() or not self.sniff(source, options):
            raise refuse(source, "text files of VisDrone, eight numbers in each line")
        root = Path(source).absolute()
        drafts, issues = _beside.read(root, _texts(str(root)), _part, LINE, _line)
        words = f"VisDrone ({len(drafts)} text files; ignored regions and others are neither learned nor scored)"
        return dataset(self.name, root, words, drafts, issues, options)


class WiderReader:
    """`wider_face_train_bbx_gt.txt`: an image, how many faces, a line for each."""

    name = "wider-boxes"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """Why `source` is WIDER FACE, or an empty string. Looks at names, and at the first lines of these files."""
        found = _lists(source) if learning(source, options) else []
        return f"WIDER FACE ({', '.join(file.name for file in found)})" if found else ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each image in the lists. A face that is said to be of no use is neither learned nor scored.

        Raises:
            DataError: there are no such lists.
        """
        lists = _lists(source) if wanted(source, options) else []
        if not lists:
            raise refuse(source, "lists such as wider_face_train_bbx_gt.txt")
        root = Path(source).absolute()
        root = root if root.is_dir() else root.parent.parent
        pictures, issues, drafts = Pictures(root), list[Issue](), list[Draft]()
        for file in lists:
            part = _part([file.stem])
            for name, faces in _blocks(filled(file)):
                path = pictures.named(name, file.parent, part)
                if not path:
                    issues.append(missing_picture(name))
                    continue
                draft = Draft(pictures.id(path), path, part)
                for face in faces:
                    left, top, wide, high = face[:4]
                    flag = "difficult" if len(face) > INVALID and face[INVALID] == 1 else ""
                    if wide or high or len(faces) > 1:  # an image without faces has a line of zeros
                        draft.add((left, top, left + wide, top + high), FACE, flag)
                drafts.append(draft)
        words = f"WIDER FACE ({', '.join(file.name for file in lists)})"
        return dataset(self.name, root, words, drafts, issues, options)


def _texts(source: str) -> Iterator[str]:
    return (path for path in walk(source) if path.lower().endswith(".txt") and Path(path).parent.name == "annotations")


def _line(written: str) -> Line:
    left, top, wide, high, _, kind, *_ = (int(cell) for cell in written.strip(",").split(","))
    name = CLASSES[kind] if 0 <= kind < len(CLASSES) else ""
    corners = (float(left), float(top), float(left + wide), float(top + high))
    return Line(corners, name, crowd=kind in CROWDS, called=str(kind))


def _part(names: Sequence[str]) -> str:
    """The first word of a part in the innermost name that has one: `VisDrone2019-DET-test-dev` is a test part."""
    words = (split_word(word) for name in reversed(names) for word in re.split(r"[^a-z]+", name.lower()))
    return next((part for part in words if part), "")


def _lists(source: str) -> list[Path]:
    path = Path(source)
    files = [path] if path.is_file() else [Path(found) for found in walk(source)]
    return [file.absolute() for file in files if file.name.lower().endswith("_bbx_gt.txt") and _blocks(filled(file))]


def _blocks(lines: Sequence[str]) -> list[tuple[str, list[list[int]]]]:
    """(image, faces); none where the lines are something else."""
    found: list[tuple[str, list[list[int]]]] = []
    place = 0
    while place + 1 < len(lines):
        name, count = lines[place], lines[place + 1]
        if not count.isdigit():
            return []
        # Where there are no faces one line of zeros stands for them.
        rows = lines[place + 2 : place + 2 + max(1, int(count))]
        if not all(map(FACES.fullmatch, rows)):
            rows = [] if count == "0" else rows
            if rows:
                return []
        found.append((name, [[int(cell) for cell in row.split()] for row in rows]))
        place += 2 + len(rows)
    return found
