"""What is wrong with the data, in sentences, and the refusal when too much of it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from autoft.errors import DataError
from autoft.records import Dataset, Issue

SHOWN = 3
WIDTH = 60
TELLING = frozenset({"mask_remark", "no_flag", "no_number", "box_corners_swapped", "box_empty"})
"""Kinds of which the first of several is told with its detail: the word alone does not say what to look for."""

#: Kind of issue -> what one and several of them are called.
WORDS = {
    "absent_label": ("label that no row has, not learned", "labels that no row has, not learned"),
    "alike_classes": ("pair of classes whose names look alike", "pairs of classes whose names look alike"),
    "annotated_twice": ("image annotated again, the first counts", "images annotated again, the first counts"),
    "bad_line": ("line that is no JSON object", "lines that are no JSON objects"),
    "bad_name": ("file whose name is not valid UTF-8", "files whose names are not valid UTF-8"),
    "bad_row": ("row with too many cells", "rows with too many cells"),
    "box_clipped": ("box that reaches outside its image, clipped", "boxes that reach outside their images, clipped"),
    "box_corners_swapped": (
        "box whose corners are the wrong way round, read from the smaller to the larger",
        "boxes whose corners are the wrong way round, read from the smaller to the larger",
    ),
    "box_empty": ("box without area, not used", "boxes without area, not used"),
    "box_not_finite": ("box whose corners are no numbers, not used", "boxes whose corners are no numbers, not used"),
    "box_outside": ("box outside its image, not used", "boxes outside their images, not used"),
    "box_unknown_class": ("box of an unknown class, not used", "boxes of unknown classes, not used"),
    "box_unreadable": ("line that is no box, not used", "lines that are no boxes, not used"),
    "boxes_scaled": (
        "image annotated at another size, what is drawn scaled",
        "images annotated at another size, what is drawn scaled",
    ),
    "boxes_turned": (
        "image annotated before its EXIF rotation, what is drawn turned",
        "images annotated before their EXIF rotation, what is drawn turned",
    ),
    "cancelling": (
        "recording whose channels cancel one another, the loudest is heard",
        "recordings whose channels cancel one another, the loudest is heard",
    ),
    "clipped": ("recording that is clipped", "recordings that are clipped"),
    "conflicting_label": ("file or text with two labels", "files or texts with two labels"),
    "cut_off": ("recording that ends too early", "recordings that end too early"),
    "corrupt": ("corrupt image", "corrupt images"),
    "duplicate": ("set of identical files or texts", "sets of identical files or texts"),
    "empty": ("empty file", "empty files"),
    "first_of_several_pictures": (
        "file that holds several pictures, the first counts",
        "files that hold several pictures, the first counts",
    ),
    "guessed_encoding": ("file whose encoding was guessed", "files whose encodings were guessed"),
    "huge": ("huge image", "huge images"),
    "leak": (
        "sample that is in several parts, not used in the first",
        "samples that are in several parts, used in the last",
    ),
    "mask_remark": ("mask that does not fit its image exactly", "masks that do not fit their images exactly"),
    "mask_size": ("mask of another size than its image", "masks of another size than their images"),
    "missing": ("missing file", "missing files"),
    "missing_part": ("part that is named and absent", "parts that are named and absent"),
    "no_annotation": ("image without an annotation file, not used", "images without annotation files, not used"),
    "no_flag": ("row whose label is neither yes nor no", "rows with a label that is neither yes nor no"),
    "no_label": ("sample without a label", "samples without a label"),
    "no_number": ("row whose value is no number", "rows whose value is no number"),
    "no_piece": ("piece that is not in its recording", "pieces that are not in their recordings"),
    "no_pixels": ("class that is drawn but has no pixel", "classes that are drawn but have no pixel"),
    "no_text": ("row without a text", "rows without a text"),
    "no_transcript": ("recording without a transcript", "recordings without transcripts"),
    "no_mask": ("image without a mask", "images without masks"),
    "orphan_mask": ("mask without an image, not used", "masks without an image, not used"),
    "size_swapped": (
        "image whose annotation swaps width and height, what is drawn as it is",
        "images whose annotations swap width and height, what is drawn as it is",
    ),
    "several_files": ("name that several files have", "names that several files have"),
    "shape_without_area": (
        "image with points, lines or cuboids, which are not used",
        "images with points, lines or cuboids, which are not used",
    ),
    "shape_unreadable": ("shape that cannot be read, not used", "shapes that cannot be read, not used"),
    "not_audio": ("file that is no recording", "files that are no recordings"),
    "not_an_image": ("file that is not an image", "files that are not images"),
    "not_finite": (
        "recording with samples that are no numbers, heard as silence",
        "recordings with samples that are no numbers, heard as silence",
    ),
    "not_pixels": ("row that is no picture", "rows that are no pictures"),
    "not_text": ("file that is no text", "files that are no texts"),
    "orphan_label": ("annotation without an image, not used", "annotations without an image, not used"),
    "piped": ("recording that a command would make, not run", "recordings that commands would make, not run"),
    "reader_failed": ("reader that failed", "readers that failed"),
    "silent": ("recording in which nothing is heard", "recordings in which nothing is heard"),
    "small_class": ("very small class", "very small classes"),
    "swallowed_rows": (
        "row that may hold others, behind a lone quote",
        "rows that may hold others, behind lone quotes",
    ),
    "truncated": ("truncated image", "truncated images"),
    "unlabelled_part": ("part without labels, not used", "parts without labels, not used"),
    "unlisted": ("image that no list of parts names, not used", "images that no list of parts names, not used"),
    "unreadable": ("unreadable file", "unreadable files"),
    "unseen_class": ("class without training samples", "classes without training samples"),
}


def summarise(issues: Iterable[Issue]) -> list[str]:
    """One sentence per kind, those that cost samples first: `3 corrupt images left out: a.png, b.png, c.png`."""
    by_kind: dict[tuple[bool, str], list[Issue]] = defaultdict(list)
    for issue in issues:
        by_kind[(not issue.drops, issue.kind)].append(issue)
    return [_sentence(kind, kept, found) for (kept, kind), found in sorted(by_kind.items())]


def refuse_if_too_bad(issues: Iterable[Issue], total: int, max_bad: float) -> None:
    """Stop when more than the fraction `max_bad` of all `total` samples, bad ones included, is left out.

    Raises:
        DataError: with the counts by kind and the first names.
    """
    dropping = [issue for issue in issues if issue.drops]
    bad = len({issue.subject for issue in dropping})
    if not bad or bad <= max_bad * total:
        return
    reasons = "; ".join(summarise(dropping))
    raise DataError(
        f"at most {100 * max_bad:.4g} % of the samples may be unusable, but {bad} of {total} are: {reasons}.",
        f"Repair or remove these files, or allow more: --max-bad {min(100, -(-100 * bad // max(total, 1)))}%",
    )


def total(dataset: Dataset) -> int:
    """Samples before the reader left any out."""
    return len(dataset.samples) + len({issue.subject for issue in dataset.issues if issue.drops})


def printable(name: str) -> str:
    """A file's name for the screen: control characters escaped, the middle of a long one left out."""
    clean = "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in name)
    return clean if len(clean) <= WIDTH else f"{clean[:28]}...{clean[-29:]}"


def _sentence(kind: str, kept: bool, found: list[Issue]) -> str:
    one, many = WORDS.get(kind, (kind.replace("_", " "), f"times {kind.replace('_', ' ')}"))
    names = [printable(issue.subject) for issue in found[:SHOWN]]
    if found[0].detail and (len(found) == 1 or kind in TELLING):
        names[0] += f" ({printable(found[0].detail)})"
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return f"{len(found)} {one if len(found) == 1 else many}{'' if kept else ' left out'}: {', '.join(names)}{more}"
