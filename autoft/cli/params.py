"""The options that several verbs share: one place for their words, groups and shown defaults.

A verb's signature gives the default; where that default is a stand-in (an empty text, 0), the help shows
what it means instead.
"""

from __future__ import annotations

from typing import Annotated, Any

from typer import Argument, Option

from autoft.options import SearchOptions
from autoft.report.words import duration, value
from autoft.search.presets import PRESETS

DEFAULTS = SearchOptions()
PRESET_TIMES = ", ".join(f"{preset.name} {duration(preset.time)}" for preset in PRESETS.values())
MAX_BAD = f"{value(100 * DEFAULTS.max_bad)}%"

_DATA, _SEARCH, _MACHINE, _OUTPUT = "Data", "Search", "Machine", "Run and output"


def _option(*names: str, group: str, text: str, shown: str | bool = True, metavar: str = "") -> Any:
    return Option(*names, help=text, rich_help_panel=group, show_default=shown, metavar=metavar or None)


Data = Annotated[
    str,
    _option("--data", group=_DATA, text="Folder, table file or dataset id; required.", shown=False, metavar="PATH"),
]
Val = Annotated[
    str, _option("--val", group=_DATA, text="Validation data of its own.", shown="a part of --data", metavar="PATH")
]
Test = Annotated[
    str, _option("--test", group=_DATA, text="Test data of its own.", shown="a part of --data", metavar="PATH")
]
Target = Annotated[
    str,
    _option(
        "--target",
        group=_DATA,
        text="Column with the label, number or transcript; several labels: A,B.",
        shown="guessed, and said",
        metavar="COLUMN",
    ),
]
ImageCol = Annotated[
    str,
    _option(
        "--image-col", group=_DATA, text="Column with the image's path.", shown="guessed, and said", metavar="COLUMN"
    ),
]
TextCol = Annotated[
    str,
    _option(
        "--text-col",
        group=_DATA,
        text="Column with the text; several: A,B.",
        shown="guessed, and said",
        metavar="COLUMN",
    ),
]
AudioCol = Annotated[
    str,
    _option(
        "--audio-col",
        group=_DATA,
        text="Column with the recording's path.",
        shown="guessed, and said",
        metavar="COLUMN",
    ),
]
Encoding = Annotated[
    str,
    _option(
        "--encoding",
        group=_DATA,
        text="Encoding of texts and tables that are not UTF-8: cp1251, big5.",
        shown="guessed, and said",
        metavar="NAME",
    ),
]
GroupCol = Annotated[
    str,
    _option(
        "--group-col",
        group=_DATA,
        text="Column whose values never straddle splits (patient, source photo); none: divide row by row.",
        shown="a column of speakers or patients, and said",
        metavar="COLUMN",
    ),
]
DecodeSize = Annotated[
    int,
    _option(
        "--decode-size",
        group=_DATA,
        text="Decode images to squares of this side first.",
        shown="the largest that is searched",
        metavar="PIXELS",
    ),
]
MaxBad = Annotated[
    str,
    _option(
        "--max-bad",
        group=_DATA,
        text="Largest part of the samples that may be unusable, else exit 3.",
        metavar="PERCENT",
    ),
]

Task = Annotated[
    str,
    _option(
        "--task",
        group=_SEARCH,
        text="What to learn; see `autoft ls tasks`.",
        shown="the only one installed",
        metavar="TASK",
    ),
]
Preset = Annotated[
    str,
    _option(
        "--preset", group=_SEARCH, text="Which networks and ranges: fast, balanced, best or classic.", metavar="NAME"
    ),
]
Time = Annotated[
    str,
    _option(
        "--time",
        group=_SEARCH,
        text="From start to end of the command: 90s, 10m, 1h30m.",
        shown=f"the preset's: {PRESET_TIMES}",
        metavar="DURATION",
    ),
]
Trials = Annotated[
    int, _option("--trials", group=_SEARCH, text="Most trials.", shown="as many as time allows", metavar="N")
]
Models = Annotated[
    list[str] | None,
    _option(
        "--models",
        "--model",
        group=_SEARCH,
        text="Networks by name, or paths of checkpoints; separate by commas or repeat.",
        shown="the preset's",
        metavar="A,B",
    ),
]
Backend = Annotated[
    str,
    _option(
        "--backend",
        group=_SEARCH,
        text="Which frameworks train; several, separated by commas, are compared. See `autoft ls backends`.",
        metavar="A,B",
    ),
]
MetricName = Annotated[
    str,
    _option(
        "--metric",
        group=_SEARCH,
        text="What to compare models by. One that counts all classes alike weighs them so in training, too.",
        shown="the task's first",
        metavar="NAME",
    ),
]
Strategy = Annotated[
    str,
    _option(
        "--strategy",
        group=_SEARCH,
        text="auto: from cheap trials to dear ones. flat: what --searcher proposes and --scheduler stops. See "
        "`autoft ls strategies`.",
        shown="auto",
        metavar="NAME",
    ),
]
Searcher = Annotated[
    str,
    _option(
        "--searcher",
        group=_SEARCH,
        text="Who proposes, in flat searches; see `autoft ls searchers`.",
        shown="random",
        metavar="NAME",
    ),
]
Scheduler = Annotated[
    str,
    _option(
        "--scheduler",
        group=_SEARCH,
        text="Who stops weak trials, in flat searches: asha, halving, hyperband, median, pbt or none.",
        shown="asha",
        metavar="NAME",
    ),
]
Configs = Annotated[
    str,
    _option(
        "--configs",
        group=_SEARCH,
        text='Try exactly the configurations of this file, a JSON list of objects such as {"lr": 0.001}.',
        shown=False,
        metavar="FILE",
    ),
]
MaxDisk = Annotated[
    float,
    _option(
        "--max-disk",
        group=_MACHINE,
        text="Gigabytes for what trials share of frozen blocks; 0 shares nothing.",
        metavar="GB",
    ),
]
Seed = Annotated[int, _option("--seed", group=_SEARCH, text="Fixes splits and trial configurations.", metavar="N")]

