"""What activations depend on, and the names of their stores made of it.

Labels and parts are not in it, so relabelled or newly divided data reuse what is kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from autoft.records import Cut, Job, ModelCard, Record, View

FORMAT = 1
"""Of the stores' files; another one does not find them."""
_seen: dict[tuple[str, int, int], str] = {}
"""Weight file as (path, modification time, size) -> digest: a process reads each file once."""


class Origin(Record):
    """All that decides what stands at any cut for any sample of one decoded store."""

    backend: str
    versions: dict[str, str]
    model: str
    weights: str
    """Digest of the weights' bytes; with random weights, the seed they come from."""
    image_size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    extra: dict[str, Any]
    """Of the model card."""
    precision: str
    gpu: bool
    """`auto` means another precision there, and its sums run in another order. On a CPU it is fp32 by now: where a
    learner chose another one, the job has that word."""
    data: str
    """Fingerprint of the decoded store."""
    reading: tuple[int, str, str] = (0, "", "")
    """Of a text: how many words or tokens, which are left out, how their vectors become one."""

    def family(self) -> str:
        """Name of all that one pass through the network can give."""
        return _digest(self)

    def key(self, cut: Cut, view: View, rows: bytes = b"") -> str:
        """Name of the store of one cut and view, 32 hexadecimal digits.

        Args:
            rows: for augmented views, the rows asked for: draws depend on a sample's place among them.
        """
        return _digest(self, cut, view, hashlib.blake2b(rows).hexdigest() if view.number else "")


def origin_of(job: Job, versions: Mapping[str, str], fingerprint: str) -> Origin:
    """The origin of the activations of a job's learner, before it is trained.

    Args:
        job: with its weights on this machine.
        versions: of the distributions that decide what the backend computes.
        fingerprint: of the decoded store.
    """
    card, recipe, gpu = job.card, job.recipe, job.resources.gpus > 0
    known = card.pretrained and card.weights
    return Origin(
        backend=card.backend,
        versions=dict(versions),
        model=card.name,
        weights=digest_of(card.weights) if known else f"scratch {job.seed}",
        image_size=job.image_size,
        mean=card.mean,
        std=card.std,
        extra=card.extra | _beside(card),
        precision="fp32" if recipe.precision == "auto" and not gpu else recipe.precision,
        gpu=gpu,
        data=fingerprint,
        reading=(recipe.text_length, recipe.truncation, recipe.pooling) if card.modality == "text" else (0, "", ""),
    )


def _beside(card: ModelCard) -> dict[str, object]:
    """What the files say that it needs beside its weights; where they lie does not matter."""
    said = {name: _file_digest(path) for name, path in files_of(card).items()}
    return {"files": said} if said else {}


def files_of(card: ModelCard) -> dict[str, Path]:
    """What a network needs beside its weights, as far as it is there, by its path in the card's folder."""
    found = {name: Path(card.folder, name) for name in card.files}
    return {name: path for name, path in found.items() if path.is_file()}


def digest_of(weights: str) -> str:
    """Digest of the bytes of a file, or of all files of a folder. What is no path stands for itself."""
    place = Path(weights)
    if place.is_dir():
        files = sorted(file for file in place.rglob("*") if file.is_file())
        return _digest([(str(file.relative_to(place)), _file_digest(file)) for file in files])
    return _file_digest(place) if place.is_file() else f"named {weights}"


def _file_digest(file: Path) -> str:
    about = file.stat()
    known = (str(file.resolve()), about.st_mtime_ns, about.st_size)
    if known not in _seen:
        with file.open("rb") as opened:
            _seen[known] = hashlib.file_digest(opened, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    return _seen[known]


def _digest(*parts: Any) -> str:
    return hashlib.blake2b(msgspec.json.encode([FORMAT, *parts], order="sorted"), digest_size=16).hexdigest()
