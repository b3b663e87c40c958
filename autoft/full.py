"""What an error of the system says of the place that was written to, in words for the user."""

from __future__ import annotations

import errno
import os
from typing import Final

from autoft.errors import UsageError

NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
"""A full disk, a full share of it, and one that takes nothing (any more)."""


def says_no_room(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno in NO_ROOM


def tells_no_room(text: str) -> bool:
    """Whether it is the text of such an error of another process."""
    return any(os.strerror(number) in text for number in NO_ROOM)


def why(error: OSError) -> str:
    """The system's words, and the file if it names one."""
    return (error.strerror or str(error)) + (f": {error.filename}" if error.filename else "")


def refused(error: OSError) -> UsageError:
    """The error to end a command with."""
    return UsageError(
        f"there must be room to write, but the system says: {why(error)}.",
        "Free some space, or write elsewhere: --out for runs, AUTOFT_CACHE for decoded samples, TMPDIR for the rest.",
    )
