"""From a mask file, or from shapes, to class indices: the one decoder for search and evaluation."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import numpy as np

from autoft.data import drawing, images
from autoft.data.headers import ImageHeader
from autoft.data.inspect import default_workers
from autoft.records import Mask
from autoft.vocab import IGNORED, index_type

if TYPE_CHECKING:
    from autoft.contracts import Array

DECODER: Final = "3"
"""Part of every store's key that holds masks. Raise it when the same mask would give other indices."""
ASPECT: Final = 0.02
"""A mask whose sides have another ratio than the image's, by more than this, is another picture's."""


class Labels(NamedTuple):
    """The masks of a data set, in the order of its samples, and the classes in the order of their index."""

    masks: tuple[Mask, ...]
    classes: tuple[str, ...]

    @property
    def dtype(self) -> str:
        """One number is kept free for pixels of no class."""
        return index_type(len(self.classes))


class Decoded(NamedTuple):
    """One mask."""

    pixels: Array
    """(size, size), `Labels.dtype`; the largest number of the type where there is no class."""
    remark: str
    """What is wrong with it, though it can be used; else empty."""
    kind: str = "mask_remark"
    """A word of `Issue.kind` for the remark."""


def labels(values: Sequence[Mapping[str, Any]], classes: Sequence[str]) -> Labels:
    """Of what samples hold in the field `mask`."""
    return Labels(tuple(msgspec.convert(value, Mask) for value in values), tuple(classes))


def fingerprint(wanted: Labels, workers: int = 0) -> str:
    """A hash of all masks, their files' bytes included. A file that is not there counts as empty: decoding tells."""

    def look(mask: Mask) -> bytes:
        plain = msgspec.structs.replace(mask, path="", further=())
        state = hashlib.blake2b(msgspec.json.encode(plain), digest_size=16)
        for path in (mask.path, *mask.further) if mask.path else ():
            try:
                state.update(images.read(path))
            except images.BadSample:
                state.update(b"missing")
        return state.digest()

    whole = hashlib.blake2b(f"{DECODER}|{wanted.dtype}|{'|'.join(wanted.classes)}".encode(), digest_size=16)
    with ThreadPoolExecutor(workers or default_workers()) as pool:
        for digest in pool.map(look, wanted.masks):
            whole.update(digest)
    return whole.hexdigest()


def decode(number: int, wanted: Labels, size: int, picture: images.Source) -> Decoded:
    """Class indices of one mask, squashed to a square by taking the nearest pixel. Several files are united.

    Raises:
        BadSample: one of its files gives no pixels, or they cannot be those of `picture`.
    """
    mask = wanted.masks[number]
    width, height, turn = images.header(picture)
    index = {name: place for place, name in enumerate(wanted.classes)}
    ignored = IGNORED[wanted.dtype]
    if not mask.path:
        drawn, place = drawing.draw(mask, ImageHeader(width, height, turn), index, ignored)
        return Decoded(_square(drawn, size).astype(wanted.dtype), place.detail, place.kind or "mask_remark")
    if mask.layers:
        return _layered(mask, size, (height, width, turn), index, ignored, wanted.dtype)
    united, remarks = _read(mask.path, mask, size, (height, width, turn), index, ignored)
    for path in mask.further:
        found, said = _read(path, mask, size, (height, width, turn), index, ignored)
        united = np.where(found == index.get(mask.background, ignored), united, found)
        remarks = {**remarks, **said}
    return Decoded(united.astype(wanted.dtype), "; ".join(remarks))


def _layered(
    mask: Mask, size: int, picture: tuple[int, int, int], index: Mapping[str, int], ignored: int, dtype: str
) -> Decoded:
    """Files of one class each, those that mark fewer pixels on top of others."""
    ground, marked = 0, 1
    meant = dict.fromkeys(filter(None, mask.values.values()), marked) | {mask.background: ground}
    none = IGNORED["uint8"]
    layers, remarks = [], dict[str, None]()
    for path, name in zip((mask.path, *mask.further), mask.layers, strict=True):
        found, said = _read(path, mask, size, picture, meant, none)
        layers.append((found, index.get(name, ignored)))
        remarks |= said
    united = np.full((size, size), index.get(mask.background, ignored), np.int64)
    for found, value in sorted(layers, key=lambda layer: -int((layer[0] == marked).sum())):
        united[found == marked] = value
    nothing = np.logical_and.reduce([found == none for found, _ in layers])
    united[nothing] = ignored
    return Decoded(united.astype(dtype), "; ".join(remarks))


