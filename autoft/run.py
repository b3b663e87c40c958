"""The run folder: what a search leaves behind, and how to read it again.

args.yaml        every option, resolved
dataset.json     the samples, in the order of the store's rows
splits.json      which sample trains, validates, tests
data_report.json what was wrong with the data
trials.jsonl     one line per ended trial, synced: the source of truth
leaderboard.csv  the same, ranked
metrics.json     the outcome, with the score on the locked test part
best/            the best model, usable from the first epoch on
trials/          models of the best few trials, of trial 0 and of the chosen one
ray/             what Ray writes; may be deleted
"""

from __future__ import annotations

import math
import os
import re
import shutil
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from autoft import course, remote
from autoft.atomic import append_line, replace_folder, write_text
from autoft.counted import shown
from autoft.errors import UsageError
from autoft.options import KEPT_MODELS
from autoft.ranking import better, by_worth, rank, scored
from autoft.records import EpochReport, Metric, TrialResult, TrialSpec, from_json, to_json
from autoft.vocab import did_you_mean

if TYPE_CHECKING:
    from autoft.predictor import Predictor


class Run:
    """A finished or running search on disk."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    @property
    def arguments(self) -> dict[str, Any]:
        """The resolved options of the search."""
        import yaml

        text = (self.path / "args.yaml").read_text(encoding="utf-8")
        loaded: dict[str, Any] = yaml.safe_load(text)
        return loaded

    @property
    def metrics(self) -> dict[str, Any]:
        """Content of `metrics.json`; empty while the search is running."""
        path = self.path / "metrics.json"
        return msgspec.json.decode(path.read_bytes()) if path.is_file() else {}

    @property
    def metric(self) -> Metric:
        return msgspec.convert(self.arguments["metric"], Metric)

    def results(self) -> list[TrialResult]:
        """All ended trials, in the order in which they ended. A line cut off by a crash is left out.

        Raises:
            UsageError: a whole line is not what this version of autoft writes.
        """
        path = self.path / "trials.jsonl"
        results = []
        for number, line in enumerate(path.read_bytes().splitlines() if path.is_file() else [], start=1):
            try:
                results.append(from_json(line, TrialResult))
            except msgspec.ValidationError as error:
                raise UsageError(
                    f"line {number} of '{path}' was not written by this version of autoft: {error}"
                ) from error
            except msgspec.DecodeError:
                continue  # cut off
        return results

    def leaderboard(self) -> list[dict[str, Any]]:
        """One flat row per ended trial, best first, failed ones last."""
        metric = self.metric
        ranked = rank(self.results(), metric)
        return [
            {
                "rank": place if result.score is not None else None,
                "trial": result.name,
                "status": result.status,
                metric.name: shown(metric, result.score, result.metrics),
                "model": result.model,
                "backend": result.backend,
                "seed": result.seed,
                "division": result.division,
                **{k: v for k, v in result.recipe.flat().items() if k != "model"},
                "best_epoch": result.best_epoch,
                "trained_epochs": result.epochs,
                "seconds": result.seconds,
                "reason": result.reason,
            }
            for place, result in enumerate(ranked, start=1)
        ]

    @property
    def best_folder(self) -> Path:
        return self.path / "best"

    @property
    def best(self) -> Predictor:
        """The best model, ready to predict."""
        from autoft.predictor import Predictor

        return Predictor(self.best_folder)

    def __repr__(self) -> str:
        return f"Run('{self.path}')"


class RunWriter:
    """Writes a run folder while a search is on."""

    def __init__(self, path: Path, metric: Metric) -> None:
        self.path = path
        self.metric = metric
        self.results: list[TrialResult] = []
        self.best: TrialResult | None = None
        """The best trial that has ended."""
        self.needed: Callable[[], Collection[int]] = tuple
        """Trials whose models are kept, whatever their scores: one of them may be chosen (`choose`)."""
        self._shown: TrialResult | None = None
        """The trial whose model is in `best/`; it may be running."""
        self._led: dict[int, float] = {}
        """The best score so far of each trial that is running."""

    @staticmethod
    def check_name(out: Path, task: str, name: str) -> None:
        """Refuse a name that `create` would refuse, before any work is done.

        Raises:
            UsageError: a run of this name exists, or the name is not a plain file name.
        """
        if name and not re.fullmatch(r"[\w-][\w.-]*", name):
            raise UsageError(
                f"a run's name must be letters, digits, '.', '_' and '-', and not begin with '.', but got '{name}'."
            )
        if name and (out / task / name).exists():
            raise UsageError(f"a run named '{name}' exists already: {out / task / name}", "Choose another --name.")

    @staticmethod
    def create(out: Path, task: str, name: str) -> Path:
        """Make the folder of a new run: `out/task/name`, or the next free `search1`, `search2`, ...

        Raises:
            UsageError: a run of this name exists, or the name is not a plain file name.
        """
        RunWriter.check_name(out, task, name)
        parent = out / task
        try:
            parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _not_writable(parent, error) from error
        for number in range(1, 1_000_000):
            path = parent / (name or f"search{number}")
            try:
                path.mkdir()
                return path
            except FileExistsError:
                if name:
                    raise UsageError(f"a run named '{name}' exists already: {path}", "Choose another --name.") from None
            except OSError as error:
                raise _not_writable(parent, error) from error
        raise UsageError(f"'{parent}' holds too many runs.")

    def trial_folder(self, number: int) -> Path:
        return self.path / "trials" / f"t{number:04d}"

    def add(self, result: TrialResult) -> bool:
        """Log an ended trial, put its model into `best/` if it leads, and prune models that no longer matter.

        Returns whether it leads.

        Raises:
            OSError: the disk is full. Where that came before the trial was logged, it does not count.
        """
        append_line(self.path / "trials.jsonl", to_json(result))
        self.results.append(result)
        able = bool(result.folder) and scored(result)
        leads = able and (self.best is None or better(result, self.best, self.metric))
        if leads:
            self.best = result
        self._prune()  # first, as it makes room
        self._show_best(result)
        return leads

    def saw(self, spec: TrialSpec, report: EpochReport) -> None:
        """Put the model of a running trial into `best/` if its score is worth more than that of the one which is there:
        whoever needs a model before the trial ends, or loses the machine, has it."""
        if report.done or remote.is_address(spec.folder) or not Path(spec.folder).is_dir():
            return  # it ends in a moment; nothing is here yet
        if not course.leading(self.metric, report.score, self._led.get(spec.number, math.nan)):
            return  # the folder has the model of a better epoch
        self._led[spec.number] = report.score
        running = TrialResult(
            number=spec.number,
            status="running",
            model=spec.card.name,
            backend=spec.backend,
            recipe=msgspec.structs.replace(spec.recipe, precision=report.precision or spec.recipe.precision),
            score=report.score,
            metrics=report.metrics,
            combined=report.combined,
            finer=report.finer,
            folder=spec.folder,
            seed=spec.seed,
            division=spec.division,
        )
        if scored(running) and (self._shown is None or better(running, self._shown, self.metric)):
            self._show_running(running)

    def choose(self, number: int) -> bool:
        """Put the model of this trial into `best/`, though another one has the highest single score. Those of others
        that might have been chosen are needed no longer.

        Returns whether it could: its model may not have been kept.
        """
        result = self._with_model(number)
        if result is None:
            return False
        self.best, self.needed = result, lambda: (number,)
        self._prune()
        if self._shown is None or self._shown.number != number:
            self._show(result)
        return True

    def has(self, number: int) -> bool:
        """Whether the model of this trial, which has ended, is there."""
        return self._with_model(number) is not None

    def _with_model(self, number: int) -> TrialResult | None:
        result = next((r for r in self.results if r.number == number), None)
        return result if result and result.folder and Path(result.folder).is_dir() else None

    def settle(self) -> None:
        """Put the model of the best trial into `best/`, if another one is there because the disk was full."""
        if self.best is not None and self._shown != self.best:
            self._show(self.best)

    def publish(self, model: Path) -> None:
        """Put this model folder into `best/`. Which trial is the best stays as it is."""
        try:
            copy = self._copied(model, shutil.copy2)
        except OSError:  # a full disk, as a rule: links take no room
            copy = self._copied(model, _linked)
        replace_folder(copy, self.path / "best")

    def _copied(self, model: Path, copy_file: Callable[[str, str], object]) -> Path:
        """A copy of this model folder that can take the place of `best/`."""
        copy = self._beside(model)
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(model, copy, copy_function=copy_file)
        return copy

    def _beside(self, model: Path) -> Path:
        return self.path / f".best.{model.name}"

    def sweep(self) -> None:
        """Delete what processes that were stopped in the middle of it had written of a model."""
        for unfinished in (self.path / "trials").glob(".*"):
            shutil.rmtree(unfinished, ignore_errors=True)

    def write_json(self, name: str, content: Any) -> None:
        write_text(self.path / name, to_json(content, pretty=True) + "\n")

    def write_yaml(self, name: str, content: Any) -> None:
        import yaml

        write_text(self.path / name, yaml.safe_dump(msgspec.to_builtins(content), sort_keys=False, allow_unicode=True))

    def _show(self, result: TrialResult) -> None:
        self.publish(Path(result.folder))
        self._shown = result

    def _show_running(self, running: TrialResult) -> None:
        """Best effort: it will be shown when it has ended, whatever happens here."""
        place = Path(running.folder)
        try:
            before = place.stat()
            copy = self._copied(place, _linked)
            after = place.stat()
            if (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns):
                replace_folder(copy, self.path / "best")
                self._shown = running
        except OSError:  # the trial has just replaced it, so that there will be a better one; or the disk is full
            return
        finally:
            shutil.rmtree(self._beside(place), ignore_errors=True)

    def _show_best(self, ended: TrialResult) -> None:
        """After a trial has ended: what was shown of it while it ran is replaced by what it came to."""
        shown = self._shown
        over = shown is not None and shown.number == ended.number
        if self.best and (shown is None or over or better(self.best, shown, self.metric)):
            if shown != self.best:
                self._show(self.best)
        elif over:  # it failed, and there is no other
            shutil.rmtree(self.path / "best", ignore_errors=True)
            self._shown = None

    def kept(self, results: Sequence[TrialResult]) -> set[int]:
        """Of these trials, those whose models are kept: the best few, trial 0, which is the baseline, and those that
        may be chosen."""
        usable = [result for result in results if result.folder and scored(result)]
        best = by_worth(usable, self.metric)[:KEPT_MODELS]
        return {0, *(result.number for result in best), *self.needed()}

    def _prune(self) -> None:
        kept = self.kept(self.results)
        for result in self.results:
            if result.status == "failed":  # it may have kept the model of an earlier epoch
                shutil.rmtree(self.trial_folder(result.number), ignore_errors=True)
            elif result.number not in kept and result.folder:
                shutil.rmtree(result.folder, ignore_errors=True)


def _not_writable(folder: Path, error: OSError) -> UsageError:
    return UsageError(f"the folder for runs must be writable, but '{folder}' is not: {error}")


def _linked(source: str, target: str) -> None:
    """A copy that takes no room, where the system has links: models are replaced, never edited."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def list_runs(out: Path | str = "runs") -> list[Run]:
    """All runs below `out`, the newest first."""
    paths = [p.parent for p in Path(out).glob("*/*/args.yaml")]
    return [Run(p) for p in sorted(paths, key=lambda p: (p / "args.yaml").stat().st_mtime, reverse=True)]


