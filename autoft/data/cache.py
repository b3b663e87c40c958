"""Where autoft keeps what it can make again: decoded images, unpacked data sets."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

from autoft.errors import UsageError

PLACE = "AUTOFT_CACHE"
LIMIT = "AUTOFT_CACHE_MAX_GB"
DEFAULT_GB = 20.0
MOUNTS = Path("/proc/self/mounts")
NETWORKS = (
    *("nfs", "cifs", "smb", "lustre", "gpfs", "beegfs", "ceph", "gluster", "afs", "9p", "orangefs", "pvfs", "panfs"),
    *("wekafs", "virtiofs", "fuse."),
)
"""How the kinds of file systems begin that several machines may have mounted."""
NO_NETWORKS = ("fuse.overlayfs", "fuse.fuse-overlayfs", "fuse.ntfs-3g", "fuse.exfat", "fuse.bindfs")


def cache_root() -> Path:
    """The cache folder: ``$AUTOFT_CACHE``, else ``~/.cache/autoft``. It may not exist yet."""
    named = os.environ.get(PLACE, "").strip()
    return Path(named).expanduser().absolute() if named else Path.home() / ".cache" / "autoft"


def machine_root(name: str) -> Path:
    """The folder `name` of the cache, for what processes of this machine alone share: they write to one file at a time,
    which file systems of networks do not show to other machines as it was written. There each has its own."""
    root = cache_root() / name
    host = re.sub(r"[^A-Za-z0-9_.-]", "_", socket.gethostname()).lstrip(".")
    return root / (host or "host") if _of_network(root) else root


def _of_network(folder: Path) -> bool:
    """Whether other machines may see this folder as well."""
    try:
        lines = MOUNTS.read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return False
    kind, deepest = "", -1
    real = folder.resolve()
    for _, place, found, *_ in (line.split(" ") for line in lines):
        mount = Path(place.replace("\\040", " "))
        if real.is_relative_to(mount) and len(mount.parts) >= deepest:  # a later one lies above an earlier one
            kind, deepest = found, len(mount.parts)
    return kind.startswith(NETWORKS) and kind not in NO_NETWORKS


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
