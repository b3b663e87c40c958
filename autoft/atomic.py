"""Files and folders that are either the old or the new version, never half of one."""

from __future__ import annotations

import ctypes
import os
import secrets
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

DRAFT = ".draft-"
"""How the names of folders begin that are not whole yet."""
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def write_text(path: Path, text: str) -> None:
    """Write and sync a file under another name, then move it into place."""
    with written(path) as file:
        file.write(text)


@contextmanager
def written(path: Path) -> Iterator[TextIO]:
    """The same piece by piece: the file takes its place when the context ends well."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        with open(temporary, "w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def append_line(path: Path, line: str) -> None:
    """Append one line and sync it: what was reported survives a crash of the machine.

    Where a crash or a full disk has cut off the last line, the new one still gets a line of its own.
    """
    with open(path, "ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            line = line if file.read(1) == b"\n" else "\n" + line
        file.write(f"{line}\n".encode())
        file.flush()
        os.fsync(file.fileno())


def replace_folder(new: Path, target: Path) -> None:
    """Put the folder `new` in the place of `target`, in one step where the system can exchange two names."""
    if not target.exists():
        os.rename(new, target)
        return
    if _exchange(new, target):
        shutil.rmtree(new)
        return
    old = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}")
    os.rename(target, old)  # without an atomic exchange, readers may miss the folder for a moment
    try:
        os.rename(new, target)
    except OSError:
        os.rename(old, target)
        raise
    shutil.rmtree(old)


@contextmanager
def first(folder: Path, sign: str = "") -> Iterator[Path]:
    """A draft to be filled, which becomes `folder` in one step when the context ends well. Where another process was
    quicker, ours is not needed.

    Args:
        sign: a file without which `folder` is not whole.
    """
    draft = folder.with_name(f"{DRAFT}{folder.name}-{os.getpid()}-{secrets.token_hex(4)}")
    draft.mkdir()
    try:
        yield draft
        try:
            os.replace(draft, folder)
        except OSError:
            if not (folder / sign).exists():
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Linux renameat2(RENAME_EXCHANGE); False where the libc or the file system lacks it."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None) if os.name == "posix" else None
    if rename is None:
        return False
    return bool(rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0)
