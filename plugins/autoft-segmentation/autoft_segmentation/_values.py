"""What the pixels of a data set's masks mean, from the values that occur and the class list, if there is one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from autoft.api import DataError, Mask, image_header, survey_mask
from autoft_segmentation import _things
from autoft_segmentation._names import ClassList, is_ignored

LOOKED_AT = 1000
"""Most masks whose values are counted; of more, this many, evenly spread."""
PIXELS = 600_000_000
"""Of large masks fewer are looked at, no more than have this many pixels: satellite pictures took minutes."""
FEWEST = 50
MOST = 256
"""Values in all masks beyond which they are no classes."""
NEAR = 24
"""How far the noise of a lossy format moves a value."""
VOID = 255
"""By convention (Pascal VOC) this index marks pixels of no class, beside numbers that lie close together from 0 on.
In 0, 128, 255 it is a grey value as the others are."""
DENSE = 2
"""Numbers of classes are less than this many times as many, and a few."""
STRANGE = 0.05
"""Share of the pixels that may have values that mean nothing, and are told by file."""
MOST_COLOURS = 64
"""Classes of masks whose edges were smoothed."""
GAP = 5
"""How many times as often the rarest of the classes' colours must be found as the commonest of the others."""
EDGES = 0.1
"""Share of the pixels that may lie on smoothed edges."""
MANY = 16
"""Grey values between black and white that are no classes where they are rare."""


class Meaning(NamedTuple):
    """How masks are to be read."""

    values: dict[str, str]
    nearest: bool
    words: str
    """For the user."""
    alpha: bool = False
    """They are those of the alpha channel."""
    others: str = ""
    """Class of all other values."""

    @property
    def mask(self) -> Mask:
        """The same without files, for further sources."""
        return Mask(values=self.values, nearest=self.nearest, alpha=self.alpha, others=self.others)


class _Seen(NamedTuple):
    files: int
    coloured: int
    lossy: int
    values: Counter[int]
    paletted: int
    alpha: Counter[int]
    veiled: int
    """Files with an alpha channel."""
    things: bool
    """Their values are numbers of things, as it seems."""
    paths: tuple[str, ...] = ()
    """Those that were looked at."""


def meaning(paths: Sequence[str], listed: ClassList | None, root: str, known: Mask | None = None) -> Meaning:
    """The classes of the values in these masks.

    Args:
        known: what the values mean in the data that these belong to; a list of their own goes before it.

    Raises:
        DataError: no mask can be read, colours without a map, so many values that they are no classes, or others than
            are known.
    """
    seen = _look(paths)
    if not seen.files:
        raise DataError(f"masks must be images, but none below '{root}' can be read.")
    return _alone(seen, listed, root) if listed or known is None else _further(seen, known, root)


def _alone(seen: _Seen, listed: ClassList | None, root: str) -> Meaning:
    """Of a source that is read by itself."""
    if listed and listed.colours and _counts_lines(seen, listed):
        listed = listed._replace(values={str(row): name for row, name in enumerate(listed.values.values())})
        found = _by_index(seen, listed)
        return found._replace(words=f"{found.words}, counted by its lines: the masks are grey, none of its colours")
    if listed and listed.colours:
        return _by_colour(seen, listed)
    if _in_alpha(seen):
        # What the colours say, if they say anything, is not which class a pixel has.
        seen = seen._replace(values=seen.alpha, coloured=0, lossy=0, paletted=0)
        found = _by_index(seen, listed) if listed else _unnamed(seen, root)
        return found._replace(words=f"{found.words}, in the alpha channel, as colours tell no classes", alpha=True)
    if seen.coloured > seen.files / 2:
        return _uncharted(seen, root)
    if listed:
        return _by_index(seen, listed)
    return _unnamed(seen, root)


