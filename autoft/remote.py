"""Folders in a bucket (`s3://`, `gs://`, `abfs://`, `hdfs://`, `file://`), through the file systems of pyarrow.

Credentials come from where each cloud's own tools look (environment, profile, the machine's role), on every node.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit, urlunsplit

from autoft import atomic
from autoft.errors import UsageError

FLAT = ("s3", "gcs", "abfs")
"""Systems without folders, where a file is there at once and whole."""
CHUNK = 8 << 20
THREADS = 8
HINTS = {
    r"NO_SUCH_BUCKET|bucket does not exist|ContainerNotFound": "Make the bucket first, or correct its name.",
    # Numbers alone: names that are drawn have 401 in them now and then.
    r"ACCESS_DENIED|INVALID_ACCESS_KEY|SIGNATURE_DOES_NOT_MATCH|UNRECOGNIZED_CLIENT|"
    r"(?<![\da-f])40[13](?![\da-f])|[Cc]redential": (
        "Give every node credentials that may list, read, write and delete there, for example AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY, a profile, or the machine's role."
    ),
    r"NETWORK_CONNECTION|resolve|connect|timed? ?out": "Nothing answers there: check the network and the address.",
    r"Unrecognized filesystem|Expected URI|Cannot parse|built with": (
        "Addresses look like s3://bucket/folder, gs://bucket/folder or file:///folder; a shared folder is a plain path."
    ),
}
"""What the message of an error says -> what to do about it."""


class _File(NamedTuple):
    name: str
    """Below the folder, parts divided by `/`."""
    path: str
    size: int


class _Place(NamedTuple):
    system: Any
    path: str

    @property
    def flat(self) -> bool:
        return self.system.type_name in FLAT


def is_address(text: str) -> bool:
    """Whether `text` is an address such as `s3://bucket/folder`, not a path. Web pages are no folders."""
    return bool(re.match(r"[a-z][a-z0-9+.-]*://", text)) and not text.startswith(("http://", "https://"))


def join(place: str, *names: str) -> str:
    """`place/name/...` for a path or an address; what follows a `?` in an address stays at the end."""
    if not is_address(place):
        return str(Path(place, *names))
    parts = urlsplit(place)
    path = "/".join([parts.path.rstrip("/"), *(quote(name) for name in names)])
    return urlunsplit(parts._replace(path=path))


def sibling(place: str, name: str) -> str:
    """`place` with another last name."""
    if not is_address(place):
        return str(Path(place).with_name(name))
    parts = urlsplit(place)
    return join(urlunsplit(parts._replace(path=parts.path.rstrip("/").rpartition("/")[0])), name)


def check(address: str) -> None:
    """Write and delete a file there, so that a wrong address is known before hours of work.

    Raises:
        UsageError: it is no address, holds a password, or cannot be written.
    """
    parts = urlsplit(address)
    if parts.username is not None and parts.scheme not in ("abfs", "abfss", "hdfs", "viewfs"):
        raise UsageError(
            "an address must not hold keys or a password: it is written into the run folder.",
            "Put them into the environment of every node instead, for example AWS_ACCESS_KEY_ID.",
        )
    probe = join(address, f".autoft-{secrets.token_hex(4)}")
    write(probe, b"")
    with _words("be writable and let files be deleted", address):
        place = _open(probe)
        place.system.delete_file(place.path)


def read(address: str) -> bytes:
    """The content of a file.

    Raises:
        UsageError: it cannot be read.
    """
    with _words("be readable", address):
        place = _open(address)
        with place.system.open_input_stream(place.path) as stream:
            content: bytes = stream.read()
            return content


def write(address: str, content: bytes) -> None:
    """Write a file.

    Raises:
        UsageError: it cannot be written.
    """

    def fill(place: _Place, path: str) -> None:
        with place.system.open_output_stream(path) as stream:
            stream.write(content)

    with _words("be writable", address):
        _put(_open(address), fill)


def sizes(address: str) -> dict[str, int]:
    """Name below the folder -> bytes of every file; empty where there is no such folder."""
    with _words("be readable", address):
        return {file.name: file.size for file in _files(_open(address))}


def push(
    folder: Path,
    address: str,
    last: str = "",
    keep: Callable[[str], bool] = lambda name: True,
    names: Sequence[str] = (),
) -> None:
    """Copy the files of `folder` to `address`, over what is there.

    Args:
        last: name of the file that is written after all others: where it is, the folder is whole.
        keep: says of each name below the folder whether it is copied.
        names: of files below the folder, which is not looked through then.

    Raises:
        UsageError: they cannot be written.
    """
    names = names or [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
    names = [name for name in names if keep(name)]
    with _words("be writable", address):
        place = _open(address)

        def send(name: str) -> None:
            def fill(target: _Place, path: str) -> None:
                _copy(_local(), str(folder / name), target.system, path)

            _put(_Place(place.system, f"{place.path}/{name}"), fill)

        _each(send, [name for name in names if name != last])
        _each(send, [name for name in names if name == last])


def pull(address: str, folder: Path, last: str = "", alone: bool = False) -> None:
    """Copy all files at `address` into the new folder `folder`, which appears when it is whole.

    Nothing happens where `folder` exists. Of several processes on one machine, one copies and the others wait.

    Args:
        last: name of the file without which the folder is not whole.
        alone: no other process copies to `folder`, so no lock file is left beside it.

    Raises:
        UsageError: nothing whole is there, a name leads out of the folder, or it cannot be read or written.
    """
    with _words(f"be readable, and '{folder.parent}' writable", address):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.nullcontext() if alone else _turn(folder):
            if folder.is_dir():
                return
            place = _open(address)
            files = _files(place)
            if not files or (last and last not in {file.name for file in files}):
                raise FileNotFoundError(f"no whole folder is there: {last or 'every file'} is missing")
            with atomic.first(folder) as draft:
                _each(lambda file: _fetch(place, file, draft), files)


def remove(address: str) -> None:
    """Delete a folder and all that is in it, if it is there.

    Raises:
        UsageError: it cannot be deleted.
    """
    with _words("let files be deleted", address):
        place = _open(address)
        with contextlib.suppress(FileNotFoundError):
            place.system.delete_dir(place.path)


def discard(place: str) -> None:
    """Delete a folder of this machine or at an address, as far as it can be: what stays takes room, no more."""
    if not is_address(place):
        shutil.rmtree(place, ignore_errors=True)
        return
    with contextlib.suppress(UsageError):
        remove(place)


@functools.lru_cache(maxsize=256)
def _open(address: str) -> _Place:
    if importlib.util.find_spec("pyarrow") is None:
        raise UsageError(
            f"an address such as '{address}' needs pyarrow, but it is not installed.",
            "Install it on every node: pip install pyarrow",
        )
    from pyarrow import fs

    system, path = fs.FileSystem.from_uri(address)
    if not path.strip("/"):
        raise ValueError("Expected URI of a bucket or folder")
    return _Place(system, path.rstrip("/"))


def _local() -> Any:
    from pyarrow import fs

    return fs.LocalFileSystem()


def _copy(source: Any, path: str, target: Any, goal: str) -> None:
    from pyarrow import fs

    fs.copy_files(path, goal, source_filesystem=source, destination_filesystem=target, chunk_size=CHUNK)


def _put(place: _Place, fill: Callable[[_Place, str], None]) -> None:
    """Make a file that appears when it is whole."""
    if place.flat:
        fill(place, place.path)
        return
    parent, _, name = place.path.rpartition("/")
    draft = f"{parent}/.{name}.{secrets.token_hex(4)}"
    place.system.create_dir(parent, recursive=True)
    try:
        fill(place, draft)
        place.system.move(draft, place.path)
    except BaseException:
        with contextlib.suppress(Exception):
            place.system.delete_file(draft)
        raise


def _files(place: _Place) -> list[_File]:
    from pyarrow import fs

    selector = fs.FileSelector(place.path, recursive=True, allow_not_found=True)
    found = [info for info in place.system.get_file_info(selector) if info.type == fs.FileType.File]
    return [_File(_below(info.path, place.path), info.path, int(info.size)) for info in found]


def _below(path: str, folder: str) -> str:
    """The name of `path` below `folder`.

    A bucket takes any text for a name, so `../x` and `a//b` are possible there.
    """
    name = path.removeprefix(folder + "/")
    parts = name.split("/")
    strange = name == path or any(part in ("", ".", "..") for part in parts)
    if strange or "\\" in name or "\0" in name or PurePosixPath(name).is_absolute() or ":" in parts[0]:
        raise ValueError(f"the name of a file leads out of its folder: {path!r}")
    return name


def _fetch(place: _Place, file: _File, folder: Path) -> None:
    target = folder / file.name
    target.parent.mkdir(parents=True, exist_ok=True)
    _copy(place.system, file.path, _local(), str(target))
    if target.stat().st_size != file.size:
        raise OSError(f"{file.name} must have {file.size} bytes, but {target.stat().st_size} arrived")


def _each(work: Callable[[Any], None], items: list[Any]) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, items))


@contextlib.contextmanager
def _turn(folder: Path) -> Iterator[None]:
    """Wait until no other process of this machine copies to `folder`. The lock file stays: to delete it would race."""
    if importlib.util.find_spec("fcntl") is None:
        yield
        return
    import fcntl

    with (folder.parent / f".lock-{folder.name}").open("w") as file:
        with contextlib.suppress(OSError):  # a file system without locks: then the first to finish wins
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _words(law: str, address: str) -> Iterator[None]:
    """Turn what pyarrow raises into words. All of it derives from OSError, ValueError or NotImplementedError."""
    try:
        yield
    except (OSError, ValueError, NotImplementedError) as error:
        text = " ".join(str(error).split())
        hint = next((hint for pattern, hint in HINTS.items() if re.search(pattern, text)), "")
        raise UsageError(f"'{address}' must {law}, but: {text}", hint) from error