def _read(
    path: str, mask: Mask, size: int, picture: tuple[int, int, int], index: Mapping[str, int], ignored: int
) -> tuple[Array, dict[str, None]]:
    """Indices of one file, and in words what is wrong with it, each said once."""
    height, width, turn = picture
    upright = (height, width) if turn >= 5 else (width, height)
    pixels = images.plain(path, any(value.startswith("#") for value in mask.values), mask.alpha)
    if turn != 1 and pixels.shape[:2] == (height, width) and pixels.shape[:2] != upright[::-1]:
        pixels = images.turned(pixels, turn)
    remark = _size_remark(pixels.shape[:2][::-1], upright)
    found, strange = _looked_up(_square(pixels, size), mask, index, ignored)
    return found, dict.fromkeys(part for part in (remark, strange) if part)


def _size_remark(found: tuple[int, ...], upright: tuple[int, int]) -> str:
    if tuple(found) == upright:
        return ""
    words = f"{found[0]} x {found[1]} pixels, its image {upright[0]} x {upright[1]}"
    if abs(found[0] * upright[1] / (found[1] * upright[0]) - 1) > ASPECT:
        raise images.BadSample("mask_size", words)
    return words


def _square(pixels: Array, size: int) -> Array:
    """The nearest pixel of each place, as `images.decode` squashes the image itself."""
    height, width = pixels.shape[:2]
    rows = ((np.arange(size) + 0.5) * height / size).astype(np.int64)
    columns = ((np.arange(size) + 0.5) * width / size).astype(np.int64)
    return np.asarray(pixels[rows[:, None], columns[None]])


def _looked_up(pixels: Array, mask: Mask, index: Mapping[str, int], ignored: int) -> tuple[Array, str]:
    """Indices of values, and in words which values nobody knows."""
    codes = pixels.astype(np.int64) if pixels.ndim == 2 else pixels.astype(np.int64) @ np.array([65536, 256, 1])
    present, inverse = np.unique(codes, return_inverse=True)
    known = {number(value): index.get(name, ignored) for value, name in mask.values.items()}
    meant = np.array([known.get(int(code), -1) for code in present], np.int64)
    strange = ""
    if (meant < 0).any():
        if mask.nearest and known:
            listed = np.array(list(known), np.int64)
            places = np.array(list(known.values()), np.int64)
            far = ((_split(present)[:, None] - _split(listed)[None]) ** 2).sum(-1)
            meant = np.where(meant < 0, places[far.argmin(1)], meant)
        else:
            if mask.others and pixels.ndim == 2:
                meant = np.where(meant < 0, index.get(mask.others, ignored), meant)
                return meant[inverse].reshape(codes.shape), ""
            shown = ", ".join(_written(int(code), pixels.ndim) for code in present[meant < 0][:3])
            share = float(np.isin(codes, present[meant < 0]).mean())
            strange = f"unknown {'colours' if pixels.ndim == 3 else 'values'} {shown} in {share:.1%} of its pixels"
            meant = np.where(meant < 0, ignored, meant)
    return meant[inverse].reshape(codes.shape), strange


def number(value: str) -> int:
    """A pixel's value as one number: `7` is 7, `#ff8000` is 0xff8000."""
    return int(value[1:], 16) if value.startswith("#") else int(value)


def _split(codes: Array) -> Array:
    return np.stack([codes >> 16 & 255, codes >> 8 & 255, codes & 255], -1)


def _written(code: int, axes: int) -> str:
    return f"#{code:06x}" if axes == 3 else str(code)
