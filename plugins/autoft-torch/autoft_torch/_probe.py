"""Whether a CPU trains a network more quickly in bf16 than in fp32: a few steps of both tell.

It hangs on the network and the batch: products of large matrices gain up to twice, depthwise convolutions lose, and a
small batch loses what it gains to casting the weights (docs/adr/0074-precision-by-a-probe.md).
"""

from __future__ import annotations

import copy
import logging
import math
import time
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import torch
from torch import nn
from torch.utils import _pytree as pytree

from autoft.api import Job, measured, to_json
from autoft_torch._net import Net
from autoft_torch._precision import Precision, abilities, computes_bf16, layout

LOG = logging.getLogger(__name__)

GAIN = 1.3
"""Times as quick as fp32 bf16 must be: below that, noise decides and little is won."""
OFF = 0.1
"""How far outputs may be from those of fp32, as a part of their size. Rounding to 8 bits is .004 for each number."""
ROUNDS = 3
"""Steps in each precision, in turns; the first of each is not counted, the quickest of the others is."""
FEW = 2
"""Samples of the first steps, which tell how many there is time for."""
SHARE = 0.02
"""Of the samples that a trial trains on, at most as many are computed to find out."""
SECONDS = 1.0
"""What all steps should take, where that is enough for `LEAST` samples. Large networks take longer."""
LEAST = 4
"""Samples of a step below which it would say little of a batch, unless batches are that small."""
WHOLE = 16
"""Samples of a step that must be allowed, or the batch: what few samples tell is not kept for large batches."""
WORDS, SOUND = 48, 32_000
"""Of a text, where the recipe does not say how much of it is seen; and samples of a recording, two seconds."""

_known: dict[tuple[str, ...], str] = {}


def chosen(job: Job, net: Net, device: torch.device) -> str:
    """`fp32` or `bf16` for a job that leaves it open; empty where nothing is open.

    Open it is on a CPU that computes bf16 itself, for networks under new heads whose blocks are trained. Trials too
    short to find out go by what others found, else they are trained in fp32.
    """
    if job.recipe.precision != "auto" or device.type != "cpu" or not job.steps_per_epoch or not computes_bf16():
        return ""
    if net.native or job.card.counts or net.frozen == len(net.blocks) or job.recipe.batch_size < 2:
        return ""
    most = int(SHARE * job.steps_per_epoch * job.recipe.epochs * job.recipe.batch_size / (2 * ROUNDS + 1))
    size, key = job.recipe.batch_size, _key(job)
    if key not in _known:
        found = measured("precision", key, lambda: _tried(job, net, size) if most >= min(WHOLE, size) else "")
        if not found:
            return "fp32"
        _known[key] = found
    return "bf16" if _known[key].startswith("bf16") else "fp32"


def _tried(job: Job, net: Net, size: int) -> str:
    """As `_found`. What some networks do between their layers cannot be done in bf16, or memory ends: then fp32."""
    try:
        return _found(job, net, size)
    except (RuntimeError, ValueError, TypeError, NotImplementedError, MemoryError) as error:
        LOG.info("%s: fp32, since a step in bf16 could not be tried: %s", job.card.name, error)
        return "fp32"


def _key(job: Job) -> tuple[str, ...]:
    """How deep the network is frozen is not in it: all depths are trained alike, and share what is kept."""
    card = to_json(msgspec.structs.replace(job.card, weights="", folder="", offline=False))
    batch = str(2 ** round(math.log2(job.recipe.batch_size)))
    sizes = (str(job.image_size), str(job.recipe.text_length), batch, str(torch.get_num_threads()))
    return (card, *sizes, *(f"{o.head} {o.size}" for o in job.problem.outputs), str(torch.__version__), _cpu())


def _cpu() -> str:
    """Instruction sets and caches: what decides, beside the clock, how quick a CPU is."""
    return ", ".join(f"{name} {value}" for name, value in sorted(abilities().items()))


