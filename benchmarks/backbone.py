"""What the bundled backbone is worth: bundled weights, random weights of the same network, and ImageNet as ceiling.

    python -m benchmarks.backbone --datasets fsdd camvid --parts linear few --seeds 0 1 --json backbone.json

From the repository's root; data and the ImageNet checkpoint are found by AUTOFT_SHARED or in ../shared. Runs in
pieces add to the same JSON file. Values are accuracies, for camvid mean overlap (IoU) of pixels.

* linear: ridge regression on frozen pooled features (camvid: on the features of all strides at 60 pixels an image).
  Each seed draws another split, or nine tenths of the training part where the test part is given, and other random
  weights.
  `random` is the network as a user gets it without weights; `settled` is the same after its normalisation has seen
  the images of the training part, which is the stronger opponent of frozen features.
* few: the same from 5 images of each class (camvid: from 5 images), logistic regression.
* tune: all weights trained. `random` takes as many epochs as the set has in EPOCHS; `bundled_half` takes half of them,
  with a whole schedule of its own, and `bundled` (with --whole) all. Each of them has the learning rate of --rates that
  is best for it on a quarter of the training part held out once, by a seed that is not reported; all else is equal.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import nn

from autoft_torch import _weights
from tools.pretrain import learner, probes, realdata
from tools.pretrain.__main__ import SHIPPED
from tools.pretrain.realdata import Labelled

DATASETS: dict[str, Callable[[int], Labelled]] = {
    "hymenoptera": lambda side: realdata.folders("imgcls__hymenoptera", side, ("train", "val")),
    "sign_language_digits": lambda side: realdata.folders("imgcls__sign_language_digits", side, None),
    "cifar10_mini": lambda side: realdata.folders("imgcls__cifar10_mini", side, ("train", "test")),
    "camvid": lambda side: realdata.camvid(2 * side),  # scenes need more pixels than things
    "fsdd": realdata.fsdd,
}
#: Of fine-tuning from random weights: few images need more of them.
EPOCHS = {"hymenoptera": 40, "sign_language_digits": 16, "cifar10_mini": 10, "camvid": 20, "fsdd": 16}
#: Of the split by which learning rates are chosen; no value is reported for it.
APART = 1000
PARTS = ("linear", "few", "tune")
ARMS = ("bundled", "random", "settled", "imagenet")
SHOTS = 5
#: Mirroring changes the meaning of these.
ONE_WAY = ("sign_language_digits", "fsdd")


class Dense(nn.Module):
    """Scores of pixels at stride 4 from the maps of all strides."""

    def __init__(self, net: nn.Module, widths: list[int], classes: int) -> None:
        super().__init__()
        self.net, self.head = net, nn.Conv2d(sum(widths), classes, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found = learner.maps(self.net, x)
        size = found[0].shape[-2:]
        return self.head(torch.cat([F.interpolate(m, size=size, mode="bilinear") for m in found], 1))


class Mobile(nn.Module):
    """The ImageNet network, taking images normalised for ours; its maps at strides 4 to 32 beside pooled features."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        import timm

        name = f"local-dir:{folder}"
        self.whole = timm.create_model(name, pretrained=True, num_classes=0).float()
        self.stem = nn.Identity()
        self.parts = timm.create_model(name, pretrained=True, features_only=True, out_indices=(1, 2, 3, 4)).float()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.whole(x / 2)  # our deviation is 0.25, theirs 0.5

    def maps(self, x: torch.Tensor) -> list[torch.Tensor]:
        return self.parts(x / 2)


def bundled(path: Path) -> nn.Module:
    net = learner.trunk()
    _weights.put(net, _weights.read(path), (), str(path), strict=True)
    return net.eval()


