"""The best model of a running search at each moment, kept aside, and scored on the test part when the search is over.

    python -m benchmarks.common.snapshots FOLDER --test PART

Every arm leaves `trace.jsonl` in a folder of snapshots, one line per better model: `t`, seconds since the command
began, `val`, its validation score, and `model`, where it is. autoft's is what stands in `best/` of the run, which a
user could take at that moment; a peer's is the best that any of its trials has reported. Scoring is done in a process
of its own, after the arm, and costs the arm nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import threading
import time
from pathlib import Path
from typing import Any

TRACE = "trace.jsonl"
PERIOD = 0.1
Row = dict[str, Any]


class Watch:
    """Takes a snapshot of `best/` below `runs` whenever it is another one. The files are linked, not copied."""

    def __init__(self, runs: Path, folder: Path, began: float) -> None:
        self.runs, self.folder, self.began = runs, folder, began
        folder.mkdir(parents=True)
        self._last = 0
        self._count = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._over.wait(PERIOD):
            self._look()

    def _look(self) -> None:
        best = next(self.runs.glob("*/*/best"), None)
        try:
            inode = best.stat().st_ino if best else 0
            if best is None or inode == self._last:
                return
            now, target = time.time() - self.began, self.folder / f"{self._count:04d}"
            shutil.copytree(best, target, copy_function=os.link)
        except (FileNotFoundError, shutil.Error):  # replaced meanwhile: the next look takes the new one
            shutil.rmtree(self.folder / f"{self._count:04d}", ignore_errors=True)
            return
        config = json.loads((target / "config.json").read_text(encoding="utf-8"))
        append(self.folder, {"t": round(now, 2), "val": config["score"], "model": target.name})
        self._last, self._count = inode, self._count + 1


def append(folder: Path, row: Row) -> None:
    with (folder / TRACE).open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def read(folder: Path) -> list[Row]:
    """The lines of a trace, by time."""
    path = folder / TRACE
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []
    return sorted(rows, key=lambda row: float(row["t"]))


def score(folder: Path, test: Path) -> list[Row]:
    """The trace with the accuracy of each model on the test part."""
    from autoft.options import DataOptions
    from autoft.pipeline.validate import validate

    rows = []
    for row in read(folder):
        found = validate(str(folder / row["model"]), DataOptions(data=str(test)))
        rows.append({"t": row["t"], "val": row["val"], "test": round(found["metrics"]["accuracy"], 4)})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--test", type=Path, required=True)
    options = parser.parse_args()
    print(json.dumps(score(options.folder, options.test)))


if __name__ == "__main__":
    main()
