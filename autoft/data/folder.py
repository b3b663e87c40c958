"""Class folders: `cats/1.png`, or `train/cats/1.png`; for prediction any folder of files, or one file."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping

import msgspec

from autoft.data import advice, classnames, drawnfiles, otherlists, partlabels, partlists, people, speakers
from autoft.data.layout import Layout, find_layout, in_words
from autoft.data.media import entries, holds_media, is_media, is_text, media_field, part_of, relative, split_word, walk
from autoft.data.places import Levels, Place
from autoft.data.rival import table_says_more
from autoft.data.tablefiles import is_table, tables_in
from autoft.records import Dataset, Issue, ReadOptions, Sample


class FolderReader:
    """The name of a file's folder is its `label`. The first medium among the needs is what the files are."""

    name = "folder"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """One sentence why `source` is class folders (or files to predict on), or an empty string."""
        field = media_field(options.needs)
        if not _fits(options, field) or not os.path.exists(source):
            return ""
        if unlabelled(options):
            found = is_media(source, field) if os.path.isfile(source) else holds_media(source, field)
            return f"{field} files" if found else ""
        layout = find_layout(source, field)
        if not layout or (len({f.label for f in layout.folders}) == 1 and _beside_tables(source, layout.root)):
            return ""
        if (tables_in(layout.root) or tables_in(source)) and not any(folder.split for folder in layout.folders):
            by_folder = {
                os.path.abspath(p): f.label for f in layout.folders for p in walk(f.path) if is_media(p, field)
            }
            if table_says_more(source, layout.root, options, field, by_folder):
                return ""
        return in_words(layout)

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample per file, `id` its path below `source`, in the order of the paths.

        Raises:
            DataError: there are no such files or no class folders; the message says what is expected.
        """
        field = media_field(options.needs)
        if not self.sniff(source, options):
            raise advice.unrecognised(source, options)
        if unlabelled(options):
            return _read_plain(source, field)
        layout = find_layout(source, field)
        assert layout is not None
        return one_by_one(_read_classes(source, layout, field, options), options)


def one_by_one(found: Dataset, options: ReadOptions) -> Dataset:
    """Without groups that the user does not want."""
    if options.group_col != people.NONE or not any(sample.group for sample in found.samples):
        return found
    samples = tuple(msgspec.structs.replace(sample, group="") for sample in found.samples)
    words = f"{found.recognised}; divided one by one, as --group-col {people.NONE} says"
    return msgspec.structs.replace(found, samples=samples, recognised=words)


def _beside_tables(source: str, root: str) -> bool:
    """Whether a table lies beside a single folder, or above it: it says what the folder does not."""
    return any(is_table(entry.name) for folder in {source, root} for entry in entries(folder) if entry.is_file())


def _fits(options: ReadOptions, field: str) -> bool:
    required = set(options.needs) - set(options.optional)
    return (
        bool(field) and required <= {field, "label"} and not options.columns and options.group_col in ("", people.NONE)
    )


def unlabelled(options: ReadOptions) -> bool:
    """Whether samples may come without a label, as for prediction."""
    return "label" not in options.needs or "label" in options.optional


def _read_classes(source: str, layout: Layout, field: str, options: ReadOptions) -> Dataset:
    issues: list[Issue] = []
    outer = {path: folder for folder in layout.folders for path in media_files(folder.path, source, field, issues)}
    masks = drawnfiles.among(outer) if field == "image" else set()
    outer = {path: folder for path, folder in outer.items() if path not in masks}
    root = os.path.dirname(layout.folders[0].path) if layout.folders[0].split else layout.root
    classes = {folder.label for folder in layout.folders}
    inner = {name: partlabels.find(layout.root, name, classes, field) for name in layout.left_out}
    listed = {name: found for name, found in inner.items() if found}
    layout = layout._replace(left_out=tuple(name for name in layout.left_out if name not in listed))
    places = [Place(path, folder.label, folder.split) for path, folder in outer.items()]
    within = {path: one.path for path, one in outer.items()}
    told = _told(places, within, (source, root, field), listed, issues, options.classes)
    filled = {place.label for place in told.places}
    for label in sorted(classes - filled if filled & classes else ()):
        issues.append(Issue(kind="small_class", subject=label, detail="its folder holds no samples", drops=False))
    plural = "class" if len(filled) == 1 else "classes"
    sentence = f"{in_words(layout)}: {len(filled)} {plural}, {len(told.places)} {field} files{told.said}"
    sentence += f"; {len(masks)} masks beside pictures are left out" if masks else ""
    samples = [
        Sample(
            id=relative(place.path, source),
            fields={field: os.path.abspath(place.path), "label": place.label},
            split=place.split,
            group=place.group,
        )
        for place in told.places
    ]
    return Dataset(
        samples=tuple(sorted(samples, key=lambda sample: sample.id)),
        reader=FolderReader.name,
        root=os.path.abspath(source),
        recognised=sentence,
        issues=tuple(issues),
        names=dict(told.names),
    )


def _told(
    places: list[Place],
    folders: dict[str, str],
    where: tuple[str, str, str],
    listed: Mapping[str, partlabels.Labelled],
    issues: list[Issue],
    known: Collection[str],
) -> Levels:
    """Classes, parts and groups as folders, lists and tables say them, and what they were taken for.

    Args:
        where: the source, the folder of the class folders, the medium.
        known: classes of the training data, where these are further data.
    """
    source, root, field = where
    bare = {place.split for place in places} <= {"", "train"}  # a lone train/ says nothing of other parts
    lists = partlists.find(source, root, field, list(folders)) if bare else None
    used = [os.path.join(source, name) for name in lists.lists] if lists else []
    said = ""
    if lists:
        found = [
            p if p.split in ("val", "test") else p._replace(split=lists.of.get(p.path, lists.rest)) for p in places
        ]
        issues += [Issue(kind="unlisted", subject=relative(p.path, source), drops=False) for p in found if not p.split]
        places, said = [p for p in found if p.split], f"; parts as {' and '.join(lists.lists)} say"
    elif not listed:
        places, said, _ = speakers.level(places, folders, source, field)
    for name, one in listed.items():
        part = split_word(name) or part_of(name)
        places = [*places, *(Place(path, label, part) for path, label in one.classes.items())]
        said += f"; {name}/ as {one.list} says"
        used.append(one.path)
    if bare and not lists and not listed and not any(place.group for place in places):
        groups = otherlists.groups(source, root, {place.path: place.label for place in places})
        places = [place._replace(group=groups.of.get(place.path, "")) for place in places]
        said += groups.said
        used.append(groups.table)
    numbers = {place.label for place in places}
    inner, outer = os.path.abspath(root), os.path.abspath(source)
    inside = list(dict.fromkeys((inner, os.path.dirname(inner) if inner != outer else outer, outer)))
    above = os.path.dirname(outer)
    path, names = classnames.in_json(numbers, inside, known, above)
    if path:
        places = [place._replace(label=names[place.label]) for place in places]
        said += f"; {relative(path, source)} names the classes"
        used.append(path)
    return Levels(places, said + otherlists.unread(source, root, used), names)


def _read_plain(source: str, field: str) -> Dataset:
    issues: list[Issue] = []
    if os.path.isfile(source):
        paths, root = [source], os.path.dirname(os.path.abspath(source))
        samples = [Sample(id=os.path.basename(source), fields={field: os.path.abspath(source)})]
    else:
        paths, root = list(media_files(source, source, field, issues)), os.path.abspath(source)
        samples = [Sample(id=relative(path, source), fields={field: os.path.abspath(path)}) for path in paths]
    samples.sort(key=lambda sample: sample.id)
    sentence = f"{len(samples)} {field} file{'s' if len(samples) != 1 else ''}"
    return Dataset(samples=tuple(samples), reader="folder", root=root, recognised=sentence, issues=tuple(issues))


def media_files(folder: str, source: str, field: str, issues: list[Issue]) -> Iterator[str]:
    """Media files below `folder`. What cannot be used becomes an issue."""

    def report(path: str, reason: str) -> None:
        issues.append(Issue(kind="unreadable", subject=shown(relative(path, source)), detail=reason))

    for path in walk(folder, report):
        name = relative(path, source)
        if not is_text(path):
            issues.append(Issue(kind="bad_name", subject=shown(name), detail="rename it"))
        elif is_media(path, field):
            yield path
        else:
            kind = "not_an_image" if field == "image" else f"not_{field}"
            issues.append(Issue(kind=kind, subject=name, detail="not used", drops=False))


def shown(name: str) -> str:
    """A file's name that can be printed, whatever its bytes are."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
