"""Which column of a table plays which part, and a sentence that says so."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from autoft.data import (
    absent,
    columns,
    cuts,
    giveaway,
    guess,
    labellists,
    labels,
    numbers,
    parting,
    people,
    synonyms,
    together,
)
from autoft.data.media import SUFFIXES, media_field
from autoft.data.named import Files
from autoft.data.tabular import Table
from autoft.errors import DataError
from autoft.records import ReadOptions

SHOWN: Final = 60
"""Letters of a cell that are shown."""
HIDDEN: Final = frozenset({"", "-1", "-1.0", "?"}) | absent.WORDS
"""What stands in place of labels that are not told."""


class Roles(NamedTuple):
    fields: dict[str, int]
    split: int | None
    group: int | None
    sentence: str
    number: numbers.Form
    """How numbers are written."""
    taken: frozenset[str]
    """Columns that are spoken for."""
    labels: labels.Labels | None = None
    left_out: bool = False
    """It lacks the targets, though other tables have them."""
    texts: tuple[int, ...] = ()
    """Columns of texts that belong together, where there are several."""
    marks: parting.Parting = parting.Parting()
    """Columns of yes and no that mark parts, if any."""
    missing: frozenset[str] = frozenset()
    """Words that are no label where one should stand."""
    cut: cuts.Cut | None = None
    """The columns that cut recordings into pieces, if any do."""

    def part(self, cells: Sequence[str], otherwise: str) -> str:
        """The part that a row is of: train, val, test, or what is known of its table."""
        if self.marks.flags:
            return self.marks.marked(cells)
        return parting.part(cells[self.split]) if self.split is not None else otherwise


class Source(NamedTuple):
    """One table of several."""

    table: Table
    split: str
    files: Files | None
    """Where the files lie that it names, if it names any."""


def assign(sources: Sequence[Source], options: ReadOptions) -> list[Roles]:
    """Which column plays which part, for each table. The training table is looked at first: others have its columns,
    where they can.

    Raises:
        DataError: columns were not named and cannot be told.
        UsageError: a column that was named does not exist.
    """
    return _missing(_together(_assigned(sources, options), sources, options), sources, options.classes)


def _assigned(sources: Sequence[Source], options: ReadOptions) -> list[Roles]:
    if labels.FIELD not in options.needs:
        return _alike(sources, options)
    parts = _alike(sources, _without(options, labels.FIELD))
    main = _training(sources)
    first, taken = sources[main].table, set(parts[main].taken)
    known = None if labels.FIELD in options.optional else labels.find(options, [first], [taken])[0]
    for place, source in enumerate(sources):
        why = _says_nothing(source.table, first, known.names) if known and place != main else ""
        parts[place] = _left_out(why) if why else parts[place]
    kept = [place for place, roles in enumerate(parts) if not roles.left_out]
    found = labels.find(options, [sources[place].table for place in kept], [set(parts[place].taken) for place in kept])
    for place, one in zip(kept, found, strict=True):
        if one:
            parts[place] = parts[place]._replace(labels=one, sentence=f"{parts[place].sentence}, {one.sentence()}")
    return parts


def _together(parts: list[Roles], sources: Sequence[Source], options: ReadOptions) -> list[Roles]:
    """The roles with the column that names people as the group, where neither the user nor the data say how samples are
    divided."""
    kept = [place for place, roles in enumerate(parts) if not roles.left_out]
    divided = any(
        sources[place].split in ("val", "test")
        or parts[place].group is not None
        or parts[place].split is not None
        or parts[place].marks.flags
        for place in kept
    )
    if divided or not kept or options.group_col or options.optional:
        return parts
    first = parts[kept[0]]
    spoken = {*first.taken, *(first.labels.names if first.labels else ())}
    tables = [sources[place].table for place in kept]
    label = tables[0].columns[first.fields["label"]] if "label" in first.fields else ""
    found = people.find(tables, {*tables[0].columns} - spoken, label)
    for place, table in zip(kept, tables, strict=True):
        group = table.columns.index(found.column) if found.column else None
        said = ", ".join(filter(None, [parts[place].sentence, found.said])) + found.remark
        parts[place] = parts[place]._replace(group=group, sentence=said)
    return parts


def _missing(parts: list[Roles], sources: Sequence[Source], known: Collection[str]) -> list[Roles]:
    """The roles with a dash and words for nothing as empty labels, where they are that."""
    places = [place for place, roles in enumerate(parts) if not roles.left_out and "label" in roles.fields]
    cells = {place: [row[parts[place].fields["label"]] for row in sources[place].table.rows] for place in places}
    told = [cell for own in cells.values() for cell in own]
    found, listed = absent.missing(told, known), labellists.example(told)
    if listed and not known:
        said = (
            f" (cells such as '{listed[:SHOWN]}' look like several labels, which a task for several learns each alone)"
        )
        parts[places[0]] = parts[places[0]]._replace(sentence=parts[places[0]].sentence + said)
    for place, own in cells.items():
        parts[place] = parts[place]._replace(missing=found.words, sentence=parts[place].sentence + found.said(own))
    return parts


def _training(sources: Sequence[Source]) -> int:
    """The place of the training table, or of the first."""
    return min(range(len(sources)), key=lambda place: sources[place].split not in ("", "train"))


def _alike(sources: Sequence[Source], options: ReadOptions) -> list[Roles]:
    main = _training(sources)
    known = _named(_roles(sources[main], options), sources, main, options)
    known = _answerless(known, sources[main], options)
    return [
        known if place == main else _further(source, options, sources[main].table, known)
        for place, source in enumerate(sources)
    ]


def _named(known: Roles, sources: Sequence[Source], main: int, options: ReadOptions) -> Roles:
    """The roles with the names of classes in place of their numbers, where another column says them one to one and the
    user has not named a column."""
    if "label" not in known.fields or "label" in options.columns:
        return known
    table = sources[main].table
    number = table.columns[known.fields["label"]]
    others = [source.table for place, source in enumerate(sources) if place != main]
    name = synonyms.of_tables(number, [table, *others], known.taken)
    if not name:
        return known
    there = msgspec.structs.replace(options, columns={**options.columns, "label": name})
    found = _roles(sources[main], there)
    said = f"label in column '{name}'"
    return found._replace(sentence=found.sentence.replace(said, f"{said} (the names of the numbers in '{number}')", 1))


def _answerless(known: Roles, source: Source, options: ReadOptions) -> Roles:
    """The roles without those of several guessed columns of texts that say the answer; of the main text, or of one that
    says it less often, it is said."""
    answer = known.fields.get("label", known.fields.get("value"))
    texts = known.texts or ((known.fields["text"],) if "text" in known.fields else ())
    if answer is None or not texts or "text" in options.columns:
        return known
    names, rows = source.table.columns, source.table.rows
    shares = {names[place]: giveaway.share([row[place] for row in rows], [row[answer] for row in rows])
              for place in texts}  # fmt: skip
    told = {n: f"'{n}' says the answer itself in {share:.0%} of the rows" for n, share in shares.items()
            if share >= giveaway.MANY}  # fmt: skip
    left = [name for name, share in shares.items() if share >= giveaway.MOST and not giveaway.is_prose(name)]
    left = left if len(left) < len(shares) else []
    kept = [said for name, said in told.items() if name not in left]
    remark = f" ({' and '.join(kept)}: is this what shall be learned?)" if kept else ""
    if not left:
        return known._replace(sentence=known.sentence + remark)
    field = "label" if "label" in known.fields else "value"
    there = {"text": ",".join(name for name in shares if name not in left), field: names[answer]}
    found = _roles(source, msgspec.structs.replace(options, columns={**options.columns, **there}))
    said = " and ".join(told[name] for name in left) + f" and is not read (--text-col '{','.join(shares)}' would)"
    return found._replace(sentence=f"{found.sentence}{remark}, {said}")


def _further(source: Source, options: ReadOptions, first: Table, known: Roles) -> Roles:
    """The roles of a table beside the `first`, whose roles are `known`; without a target it is left out."""
    lower = {name.lower(): name for name in source.table.columns}
    fields = {field: first.columns[column] for field, column in known.fields.items()}
    targets = {field: (name,) for field, name in fields.items() if field not in SUFFIXES and field != "text"}
    flags = known.labels.names if known.labels else ()
    for field, names in {**targets, **({"label": flags} if flags else {})}.items():
        why = "" if field in options.optional else _says_nothing(source.table, first, names)
        if why:
            return _left_out(why)
    same = {field: lower[name.lower()] for field, name in fields.items() if name.lower() in lower}
    if "text" not in options.columns:
        same |= together.again(source.table, [first.columns[place] for place in known.texts])
    there = msgspec.structs.replace(options, columns={**same, **options.columns})
    found = _roles(source, there, {lower[name.lower()]: name for name in flags if name.lower() in lower})
    # a small table may show less than the first one does
    return found if found.number.comma or not known.number.thousands else found._replace(number=known.number)


def _says_nothing(table: Table, first: Table, names: Sequence[str]) -> str:
    """Why a table cannot have the targets that the `first` has in these columns; empty where it has."""
    lower = {name.lower(): name for name in table.columns}
    there = [lower[name.lower()] for name in names if name.lower() in lower]
    cells = {cell for name in there for cell in _cells(table, name)} or {""}
    seen = {cell for name in names for cell in _cells(first, name)} - {""} - absent.WORDS
    if not cells <= HIDDEN or not cells.isdisjoint(seen):
        return ""
    shown = ", ".join(f"'{name}'" for name in names[: labels.SHOWN])
    shown += f" and {len(names) - labels.SHOWN} more" if len(names) > labels.SHOWN else ""
    return f"it {'says nothing in' if there else 'has no'} column{'s' if len(names) > 1 else ''} {shown}"


def _left_out(why: str) -> Roles:
    return Roles({}, None, None, f"{why} and is left out", numbers.Form(), frozenset(), left_out=True)


def _cells(table: Table, name: str) -> list[str]:
    place = table.columns.index(name)
    return [row[place] for row in table.rows]


def _roles(source: Source, options: ReadOptions, classes: Mapping[str, str] | None = None) -> Roles:
    """Which column plays which part, and a sentence that says so.

    Args:
        classes: columns of yes and no that are the classes in another table, and what they are called there.
    """
    table = source.table
    names, pair = table.columns, _pair(table, options)
    options = _inside(table, options)
    repeated = {name for name in names if names.count(name) > 1}
    asked = "" if options.group_col == people.NONE and people.NONE not in names else options.group_col
    group = columns.named(asked, names, "--group-col", table.path) if asked else ""
    named = {group, *pair, *options.columns.values()}
    parts = parting.find(table, named, bool(options.group_col), bool(source.split))
    taken = {group} - {""} | repeated | {*pair} | parts.taken
    rows = table.rows[:: max(1, len(table.rows) // columns.PROBE)]  # tables may be sorted
    probe = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    medium = media_field(options.needs)
    times = cuts.pair(table, named | taken) if medium == "audio" else None
    taken |= {names[place] for place in times[:2]} if times else set()
    pair, alone = (pair, "") if pair else together.texts(options, table, probe, taken)
    options = _without(options, "text") if pair else options
    taken |= {*pair}
    flags = _one_of_several(table, options, taken) if not classes else labels.of_columns(table, list(classes))
    flags = flags._replace(names=tuple(classes.values())) if flags and classes else flags
    options = _without(options, "label") if flags else options
    by_files, inner = source.files.named_by if source.files else None, table.inner()
    chosen = columns.choose(options, names, probe, table.path, taken, by_files, inner)
    cut = _cut(source, times, chosen.get(medium, ""))
    written = numbers.form(_cells(table, chosen["value"])) if "value" in chosen else numbers.Form()
    marks = {"value": written.said()}
    said = [f"{field} in column '{name}'{marks.get(field, '')}" for field, name in chosen.items()]
    said[:0] = [f"texts in columns {' and '.join(map(repr, pair))}{alone}"] * bool(pair)
    said += [f"label in {len(flags.names)} columns of yes and no, one yes in a row"] if flags else []
    said += [*parts.said, *[f"groups in '{group}'"] * bool(group), *([cut.said] if cut else [])]
    group = group or parts.fold
    return Roles(
        {field: names.index(name) for field, name in chosen.items()},
        names.index(parts.split) if parts.split else None,
        names.index(group) if group else None,
        ", ".join(said) + parts.remark,
        written,
        frozenset({*taken, *chosen.values()}),
        labels=flags,
        texts=tuple(names.index(name) for name in pair),
        marks=parts,
        cut=cut,
    )


def _one_of_several(table: Table, options: ReadOptions, taken: set[str]) -> labels.Labels | None:
    """The columns of yes and no that are the classes of the field `label`: those named, or all that are left beside the
    columns of the other fields.

    Raises:
        DataError: several columns were named, and they are not of that kind.
    """
    if "label" not in options.needs:
        return None
    if "label" in options.columns:
        named = columns.several(options.columns["label"], table.columns, "--target", table.path)
        return _classes(table, named, "label" in options.optional) if len(named) > 1 else None
    spoken = {*taken, *options.columns.values()}
    free = [n for n in table.columns if n not in spoken and n.lower() not in columns.INDEX_NAMES]
    inner = table.inner()
    own = [name for name in free if name not in inner]
    free = own if sum(labels.is_flag(table, name) for name in own) > 1 else free
    flags = [name for name in free if labels.is_flag(table, name)]
    rest = [n for n in free if n not in flags and not guess.is_id(n, _cells(table, n))]
    others = set(options.needs) - {"label", *options.columns}
    if columns.by_name(free, "label") or len(rest) > len(others):
        return None
    return labels.exclusive(table, flags)


def _classes(table: Table, named: Sequence[str], optional: bool) -> labels.Labels:
    found = labels.of_columns(table, named) if optional else labels.exclusive(table, named)
    if found is None:
        raise DataError(
            f"the columns {', '.join(named)} of '{table.path}' must be the classes of one label, with one yes in each "
            "row, but they are not.",
            "Name one column with the classes: --target COLUMN, or take a task for several labels.",
        )
    return found


def _without(options: ReadOptions, field: str) -> ReadOptions:
    return msgspec.structs.replace(
        options,
        needs=tuple(other for other in options.needs if other != field),
        columns={other: name for other, name in options.columns.items() if other != field},
    )


def _inside(table: Table, options: ReadOptions) -> ReadOptions:
    """The options with the only column whose files lie in the table itself, where the user names no other."""
    medium = media_field(options.needs)
    if len(table.media) != 1 or medium in options.columns:
        return options
    return msgspec.structs.replace(options, columns={**options.columns, medium: table.media[0]})


def _pair(table: Table, options: ReadOptions) -> tuple[str, ...]:
    """The columns of texts that belong together, if the user named several."""
    words = options.columns.get("text", "")
    if "text" not in options.needs or "," not in words:
        return ()
    found = columns.several(words, table.columns, "--text-col", table.path)
    return found if len(found) > 1 else ()


def _cut(source: Source, times: tuple[int, int, bool] | None, column: str) -> cuts.Cut | None:
    """How columns of times cut the recordings that `column` names, if they do."""
    if not times or not column:
        return None
    table, files = source.table, source.files
    unpacked = files is None or column in table.media
    seconds = cuts.lengths(lambda cell: cell if unpacked or files is None else files.find(cell, source.split).path)
    return cuts.find(table, times, table.columns.index(column), seconds)
