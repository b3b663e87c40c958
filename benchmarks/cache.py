"""What the cache of frozen prefixes saves.

    python -m benchmarks.cache --parts steps --json cache.json

From the repository's root; the ImageNet checkpoint, which torch alone reads, is found by AUTOFT_SHARED or in ../shared,
and left out where it is absent. Parts run apart add to the same JSON file.

* steps: a training step of a network whose first blocks are frozen, from images and from what stands at the deepest cut
  within the frozen blocks. Milliseconds of one thread's processor time per image, batch and all: the smallest of
  --rounds epochs, both arms in turn. `step_ms` of the last row, before the head, is what a step costs that computes
  next to nothing. `extract_ms` is one pass over the images that keeps all cuts, `last_ms` one that keeps the last.
* gather: minibatches from a memory-mapped store of activations in the page cache, in random order, beside a plain copy
  of as many contiguous bytes of ordinary memory: GB/s of one thread's processor time, the median of --rounds passes,
  all arms in turn. `ratio` is that to a copy that allocates its result as a minibatch must, `ratio_reused` that to a
  copy into the same buffer again and again. `worker_share` is the memory that each of three workers adds once all have
  read the whole store, page tables included, as a part of the store's bytes.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from autoft.activations import ActivationFeed, ActivationStore
from autoft.api import Cut, Job, ModelCard, Output, Problem, Recipe, View
from autoft.testing.toys import ArrayFeed
from autoft.vocab import ACTIVATION
from benchmarks.parity import BACKENDS, imported

PROBLEM = Problem(
    name="classification",
    inputs=("image",),
    outputs=(Output(name="class", head="pooled", size=10, loss="cross_entropy", post="softmax", target="class"),),
)


# ---- steps --------------------------------------------------------------------------------------------


def networks(backend: str) -> Iterator[tuple[str, ModelCard, int]]:
    """Names and cards, with the side of their images."""
    yield "resnet-s", imported(BACKENDS[backend][1])().catalogue()[0], 96
    if backend != "torch":
        return
    from autoft_torch.local import LocalSource

    shared = Path(os.environ.get("AUTOFT_SHARED") or Path(__file__).resolve().parents[2] / "shared")
    folder = shared / "weights" / "mobilenet_v2_1.0_imagenet" / "timm"
    card = LocalSource().resolve(str(folder)) if folder.is_dir() else None
    if card:
        yield "mobilenet_v2", card, 128


def steps(options: argparse.Namespace) -> dict[str, Any]:
    return {name: depths(card, size, options) for name, card, size in networks(options.backend)}


def depths(card: ModelCard, size: int, options: argparse.Namespace) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (options.images, size, size, 3)).astype(np.uint8)
    feed = ArrayFeed({"image": images, "class": rng.integers(0, 10, options.images)})
    whole = build(card, size, 1.0, options)
    cuts = whole.cuts()

    def extract(chosen: Any) -> list[np.ndarray[Any, Any]]:
        return [np.concatenate(parts) for parts in zip(*whole.extract(feed, chosen, View()), strict=True)]

    rows = extract(cuts)
    times = best(options.rounds, lambda: extract(cuts), lambda: extract(cuts[-1:]))
    free = build(card, size, 0.0, options)
    (unfrozen,) = best(options.rounds, lambda: epoch(free, feed))
    table = []
    for cut, kept in zip(cuts, rows, strict=True):
        plain, cached = (build(card, size, cut.depth / len(whole.blocks()), options) for _ in range(2))
        cached.enter(cut)
        given = ArrayFeed({ACTIVATION: kept, "class": feed.arrays["class"]})
        from_images, from_cut = best(
            options.rounds,
            lambda learner=plain: epoch(learner, feed),
            lambda learner=cached, arrays=given: epoch(learner, arrays),
        )
        table.append(
            {
                "frozen": cut.depth,
                "shape": list(cut.shape),
                "bytes": cut.bytes,
                "images_ms": from_images / options.images,
                "cut_ms": from_cut / options.images,
                "step_ms": from_cut / options.images * options.batch,
                "times": from_images / from_cut,
                "times_unfrozen": unfrozen / from_cut,
            }
        )
    return {
        "size": size,
        "batch": options.batch,
        "blocks": len(whole.blocks()),
        "unfrozen_ms": unfrozen / options.images,
        "extract_ms": times[0] / options.images,
        "last_ms": times[1] / options.images,
        "depths": table,
    }


def build(card: ModelCard, size: int, freeze: float, options: argparse.Namespace) -> Any:
    recipe = Recipe(model=card.name, freeze=freeze, augment="none", batch_size=options.batch, precision="fp32")
    job = Job(card=card, problem=PROBLEM, recipe=recipe, image_size=size, steps_per_epoch=1)
    return imported(BACKENDS[options.backend][0])().build(job)


def epoch(learner: Any, feed: ArrayFeed) -> None:
    learner.train_epoch(feed, 1, lambda: False)


# ---- gather -------------------------------------------------------------------------------------------

SHAPES = ((1280,), (96, 8, 8), (32, 28, 28), (96, 14, 14, 2))
"""Of one sample: pooled features, a late, a middle and an early cut."""
WORKER = """
import sys
from benchmarks.cache import read_all
read_all(sys.argv[1], [int(side) for side in sys.argv[2].split(",")], int(sys.argv[3]))
"""


def gather(options: argparse.Namespace) -> dict[str, Any]:
    table = []
    with tempfile.TemporaryDirectory() as folder:
        for number, shape in enumerate(SHAPES):
            cut = Cut(depth=1, shape=shape)
            rows = (options.megabytes << 20) // cut.bytes
            store = ActivationStore.open(Path(folder, str(number)), cut, rows)
            fill(store, rows)
            table.append({"shape": list(shape), "bytes": cut.bytes, "rows": rows, **speeds(store, rows, options)})
            table[-1]["worker_share"] = worker_share(store, cut, rows)
    return {"batch": options.batch, "stores": table}


def fill(store: ActivationStore, rows: int) -> None:
    writer, rng = store.writer(), np.random.default_rng(0)
    for first in range(0, rows, 256):
        part = np.arange(first, min(rows, first + 256))
        writer.put(part, rng.random((len(part), *store.rows.shape[1:]), dtype=np.float32))
    writer.mark()
    writer.close()


def speeds(store: ActivationStore, rows: int, options: argparse.Namespace) -> dict[str, float]:
    order = np.random.default_rng(1).permutation(rows)
    feed = ActivationFeed([store.rows], np.arange(rows), {})
    views = ActivationFeed([store.rows] * 4, np.arange(rows), {}, starts=order % 4)
    memory = np.array(store.rows)
    size = options.batch
    batches = [order[first : first + size] for first in range(0, rows - size + 1, size)]
    buffer = np.empty((size, *memory.shape[1:]), np.float32)
    arms: dict[str, Callable[[int], object]] = {
        "copy": lambda number: memory[number * size : (number + 1) * size].copy(),
        "copy_reused": lambda number: np.copyto(buffer, memory[number * size : (number + 1) * size]),
        "gather": lambda number: feed.batch(batches[number]),
        "gather_views": lambda number: views.batch(batches[number]),
    }
    times: dict[str, list[float]] = {name: [] for name in arms}
    for turn in range(options.rounds + 1):
        for name, arm in arms.items():
            start = time.process_time()
            for number in range(len(batches)):
                arm(number)
            if turn:
                times[name].append(time.process_time() - start)
    moved = len(batches) * buffer.nbytes / 1e9
    found = {f"{name}_gb_s": moved / statistics.median(taken) for name, taken in times.items()}
    found["ratio"] = found["gather_gb_s"] / found["copy_gb_s"]
    found["ratio_reused"] = found["gather_gb_s"] / found["copy_reused_gb_s"]
    return found


def worker_share(store: ActivationStore, cut: Cut, rows: int, workers: int = 3) -> float:
    """The largest part of the store's bytes that a worker adds to the memory in use."""
    words = [sys.executable, "-c", WORKER, str(store.folder), ",".join(map(str, cut.shape)), str(rows)]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *filter(None, sys.path)]),
    }
    running = [
        subprocess.Popen(words, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(workers)
    ]
    pipes = [(process.stdin, process.stdout) for process in running]
    for line in ("read\n", "measure\n"):  # all have read everything before any measures
        for given, told in pipes:
            assert given and told
            given.write(line)
            given.flush()
        answers = [told.readline() for _, told in pipes if told]
    for process in running:
        process.communicate()
    return max(float(answer) for answer in answers) / (rows * cut.bytes)


def read_all(folder: str, shape: list[int], rows: int) -> None:
    """In a worker: gather every row, then print by how many bytes this process has grown that no other one shares."""
    before = own_bytes()
    sys.stdin.readline()
    store = ActivationStore.open(Path(folder), Cut(depth=1, shape=tuple(shape)), rows)
    feed = ActivationFeed([store.rows], np.random.default_rng(os.getpid()).permutation(rows), {})
    for first in range(0, rows, 32):
        feed.batch(np.arange(first, min(rows, first + 32)))
    print("read", flush=True)
    sys.stdin.readline()
    print(own_bytes() - before, flush=True)
    sys.stdin.readline()


def own_bytes() -> int:
    """Memory of this process alone, its page tables included."""
    lines = [
        *Path("/proc/self/smaps_rollup").read_text().splitlines(),
        *Path("/proc/self/status").read_text().splitlines(),
    ]
    wanted = ("Private_Clean:", "Private_Dirty:", "VmPTE:")
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith(wanted))


