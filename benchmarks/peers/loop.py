"""The training loop of the fair peers: plain PyTorch, with what a careful author would do to make it quick.

Images are decoded once and held as uint8, in files that later runs reuse. Weights are read once per process, the
memory layout is channels_last, each process computes on one thread. The frozen blocks run in evaluation mode without
gradients; optimizer and schedule are the same as autoft's for the same words (AdamW without decay of biases, cosine).
A model is written to disk only where it is the best of all trials by then.
"""

from __future__ import annotations

import argparse
import copy
import functools
import json
import math
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import nn

from benchmarks.common.parts import files_of
from benchmarks.common.snapshots import append, read

Array = np.ndarray[Any, np.dtype[Any]]
Config = dict[str, Any]


class Setup(NamedTuple):
    """What all trials of one run share."""

    data: Path
    """Holds `train`, `val` and `test`, each with class folders."""
    model: str
    """A folder saved by timm, or `autoft/resnet-s`."""
    size: int
    epochs: int
    seed: int
    cache: Path
    """For decoded images."""
    snapshots: Path
    augment: str
    """none, or flip: each image of a batch is mirrored with probability one half."""
    precision: str
    """fp32 or bf16."""
    began: float
    """Unix time at which the command began."""


class Data(NamedTuple):
    """Images (n, size, size, 3), uint8, and their classes."""

    train: tuple[Array, Array]
    val: tuple[Array, Array]
    classes: int


def setup() -> tuple[Setup, argparse.Namespace]:
    """From the command line, and the options that are about the search."""
    parser = argparse.ArgumentParser()
    for name in ("data", "model", "cache", "snapshots"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--augment", choices=("none", "flip"), default="none")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--space", type=json.loads, default={}, help="as in benchmarks.common.space, as JSON")
    parser.add_argument("--configs", type=Path, help="a list of configurations to try instead")
    parser.add_argument("--trials", type=int, default=0, help="most trials; 0 is as many as time allows")
    parser.add_argument("--time", type=float, default=0.0, help="seconds after the start at which trials must stop")
    parser.add_argument("--workers", type=int, default=2)
    o = parser.parse_args()
    paths = (Path(o.data), o.model, o.size, o.epochs, o.seed, Path(o.cache), Path(o.snapshots), o.augment, o.precision)
    Path(o.snapshots).mkdir(parents=True, exist_ok=True)
    return Setup(*paths, began=float(os.environ.get("BENCH_BEGAN") or time.time())), o


def left(made: Setup, seconds: float) -> float | None:
    """Seconds until trials must stop, if they must."""
    return max(1.0, seconds - (time.time() - made.began)) if seconds else None


# ---- data -----------------------------------------------------------------------------------------------


def load(made: Setup) -> Data:
    (train, classes), (val, _) = part(made, "train"), part(made, "val")
    return Data(train, val, classes)


def part(made: Setup, name: str) -> tuple[tuple[Array, Array], int]:
    """Decoded images and labels, from the cache if they are there, and the number of classes."""
    files = files_of(made.data / name)
    classes = sorted({label for _, label in files})
    labels = np.array([classes.index(label) for _, label in files])
    kept = made.cache / f"{name}-{made.size}.npy"
    if kept.is_file():
        return (np.load(kept, mmap_mode="r"), labels), len(classes)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        images = np.stack(list(pool.map(lambda path: decode(path, made.size), [path for path, _ in files])))
    made.cache.mkdir(parents=True, exist_ok=True)
    np.save(kept, images)
    return (images, labels), len(classes)


def decode(path: Path, size: int) -> Array:
    with Image.open(path) as image:
        image.draft("RGB", (2 * size, 2 * size))
        return np.asarray(image.convert("RGB").resize((size, size), Image.Resampling.BILINEAR, reducing_gap=2.0))


# ---- network --------------------------------------------------------------------------------------------


