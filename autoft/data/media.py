"""Which files are media, and how to walk a folder of them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import lru_cache
from typing import Final

_IMAGES: Final = ".png .jpg .jpeg .jpe .jfif .webp .bmp .dib .tif .tiff .gif .ppm .pgm .pbm .pnm .avif .heic .heif"
_AUDIO: Final = ".wav .flac .ogg .oga .opus .mp3 .m4a .aac .aif .aiff .au .snd .caf .w64 .sph"
SUFFIXES: Final = {"image": frozenset(_IMAGES.split()), "audio": frozenset(_AUDIO.split())}
"""Field word -> suffixes of its files. `.heic` is here so that such files are reported, not overlooked."""

FILES: Final = {**SUFFIXES, "text": frozenset({".txt", ".text"})}
"""The same with texts, whose files are read into the sample itself."""
ARCHIVES: Final = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.xz", ".tar.bz2", ".7z", ".rar")
SPLIT_WORDS: Final = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "validate": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
    "eval": "test",
    "evaluate": "test",
    "evaluation": "test",
}
_EVALUATE: Final = frozenset({"eval", "evaluate", "evaluation"})
_BESIDE: Final = (
    "image images img imgs picture pictures photo photos jpg jpeg png file files audio clips wav wavs set sets data "
    "dataset split part labels label classes csv meta metadata annotation annotations mask masks seg boxes "
    "bbox bounding solution list info v"
)
BESIDE: Final = frozenset(_BESIDE.split())
"""Words that say nothing beside the word for a part, as in `train_images` and `Training_set`."""
CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
"""Where a word begins without a sign before it."""
JUNK: Final = frozenset({"thumbs.db", "desktop.ini", "__macosx", "icon\r"})

OnError = Callable[[str, str], None]


def media_field(needs: tuple[str, ...]) -> str:
    """The first field of `needs` that is a path of a medium, or an empty string."""
    return next((field for field in needs if field in SUFFIXES), "")


def split_word(name: str) -> str:
    """train, val or test if `name` is one of the words for it, else an empty string."""
    return SPLIT_WORDS.get(name.strip().lower(), "")


@lru_cache(maxsize=4096)
def part_word(name: str) -> str:
    """As `split_word`, also for `train2017`, `test-images` and `Training_set`, but not for `bullet_train`."""
    parts = {split_word(word) for word in words_of(name) if word not in BESIDE}
    return parts.pop() if len(parts) == 1 else ""


def part_of(name: str) -> str:
    """As `split_word`, also for names with one such word among any others: `tweets_train.csv`, `test-00000.parquet`,
    `trainLabels.csv`.

    A name alone does not tell `asl_test` from a class: look at those beside it as well."""
    parts = {split_word(word) for word in words_of(name)} - {""}
    return parts.pop() if len(parts) == 1 else ""


def words_of(name: str) -> list[str]:
    """The words of a file's name, in small letters: `test`, `images` of `TestImages.txt`."""
    return [word for word in re.split(r"[^a-z]+", CAMEL.sub(" ", name).lower()) if word]


def parts_among(names: Iterable[str], word: Callable[[str], str]) -> dict[str, str]:
    """Name -> part, of those that lie side by side and say one. What evaluates is for test, and where something else is
    called so, for validation; where that has its own as well, it is nothing that can be told."""
    found = {name: part for name in names if (part := word(name))}
    evaluate = {name for name in found if not _EVALUATE.isdisjoint(words_of(os.path.basename(name)))}
    others = {part for name, part in found.items() if name not in evaluate}
    if "test" not in others:
        return found
    return {
        name: part if name not in evaluate else "val"
        for name, part in found.items()
        if name not in evaluate or "val" not in others
    }


def shared_words(names: Collection[str]) -> tuple[str, ...]:
    """The words of names that differ in numbers alone, such as `part_1` and `part_2`; none of others, nor of one."""
    words = {tuple(filter(None, re.split(r"[\W\d_]+", name.lower()))) for name in names}
    return words.pop() if len(words) == 1 < len(names) else ()


def is_junk(name: str) -> bool:
    """Hidden files and what operating systems leave behind."""
    return name.startswith(".") or name.lower() in JUNK


