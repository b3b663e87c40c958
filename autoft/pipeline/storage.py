"""What `--storage` means: where runs, decoded samples, weights and models lie so that every worker reaches them.

Nothing given: on this machine. A path: below a folder that all nodes mount. An address: in a bucket; the run folder
then stays on this machine as well, and models are copied to it as trials end.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from autoft import atomic, remote, shelf
from autoft.activations.key import files_of
from autoft.data import cache, store
from autoft.errors import UsageError
from autoft.events import Listener, Note
from autoft.options import SearchOptions
from autoft.pipeline.prepare import Prepared
from autoft.records import DataRef, ModelCard, Record, TrialResult
from autoft.run import RunWriter

DATASET, SPLITS = "dataset.json", "splits.json"


class Kept(Record):
    """Where the decoded samples lie on the machine that decoded them, for who finishes the run later."""

    folder: str
    fingerprint: str
    modalities: tuple[str, ...]
    """What they were decoded for."""


class Storage:
    """This machine alone."""

    def __init__(self, options: SearchOptions) -> None:
        self.cache = cache.cache_root()
        """Folder for decoded samples."""
        self.out = Path(options.out)
        """Folder for runs."""
        self.place = ""
        """What all nodes see as the run folder."""
        self.seconds = 0.0
        """What copying one model to or from a bucket took, at most."""

    def probe(self) -> None:
        """Find out whether it can be written, before anything long begins.

        Raises:
            UsageError: it cannot.
        """

    def check(self, nodes: int) -> None:
        """Refuse what cannot work on so many nodes.

        Raises:
            UsageError: several nodes, but nothing that all of them reach.
        """
        if nodes > 1:
            raise UsageError(
                f"{nodes} nodes need a folder or bucket that all of them reach, but --storage is not given.",
                "Name one: --storage /mnt/shared/autoft or --storage s3://bucket/autoft",
            )

    def begin(self, writer: RunWriter) -> None:
        """Called once, when the run folder exists."""
        self.place = str(writer.path)

    def trials(self) -> str:
        """Where trials keep their models."""
        return remote.join(self.place, "trials")

    def ray(self) -> str:
        """Where Ray keeps its own files."""
        return remote.join(self.place, "ray")

    def data(self, writer: RunWriter, prepared: Prepared, listener: Listener) -> DataRef:
        """Make the samples reachable; `dataset.json` and `splits.json` are in the run folder already."""
        return DataRef(
            store=str(prepared.store.folder),
            fingerprint=prepared.store.fingerprint,
            dataset=str(writer.path / DATASET),
            splits=str(writer.path / SPLITS),
        )

    def weights(self, card: ModelCard) -> ModelCard:
        """Make the weights, and what else a network needs, reachable."""
        return card

    def bring(self, writer: RunWriter, result: TrialResult) -> TrialResult:
        """The result of an ended trial, with its model in a folder of this machine.

        Raises:
            UsageError: the model cannot be copied.
        """
        return result

    def prune(self, writer: RunWriter) -> None:
        """Delete models elsewhere that the run folder no longer keeps."""

    def publish(self, writer: RunWriter, listener: Listener) -> None:
        """Copy the finished run to where others can take it from, and say where."""

    def paths(self) -> dict[str, str]:
        """Where else the run lies, for its summary."""
        return {}


class Folder(Storage):
    """A folder at the same path on all nodes."""

    def __init__(self, options: SearchOptions) -> None:
        super().__init__(options)
        self.root = Path(options.storage).expanduser().absolute()
        self.cache = self.root / "cache"
        if options.out == SearchOptions().out:
            self.out = self.root / "runs"

    def probe(self) -> None:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"--storage must be a writable folder, but '{self.root}' is not: {error}") from error

    def check(self, nodes: int) -> None:
        if nodes > 1 and not self.out.resolve().is_relative_to(self.root.resolve()):
            raise UsageError(
                f"with {nodes} nodes, --out must lie below --storage, but '{self.out}' does not.",
                f"Leave --out away: runs then go to {self.root / 'runs'}",
            )

    def weights(self, card: ModelCard) -> ModelCard:
        source, files = _local(card), files_of(card)
        if source is not None and not self._holds(source):
            goal = self._shared(_digest(source), {source.name: source}) / source.name
            card = msgspec.structs.replace(card, weights=str(goal))
        if files and not self._holds(Path(card.folder)):
            card = msgspec.structs.replace(card, folder=str(self._shared(_digest_all(files), files)))
        return card

    def _holds(self, path: Path) -> bool:
        return path.resolve().is_relative_to(self.root.resolve())

    def _shared(self, key: str, files: Mapping[str, Path]) -> Path:
        """A folder with copies of these files or folders, by their names in it."""
        folder = self.root / "cache" / "weights" / key
        if not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            with atomic.first(folder) as draft:
                for name, path in files.items():
                    (draft / name).parent.mkdir(parents=True, exist_ok=True)
                    _copy(path, draft / name)
        return folder


class Bucket(Storage):
    """An address."""

    def __init__(self, options: SearchOptions) -> None:
        super().__init__(options)
        self.address = options.storage
        self.runs = remote.join(self.address, "runs", options.task)
        self.name = options.name
        self.elsewhere: set[int] = set()
        """Trials whose models are in the bucket."""

    def probe(self) -> None:
        remote.check(self.address)
        if self.name and remote.sizes(place := remote.join(self.runs, self.name)):
            raise UsageError(f"a run named '{self.name}' exists already: {place}", "Choose another --name.")

    def check(self, nodes: int) -> None:
        """Any number of nodes will do."""

    def begin(self, writer: RunWriter) -> None:
        # A number is free on this machine, but another one may have used it: only a drawn name is safe.
        self.place = remote.join(self.runs, self.name or f"{writer.path.name}-{secrets.token_hex(3)}")

    def data(self, writer: RunWriter, prepared: Prepared, listener: Listener) -> DataRef:
        local = prepared.store
        ref = DataRef(
            store=remote.join(self.address, "cache", "stores", local.fingerprint),
            fingerprint=local.fingerprint,
            dataset=remote.join(self.place, DATASET),
            splits=remote.join(self.place, SPLITS),
        )
        sizes = {path.name: path.stat().st_size for path in local.folder.iterdir()}
        if remote.sizes(ref.store) != sizes:  # else an earlier search has brought the same pixels there
            size = sum(sizes.values()) / 1e6
            listener(Note(text=f"copying the decoded samples ({size:,.0f} MB) to {self.address}", level="detail"))
            remote.push(local.folder, ref.store, last=store.ABOUT)
        for name in (DATASET, SPLITS):
            remote.write(remote.join(self.place, name), (writer.path / name).read_bytes())
        return ref

    def weights(self, card: ModelCard) -> ModelCard:
        source, files = _local(card), files_of(card)
        if source is not None:
            address = remote.join(self.address, "cache", "weights", _digest(source))
            if source.is_dir():
                remote.push(source, remote.join(address, source.name))
            else:
                self._push({source.name: source}, source.parent, address)
            card = msgspec.structs.replace(card, weights=address)
        if files:
            address = remote.join(self.address, "cache", "weights", _digest_all(files))
            self._push(files, Path(card.folder), address)
            card = msgspec.structs.replace(card, folder=address)
        return card

    def _push(self, files: Mapping[str, Path], folder: Path, address: str) -> None:
        """Copy these files of `folder`, unless an earlier search did."""
        if remote.sizes(address) != {name: path.stat().st_size for name, path in files.items()}:
            remote.push(folder, address, names=tuple(files))

    def bring(self, writer: RunWriter, result: TrialResult) -> TrialResult:
        if not result.folder:
            if remote.sizes(address := remote.join(self.trials(), result.name)):
                remote.remove(address)  # a failed trial keeps no model
            return result
        folder = writer.trial_folder(result.number)
        began = time.monotonic()
        self.elsewhere.add(result.number)
        if result.number in writer.kept((*writer.results, result)):
            shelf.fetch(result.folder, folder)
        self.seconds = max(self.seconds, time.monotonic() - began)
        return msgspec.structs.replace(result, folder=str(folder))

    def prune(self, writer: RunWriter) -> None:
        for result in writer.results:
            if result.number in self.elsewhere and not writer.trial_folder(result.number).is_dir():
                self.elsewhere.remove(result.number)
                remote.remove(remote.join(self.trials(), result.name))

    def paths(self) -> dict[str, str]:
        return {"storage": self.place}

    def publish(self, writer: RunWriter, listener: Listener) -> None:
        try:
            remote.push(writer.path, self.place, keep=_worth_keeping)
        except UsageError as error:
            listener(Note(text=f"the run is on this machine only: {error}", level="warning"))
            return
        listener(Note(text=f"the run and its best model are at {self.place}"))


def of(options: SearchOptions) -> Storage:
    """What these options ask for."""
    if not options.storage:
        return Storage(options)
    return Bucket(options) if "://" in options.storage else Folder(options)


def _worth_keeping(name: str) -> bool:
    first = name.split("/")[0]
    return first not in ("trials", "ray", DATASET, SPLITS) and not first.startswith(".")


def _local(card: ModelCard) -> Path | None:
    """The file or folder of this machine that a card's weights are, if they are one."""
    return Path(card.weights) if card.weights and Path(card.weights).exists() else None


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copyfile(source, target)


def _digest(source: Path) -> str:
    """Hash of a file's content and name, or of a folder's."""
    paths = [path for path in sorted(source.rglob("*")) if path.is_file()] if source.is_dir() else [source]
    return _digest_all({str(path.relative_to(source)): path for path in paths}, source.name)


def _digest_all(files: Mapping[str, Path], name: str = "") -> str:
    state = hashlib.blake2b(name.encode(), digest_size=16)
    for inside, path in files.items():
        state.update(inside.encode() + b"\0")
        with path.open("rb") as file:
            state.update(hashlib.file_digest(file, hashlib.blake2b).digest())
    return state.hexdigest()
