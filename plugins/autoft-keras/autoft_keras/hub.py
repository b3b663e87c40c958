"""Brings weights to this machine: from the Hugging Face hub, or from an address with a known checksum."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import threading
import urllib.error
import urllib.request
from pathlib import Path

from autoft.api import UsageError
from autoft_keras import caches

KERAS = "https://storage.googleapis.com"
#: Seconds to wait for a server's first answer.
PATIENCE = 2.0
#: Answers that a proxy gives in the place of the server.
REFUSED = (403, 407, 502, 503, 504)
#: Name of a checksum by its number of hexadecimal digits.
SUMS = {32: "md5", 64: "sha256"}


def endpoint() -> str:
    """The address of the hub; `HF_ENDPOINT` names a mirror."""
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or "https://huggingface.co"


def closed() -> str:
    """Why no connection may be opened, or an empty string."""
    for name in ("AUTOFT_OFFLINE", "HF_HUB_OFFLINE"):
        if os.environ.get(name, "").strip().lower() not in ("", "0", "false", "no", "off"):
            return f"{name} is set"
    return ""


def unreachable(address: str) -> str:
    """Why nothing can be downloaded from `address` now, or an empty string. Answers within `PATIENCE` seconds."""
    if reason := closed():
        return reason
    found: list[str] = []
    asking = threading.Thread(target=lambda: found.append(_ask(address)), daemon=True)
    asking.start()  # looking up a name has no time limit of its own
    asking.join(PATIENCE + 0.5)
    return found[0] if found else f"{address} did not answer within {PATIENCE:g} s"


def _ask(address: str) -> str:
    request = urllib.request.Request(address, method="HEAD", headers={"User-Agent": "autoft"})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE):
            return ""
    except urllib.error.HTTPError as error:
        return f"{address} answered {error.code} ({error.reason})" if error.code in REFUSED else ""
    except (OSError, ValueError) as error:
        return f"{address} cannot be reached: {getattr(error, 'reason', error)}"


def from_hub(repo: str, *names: str) -> Path:
    """The first of the named files that the repository has, downloaded into the hub's cache if it is not there.

    Raises:
        UsageError: the hub cannot be reached, or has no such repository or file.
    """
    for name in names:
        if path := caches.hub_file(repo, name):
            return path
    if reason := unreachable(endpoint()):
        raise UsageError(
            f"the weights of {repo} are not on this machine, and cannot be downloaded: {reason}.",
            "Download them on another machine and give the folder: --models ./folder",
        )
    return _download(repo, names)


def _download(repo: str, names: tuple[str, ...]) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, RepositoryNotFoundError
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    for name in names:
        try:
            return Path(hf_hub_download(repo, name, cache_dir=caches.hub_folder(), endpoint=endpoint()))
        except RepositoryNotFoundError as error:
            raise UsageError(f"the hub {endpoint()} has no repository '{repo}', or it is private.") from error
        except EntryNotFoundError:
            continue
        except (HfHubHTTPError, OSError, ValueError) as error:
            raise UsageError(f"{repo} cannot be downloaded from {endpoint()}: {_first_line(error)}") from error
    raise UsageError(f"the repository '{repo}' has none of the files {', '.join(names)}.")


def from_address(address: str, name: str, checksum: str = "") -> Path:
    """The file at `address`, downloaded into Keras' folder as `name` if it is not there.

    Args:
        checksum: MD5 or SHA-256 in hexadecimal digits, as Keras lists it; empty where it lists none.

    Raises:
        UsageError: it cannot be downloaded, or is damaged.
    """
    target = caches.keras_folder() / name
    if target.exists():
        return target
    if reason := unreachable(address):
        raise UsageError(
            f"{name} is not on this machine, and cannot be downloaded: {reason}.",
            "Download it on another machine and name the file: --models keras/NAME@FILE",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(dir=target.parent, prefix=name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file, urllib.request.urlopen(address, timeout=30) as answer:
            shutil.copyfileobj(answer, file)
        _verify(Path(partial), name, checksum)
        os.replace(partial, target)
    except OSError as error:
        raise UsageError(f"{address} cannot be downloaded: {_first_line(error)}") from error
    finally:
        Path(partial).unlink(missing_ok=True)
    return target


def _verify(path: Path, name: str, checksum: str) -> None:
    if not checksum:
        return
    kind = SUMS[len(checksum)]
    with path.open("rb") as file:
        found = hashlib.file_digest(file, kind).hexdigest()
    if found != checksum:
        raise UsageError(f"{name} must have the {kind.upper()} {checksum}, but the download has {found}.")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
