"""A naive script: Ray Tune and ASHA with their defaults around a plain loop.

Every trial is a fresh actor that reads the weights and decodes every image in every epoch. The whole network is in
training mode, in the default layout, and Ray keeps a checkpoint of every epoch. Only the best model is also kept where
this benchmark finds it.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import numpy as np
import ray
import torch
import torch.nn.functional as F
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from torch.utils.data import DataLoader, Dataset

from benchmarks.common.parts import files_of
from benchmarks.peers import loop
from benchmarks.peers.ray_fair import space


class Images(Dataset[tuple[np.ndarray[Any, Any], int]]):
    """Decodes an image whenever it is asked for."""

    def __init__(self, folder: Path, size: int) -> None:
        self.files, self.size = files_of(folder), size
        self.classes = sorted({label for _, label in self.files})

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[np.ndarray[Any, Any], int]:
        path, label = self.files[index]
        return np.array(loop.decode(path, self.size)), self.classes.index(label)


def train(config: dict[str, Any], made: Any = None) -> None:
    values = config.get("listed", config)
    torch.manual_seed(made.seed)
    parts = {name: Images(made.data / name, made.size) for name in ("train", "val")}
    net = loop.network(made, len(parts["train"].classes), values).to(memory_format=torch.contiguous_format)
    optimizer = torch.optim.AdamW(
        (p for p in net.parameters() if p.requires_grad), lr=values["lr"], weight_decay=values["weight_decay"]
    )
    loader = DataLoader(parts["train"], batch_size=int(values["batch_size"]), shuffle=True, drop_last=True)
    for _ in range(made.epochs):
        torch.nn.Module.train(net)
        for images, labels in loader:
            loss = F.cross_entropy(net(prepared(made, images)), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        net.eval()
        hits = 0
        with torch.no_grad():
            for images, labels in DataLoader(parts["val"], batch_size=64):
                hits += int((net(prepared(made, images)).argmax(1) == labels).sum())
        value = hits / len(parts["val"])
        loop.keep(made, net, value, values)
        with tempfile.TemporaryDirectory() as folder:
            torch.save(net.state_dict(), Path(folder, "model.pt"))
            tune.report({"acc": value}, checkpoint=tune.Checkpoint.from_directory(folder))


def prepared(made: Any, images: torch.Tensor) -> torch.Tensor:
    return loop.prepared(made, images.numpy()).contiguous()


def main() -> None:
    made, options = loop.setup()
    ray.init(address="local", num_cpus=options.workers, log_to_driver=False)
    listed = json.loads(options.configs.read_text()) if options.configs else None
    result = tune.Tuner(
        tune.with_parameters(train, made=made),
        param_space={"listed": tune.grid_search(listed)} if listed else space(options.space),
        tune_config=tune.TuneConfig(
            metric="acc",
            mode="max",
            num_samples=1 if listed else options.trials or -1,
            time_budget_s=loop.left(made, options.time),
            scheduler=ASHAScheduler(max_t=made.epochs),
        ),
        run_config=tune.RunConfig(storage_path=tempfile.mkdtemp(), verbose=0),
    ).fit()
    epochs = sum(one.metrics.get("training_iteration", 0) for one in result if one.metrics)
    loop.finish(made, trials=len(result), epochs=epochs, failed=result.num_errors)


if __name__ == "__main__":
    main()
