"""Where and how precisely to compute."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from autoft.api import Job, TrialFailed, to_predict

LOG = logging.getLogger(__name__)
POLICIES = {"fp32": "float32", "bf16": "mixed_bfloat16", "fp16": "mixed_float16"}
#: The first loss scale of fp16, and the steps without overflow after which it doubles, as in PyTorch.
SCALE, PATIENCE = 65536.0, 2000


def device(job: Job) -> str:
    """`GPU` if there is one and the trial was given a part of it, else `CPU` with the threads it was given.

    TensorFlow takes such settings once per process: a later job with others runs with the first ones.
    """
    try:
        if job.resources.gpus > 0:
            for gpu in tf.config.list_physical_devices("GPU"):
                tf.config.experimental.set_memory_growth(gpu, True)
        else:
            tf.config.set_visible_devices([], "GPU")
        tf.config.threading.set_intra_op_parallelism_threads(max(1, job.resources.threads))
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError as error:
        LOG.info("TensorFlow keeps the devices and threads that it started with: %s", error)
    return "GPU" if tf.config.list_logical_devices("GPU") else "CPU"


class Precision:
    """The precision of a recipe on a device: `auto` is bf16 on a GPU (fp16 where it has no bf16), fp32 on a CPU.

    Raises:
        TrialFailed: fp16 on a CPU, which has no use for it.
    """

    def __init__(self, word: str, device: str) -> None:
        if word == "auto":
            word = "fp32" if device == "CPU" else ("bf16" if _has_bf16() else "fp16")
        if word == "fp16" and device == "CPU":
            raise TrialFailed(
                "precision fp16 needs a GPU, but this trial runs on a CPU.", "Use precision=bf16 or fp32."
            )
        self.word = word
        self.scaler = Scaler() if word == "fp16" else None

    def apply(self, trunk: keras.Model) -> None:
        """Let the layers compute in this precision; arrays stay float32, and so do the heads."""
        set_policy(trunk, POLICIES[self.word])


def usable(job: Job, device: str) -> Job:
    """The job of a saved model that is to predict on this device."""
    return to_predict(job, gpu=device != "CPU")


def set_policy(model: keras.Model, policy: str) -> None:
    """Layers whose arrays are quantised keep their own."""
    for layer in model._flatten_layers(include_self=False):
        if layer.dtype_policy.quantization_mode is None:
            layer.dtype_policy = policy


def _has_bf16() -> bool:
    details = [tf.config.experimental.get_device_details(gpu) for gpu in tf.config.list_physical_devices("GPU")]
    return all(detail.get("compute_capability", (0, 0)) >= (8, 0) for detail in details)


class Scaler:
    """Loss scaling for fp16 (Micikevicius et al., 2018): the scale halves on overflow, and that step is left out."""

    def __init__(self) -> None:
        self.scale = tf.Variable(SCALE, trainable=False)
        self.good = tf.Variable(0, trainable=False)

    def unscale(self, gradients: Sequence[Any]) -> tuple[list[Any], Any]:
        """The true gradients, and whether all are finite."""
        true = [gradient / self.scale for gradient in gradients]
        return true, tf.reduce_all([tf.reduce_all(tf.math.is_finite(gradient)) for gradient in true])

    def update(self, finite: Any) -> None:
        good = tf.where(finite, self.good + 1, 0)
        grown = tf.where(good >= PATIENCE, self.scale * 2, self.scale)
        self.scale.assign(tf.where(finite, grown, self.scale / 2))
        self.good.assign(tf.where(good >= PATIENCE, 0, good))

    def state(self) -> dict[str, float]:
        return {"scale": float(self.scale), "good": int(self.good)}

    def load(self, state: dict[str, float]) -> None:
        self.scale.assign(state["scale"])
        self.good.assign(int(state["good"]))
