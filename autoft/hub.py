"""Brings files to this machine: from the Hugging Face hub, or from an address. Imports nothing heavy until it does.

Offered to plugins by `autoft.api`, so that every source of networks asks, refuses and fails in the same words.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from autoft.errors import UsageError

PATIENCE: Final = 2.0
"""Seconds to wait for a server's first answer."""
REFUSED: Final = (403, 407, 502, 503, 504)
"""Answers that a proxy gives in the place of the server."""


def hub_endpoint() -> str:
    """The address of the hub; `HF_ENDPOINT` names a mirror."""
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or "https://huggingface.co"


def hub_folder() -> Path:
    """The cache of huggingface_hub."""
    home = os.environ.get("HF_HOME") or str(cache_home() / "huggingface")
    return Path(os.environ.get("HF_HUB_CACHE") or Path(home) / "hub").expanduser()


def cache_home() -> Path:
    """Where programs keep their caches: `XDG_CACHE_HOME`, else ``~/.cache``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()


def hub_file(repo: str, name: str) -> Path | None:
    """A file of a hub repository's main branch, if it was downloaded before. Knows the cache's layout by heart,
    since importing huggingface_hub takes longer than listing all networks."""
    folder = hub_folder() / f"models--{repo.replace('/', '--')}"
    try:
        commit = (folder / "refs" / "main").read_text(encoding="utf-8").strip()
    except OSError:  # nothing of this repository is here
        return None
    path = folder / "snapshots" / commit / name
    return path if commit and path.is_file() else None


def unreachable(address: str) -> str:
    """Why nothing can be downloaded from `address` now, or an empty string. Answers within `PATIENCE` seconds."""
    if reason := _closed():
        return reason
    found: list[str] = []
    asking = threading.Thread(target=lambda: found.append(_ask(address)), daemon=True)
    asking.start()  # looking up a name has no time limit of its own
    asking.join(PATIENCE + 0.5)
    return found[0] if found else f"{address} did not answer within {PATIENCE:g} s"


def from_hub(repo: str, *names: str) -> Path:
    """The first of the named files that the repository has, downloaded into the hub's cache if it is not there.

    Raises:
        UsageError: the hub cannot be reached, or has no such repository or file.
    """
    for name in names:
        if path := hub_file(repo, name):
            return path
    if reason := unreachable(hub_endpoint()):
        raise UsageError(
            f"the weights of {repo} are not on this machine, and cannot be downloaded: {reason}.",
            "Download them on another machine and give the folder: --models ./folder",
        )
    return _download(repo, names)


def fetch(address: str, target: Path, verify: Callable[[Path], None], hint: str) -> Path:
    """The file `target`, downloaded from `address` if it is not there. It appears when it is whole.

    Args:
        verify: raises `UsageError` where the download is not what it should be.
        hint: what to do where nothing can be downloaded.

    Raises:
        UsageError: it cannot be downloaded, or is damaged.
    """
    if target.exists():
        return target
    if reason := unreachable(address):
        raise UsageError(f"{target.name} is not on this machine, and cannot be downloaded: {reason}.", hint)
    from urllib.request import urlopen

    target.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(dir=target.parent, prefix=target.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file, urlopen(address, timeout=30) as answer:
            shutil.copyfileobj(answer, file)
        verify(Path(partial))
        os.replace(partial, target)
    except OSError as error:
        raise UsageError(f"{address} cannot be downloaded: {_first_line(error)}") from error
    finally:
        Path(partial).unlink(missing_ok=True)
    return target


def _closed() -> str:
    """Why no connection may be opened, or an empty string."""
    for name in ("AUTOFT_OFFLINE", "HF_HUB_OFFLINE"):
        if os.environ.get(name, "").strip().lower() not in ("", "0", "false", "no", "off"):
            return f"{name} is set"
    return ""


def _ask(address: str) -> str:
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    try:
        with urlopen(Request(address, method="HEAD", headers={"User-Agent": "autoft"}), timeout=PATIENCE):
            return ""
    except HTTPError as error:
        return f"{address} answered {error.code} ({error.reason})" if error.code in REFUSED else ""
    except (OSError, ValueError) as error:
        return f"{address} cannot be reached: {getattr(error, 'reason', error)}"


def _download(repo: str, names: tuple[str, ...]) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, RepositoryNotFoundError
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    for name in names:
        try:
            return Path(hf_hub_download(repo, name, cache_dir=hub_folder(), endpoint=hub_endpoint()))
        except RepositoryNotFoundError as error:
            raise UsageError(f"the hub {hub_endpoint()} has no repository '{repo}', or it is private.") from error
        except EntryNotFoundError:
            continue
        except (HfHubHTTPError, OSError, ValueError) as error:
            raise UsageError(f"{repo} cannot be downloaded from {hub_endpoint()}: {_first_line(error)}") from error
    raise UsageError(f"the repository '{repo}' has none of the files {', '.join(names)}.")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
