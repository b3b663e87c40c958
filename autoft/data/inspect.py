"""One pass over all files: what is unusable, what is there twice, how large the images are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import numpy as np

from autoft.data import images, kin, twins
from autoft.data.kin import NO_KIN, Kin
from autoft.data.media import SUFFIXES
from autoft.data.pieces import inside, span_of
from autoft.machine import cores
from autoft.records import Dataset, Issue, Sample

if TYPE_CHECKING:
    from autoft.contracts import Array


BY_PLACE: Final = ("folder", "texts", "lines", "names")
"""Readers that tell the class of a file by where it lies. In tables several people may have judged the same one."""


class Inspection(NamedTuple):
    """What the pass found."""

    dataset: Dataset
    """Only the samples that can be used; its `issues` are the reader's."""
    issues: tuple[Issue, ...]
    """The reader's, then those of this pass."""
    digests: tuple[str, ...]
    """Hash of the media files and texts of each kept sample: equal for byte-identical ones."""
    sides: Array
    """int64 (kept samples, 2): width and height as stored; (0, 0) where there is no image."""
    seconds: Array
    """float64 (kept samples,): how long recordings, or pieces of them, are; 0 where there is none."""
    alike: tuple[str, ...] = ()
    """The same as `digests`, but equal also for texts of the same words."""
    kin: Kin = NO_KIN
    """Which samples stay in one part, where texts are read."""
    deep: tuple[bool, ...] = ()
    """For each kept sample, whether it is a picture of more than 8 bits."""


class _Seen(NamedTuple):
    digest: str
    alike: str
    width: int
    height: int
    seconds: float
    issue: Issue | None
    look: images.Look | None = None


class _File(NamedTuple):
    """The media of a sample, which other pieces of the same recording share."""

    state: Any
    """Of the hash, behind their bytes."""
    width: int
    height: int
    seconds: float
    bad: images.BadSample | None
    look: images.Look | None = None


def inspect(dataset: Dataset, fields: Sequence[str], workers: int = 0) -> Inspection:
    """Read each media file of `fields` once: hash it, read its header, note what is wrong. Texts are hashed as well.

    Files are hashed with BLAKE2b. Damage behind an image's header shows only when the store decodes it.
    A sample that also lies in a part further from training (test before val before train), by its bytes, the words of
    its text and its targets, or its group, leaves the part nearer to training, so that validation and test stay honest.
    """
    media = [field for field in fields if field in SUFFIXES]
    plain = [field for field in fields if field not in SUFFIXES]
    with ThreadPoolExecutor(workers or default_workers()) as pool:
        own = [tuple(str(sample.fields[field]) for field in media) for sample in dataset.samples]
        different = list(dict.fromkeys(own))
        files = dict(zip(different, pool.map(lambda paths: _read(paths, media), different), strict=True))
    seen = [_look(sample, files[paths], plain) for sample, paths in zip(dataset.samples, own, strict=True)]
    issues = [found.issue for found in seen if found.issue]
    good = [(sample, found) for sample, found in zip(dataset.samples, seen, strict=True) if not found.issue]
    samples, digests = [sample for sample, _ in good], [found.digest for _, found in good]
    about, leaving = twins.report(samples, digests, [found.alike for _, found in good], fields)
    if dataset.reader in BY_PLACE:
        twins.refuse_if_two_labelled(samples, digests, fields, dataset.root)
    kept = [(sample, found) for sample, found in good if sample.id not in leaving]
    remaining, same = tuple(sample for sample, _ in kept), tuple(found.alike for _, found in kept)
    sides = np.array([(found.width, found.height) for _, found in kept], np.int64).reshape(len(kept), 2)
    return Inspection(
        dataset=msgspec.structs.replace(dataset, samples=remaining),
        issues=(*dataset.issues, *issues, *about, *_several(kept)),
        digests=tuple(found.digest for _, found in kept),
        sides=sides,
        seconds=np.array([found.seconds for _, found in kept], np.float64),
        alike=same,
        kin=kin.find(remaining, same) if kin.FIELD in fields else NO_KIN,
        deep=tuple(bool(found.look and found.look.deep) for _, found in kept),
    )


def _several(kept: Sequence[tuple[Sample, _Seen]]) -> Iterator[Issue]:
    """A slice of a stack is not what people expect to be all that is seen of it."""
    for sample, found in kept:
        if found.look and found.look.several:
            yield Issue(kind="first_of_several_pictures", subject=sample.id, drops=False)


def default_workers() -> int:
    """Threads for reading and decoding: as many as there are cores, and 2 more that wait for the disk."""
    return cores() + 2


def _read(paths: Sequence[str], media: Sequence[str]) -> _File:
    state, seconds = hashlib.blake2b(digest_size=16), 0.0
    look = images.Look(0, 0)
    try:
        for field, path in zip(media, paths, strict=True):
            data = images.read(path)
            state.update(data)
            if field == "image":
                look = images.look(data)
            if field == "audio":
                seconds = _duration(data)
    except images.BadSample as bad:
        return _File(state, 0, 0, 0.0, bad)
    return _File(state, look.width, look.height, seconds, None, look)


def _look(sample: Sample, file: _File, plain: Sequence[str]) -> _Seen:
    if file.bad:
        return _unseen(sample, file.bad.kind, file.bad.detail)
    state, span = file.state.copy(), span_of(sample)
    seconds = inside(span, file.seconds)
    if span.end and not seconds:
        return _unseen(sample, "no_piece", f"the recording ends at {file.seconds:.4g} s")
    if span.end:
        state.update(msgspec.json.encode(span))
    words = state.copy()
    for field in plain:
        value = sample.fields.get(field)
        state.update(msgspec.json.encode(value))
        words.update(msgspec.json.encode(kin.alike(value) if field == kin.FIELD else value))
    return _Seen(state.hexdigest(), words.hexdigest(), file.width, file.height, seconds, None, file.look)


def _unseen(sample: Sample, kind: str, detail: str) -> _Seen:
    return _Seen("", "", 0, 0, 0.0, Issue(kind=kind, subject=sample.id, detail=detail))


def _duration(data: bytes) -> float:
    from autoft.data import audio

    return audio.header(data).seconds
