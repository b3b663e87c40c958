"""Where autoft keeps what it can make again: decoded images, unpacked data sets."""

from __future__ import annotations

import os
from pathlib import Path

from autoft.errors import UsageError

PLACE = "AUTOFT_CACHE"
LIMIT = "AUTOFT_CACHE_MAX_GB"
DEFAULT_GB = 20.0


def cache_root() -> Path:
    """The cache folder: ``$AUTOFT_CACHE``, else ``~/.cache/autoft``. It may not exist yet."""
    named = os.environ.get(PLACE, "").strip()
    return Path(named).expanduser().absolute() if named else Path.home() / ".cache" / "autoft"


def cache_limit() -> int:
    """Bytes that the decoded images may take: ``$AUTOFT_CACHE_MAX_GB`` (10^9 bytes), else 20 GB.

    Raises:
        UsageError: the variable is not a positive number.
    """
    text = os.environ.get(LIMIT, "").strip()
    try:
        gigabytes = float(text) if text else DEFAULT_GB
    except ValueError:
        gigabytes = 0.0
    if not 0 < gigabytes < 1e9:
        raise UsageError(f"{LIMIT} must be a number of gigabytes above 0, but got '{text}'.")
    return int(gigabytes * 1e9)


def unusable(folder: Path, error: OSError) -> UsageError:
    """The error to raise when the cache cannot be written: full, read-only, or not a folder."""
    return UsageError(
        f"the cache must be a writable folder with free space, but '{folder}' failed: {error.strerror or error}.",
        f"Free some space, or put the cache elsewhere: {PLACE}=/path/to/folder autoft ...",
    )
