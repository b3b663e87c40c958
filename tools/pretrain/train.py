"""The loop: seeded by step, so that a run that was stopped goes on as if it had not been."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from tools.pretrain import learner, views
from tools.pretrain.bank import Bank


@dataclass(frozen=True)
class Plan:
    """What decides the result, beside the bank. `sides` and `smallest` are those of the two views."""

    seed: int = 0
    steps: int = 4500
    batch: int = 64
    rate: float = 2e-3
    decay: float = 0.05
    warmup: float = 0.04
    average: float = 0.998
    sides: tuple[int, int] = (56, 40)
    smallest: tuple[float, float] = (0.45, 0.35)
    bf16: bool = False

    def facts(self) -> dict[str, Any]:
        return {**asdict(self), "sides": list(self.sides), "smallest": list(self.smallest)}


class Run:
    """Network, heads, average of the network's weights, optimizer, step, and seconds of work so far."""

    def __init__(self, plan: Plan) -> None:
        torch.manual_seed(plan.seed)
        self.plan = plan
        self.net = learner.trunk().to(memory_format=torch.channels_last)
        self.tops = learner.heads()
        self.mean = copy.deepcopy(self.net)
        parameters = [*self.net.parameters(), *self.tops.parameters()]
        groups = [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": plan.decay},
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=plan.rate, betas=(0.9, 0.98))
        self.step, self.seconds = 0, 0.0
        self.before: list[dict[str, Any]] = []

    def advance(self, bank: Bank) -> dict[str, float]:
        """One step; gives the parts of the loss."""
        start = time.perf_counter()
        plan = self.plan
        random = torch.Generator().manual_seed(plan.seed * 1_000_003 + self.step)
        batch = bank.take(torch.randint(0, len(bank), (plan.batch,), generator=random).sort().values)
        looks = [views.look(batch, *how, random) for how in zip(plan.sides, plan.smallest, strict=True)]
        self.net.train()
        for group in self.optimizer.param_groups:
            group["lr"] = plan.rate * _share(self.step, plan)
        with torch.autocast("cpu", torch.bfloat16, enabled=plan.bf16):
            parts = learner.losses(self.net, self.tops, batch, looks)
        self.optimizer.zero_grad(set_to_none=True)
        loss = learner.total(parts)
        loss.backward()
        nn.utils.clip_grad_norm_([*self.net.parameters(), *self.tops.parameters()], 5.0)
        self.optimizer.step()
        self.step += 1
        self._average()
        self.seconds += time.perf_counter() - start
        return {"loss": float(loss.detach()), **{name: float(part.detach()) for name, part in parts.items()}}

    def _average(self) -> None:
        keep = min(self.plan.average, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for mine, theirs in zip(self.mean.parameters(), self.net.parameters(), strict=True):
                mine.lerp_(theirs, 1 - keep)

    def save(self, path: Path) -> None:
        state: dict[str, Any] = {"plan": self.plan.facts(), "losses": dict(learner.WEIGHTS), "before": self.before}
        state |= {"step": self.step, "seconds": self.seconds}
        for name in ("net", "tops", "mean", "optimizer"):
            state[name] = getattr(self, name).state_dict()
        new = path.with_suffix(".new")
        torch.save(state, new)
        new.replace(path)

    def restore(self, path: Path) -> None:
        """Go on from a saved run.

        Raises:
            ValueError: it was another run.
        """
        state = torch.load(path, weights_only=True)
        plan = {**self.plan.facts(), "losses": learner.WEIGHTS}
        if (other := {**state["plan"], "losses": state["losses"]}) != plan:
            raise ValueError(f"the saved run must have the same plan, but {path} has {other}.")
        for name in ("net", "tops", "mean", "optimizer"):
            getattr(self, name).load_state_dict(state[name])
        self.step, self.seconds, self.before = state["step"], state["seconds"], state["before"]

    def follow(self, path: Path) -> None:
        """Start from the weights at which another run ended: its average, and its heads."""
        state = torch.load(path, weights_only=True)
        self.net.load_state_dict(state["mean"])
        self.mean.load_state_dict(state["mean"])
        self.tops.load_state_dict(state["tops"])
        # The average has parameters of its own; its normalisation has never seen an image.
        norms = {k: v for k, v in state["net"].items() if "running_" in k}
        self.net.load_state_dict(norms, strict=False)
        last = {**state["plan"], "losses": state["losses"], "ended": state["step"]}
        self.before, self.seconds = [*state["before"], last], state["seconds"]


def _share(step: int, plan: Plan) -> float:
    """Part of the full rate: a straight rise, then half a cosine down to a hundredth."""
    rise = max(1, int(plan.warmup * plan.steps))
    if step < rise:
        return (step + 1) / rise
    return 0.01 + 0.99 * (1 + math.cos(math.pi * (step - rise) / max(1, plan.steps - rise))) / 2


def train(
    run: Run,
    bank: Bank,
    saved: Path,
    *,
    until: Callable[[Run], None],
    every: int,
    stop: int = 0,
    say: Callable[[str], None] = print,
) -> None:
    """All steps that are left, up to `stop` where it is given.

    Saves, and calls `until`, every so many steps and at the end.
    """
    shown = max(1, every // 5)
    first, begun = run.step, run.seconds
    end = stop or run.plan.steps
    while run.step < end:
        parts = run.advance(bank)
        last = run.step == end
        if run.step % shown == 0 or last:
            words = " ".join(f"{name} {value:.3f}" for name, value in parts.items())
            speed = 2 * run.plan.batch * (run.step - first) / max(run.seconds - begun, 1e-9)
            say(f"step {run.step}/{run.plan.steps} {words} | {speed:.0f} views/s, {run.seconds / 60:.1f} min")
        if run.step % every == 0 or last:
            run.save(saved)
            until(run)