class Net(nn.Module):
    """Frozen blocks, trained blocks, head."""

    def __init__(self, blocks: list[nn.Module], width: int, classes: int, config: Config) -> None:
        super().__init__()
        frozen = round(config["freeze"] * len(blocks))
        self.prefix, self.rest = nn.Sequential(*blocks[:frozen]), nn.Sequential(*blocks[frozen:])
        last = nn.Linear(width, classes)
        nn.init.normal_(last.weight, std=0.01)
        nn.init.zeros_(last.bias)
        self.head = nn.Sequential(nn.Dropout(config["dropout"]), last)
        self.prefix.requires_grad_(False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            x = self.prefix(x)
        return self.head(self.rest(x).mean((2, 3)).float())

    def train(self, mode: bool = True) -> Net:
        super().train(mode)
        self.prefix.eval()
        return self

    def state(self) -> dict[str, torch.Tensor]:
        """By number of the block, whatever is frozen."""
        blocks = {f"{i}.{k}": v for i, b in enumerate((*self.prefix, *self.rest)) for k, v in b.state_dict().items()}
        return {k: v.contiguous() for k, v in {**blocks, **self.head.state_dict(prefix="head.")}.items()}

    def put(self, state: dict[str, torch.Tensor]) -> None:
        for i, block in enumerate((*self.prefix, *self.rest)):
            block.load_state_dict({k.partition(".")[2]: v for k, v in state.items() if k.startswith(f"{i}.")})
        self.head.load_state_dict({k.removeprefix("head."): v for k, v in state.items() if k.startswith("head.")})


@functools.cache
def pretrained(model: str) -> tuple[list[nn.Module], int, list[float], list[float]]:
    """Blocks, features, mean and deviation of a network; the blocks are the same as autoft's."""
    if model.startswith("autoft/"):
        from autoft_torch import _trunks
        from autoft_torch.sources import AutoftSource

        card = AutoftSource().resolve(model)
        assert card is not None
        net = _trunks.pretrained(card, 64)
        return [net.stem, *(b for stage in net.stages for b in stage)], 160, list(card.mean), list(card.std)
    import timm

    net = timm.create_model(f"local-dir:{model}", pretrained=True, num_classes=0)
    units = [unit for stage in net.blocks for unit in stage]
    units[-1] = nn.Sequential(units[-1], net.conv_head, net.bn2)
    facts = net.pretrained_cfg
    return [nn.Sequential(net.conv_stem, net.bn1), *units], net.num_features, list(facts["mean"]), list(facts["std"])


def network(made: Setup, classes: int, config: Config) -> Net:
    blocks, width, _, _ = pretrained(made.model)
    return Net(copy.deepcopy(blocks), width, classes, config).to(memory_format=torch.channels_last)


# ---- training -------------------------------------------------------------------------------------------


class Trial:
    """One configuration, epoch by epoch."""

    def __init__(self, made: Setup, data: Data, config: Config) -> None:
        torch.set_num_threads(1)
        torch.manual_seed(made.seed)
        self.made, self.data, self.config = made, data, config
        self.net = network(made, data.classes, config)
        self.rng = np.random.default_rng(made.seed)
        shrink = [p for p in self.net.parameters() if p.requires_grad and p.ndim > 1]
        others = [p for p in self.net.parameters() if p.requires_grad and p.ndim <= 1]
        groups = [{"params": shrink, "weight_decay": config["weight_decay"]}, {"params": others, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=config["lr"], fused=True)

    def epochs(self) -> Iterator[float]:
        """Train; gives the validation accuracy after each epoch, and keeps the model where it is the best of all."""
        images, labels = self.data.train
        count = math.ceil(len(images) / int(self.config["batch_size"]))
        for epoch in range(self.made.epochs):
            self.net.train()
            for step, index in enumerate(np.array_split(self.rng.permutation(len(images)), count)):
                done = (epoch * count + step) / (self.made.epochs * count)
                for group in self.optimizer.param_groups:
                    group["lr"] = self.config["lr"] * 0.5 * (1 + math.cos(math.pi * done))
                x = prepared(self.made, images[index])
                if self.made.augment == "flip":
                    x = torch.where(torch.rand(len(x), 1, 1, 1) < 0.5, x.flip(-1), x)
                with torch.autocast("cpu", torch.bfloat16, enabled=self.made.precision == "bf16"):
                    loss = F.cross_entropy(self.net(x), torch.from_numpy(labels[index]))
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
            value = accuracy(self.net, self.made, *self.data.val)
            keep(self.made, self.net, value, self.config)
            yield value


def prepared(made: Setup, images: Array) -> torch.Tensor:
    """(n, 3, size, size), normalised as the network wants it."""
    _, _, mean, std = pretrained(made.model)
    x = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float().div_(255)
    x = (x - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)
    return x.contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def accuracy(net: Net, made: Setup, images: Array, labels: Array) -> float:
    net.eval()
    with torch.autocast("cpu", torch.bfloat16, enabled=made.precision == "bf16"):
        found = [net(prepared(made, images[i : i + 64])).argmax(1) for i in range(0, len(images), 64)]
    return float((torch.cat(found).numpy() == labels).mean())


# ---- the best model -------------------------------------------------------------------------------------


def keep(made: Setup, net: Net, value: float, config: Config) -> None:
    """Write the model if it is the best of all trials so far."""
    if value <= max((row["val"] for row in read(made.snapshots)), default=-1.0):
        return
    name = f"{time.time_ns()}-{os.getpid()}.safetensors"
    save_file(net.state(), made.snapshots / name)
    append(made.snapshots, {"t": round(time.time() - made.began, 2), "val": value, "model": name, "config": config})


def finish(made: Setup, **facts: Any) -> None:
    """Score the best model on the test part and print the outcome, the last thing that a script does."""
    rows = read(made.snapshots)
    best = max(rows, key=lambda row: float(row["val"]))
    test = scored(made, [best])[0]["test"]
    print(json.dumps({"val": best["val"], "test": test, "config": best["config"], **facts}))


def scored(made: Setup, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of the trace with the accuracy on the test part."""
    (images, labels), classes = part(made, "test")
    found = []
    for row in rows:
        net = network(made, classes, row["config"])
        net.put(load_file(made.snapshots / row["model"]))
        test = round(accuracy(net, made, images, labels), 4)
        found.append({"t": row["t"], "val": row["val"], "test": test})
    return found


if __name__ == "__main__":  # score the whole trace of a run that is over
    here, _ = setup()
    print(json.dumps(scored(here, read(here.snapshots))))
