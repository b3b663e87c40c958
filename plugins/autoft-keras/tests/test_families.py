"""A small network of every family in the catalogue: trained, saved, opened and taken over."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from autoft.api import Job, ModelCard
from autoft.testing.toys import ArrayFeed
from autoft_keras import _levels, _trunks, catalogue
from autoft_keras.backend import KerasBackend
from autoft_keras.local import LocalSource

keras_hub = pytest.importorskip("keras_hub", reason="autoft-keras is here without its extra hub")
SIDE = {"image_shape": (32, 32, 3)}
TWO = {"num_layers": 2, "num_heads": 2, "hidden_dim": 16}
SMALL: dict[str, dict[str, Any]] = {
    "ViT": {"patch_size": 8, **TWO, "mlp_dim": 32},
    "DeiT": {"patch_size": 8, **TWO, "intermediate_dim": 32},
    "SwinTransformer": {"patch_size": 4, "embed_dim": 8, "depths": [1, 1], "num_heads": [1, 2], "window_size": 4},
    "MiT": {
        "layerwise_depths": [1, 1],
        "num_layers": 2,
        "layerwise_num_heads": [1, 2],
        "layerwise_sr_ratios": [2, 1],
        "max_drop_path_rate": 0.1,
        "layerwise_patch_sizes": [7, 3],
        "layerwise_strides": [4, 2],
        "hidden_dims": [8, 16],
    },
    "HGNetV2": {
        "depths": [1, 1],
        "embedding_size": 8,
        "hidden_sizes": [8, 16],
        "stem_channels": [3, 8, 8],
        "hidden_act": "relu",
        "use_learnable_affine_block": False,
        "use_lightweight_conv_block": [False, False],
        "stackwise_stage_filters": [(8, 8, 8, 1, 1, 3), (8, 8, 16, 1, 1, 3)],
        "apply_downsample": [False, True],
    },
    "CSPNet": {
        "stem_filters": 8,
        "stem_kernel_size": 3,
        "stem_strides": 1,
        "stackwise_depth": [1, 1, 1],
        "stackwise_strides": [1, 2, 2],
        "stackwise_num_filters": [16, 32, 32],
        "block_type": "dark_block",
        "stage_type": "dark",
    },
    "DenseNet": {"stackwise_num_repeats": [1, 1], "growth_rate": 8},
    "VGG": {"stackwise_num_repeats": [1, 1], "stackwise_num_filters": [8, 8]},
    "Xception": {"stackwise_conv_filters": [[8, 8], [8, 16], [16, 16]], "stackwise_pooling": [True, True, False]},
    "EfficientNet": {
        "stackwise_kernel_sizes": [3, 3],
        "stackwise_num_repeats": [1, 1],
        "stackwise_input_filters": [8, 8],
        "stackwise_output_filters": [8, 16],
        "stackwise_expansion_ratios": [1, 4],
        "stackwise_strides": [1, 2],
        "stackwise_squeeze_and_excite_ratios": [0.25, 0.25],
        "stackwise_block_types": ["v1", "unfused"],
        "stackwise_width_coefficients": [1.0, 1.0],
        "stackwise_depth_coefficients": [1.0, 1.0],
    },
    "MobileNet": {
        "stackwise_expansion": [[8, 8], [16]],
        "stackwise_num_blocks": [2, 1],
        "stackwise_num_filters": [[8, 8], [8]],
        "stackwise_kernel_size": [[3, 3], [5]],
        "stackwise_num_strides": [[2, 1], [2]],
        "output_num_filters": 16,
        "stackwise_se_ratio": [[None, None], [0.25]],
        "stackwise_padding": [[1, 1], [2]],
        "depthwise_filters": 8,
        "stackwise_activation": [["relu", "relu"], ["hard_swish"]],
        "depthwise_stride": 2,
        "depthwise_residual": False,
        "last_layer_filter": 16,
    },
}
"""Backbone -> what makes a small one. ResNet is that of `hub_encoder`."""
UNOPENED = ("ViT", "DeiT", "SwinTransformer", "MiT")
"""Keras cannot make these again from what it saves of them: the weights alone are kept."""


def check(job: Job, toys: ArrayFeed, folder: Path) -> None:
    """A saved model predicts the same, also after its network was built anew, and is taken over by another recipe."""
    learner = KerasBackend().build(job)
    learner.train_epoch(toys, 1, lambda: False)
    wanted = learner.predict(toys)["class"]
    learner.save(folder)
    other: Any = KerasBackend().build(job)
    other.inherit(folder)
    for again in (KerasBackend().load(job, folder), other):
        assert np.allclose(again.predict(toys)["class"], wanted, atol=1e-5)


@pytest.mark.parametrize("kind", [pytest.param(k, marks=() if k in UNOPENED else pytest.mark.slow) for k in SMALL])
def test_a_network_of_kerashub_is_opened_again(
    kind: str, job: Callable[..., Job], toys: ArrayFeed, tmp_path: Path
) -> None:
    keras.utils.set_random_seed(0)
    shape = {"input_shape": SIDE["image_shape"]} if kind == "EfficientNet" else SIDE
    network = getattr(keras_hub.models, f"{kind}Backbone")(**SMALL[kind], **shape)
    network.save_to_preset(str(tmp_path / "preset"))
    card = LocalSource().resolve(str(tmp_path / "preset"))
    assert card is not None
    if "dense" in card.heads:
        assert _levels.model(_trunks.empty(card, 64)).outputs
    else:
        assert kind in ("ViT", "DeiT", "SwinTransformer")
    check(job(card, batch_size=16), toys, tmp_path / "model")
    kept = {path.name for path in (tmp_path / "model").iterdir()}
    assert kept == ({"model.weights.h5", "autoft_card.json"} if kind in UNOPENED else {"model.keras"})
    if kind not in UNOPENED:
        keras.saving.load_model(tmp_path / "model" / "model.keras")
    own = LocalSource().resolve(str(tmp_path / "model"))
    assert own is not None and own.summary == f"fine-tuned by autoft from {card.name}"
    taken, trunk = KerasBackend().build(job(own)), KerasBackend().load(job(card), tmp_path / "model")
    for block in taken.blocks():
        assert all(np.array_equal(value, trunk.arrays()[block][name]) for name, value in taken.arrays()[block].items())


def test_every_family_of_the_catalogue_is_tried() -> None:
    known = {"resnet", "efficientnet2", *(kind.lower() for kind in SMALL), "csp", "darknet", "swin"}
    names = [card.name.partition("/")[2] for card in catalogue.listed() if card.extra["library"] == "kerashub"]
    assert {name.partition("_")[0] for name in names} <= known


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ConvNeXtTiny", "NASNetMobile"])
def test_networks_whose_layers_lose_their_prefix_are_taken_over(
    kind: str, job: Callable[..., Job], toys: ArrayFeed, tmp_path: Path
) -> None:
    card = ModelCard(
        name=f"keras/{kind}",
        backend="keras",
        modality="image",
        pretrained=False,
        extra={"library": "keras", "architecture": kind},
    )
    check(job(card, freeze=0.5, batch_size=16), toys, tmp_path)


def test_boxes_and_masks_stand_on_files_and_encoders_that_have_maps(tiny: ModelCard) -> None:
    assert tiny.heads == ("pooled", "dense")
    heads = {card.name: card.heads for card in catalogue.listed()}
    assert heads["kerashub/resnet_18_imagenet"] == ("pooled", "dense")
    assert heads["kerashub/vit_base_patch16_224_imagenet"] == ("pooled",)
