"""Brings weights from torchvision's server, whose files carry a checksum in their names."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from autoft.api import UsageError, fetch
from autoft_torch import caches

TORCHVISION = "https://download.pytorch.org"


def from_address(address: str) -> Path:
    """The file at `address`, downloaded into torch.hub's folder if it is not there.

    A name such as ``resnet18-f37072fd.pth`` carries the first digits of the file's SHA-256, which are checked.

    Raises:
        UsageError: it cannot be downloaded, or is damaged.
    """
    name = address.rpartition("/")[2]
    return fetch(
        address,
        caches.torch_folder() / name,
        lambda path: _verify(path, name),
        "Download it on another machine and name the file: --models torchvision/NAME@FILE",
    )


def _verify(path: Path, name: str) -> None:
    promised = re.search(r"-([0-9a-f]{8,})\.", name)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if promised and not digest.startswith(promised[1]):
        raise UsageError(
            f"{name} must have a SHA-256 that starts with {promised[1]}, but the download has {digest[:8]}."
        )
