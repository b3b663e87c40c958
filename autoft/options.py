"""What a user can ask of a search, with every default in one place: `--help`, `args.yaml` and Python agree."""

from __future__ import annotations

import re

from autoft.errors import UsageError
from autoft.records import Record

KEPT_MODELS = 3
"""Trials whose models a run keeps, the best ones; trial 0 comes with them."""
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class DataOptions(Record):
    """Where the data are and how to read them."""

    data: str = ""
    """Folder, table file or dataset id."""
    val: str = ""
    """Validation data of its own, in the same format; else a part of `data`."""
    test: str = ""
    """Test data of its own; else a part of `data`."""
    target: str = ""
    """Column with the label."""
    image_col: str = ""
    """Column with the path of the image."""
    text_col: str = ""
    """Column with the text, or several with commas between them: texts that belong together."""
    audio_col: str = ""
    """Column with the path of the recording."""
    encoding: str = ""
    """Of texts and tables that have no byte order mark and are not UTF-8; empty guesses, and says so."""
    group_col: str = ""
    """Column whose values never straddle splits (patient, speaker, source photo)."""
    decode_size: int = 0
    """Side in pixels to which images are decoded before a trial brings them to its own size; 0 is the largest size
    that is searched. A trial repeats exactly only from the same pixels."""
    max_bad: float = 0.05
    """Largest fraction of samples that may be unusable before the search refuses."""


class SearchOptions(DataOptions):
    """One search."""

    task: str = ""
    preset: str = "balanced"
    time: float = 1800.0
    """Seconds from the start of the command to its end: preparation, search, final evaluation."""
    trials: int = 0
    """Most trials; 0 is as many as time allows."""
    refit: bool = True
    """Whether the best configuration is trained once more, on training and validation together, if time allows."""
    models: tuple[str, ...] = ()
    """Names or local paths; empty takes the preset's list."""
    backend: str = "auto"
    metric: str = ""
    """Empty takes the task's default."""
    strategy: str = ""
    """auto goes from cheap trials to dear ones; flat asks `searcher` for trials that `scheduler` stops; plugins
    may offer others. Empty is auto, or flat where one of those two is named."""
    searcher: str = ""
    """Who proposes trials, with the flat strategy; empty is random."""
    scheduler: str = ""
    """Who stops weak trials, with the flat strategy; empty is asha, or halving for listed configurations."""
    configs: str = ""
    """File with configurations: exactly these are tried, in place of what a searcher proposes (`search/listed.py`)."""
    max_disk: float = 10.0
    """Gigabytes (10^9 bytes) that shared results of frozen blocks may take on each machine; 0 shares nothing."""
    concurrency: int = 0
    """Trials at a time; 0 is as many as the CPUs and GPUs hold, and asks a cluster that may grow for more."""
    cpus_per_trial: float = 0.0
    """0 is one core; where GPUs are the limit, their machine's cores, shared by the trials on them."""
    gpus_per_trial: float = -1.0
    """-1 takes one GPU per trial if there are any."""
    memory_per_trial: float = 0.0
    """Gigabytes (10^9 bytes) that a node must have left for each trial, where Ray runs them; 0 asks for none."""
    address: str = ""
    """Address of a running Ray cluster; empty starts one on this machine."""
    storage: str = ""
    """Shared folder or bucket that all nodes reach; empty is local."""
    seed: int = 0
    repeat: int = 0
    """Of a single configuration: above 0 it is trained as a search runs it again, with the seed of the split and this
    number added to it, and where validation is small on another division of the same samples."""
    name: str = ""
    """Name of the run; empty numbers it."""
    out: str = "runs"
    """Folder that holds the runs."""
    offline: bool = False
    """Open no connection: only models at hand."""
    overrides: dict[str, str] = {}
    """`key=value` of the command line: a value fixes, a range searches."""


def seconds(text: str | float) -> float:
    """`90`, `90s`, `10m`, `1.5h`, `1h30m` in seconds.

    Raises:
        UsageError: it is not a positive duration.
    """
    words = str(text).strip().lower()
    if re.fullmatch(r"\d+(\.\d+)?", words):
        total = float(words)
    else:
        parts = re.findall(r"(\d+(?:\.\d+)?)([smhd])", words)
        if not parts or "".join(n + u for n, u in parts) != words:
            raise UsageError(f"a duration must look like 90s, 10m, 1.5h or 1h30m, but got '{text}'.")
        total = sum(float(number) * UNITS[unit] for number, unit in parts)
    if total <= 0:
        raise UsageError(f"a duration must be longer than 0, but got '{text}'.")
    return total
