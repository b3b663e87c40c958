"""Brings weights from the server that Keras names, whose checksums Keras lists."""

from __future__ import annotations

import hashlib
from pathlib import Path

from autoft.api import UsageError, fetch
from autoft_keras import caches

KERAS = "https://storage.googleapis.com"
#: Name of a checksum by its number of hexadecimal digits.
SUMS = {32: "md5", 64: "sha256"}


def from_address(address: str, name: str, checksum: str = "") -> Path:
    """The file at `address`, downloaded into Keras' folder as `name` if it is not there.

    Args:
        checksum: MD5 or SHA-256 in hexadecimal digits, as Keras lists it; empty where it lists none.

    Raises:
        UsageError: it cannot be downloaded, or is damaged.
    """
    return fetch(
        address,
        caches.keras_folder() / name,
        lambda path: _verify(path, name, checksum),
        "Download it on another machine and name the file: --models keras/NAME@FILE",
    )


def _verify(path: Path, name: str, checksum: str) -> None:
    if not checksum:
        return
    kind = SUMS[len(checksum)]
    with path.open("rb") as file:
        found = hashlib.file_digest(file, kind).hexdigest()
    if found != checksum:
        raise UsageError(f"{name} must have the {kind.upper()} {checksum}, but the download has {found}.")
