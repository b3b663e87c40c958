"""Rows written to the arrays of a store, in any order, by several threads; and at what pace."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from autoft.data.images import BadSample
from autoft.data.inspect import default_workers

if TYPE_CHECKING:
    from autoft.contracts import Array
    from autoft.data.forms import File, Form
    from autoft.records import Sample

LOOK: Final = 1.0
"""Seconds of filling before anything is expected from its pace; what is filled in about that time is never stopped."""
SHARE: Final = 0.25
"""Part of the time allowed that may pass until the pace is believed: in the first seconds frameworks are imported."""
MOST: Final = 10.0
"""The same in seconds, at most."""
BATCH: Final = 8
"""Rows of each thread between two looks."""


class TooSlow(Exception):
    """The rows would not be filled within the time allowed."""

    def __init__(self, spent: float, pace: float) -> None:
        super().__init__(spent, pace)
        self.spent = spent
        """Seconds that the rows filled so far took."""
        self.pace = pace
        """Seconds for each further row."""


class Remark(NamedTuple):
    row: int
    detail: str
    kind: str = "mask_remark"
    """A word of `Issue.kind`; stores of older versions hold remarks on masks alone, without it."""


class Plan:
    """What goes into a store, row by row."""

    def __init__(self, samples: Sequence[Sample], forms: Sequence[Form]) -> None:
        self.samples, self.forms = samples, forms
        self.files = [file for form in forms for file in form.files]

    def rows(self, number: int) -> tuple[list[Array], list[Remark]]:
        """One row of each file, and what is to be said of them."""
        found = [form.row(number, self.samples[number]) for form in self.forms]
        said = dict.fromkeys(remark for row in found for remark in row.remarks)  # two forms may say the same
        return [array for row in found for array in row.arrays], [Remark(number, text, kind) for kind, text in said]


def fill(
    draft: Path, plan: Plan, workers: int = 0, within: float = math.inf
) -> tuple[list[tuple[int, str, str]], list[Remark]]:
    """Write the arrays row by row. Returns (row, kind, detail) of those that failed, and remarks.

    Plain writes instead of a writable map: on a full disk a write raises an error, a map kills the process.
    Threads suffice: decoders work without holding the interpreter's lock.

    Args:
        within: seconds that it may take. Where they are counted, rows are filled in a random order, so that the first
            ones tell the pace of all.

    Raises:
        TooSlow: by the pace of its first rows it would take longer.
    """
    failed: list[tuple[int, str, str]] = []
    remarks: list[Remark] = []
    number, workers = len(plan.samples), workers or default_workers()
    with ExitStack() as stack:
        opened = [(file, *_begun(stack, draft, file, number)) for file in plan.files]

        def put(row: int) -> None:
            try:
                arrays, said = plan.rows(row)
            except BadSample as bad:
                failed.append((row, bad.kind, bad.detail))
                return
            remarks.extend(said)
            for (file, handle, start), array in zip(opened, arrays, strict=True):
                _write(handle, array.tobytes(), start + row * file.length)

        with ThreadPoolExecutor(workers) as pool:
            try:
                for rows in _portions(number, workers, within):
                    list(pool.map(put, rows))
            except BaseException:  # Ctrl-C or a full disk: do not decode the rest first
                pool.shutdown(wait=True, cancel_futures=True)
                raise
    return sorted(failed), sorted(remarks)


def _portions(
    number: int, workers: int, within: float, clock: Callable[[], float] = time.monotonic
) -> Iterator[list[int]]:
    """All rows, in portions: small ones until their pace says that all of them fit, then the rest in one.

    Raises:
        TooSlow: they do not.
    """
    if math.isinf(within):
        yield list(range(number))
        return
    rows = np.random.default_rng(0).permutation(number).tolist()
    began, done, step = clock(), 0, BATCH * workers
    seen: list[tuple[float, int]] = []
    """Seconds and rows at each look."""
    while done < number:
        yield rows[done : done + step]
        done = min(number, done + step)
        spent = clock() - began
        seen.append((spent, done))
        if len(seen) == 1:  # what a process decodes first loads libraries
            continue
        then, before = next(((s, d) for s, d in reversed(seen[:-1]) if s <= spent / 2), seen[0])
        pace = (spent - then) / (done - before)
        if spent < LOOK or done == number:
            continue
        if spent + pace * (number - done) <= within:
            yield rows[done:]
            return
        if spent >= max(LOOK, min(MOST, SHARE * within)):
            raise TooSlow(spent, pace)


def _begun(stack: ExitStack, draft: Path, file: File, rows: int) -> tuple[int, int]:
    """A file of zeros for an array: its handle, and where its first row begins."""
    opened = stack.enter_context((draft / f"{file.key}.npy").open("wb"))
    descr = np.lib.format.dtype_to_descr(np.dtype(file.dtype))
    header = {"descr": descr, "fortran_order": False, "shape": (rows, *file.shape)}
    np.lib.format.write_array_header_1_0(opened, header)
    opened.flush()
    start = opened.tell()
    opened.truncate(start + file.length * rows)
    return opened.fileno(), start


def _write(handle: int, data: bytes, offset: int) -> None:
    """The zeros behind the end of a short recording are in the file already, and take no room on the disk."""
    data = data.rstrip(b"\0")
    while data:
        written = os.pwrite(handle, data, offset)
        data, offset = data[written:], offset + written