def _found(job: Job, net: Net, most: int) -> str:
    """The word, and how much quicker a step in bf16 was."""
    began = time.perf_counter()
    device = torch.device("cpu")
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(0)
        own = _free(net, device)
        kinds = {word: Precision(word, device, maps=job.image_size > 0) for word in ("fp32", "bf16")}
        rows = _values(job, own, min(FEW, most))
        if _far(own, rows, kinds):
            LOG.info("%s: fp32, since bf16 gives other numbers", job.card.name)
            return "fp32"
        _step(own, rows, kinds["fp32"])
        first = _step(own, rows, kinds["fp32"])
        count, rounds = _plan(first / len(rows), most)
        if count > len(rows):
            took = _turns(own, _values(job, own, count), kinds, rounds)
        else:
            took = {"fp32": first, **_turns(own, rows, {"bf16": kinds["bf16"]}, 2)}
    ratio = took["fp32"] / max(1e-9, took["bf16"])
    word = "bf16" if ratio >= GAIN else "fp32"
    told = (job.card.name, word, ratio, count, time.perf_counter() - began)
    LOG.info("%s: %s, since a step in bf16 is %.2f times as quick (%d samples, found out in %.1f s)", *told)
    return f"{word} {ratio:.2f}"


def _plan(once: float, most: int) -> tuple[int, int]:
    """Samples of a step and steps in each precision, where one sample takes so long in fp32: a whole batch if there is
    time for it. Large networks have fewer, of which large products are made all the same."""
    wanted = SECONDS / (2 * ROUNDS * max(once, 1e-9))
    if wanted >= LEAST:
        return min(most, 2 ** int(math.log2(wanted))), ROUNDS
    return min(most, LEAST if LEAST * once <= SECONDS else FEW), 2


def _turns(net: nn.Module, values: torch.Tensor, kinds: dict[str, Precision], rounds: int) -> dict[str, float]:
    """Seconds of a step in each precision: the quickest of all but the first."""
    took: dict[str, list[float]] = {word: [] for word in kinds}
    for _ in range(rounds):
        for word, precision in kinds.items():
            took[word].append(_step(net, values, precision))
    return {word: min(seconds[1:]) for word, seconds in took.items()}


def _free(net: Net, device: torch.device) -> Net:
    """A copy of which all is trained: what is tried out must leave statistics as they were."""
    own = copy.deepcopy(net).to(device, memory_format=layout(device))
    for parameter in own.parameters():
        parameter.requires_grad_(parameter.is_floating_point())
    return own


def _values(job: Job, net: Net, count: int) -> torch.Tensor:
    """Noise in the shape of what the network takes; of texts one word again and again."""
    modality = job.card.modality
    if modality == "image":
        noise = torch.randn((count, 3, job.image_size, job.image_size))
        return noise.contiguous(memory_format=layout(noise.device))
    arrays: dict[str, Any] = {}
    if modality == "text":
        texts = np.empty(count, object)
        texts[:] = [("the " * (job.recipe.text_length or WORDS),)] * count
        arrays["text"] = texts
    else:
        draws = np.random.default_rng(0)
        arrays["audio"] = draws.integers(-9000, 9000, (count, SOUND)).astype(np.int16)
        arrays["length"] = np.full(count, SOUND)
    trunk: Any = net.trunk
    values: torch.Tensor = trunk.values(arrays, cropped=True)
    return values


def _outputs(net: nn.Module, values: torch.Tensor, precision: Precision) -> list[torch.Tensor]:
    with precision.cast():
        raw = net(values)
    found = [leaf for leaf in pytree.tree_leaves(raw) if isinstance(leaf, torch.Tensor)]
    # Speech is blank where nothing is said, with a number that is large beside all others.
    return [leaf.float().nan_to_num().clamp(-100, 100) for leaf in found]


def _far(net: nn.Module, values: torch.Tensor, kinds: dict[str, Precision]) -> bool:
    """Whether bf16 gives other outputs than fp32, beyond what rounding does."""
    net.eval()
    with torch.no_grad():
        one, other = (_outputs(net, values, kinds[word]) for word in ("fp32", "bf16"))
    pairs = list(zip(one, other, strict=True))
    off = sum(float((b - a).square().sum()) for a, b in pairs)
    size = sum(float(a.square().sum()) for a, _ in pairs)
    return not off <= OFF**2 * size


def _step(net: nn.Module, values: torch.Tensor, precision: Precision) -> float:
    """Seconds of a step without its optimizer, whose part is the same in both."""
    net.train()
    clock = _clock()
    began = clock()
    loss = torch.stack([leaf.square().mean() for leaf in _outputs(net, values, precision)]).sum()
    loss.backward()
    net.zero_grad(set_to_none=True)
    return clock() - began


def _clock() -> Callable[[], float]:
    """What one thread computes does not hang on what else runs on the machine, as much as several do."""
    return time.thread_time if torch.get_num_threads() == 1 else time.perf_counter