def random(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return learner.trunk().eval()


def few(data: Labelled, parts: probes.Split, seed: int) -> probes.Split:
    rows = np.random.default_rng(seed).permutation(parts[0])
    if data.dense:
        return rows[:SHOTS], parts[1]
    return np.concatenate([rows[data.labels[rows] == c][:SHOTS] for c in np.unique(data.labels)]), parts[1]


def settle(net: nn.Module, data: Labelled, rows: NDArray[np.int64]) -> None:
    """Set the statistics of the normalisation to those of some images."""
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = None
    with torch.no_grad():
        for some in np.array_split(rows, math.ceil(len(rows) / 64)):
            net.train()(probes.normal(data.images[some]))
    net.eval()


def values(name: str, data: Labelled, seeds: list[int], weights: Path) -> Iterator[tuple[int, float, float]]:
    """Linear and few-shot value of one arm for each seed. Only random networks differ from seed to seed."""
    found: Any = None
    for seed in seeds:
        parts = probes.split(data, seed)
        if found is None or name in ("random", "settled"):
            net = arm(name, weights, seed)
            if name == "settled":
                settle(net, data, parts[0])
            found = probes.pixels(net, data) if data.dense else (probes.pooled(net, data), data.labels)
        some = few(data, parts, seed)
        if data.dense:
            yield seed, probes.overlap(*found, parts, data.void), probes.overlap(*found, some, data.void)
        else:
            yield seed, probes.accuracy(*found, parts), probes.accuracy(*found, some, "logistic")


def tune(net: nn.Module, name: str, data: Labelled, parts: probes.Split, plan: tuple[int, int, float]) -> float:
    """AdamW over all weights, one-cycle rate, shifts by up to 4 px and mirroring; the value after the last epoch.

    `plan` is the seed, the epochs, and the highest learning rate.
    """
    seed, epochs, rate = plan
    torch.manual_seed(seed)
    rows, test = parts
    classes = data.void if data.dense else int(data.labels.max()) + 1
    widths = [m.shape[1] for m in learner.maps(net.eval(), torch.zeros(1, 3, 64, 64))]
    model = Dense(net, widths, classes) if data.dense else nn.Sequential(net, nn.Linear(widths[-1], classes))
    model.to(memory_format=torch.channels_last)
    order = np.random.default_rng(seed)
    steps = epochs * math.ceil(len(rows) / 32)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps, pct_start=0.2)
    model.train()
    for _ in range(epochs):
        for some in np.array_split(order.permutation(rows), math.ceil(len(rows) / 32)):
            x, y = shaken(data, some, order, mirror=name not in ONE_WAY)
            loss = F.cross_entropy(model(x), y, ignore_index=data.void if data.dense else -100)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return judged(model.eval(), data, test)


def shaken(data: Labelled, rows: NDArray[np.int64], order: np.random.Generator, *, mirror: bool) -> Any:
    x, y = probes.normal(data.images[rows]), torch.from_numpy(data.labels[rows])
    if mirror and order.random() < 0.5:
        x, y = x.flip(3), y.flip(2) if data.dense else y
    if not data.dense:
        side, (a, b) = x.shape[-1], order.integers(0, 9, 2)
        x = F.pad(x, (4, 4, 4, 4), mode="replicate")[..., a : a + side, b : b + side]
    return x.contiguous(memory_format=torch.channels_last), y[:, 2::4, 2::4] if data.dense else y


def judged(model: nn.Module, data: Labelled, rows: NDArray[np.int64]) -> float:
    with torch.no_grad():
        said = torch.cat([model(probes.normal(data.images[k])).argmax(1) for k in np.array_split(rows, 20)]).numpy()
    wanted = data.labels[rows]
    if not data.dense:
        return float((said == wanted).mean())
    wanted = wanted[:, 2::4, 2::4]
    said[wanted >= data.void] = data.void
    classes = [c for c in np.unique(wanted) if c < data.void]
    return float(np.mean([((said == c) & (wanted == c)).sum() / ((said == c) | (wanted == c)).sum() for c in classes]))