def find(name: str, out: Path | str = "runs") -> Run:
    """The run with this path, `task/name` or name.

    Raises:
        UsageError: there is none, or several have this name.
    """
    for path in (Path(name), Path(out) / name):
        if (path / "args.yaml").is_file():
            return Run(path)
    runs = list_runs(out)
    matches = [run for run in runs if run.path.name == name]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise UsageError(
            f"several runs are named '{name}': {', '.join(str(r.path) for r in matches)}", "Give the path."
        )
    known = [run.path.name for run in runs]
    raise UsageError(f"there is no run '{name}'.{did_you_mean(name, known)}", "See `autoft ls runs`.")


def model_folder(name: str, out: Path | str = "runs") -> Path:
    """The model folder meant by `name`: a model folder, a run's `best/`, or `RUN:t0007`.

    Raises:
        UsageError: there is no such model.
    """
    if (Path(name) / "config.json").is_file():
        return Path(name)
    run_name, _, trial = name.rpartition(":")
    if run_name and re.fullmatch(r"t\d{4,}", trial):
        folder = find(run_name, out).path / "trials" / trial
        if not folder.is_dir():
            raise UsageError(
                f"the model of {trial} was not kept.",
                f"A run keeps its best {KEPT_MODELS} models and trial 0, and the one that was chosen.",
            )
        return folder
    run = find(name, out)
    if not run.best_folder.is_dir():
        raise UsageError(f"the run '{run.path}' has no model yet.")
    return run.best_folder
