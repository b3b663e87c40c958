"""What a CPU gains by bf16, and by the order in which maps lie in memory: milliseconds of features and of steps.

    python -m benchmarks.precision --json precision.json
    python -m benchmarks.precision --backend keras --networks resnet-s-64 bert-64

From the repository's root. Random weights. `features` is the network forwards in evaluation mode, `step` a training
step of the whole network under a linear head (on Keras without one), with AdamW. Precisions are those of the backend
(autocast, or a policy of Keras). They take turns for several rounds, and each value is that of the quickest round, in
seconds of the processor with one thread, since other work on the machine can only slow them. `gain` is fp32 over bf16:
above 1 bf16 is quicker. Networks of libraries that are not installed are left out. What is chosen by it:
docs/adr/0074-precision-by-a-probe.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from autoft.search.process import FREED_MEMORY, computing

PRECISIONS = ("fp32", "bf16")
KINDS = ("features", "step")
ENCODER = {"hidden": 384, "layers": 6, "heads": 12}
"""A small encoder, such as MiniLM."""
VOCABULARY = 30_522
BATCHES = {
    "resnet-s-64": 32,
    "resnet-s-128": 16,
    "mobilenetv2-128": 16,
    "resnet18-128": 16,
    "vit-tiny-224": 8,
    "vit-small-224": 8,
    "bert-64": 16,
    "bert-256": 16,
    "wav2vec2": 4,
}
"""Network, with its pixels or tokens -> samples of a step. wav2vec2 hears two seconds."""
ON_KERAS = ("resnet-s-64", "resnet-s-128", "bert-64")

Works = Mapping[str, Callable[[], object]]
"""`features` and `step`."""


class Case(NamedTuple):
    """One network, ready to compute."""

    layout: str
    works: dict[str, Works]
    """By precision."""


def measured(case: Case, rounds: int, clock: Callable[[], float]) -> dict[str, Any]:
    """Milliseconds by kind and precision, and the gain of each kind."""
    seen: dict[tuple[str, str], list[float]] = {}
    for turn in range(rounds + 1):
        for precision, works in case.works.items():
            for kind, work in works.items():
                began = clock()
                work()
                took = 1000 * (clock() - began)
                if turn:  # the first makes buffers and kernels
                    seen.setdefault((kind, precision), []).append(took)
    row: dict[str, Any] = {"layout": case.layout}
    for kind in KINDS:
        best = {precision: min(seen[kind, precision]) for precision in case.works}
        row[f"{kind}_ms"] = {precision: round(value, 1) for precision, value in best.items()}
        row[f"{kind}_gain"] = round(best["fp32"] / best["bf16"], 2)
    return row


# ---- PyTorch --------------------------------------------------------------------------------------------------


def on_torch(name: str, batch: int) -> list[Case]:
    """The network in each layout that it knows. One list at a time: arrays are shared."""
    import torch

    from autoft_torch._precision import Precision

    net, values = torch_network(name, batch)
    images = values.ndim == 4
    layouts = {"channels_last": torch.channels_last, "channels_first": torch.contiguous_format}
    kinds = {word: Precision(word, torch.device("cpu"), maps=images) for word in PRECISIONS}
    cases = []
    for layout in layouts if images else ("",):
        form = layouts.get(layout, torch.contiguous_format)
        own, given = (
            (copied(net).to(memory_format=form), values.contiguous(memory_format=form)) if images else (net, values)
        )
        cases.append(Case(layout, {word: torch_works(own, given, kind) for word, kind in kinds.items()}))
    return cases


def copied(net: Any) -> Any:
    import copy

    return copy.deepcopy(net)


def torch_works(net: Any, values: Any, precision: Any) -> Works:
    import torch
    from torch.nn import functional

    with torch.no_grad():
        width = net.eval()(values[:2]).shape[1]
    head = torch.nn.Linear(width, 10)
    labels = torch.arange(len(values)) % 10
    optimizer = torch.optim.AdamW([*net.parameters(), *head.parameters()], lr=1e-5)

    def features() -> None:
        net.eval()
        with torch.inference_mode(), precision.cast():
            net(values)

    def step() -> None:
        net.train()
        with precision.cast():
            raw = head(net(values).float())
        functional.cross_entropy(raw.float(), labels).backward()
        optimizer.step()
        optimizer.zero_grad()

    return {"features": features, "step": step}


def torch_network(name: str, batch: int) -> tuple[Any, Any]:
    """The network and what it takes in.

    Raises:
        ImportError: its library is not installed.
    """
    import torch

    kind, _, size = name.rpartition("-")
    if name == "wav2vec2":
        return encoder_of_sounds(), torch.randn(batch, 32_000)
    if kind == "bert":
        return encoder_of_texts(), torch.randint(1, VOCABULARY, (batch, int(size)))
    images = torch.randn(batch, 3, int(size), int(size))
    if kind == "resnet-s":
        from autoft_torch import _resnet

        return _resnet.ResNet(_resnet.PLANS["resnet-s"]), images
    import timm

    names = {"mobilenetv2": "mobilenetv2_100", "vit-tiny": "vit_tiny_patch16_224", "vit-small": "vit_small_patch16_224"}
    return timm.create_model(names.get(kind, kind), num_classes=0), images


def encoder_of_texts() -> Any:
    from transformers import BertConfig, BertModel

    config = BertConfig(
        vocab_size=VOCABULARY,
        hidden_size=ENCODER["hidden"],
        num_hidden_layers=ENCODER["layers"],
        num_attention_heads=ENCODER["heads"],
        intermediate_size=4 * ENCODER["hidden"],
    )
    return averaged(BertModel(config, add_pooling_layer=False))


def encoder_of_sounds() -> Any:
    from transformers import Wav2Vec2Config, Wav2Vec2Model

    config = Wav2Vec2Config(
        hidden_size=ENCODER["hidden"],
        num_hidden_layers=ENCODER["layers"],
        num_attention_heads=ENCODER["heads"],
        intermediate_size=4 * ENCODER["hidden"],
        mask_time_prob=0.0,
        layerdrop=0.0,
    )
    return averaged(Wav2Vec2Model(config))


def averaged(net: Any) -> Any:
    """The mean over tokens or frames."""
    import torch

    class Averaged(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def forward(self, values: torch.Tensor) -> torch.Tensor:
            mean: torch.Tensor = self.net(values).last_hidden_state.mean(1)
            return mean

    return Averaged()


# ---- Keras ----------------------------------------------------------------------------------------------------


def on_keras(name: str, batch: int) -> list[Case]:
    from autoft_keras import _precision

    works = {}
    for word in PRECISIONS:
        net, values = keras_network(name, batch)
        _precision.set_policy(net, _precision.POLICIES[word])
        works[word] = keras_works(net, values)
    return [Case("channels_last" if "bert" not in name else "", works)]


def keras_network(name: str, batch: int) -> tuple[Any, Any]:
    import keras
    import tensorflow as tf

    kind, _, size = name.rpartition("-")
    if kind == "resnet-s":
        from autoft_keras import _resnet

        return _resnet.build("resnet-s", int(size)), tf.random.normal((batch, int(size), int(size), 3))
    import keras_hub

    bare = keras_hub.models.BertBackbone(
        vocabulary_size=VOCABULARY,
        num_layers=ENCODER["layers"],
        num_heads=ENCODER["heads"],
        hidden_dim=ENCODER["hidden"],
        intermediate_dim=4 * ENCODER["hidden"],
    )
    tokens = tf.random.uniform((batch, int(size)), 1, VOCABULARY, tf.int32)
    given = {"token_ids": tokens, "padding_mask": tf.ones_like(tokens), "segment_ids": tf.zeros_like(tokens)}
    return keras.Model(bare.input, keras.ops.mean(bare.output["sequence_output"], 1)), given


def keras_works(net: Any, values: Any) -> Works:
    import keras
    import tensorflow as tf

    optimizer = keras.optimizers.AdamW(1e-5)
    optimizer.build(net.trainable_variables)

    @tf.function
    def features() -> Any:
        return net(values, training=False)

    @tf.function
    def step() -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(tf.cast(net(values, training=True), tf.float32)))
        gradients = tape.gradient(loss, net.trainable_variables)
        optimizer.apply_gradients(zip(gradients, net.trainable_variables, strict=True))
        return loss

    return {"features": lambda: features().numpy(), "step": lambda: step().numpy()}


# ---------------------------------------------------------------------------------------------------------------


def threads(backend: str, count: int) -> dict[str, Any]:
    """Set them; what is to be said of the machine."""
    if backend == "torch":
        import torch

        from autoft_torch._precision import computes_bf16

        torch.set_num_threads(count)
        told = {"torch": str(torch.__version__), "computes_bf16": computes_bf16()}
    else:
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(count)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        told = {"tensorflow": tf.__version__}
    return {"threads": count, "python": platform.python_version(), **told}


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backend", choices=("torch", "keras"), default="torch")
    parser.add_argument("--networks", nargs="+", help=f"only these, of {', '.join(BATCHES)}")
    parser.add_argument("--batch", type=int, default=0, help="samples of a step, in place of those of each network")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1, help="with several, wall time is measured")
    parser.add_argument("--json", type=Path, help="write the numbers here, too")
    options = parser.parse_args(words)
    names = options.networks or (ON_KERAS if options.backend == "keras" else list(BATCHES))
    if unknown := sorted(set(names) - set(BATCHES if options.backend == "torch" else ON_KERAS)):
        parser.error(f"{options.backend} has no {', '.join(unknown)} here.")
    machine = threads(options.backend, options.threads)
    make = on_torch if options.backend == "torch" else on_keras
    clock = time.process_time if options.threads == 1 else time.perf_counter
    rows = []
    for name in names:
        batch = options.batch or BATCHES[name]
        try:
            cases = make(name, batch)
        except ImportError as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
            continue
        for case in cases:
            rows.append({"network": name, "batch": batch, **measured(case, options.rounds, clock)})
            print(rows[-1], file=sys.stderr, flush=True)
    text = json.dumps(
        {"benchmark": "precision", "backend": options.backend, "machine": machine, "rows": rows}, indent=1
    )
    if options.json:
        options.json.write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    if not FREED_MEMORY.keys() <= os.environ.keys():  # as trials have it; glibc reads it when a process begins
        os.execve(sys.executable, [sys.executable, "-m", "benchmarks.precision", *sys.argv[1:]], computing())
    main()
