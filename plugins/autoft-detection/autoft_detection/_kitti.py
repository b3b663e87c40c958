"""KITTI's text file for each image: a class, then 14 numbers of which four are corners (Geiger et al., 2012)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from autoft.api import Dataset, Issue, Pictures, ReadOptions, split_word, walk
from autoft_detection._drafts import Draft
from autoft_detection._reading import dataset, learning, refuse, wanted

LINE = re.compile(r"[A-Za-z][\w-]*( -?\d+(\.\d+)?(e-?\d+)?){14,15}")
"""Type, truncation, occlusion, angle, left, top, right, bottom, then sizes and places in space."""
CROWD = "DontCare"
"""Regions that are neither learned nor scored."""
HEAD = 20


class KittiReader:
    """`training/label_2/000001.txt` of `training/image_2/000001.png`."""

    name = "kitti-boxes"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """Why `source` is KITTI's, or an empty string. Looks at the first lines of the first text that has any."""
        if not learning(source, options) or not Path(source).is_dir():
            return ""
        found = next((path for path in _texts(source) if Path(path).stat().st_size), "")
        return f"KITTI's text files ({Path(found).name})" if found and _fits(found) else ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each text file that has an image.

        Raises:
            DataError: there are no such files.
        """
        if not wanted(source, options) or not Path(source).is_dir() or not self.sniff(source, options):
            raise refuse(source, "text files of KITTI, a class and 14 numbers in each line")
        root = Path(source).absolute()
        pictures, issues, drafts = Pictures(root), list[Issue](), list[Draft]()
        crowds: list[tuple[Draft, tuple[float, float, float, float]]] = []
        for text in _texts(str(root)):
            file = Path(text)
            part = _part(file.relative_to(root).parts[:-1])
            path = pictures.stemmed(file.stem, file.parent, part)
            if not path:
                issues.append(Issue(kind="orphan_label", subject=pictures.id(text), drops=False))
                continue
            draft = Draft(pictures.id(path), path, part)
            for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
                if not LINE.fullmatch(line.strip()):
                    where = f"{pictures.id(text)} line {number}"
                    issues.append(Issue(kind="box_unreadable", subject=where, detail=line[:80], drops=False))
                    continue
                name, *cells = line.split()
                left, top, right, bottom = map(float, cells[3:7])
                if name == CROWD:
                    crowds.append((draft, (left, top, right, bottom)))
                else:
                    draft.add((left, top, right, bottom), name)
            drafts.append(draft)
        seen = sorted({name for draft in drafts for name in draft.names})
        for crowd, around in crowds:  # of whatever class the things in them are
            for name in seen:
                crowd.add(around, name, "crowd")
        if {draft.split for draft in drafts} == {"train"}:
            for draft in drafts:  # the only part that is annotated is all of the data
                draft.split = ""
        words = f"KITTI ({len(drafts)} text files; {CROWD} is neither learned nor scored)"
        return dataset(self.name, root, words, drafts, issues, options)


def _texts(source: str) -> Iterator[str]:
    return (
        path for path in walk(source) if path.lower().endswith(".txt") and "label" in Path(path).parent.name.lower()
    )


def _fits(path: str) -> bool:
    with open(path, encoding="utf-8", errors="replace") as file:
        head = [line.strip() for line in islice(file, HEAD) if line.strip()]
    return bool(head) and all(map(LINE.fullmatch, head))


def _part(names: tuple[str, ...]) -> str:
    return next((part for name in reversed(names) if (part := split_word(name))), "")
