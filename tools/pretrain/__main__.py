"""`python -m tools.pretrain`: the bank, the training, the choice of a step, and the file that ships."""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

from tools.pretrain import bank, export, learner, probes
from tools.pretrain.phases import COMPOSITES, Phase, shipped
from tools.pretrain.realdata import Labelled
from tools.pretrain.train import Plan, Run, train

HOME = Path(__file__).parents[2]
SHIPPED = HOME / "plugins/autoft-torch/autoft_torch/weights"


class Journal:
    """Keeps a copy of the averaged network at each stop, with its scores on the sets to choose by."""

    def __init__(self, folder: Path, images: bank.Bank, sets: dict[str, Labelled]) -> None:
        self.folder, self.images, self.sets = folder, images, sets
        self.path = folder / "probes.json"

    def read(self) -> dict[str, dict[str, float]]:
        found: dict[str, dict[str, float]] = json.loads(self.path.read_text()) if self.path.is_file() else {}
        return found

    def stop(self, run: Run) -> None:
        net = export.settled(run.mean, self.images)
        torch.save(net.state_dict(), self.folder / f"mean-{run.step}.pt")
        self.note(str(run.step), net)

    def note(self, name: str, net: nn.Module) -> None:
        scores = {k: statistics.fmean(probes.score(net, data, range(3))) for k, data in self.sets.items()}
        self.path.write_text(json.dumps({**self.read(), name: scores}, indent=1))
        print(f"probes at {name}: " + " ".join(f"{k} {v:.3f}" for k, v in scores.items()), flush=True)

    def best(self) -> str:
        """The step with the best mean rank; the later one of equals."""
        steps = {k: v for k, v in self.read().items() if k.isdigit()}

        def rank(name: str) -> float:
            return sum(sum(other[k] > value for other in steps.values()) for k, value in steps[name].items())

        return min(steps, key=lambda name: (rank(name), -int(name)))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.pretrain", description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder for the bank, checkpoints and probes")
    parser.add_argument("--out", type=Path, default=SHIPPED, help="folder for the weights and their card")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--composites", type=int, default=COMPOSITES, help="how many pictures the bank has")
    parser.add_argument("--resume", action="store_true", help="go on where a run in --work was stopped")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--bank", type=Path, help="folder of the bank, when not in --work")
    other = parser.add_argument_group("one phase of your own, instead of those that made the shipped weights")
    other.add_argument("--steps", type=int)
    other.add_argument("--batch", type=int, default=Plan.batch)
    other.add_argument("--rate", type=float, default=Plan.rate)
    other.add_argument("--every", type=int, default=500, help="steps between checkpoints")
    other.add_argument("--weights", default="", help="weights of losses that differ, such as pair=0,edges=2")
    other.add_argument("--follow", type=Path, help="start from the weights of this run (its run.pt)")
    return parser.parse_args()


def chosen(args: argparse.Namespace) -> tuple[Phase, ...]:
    if args.steps is None:
        return shipped(args.seed)
    losses = {name: float(value) for name, value in (pair.split("=") for pair in args.weights.split(",") if pair)}
    return (Phase(Plan(args.seed, args.steps, args.batch, args.rate), losses, every=args.every),)


def main() -> None:
    args = arguments()
    torch.set_num_threads(args.threads)
    start = time.perf_counter()
    images = bank.prepare(args.bank or args.work / "bank", args.composites, args.seed)
    usual, sets = dict(learner.WEIGHTS), probes.selection()
    before: Path | None = args.follow
    done = []
    for number, phase in enumerate(chosen(args), 1):
        folder = args.work / f"phase-{number}"
        learner.WEIGHTS.update({**usual, **phase.losses})
        done.append(go(phase, images, sets, folder, before, resume=args.resume))
        before = folder / "run.pt"
    run, journal = done[-1]
    path = ship(run, journal, args.out, args.composites)
    print(f"{path}: {run.seconds / 60:.1f} min of training, {(time.perf_counter() - start) / 60:.1f} min in all")


def go(
    phase: Phase, images: bank.Bank, sets: dict[str, Labelled], folder: Path, before: Path | None, *, resume: bool
) -> tuple[Run, Journal]:
    """One phase to its end, from where it stood, or from the end of the one before."""
    folder.mkdir(parents=True, exist_ok=True)
    run, journal, saved = Run(phase.plan), Journal(folder, images, sets), folder / "run.pt"
    if resume and saved.is_file():
        run.restore(saved)
    else:
        if before:
            run.follow(before)
        journal.path.unlink(missing_ok=True)
        journal.note("start" if before else "random", export.settled(run.mean, images))
    train(run, images, saved, stop=phase.stop, until=journal.stop, every=phase.every)
    return run, journal


def ship(run: Run, journal: Journal, out: Path, composites: int) -> Path:
    """Write the step that the probes choose."""
    step = journal.best()
    net = learner.trunk()
    net.load_state_dict(torch.load(journal.folder / f"mean-{step}.pt", weights_only=True))
    seen = journal.read()
    facts: dict[str, Any] = {
        "plan": run.plan.facts(),
        "followed": run.before,
        "composites": composites,
        "step": int(step),
        "training_minutes": round(run.seconds / 60, 1),
        "probes": {k: round(v, 4) for k, v in seen[step].items()},
        "probes_first": {k: round(v, 4) for k, v in (seen.get("random") or seen["start"]).items()},
    }
    return export.write(net, out, facts)


if __name__ == "__main__":
    main()