def _most(path: str) -> int:
    """How many masks of this one's size are looked at."""
    header = image_header(path)
    pixels = header.width * header.height if header else 1
    return min(LOOKED_AT, max(FEWEST, PIXELS // max(1, pixels)))


def _further(seen: _Seen, known: Mask, root: str) -> Meaning:
    """Of a source that is read beside another: its values mean the same. New ones are classes where the known ones
    would be called alike if all were seen together; else the source alone may have other values for the same classes.

    Raises:
        DataError: many pixels have values that mean nothing.
    """
    same = Meaning(
        known.values, known.nearest, "their values mean what they do in the training masks", known.alpha, known.others
    )
    seen_values = seen.alpha if known.alpha else seen.values
    coloured = any(value.startswith("#") for value in known.values)
    codes = {int(value[1:], 16) if coloured else int(value) for value in known.values}
    grey = 0x010101 if coloured and not seen.coloured else 1
    strange = {value: number for value, number in seen_values.items() if value * grey not in codes}
    if not strange or known.nearest or (known.others and not seen.coloured) or (coloured and seen.paletted):
        return same
    named = {name for name in known.values.values() if name} | {known.others}
    for values in (seen.values + Counter(codes), seen.values):
        try:
            found = _alone(seen._replace(values=values, things=False), None, root)
        except DataError:  # not by itself; whether it fits is asked below
            continue
        alike = known.values.items() <= found.values.items()
        if alike or {name for name in found.values.values() if name} <= named:
            return found
    if sum(strange.values()) > STRANGE * sum(seen_values.values()):
        shown = ", ".join(f"#{value:06x}" if seen.coloured else str(value) for value in sorted(strange)[:5])
        raise DataError(
            f"masks must have the values of the training masks, but those below '{root}' have {shown} too. Known: "
            f"{', '.join(sorted(known.values)[:10])}.",
            "Write them with the same numbers or colours, or put the same class list beside both.",
        )
    return same


def _counts_lines(seen: _Seen, listed: ClassList) -> bool:
    """Whether grey masks hold the numbers of a colour map's lines: small ones, that are no greys in it."""
    strange = any(f"#{value:02x}{value:02x}{value:02x}" not in listed.values for value in seen.values if value != VOID)
    small = all(value < len(listed.values) or value == VOID for value in seen.values)
    return not seen.coloured and not seen.lossy and strange and small


def _in_alpha(seen: _Seen) -> bool:
    """Whether all masks have an alpha channel that differs, and either one colour alone, or more than are classes."""
    plain = len(seen.values) == 1 or (len(seen.values) > MOST and seen.coloured > seen.files / 2)
    return seen.veiled == seen.files and len(seen.alpha) > 1 and plain


def _look(paths: Sequence[str]) -> _Seen:
    paths = paths[:: max(1, -(-len(paths) // _most(paths[0])))] if paths else paths
    counts: dict[str, int] = {}
    values: Counter[int] = Counter()
    alpha: Counter[int] = Counter()
    files = coloured = lossy = paletted = veiled = 0
    with ThreadPoolExecutor(4) as pool:
        for path, found in zip(paths, pool.map(survey_mask, paths), strict=True):
            if found is None:
                continue
            files += 1
            coloured += found.colours
            lossy += found.lossy
            paletted += bool(found.palette)
            values.update(found.values)
            alpha.update(found.alpha)
            veiled += bool(found.alpha)
            counts[path] = _things.count(found.values)
    things = not coloured and not lossy and _things.are_things([*counts], [*counts.values()])
    return _Seen(files, coloured, lossy, values, paletted, alpha, veiled, things, tuple(paths))


def occur(paths: Sequence[str], values: Collection[str]) -> bool:
    """Whether one of the values, as a class list writes them, is in these masks; True where none can be read."""
    coloured = any(value.startswith("#") for value in values)
    codes = {int(value[1:], 16) if coloured else int(value) for value in values}
    seen = _look(paths)
    grey = {value * 0x010101 for value in seen.values} if coloured else set()
    unsure = not seen.files or bool(coloured and seen.paletted)
    return unsure or bool(codes & {*seen.values, *grey})


def _by_colour(seen: _Seen, listed: ClassList) -> Meaning:
    words = f"colours named by {listed.file}: {_classes(listed.values)}"
    others = Counter({value: n for value, n in seen.values.items() if f"#{value:06x}" not in listed.values})
    # One colour that the list forgot is a class nobody can name; many rare ones lie between those that it names.
    main = [value for value in seen.values if value not in others]
    smoothed = (
        bool(seen.coloured)
        and not seen.paletted
        and _are_edges(others, seen.values)
        and _between(seen.paths, main, others)
    )
    words += "; edges are smoothed: each pixel has the class of the nearest colour" if smoothed else ""
    return Meaning(listed.values, bool(seen.lossy) or smoothed, words)


def _are_edges(others: Counter[int], values: Counter[int]) -> bool:
    """Whether these are many, and none of them is much commoner than the rest."""
    number = others.total()
    return len(others) > MANY and number < EDGES * values.total() and others.most_common(1)[0][1] < number / GAP


def _between(paths: Sequence[str], main: Sequence[int], others: Counter[int]) -> bool:
    """Whether the other colours are mixtures of the main ones along edges. Classes that are rare fill areas."""
    from autoft_segmentation import _edges  # it loads numpy, and few masks need it

    return _edges.are_smoothed(paths, main, others)


def _by_index(seen: _Seen, listed: ClassList) -> Meaning:
    values = dict(listed.values)
    if len(values) == 2 and set(seen.values) <= {0, VOID} and set(values) == {"0", "1"}:
        values = {"0": values["0"], str(VOID): values["1"]}
    else:
        values.setdefault(str(VOID), "")
    form = "palette indices" if seen.paletted > seen.files / 2 else "indices"
    return Meaning(values, False, f"{form} named by {listed.file}: {_classes(values)}")


def _unnamed(seen: _Seen, root: str) -> Meaning:
    levels = sorted(seen.values)
    if seen.lossy:
        total = sum(seen.values.values())
        ends = sum(n for value, n in seen.values.items() if value <= NEAR or value >= VOID - NEAR)
        if ends < 0.9 * total:
            raise DataError(
                f"masks must keep their values exactly, but those below '{root}' are of a format with loss.",
                "Save them as PNG.",
            )
        return Meaning({"0": "background", str(VOID): "foreground"}, True, "black and white, of a format with loss")
    if _is_smoothed(seen):
        words = "black and white with smoothed edges, each pixel the nearer of the two"
        return Meaning({"0": "background", str(VOID): "foreground"}, True, words)
    if seen.things:
        words = f"numbers of things, up to {levels[-1]} in a picture, all of them foreground"
        return Meaning(
            {"0": "background"},
            False,
            f"{words} (a class list beside them would make each number a class)",
            others="foreground",
        )
    if len(levels) == 2:
        low, high = levels
        return Meaning(
            {str(low): "background", str(high): "foreground"}, False, f"two values, {low} background, {high} foreground"
        )
    if len(levels) > MOST:
        raise DataError(
            f"a mask's values must be classes, but those below '{root}' have {len(levels)} different ones.",
            "Are they instances, or photos? A mask has one number for each class.",
        )
    values = {str(level): f"class {level}" for level in levels}
    void = ""
    if levels[-1] == VOID and len(levels) > 2 and levels[-2] < min(VOID - 1, DENSE * len(levels) + 16):
        values[str(VOID)], void = "", ", 255 is no class"
    form = "palette indices" if seen.paletted > seen.files / 2 else "indices"
    return Meaning(values, False, f"{form} without names: {_classes(values)}{void}")


def _is_smoothed(seen: _Seen) -> bool:
    """Whether masks of 0 and 255 were resized so that edges became grey: many values, hardly a pixel each."""
    between = sum(number for value, number in seen.values.items() if 0 < value < VOID)
    grey = sum(NEAR < value < VOID - NEAR for value in seen.values)
    ends = seen.values[0], seen.values[VOID]
    return max(seen.values) == VOID and grey > MANY and min(ends) > 0 and between < min(sum(ends) / 4, 2 * ends[1])


def _main(values: Counter[int]) -> list[int]:
    """The colours that nearly all pixels have, if there are far more and far rarer others: where edges were smoothed.
    Empty if there is no such gap."""
    ranked = values.most_common()
    counts = [count for _, count in ranked]
    gaps = {few: counts[few - 1] / counts[few] for few in range(2, min(len(ranked) - 1, MOST_COLOURS) + 1)}
    few = max(gaps, key=lambda few: gaps[few], default=0)
    if not few or gaps[few] < GAP or len(ranked) - few < MANY:
        return []
    edges = sum(counts[few:]) / sum(counts)
    return sorted(value for value, _ in ranked[:few]) if edges < EDGES else []


def _uncharted(seen: _Seen, root: str) -> Meaning:
    main = [] if seen.lossy else _main(seen.values)
    others = Counter({value: number for value, number in seen.values.items() if value not in main})
    if main and others and _between(seen.paths, main, others):
        values = {f"#{value:06x}": "background" if value == 0 else f"#{value:06x}" for value in main}
        rest = others.total() / seen.values.total()
        words = f"{len(main)} colours without names ({', '.join(values)}); {len(others):,} others"
        words += f" in {100 * rest:.2g} % of the pixels are smoothed edges: each has the class of the nearest colour"
        return Meaning(values, True, words)
    if seen.lossy or len(seen.values) > MOST:
        raise DataError(
            f"masks in colours need a colour map, but there is none in '{root}', and {len(seen.values)} colours occur.",
            "Put class_dict.csv (name,r,g,b) or label_colors.txt (r g b name) beside them.",
        )
    values = {f"#{value:06x}": "background" if value == 0 else f"#{value:06x}" for value in sorted(seen.values)}
    return Meaning(values, False, f"colours without names: {_classes(values)}")


def _classes(values: dict[str, str]) -> str:
    names = {name for name in values.values() if name and not is_ignored(name)}
    return f"{len(names)} classes"