# ---- all parts ----------------------------------------------------------------------------------------


def best(rounds: int, *arms: Callable[[], object]) -> list[float]:
    """Milliseconds of processor time of each arm, the smallest of some rounds in turn after one that is not counted."""
    found = [float("inf")] * len(arms)
    for turn in range(rounds + 1):
        for number, arm in enumerate(arms):
            start = time.process_time()
            arm()
            if turn:
                found[number] = min(found[number], 1000 * (time.process_time() - start))
    return found


def rounded(value: Any) -> Any:
    """Floats to four digits, at any depth."""
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


PARTS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {"steps": steps, "gather": gather}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--backend", choices=BACKENDS, default="torch", help="of `steps`")
    parser.add_argument("--images", type=int, default=64, help="in the toy data set of `steps`")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--megabytes", type=int, default=512, help="of each store of `gather`")
    parser.add_argument("--json", type=Path, help="write the numbers here too, beside those already there")
    options = parser.parse_args()
    kept = json.loads(options.json.read_text()) if options.json and options.json.exists() else {}
    for part in options.parts:
        kept[part] = rounded(PARTS[part](options))
        if options.json:
            options.json.write_text(json.dumps(kept, indent=1) + "\n")
    print(json.dumps({part: kept[part] for part in options.parts}, indent=1))


if __name__ == "__main__":
    main()