class Table:
    """Values by data set, part and arm, kept in a JSON file so that runs in pieces add up."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.rows: dict[str, Any] = json.loads(path.read_text()) if path and path.is_file() else {}

    def note(self, dataset: str, part: str, arm: str, facts: dict[str, Any]) -> None:
        self.rows.setdefault(dataset, {}).setdefault(part, {}).setdefault(arm, {"values": {}}).update(facts)

    def add(self, dataset: str, part: str, arm: str, seed: int, value: float) -> None:
        cell = self.rows.setdefault(dataset, {}).setdefault(part, {}).setdefault(arm, {"values": {}})
        cell["values"][str(seed)] = round(value, 4)
        known = list(cell["values"].values())
        cell["mean"] = round(statistics.fmean(known), 4)
        cell["spread"] = round(statistics.stdev(known), 4) if len(known) > 1 else 0.0
        print(f"{dataset} {part} {arm} seed {seed}: {value:.4f}", file=sys.stderr, flush=True)
        if self.path:
            self.path.write_text(json.dumps(self.rows, indent=1) + "\n")


def arm(name: str, weights: Path, seed: int) -> nn.Module:
    if name == "imagenet":
        return Mobile(realdata.shared() / "weights/mobilenet_v2_1.0_imagenet/timm")
    return bundled(weights) if name == "bundled" else random(seed)


def run(options: argparse.Namespace, table: Table) -> None:
    for dataset in options.datasets:
        make = DATASETS[dataset]
        for name in options.arms if {"linear", "few"} & {*options.parts} else ():
            side = options.ceiling_side if name == "imagenet" else options.side
            data = make(side)
            for seed, *both in values(name, data, options.seeds, options.weights):
                for part, value in zip(PARTS, both, strict=False):
                    table.add(dataset, part, name, seed, value)
        if "tune" in options.parts:
            tuned(dataset, make(options.side), options, table)


def tuned(dataset: str, data: Labelled, options: argparse.Namespace, table: Table) -> None:
    epochs = max(2, round(EPOCHS[dataset] * options.effort))
    for name in [a for a in options.arms if a in ("random", "bundled")]:
        for label, length in tunings(name, epochs, whole=options.whole):
            rate = fitting(name, dataset, data, length, options)
            table.note(dataset, "tune", label, {"epochs": length, "rate": rate, "side": data.images.shape[1]})
            for seed in options.seeds:
                net = arm(name, options.weights, seed)
                value = tune(net, dataset, data, probes.split(data, seed), (seed, length, rate))
                table.add(dataset, "tune", label, seed, value)


def tunings(name: str, epochs: int, *, whole: bool) -> list[tuple[str, int]]:
    if name == "random":
        return [(name, epochs)]
    return [(name + "_half", epochs // 2), *([(name, epochs)] if whole else [])]


def fitting(name: str, dataset: str, data: Labelled, epochs: int, options: argparse.Namespace) -> float:
    """The rate that is best on a quarter of a training part; nothing is trained where there is no choice."""
    if len(options.rates) == 1:
        return float(options.rates[0])
    rows, _ = probes.split(data, APART)
    rows = np.random.default_rng(APART).permutation(rows)
    parts = rows[len(rows) // 4 :], rows[: len(rows) // 4]
    found = {}
    for rate in options.rates:
        net = arm(name, options.weights, APART)
        found[rate] = tune(net, dataset, data, parts, (APART, epochs, rate))
        print(f"{dataset} {name} rate {rate}: {found[rate]:.4f} on held-out training data", file=sys.stderr, flush=True)
    return max(found, key=lambda rate: found[rate])


def selection(weights: Path) -> dict[str, float]:
    """Mean over ten seeds of the probes that weights are chosen by, on data of which nothing else is reported."""
    net = bundled(weights)
    found = {name: statistics.fmean(probes.score(net, data, range(10))) for name, data in probes.selection().items()}
    return {**found, "mean": statistics.fmean(found.values())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", nargs="+", choices=DATASETS, default=list(DATASETS))
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS))
    parser.add_argument("--seeds", nargs="+", type=int, default=list(range(5)))
    parser.add_argument("--side", type=int, default=64, help="of the images, in pixels")
    parser.add_argument("--ceiling-side", type=int, default=224, help="of the images for the ImageNet network")
    parser.add_argument("--effort", type=float, default=1.0, help="of fine-tuning: times EPOCHS")
    parser.add_argument("--rates", nargs="+", type=float, default=[1e-3, 4e-3], help="of fine-tuning, to choose from")
    parser.add_argument("--whole", action="store_true", help="also fine-tune bundled weights for all epochs")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--weights", type=Path, default=SHIPPED / "resnet_s.safetensors")
    parser.add_argument("--selection", action="store_true", help="only the probes by which --weights are chosen")
    parser.add_argument("--json", type=Path, help="write the numbers here too, beside those already there")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.selection:
        print(json.dumps(selection(options.weights), indent=1))
        return
    start = time.perf_counter()
    table = Table(options.json)
    run(options, table)
    print(json.dumps({**table.rows, "minutes": round((time.perf_counter() - start) / 60, 1)}, indent=1))


if __name__ == "__main__":
    main()
