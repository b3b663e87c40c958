"""Texts as files: `good/1.txt`, or `train/good/1.txt`; for prediction any folder of `.txt` files, or one of them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence

from autoft.data import advice, encodings, otherlists, people, speakers
from autoft.data.encodings import Decoded
from autoft.data.folder import one_by_one, shown, unlabelled
from autoft.data.layout import Layout, find_layout, in_words
from autoft.data.media import holds_media, is_media, is_text, walk
from autoft.data.places import Levels, Place
from autoft.data.tablefiles import find, tables_in
from autoft.errors import DataError
from autoft.records import Dataset, Issue, ReadOptions, Sample

FIELD = "text"


class TextFolderReader:
    """The name of a file's folder is its `label`; what stands in the file is its `text`."""

    name = "texts"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """One sentence why `source` is class folders of texts (or texts to predict on), or an empty string."""
        required = set(options.needs) - set(options.optional)
        fits = (
            FIELD in options.needs
            and required <= {FIELD, "label"}
            and not options.columns
            and options.group_col in ("", people.NONE)
        )
        if not fits or not os.path.exists(source):
            return ""
        if unlabelled(options):
            found = is_media(source, FIELD) if os.path.isfile(source) else holds_media(source, FIELD)
            return "text files" if found and not _beside_a_table(source) else ""
        layout = find_layout(source, FIELD)
        alone = layout is not None and len({folder.label for folder in layout.folders}) == 1
        return in_words(layout) if layout and not (alone and find(source).parts) else ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample per file that is not empty, `id` its path below `source`.

        Raises:
            DataError: there are no such files or no class folders.
        """
        words = self.sniff(source, options)
        if not words:
            raise advice.unrecognised(source, options)
        samples: list[Sample] = []
        issues: list[Issue] = []
        written: Counter[str] = Counter()
        layout = None if unlabelled(options) else find_layout(source, FIELD)
        places, said, _ = _places(source, layout, issues)
        above = source if os.path.isdir(source) else os.path.dirname(source) or "."
        names = [os.path.relpath(place.path, above).replace(os.sep, "/") for place in places]
        texts = _texts([(place.path, name) for place, name in zip(places, names, strict=True)], options, issues)
        for (_, label, split, group), name, found in zip(places, names, texts, strict=True):
            if found:
                written[found.described()] += 1
                fields = {FIELD: found.text.strip(), **({"label": label} if label else {})}
                samples.append(Sample(id=name, fields=fields, split=split, group=group))
        if not samples:
            raise DataError(f"there must be texts in '{source}', but all of its files are empty or unreadable.")
        told = written.most_common()
        encoded = told[0][0] if len(told) == 1 else ", ".join(f"{count} {name}" for name, count in told)
        classes = len({sample.fields["label"] for sample in samples if "label" in sample.fields})
        sentence = f"{words}: " + (f"{classes} class{'es' if classes != 1 else ''}, " if classes else "")
        dataset = Dataset(
            samples=tuple(sorted(samples, key=lambda sample: sample.id)),
            reader=self.name,
            root=os.path.abspath(source),
            recognised=f"{sentence}{len(samples)} text files ({encoded}){said}",
            issues=tuple(issues),
        )
        return one_by_one(dataset, options)


def _beside_a_table(source: str) -> bool:
    """A table with a note beside it is no folder of texts."""
    return os.path.isdir(source) and bool(tables_in(source))


def _places(source: str, layout: Layout | None, issues: list[Issue]) -> Levels:
    """Every text file, with its class and its part. What cannot be used becomes an issue."""

    def report(path: str, reason: str) -> None:
        issues.append(Issue(kind="unreadable", subject=shown(path), detail=reason))

    if layout is None and os.path.isfile(source):
        return Levels([Place(source, "", "")])
    folders = [(f.path, f.label, f.split) for f in layout.folders] if layout else [(source, "", "")]
    found: list[Place] = []
    above: dict[str, str] = {}
    for folder, label, split in folders:
        for path in walk(folder, report):
            if not is_text(path):
                issues.append(Issue(kind="bad_name", subject=shown(path), detail="rename it"))
            elif is_media(path, FIELD):
                found.append(Place(path, label, split))
                above[path] = folder
            else:
                issues.append(Issue(kind="not_text", subject=shown(path), detail="not used", drops=False))
    if not layout:
        return Levels(found)
    told = speakers.level(found, above, source, FIELD)
    return told._replace(said=told.said + otherlists.unread(source, layout.root, ()))


def _texts(files: Sequence[tuple[str, str]], options: ReadOptions, issues: list[Issue]) -> list[Decoded | None]:
    """The text of each file, by its path and its name; None where it has none. Those whose encoding nothing tells help
    each other, as each may be short."""
    raws = [_read(path, name, issues) for path, name in files]
    found = [encodings.told(raw, options.encoding) if raw is not None else None for raw in raws]
    unknown = [place for place, raw in enumerate(raws) if raw is not None and not found[place]]
    for place, guessed in zip(unknown, encodings.together([raws[place] or b"" for place in unknown]), strict=True):
        found[place] = guessed
    for (_, name), decoded in zip(files, found, strict=True):
        issues += decoded.issues(name) if decoded else ()
    for place, decoded in enumerate(found):
        if decoded and not decoded.text.strip():
            issues.append(Issue(kind="empty", subject=files[place][1], detail="nothing stands in it"))
            found[place] = None
    return found


def _read(path: str, name: str, issues: list[Issue]) -> bytes | None:
    try:
        with open(path, "rb") as file:
            raw = file.read()
    except OSError as error:
        issues.append(Issue(kind="unreadable", subject=name, detail=error.strerror or str(error)))
        return None
    if encodings.is_binary(raw):
        issues.append(Issue(kind="not_text", subject=name, detail="it holds zero bytes"))
        return None
    return raw
