"""Whether a process is working in a folder: a lock, which the system takes back however that process ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

LOCK: Final = ".lock"


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """The folder is this process's.

    Raises:
        BlockingIOError: it is another one's.
    """
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:  # no locks on this file system: nobody is kept away, and nobody is let in wrongly by us
            pass
        try:
            yield
        finally:
            with suppress(OSError):  # a file more, no harm
                (folder / LOCK).unlink()
    finally:
        os.close(handle)


def is_held(folder: Path) -> bool:
    """Whether a process is working there. False where the file system knows no locks."""
    try:
        handle = os.open(folder / LOCK, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(handle)
    return False