def is_text(name: str) -> bool:
    """False for a file name whose bytes are not UTF-8: it could not be written into JSON."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def is_media(path: str, field: str) -> bool:
    """By suffix; a file without one of any kind counts if its first bytes are those of an image, or, as text, if it is
    called by a number, as those of newsgroups are, and begins without a zero byte."""
    suffix = os.path.splitext(path)[1].lower()
    if suffix in FILES[field]:
        return True
    numbered = field == "text" and os.path.basename(path).isdigit()
    if suffix or (field != "image" and not numbered):
        return False
    try:
        with open(path, "rb") as file:
            return b"\0" not in file.read(512) if numbered else image_magic(file.read(16))
    except OSError:
        return False


def image_magic(head: bytes) -> bool:
    """Whether a file that begins with `head` (16 bytes or more) claims to be an image."""
    if head.startswith((b"\x89PNG", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*")):
        return True
    if head.startswith(b"BM"):
        return head[6:10] == bytes(4)
    if head.startswith(b"RIFF"):
        return head[8:12] == b"WEBP"
    return head[4:8] == b"ftyp" and head[8:11] in (b"avi", b"hei", b"mif", b"hev")


_HEADS: Final = (
    ("image", ".png", re.compile(rb"\x89PNG")),
    ("image", ".jpg", re.compile(rb"\xff\xd8\xff")),
    ("image", ".gif", re.compile(rb"GIF8[79]a")),
    ("image", ".tif", re.compile(rb"II\*\0|MM\0\*")),
    ("image", ".webp", re.compile(rb"RIFF....WEBP", re.DOTALL)),
    ("image", ".bmp", re.compile(rb"BM....\0{4}", re.DOTALL)),
    ("audio", ".wav", re.compile(rb"RIFF....WAVE", re.DOTALL)),
    ("audio", ".flac", re.compile(rb"fLaC")),
    ("audio", ".ogg", re.compile(rb"OggS")),
    ("audio", ".aif", re.compile(rb"FORM....AIF[FC]", re.DOTALL)),
    ("audio", ".mp3", re.compile(rb"ID3|\xff[\xe2-\xfb]")),
)


def medium_magic(head: bytes) -> tuple[str, str]:
    """The medium of a file that begins with `head` (16 bytes or more), and the suffix that it should have; two empty
    strings where it is none that is known."""
    return next(((medium, suffix) for medium, suffix, form in _HEADS if form.match(head)), ("", ""))


def is_heif(head: bytes) -> bool:
    """Whether the file is a HEIC picture, as phones make them and Pillow cannot read them."""
    return head[4:8] == b"ftyp" and head[8:11] in (b"hei", b"mif", b"hev")


def entries(folder: str, onerror: OnError | None = None) -> list[os.DirEntry[str]]:
    """What lies in a folder, sorted by name, junk left out. An unreadable folder is told to `onerror`."""
    try:
        with os.scandir(folder) as found:
            return sorted((e for e in found if not is_junk(e.name)), key=lambda e: e.name)
    except OSError as error:
        if onerror:
            onerror(folder, error.strerror or str(error))
        return []


def walk(
    folder: str, onerror: OnError | None = None, _above: frozenset[tuple[int, int]] = frozenset()
) -> Iterator[str]:
    """Paths of all regular files below `folder`, symbolic links followed, in a fixed order.

    A link back to a folder above is not entered again. Pipes and devices are left out: opening one could
    wait for ever.
    """
    try:
        status = os.stat(folder)
    except OSError as error:
        if onerror:
            onerror(folder, error.strerror or str(error))
        return
    here = (status.st_dev, status.st_ino)
    if here in _above:
        return
    for entry in entries(folder, onerror):
        if entry.is_dir():
            yield from walk(entry.path, onerror, _above | {here})
        elif entry.is_file():
            yield entry.path
        elif entry.is_symlink() and onerror:
            onerror(entry.path, "a link to nothing")


def root_of(source: str) -> str:
    """The folder `source`, or the one that this file lies in, absolute."""
    return os.path.abspath(source if os.path.isdir(source) else os.path.dirname(os.path.abspath(source)))


def relative(path: str, root: str) -> str:
    """A path as it is written below `root`, with slashes."""
    return os.path.relpath(path, root).replace(os.sep, "/")


def holds_media(folder: str, field: str) -> bool:
    """Whether there is at least one file of this medium below `folder`."""
    return any(is_media(path, field) for path in walk(folder))