Repeat = Annotated[
    int,
    _option(
        "--repeat",
        group=_SEARCH,
        text="Train as a search runs a configuration again: with another seed, and other validation samples where "
        "these are few.",
        metavar="N",
    ),
]

Concurrency = Annotated[
    int, _option("--concurrency", group=_MACHINE, text="Trials at a time.", shown="as many as fit", metavar="N")
]
Cpus = Annotated[
    float,
    _option(
        "--cpus-per-trial",
        group=_MACHINE,
        text="CPU cores of one trial.",
        shown="1; with GPUs all, shared",
        metavar="X",
    ),
]
Gpus = Annotated[
    float,
    _option(
        "--gpus-per-trial",
        group=_MACHINE,
        text="GPUs of one trial; 0.25 lets four share one.",
        shown="1 if there are any",
        metavar="X",
    ),
]
Memory = Annotated[
    float,
    _option(
        "--memory-per-trial",
        group=_MACHINE,
        text="Gigabytes of one trial, where Ray shares nodes among trials.",
        shown="none asked for",
        metavar="GB",
    ),
]
Address = Annotated[
    str,
    _option(
        "--address",
        group=_MACHINE,
        text="A running Ray cluster; local starts Ray here.",
        shown="this machine alone",
        metavar="HOST:PORT",
    ),
]
Storage = Annotated[
    str,
    _option("--storage", group=_MACHINE, text="Folder or bucket that all nodes reach.", shown="local", metavar="PATH"),
]
Refit = Annotated[
    bool,
    _option(
        "--refit/--no-refit",
        group=_SEARCH,
        text="Train the best configuration once more, on training and validation together, if time allows.",
    ),
]
Offline = Annotated[bool, _option("--offline", group=_MACHINE, text="Open no connection: only networks at hand.")]

Name = Annotated[str, _option("--name", group=_OUTPUT, text="Name of the run.", shown="numbered", metavar="NAME")]
Out = Annotated[str, _option("--out", group=_OUTPUT, text="Folder that holds the runs.", metavar="FOLDER")]
Runs = Annotated[
    str, _option("--runs", group=_OUTPUT, text="Folder that holds the runs, where RUN is a name.", metavar="FOLDER")
]
ConfigFile = Annotated[
    str,
    _option(
        "-c",
        "--config",
        group=_OUTPUT,
        text="YAML file with these options by name and a `space:` mapping; the command line wins.",
        shown="none",
        metavar="FILE",
    ),
]
DryRun = Annotated[
    bool, _option("--dry-run", group=_OUTPUT, text="Check everything, print configuration and plan, train nothing.")
]
Json = Annotated[bool, _option("--json", group=_OUTPUT, text="One JSON document on stdout, everything else on stderr.")]
Quiet = Annotated[bool, _option("-q", "--quiet", group=_OUTPUT, text="Only the outcome.")]
Verbose = Annotated[bool, _option("-v", "--verbose", group=_OUTPUT, text="Details, and tracebacks of failed trials.")]

Words = Annotated[
    list[str] | None,
    Argument(metavar="KEY=VALUE", help="Parameters: a value fixes, a list or range searches.", show_default=False),
]
Values = Annotated[
    list[str] | None, Argument(metavar="KEY=VALUE", help="Parameters, one value each.", show_default=False)
]
Model = Annotated[
    str, Argument(metavar="RUN", help="A run (name or path), its best/ folder, or RUN:t0007.", show_default=False)
]
