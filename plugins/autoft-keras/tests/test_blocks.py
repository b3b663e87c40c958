"""Where networks are cut into blocks."""

from __future__ import annotations

import keras
import pytest

from autoft_keras import _blocks


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "count", "first", "last"),
    [
        ("VGG16", 5, "block1", "block5"),
        ("ResNet50", 17, "stem", "conv5_block3"),
        ("MobileNet", 14, "stem", "conv_13"),
        ("MobileNetV2", 18, "stem", "block_16"),
        ("MobileNetV3Small", 12, "stem", "expanded_conv_10"),
        ("EfficientNetB0", 17, "stem", "block7a"),
        ("ConvNeXtTiny", 22, "stem", "stage_3_block_2"),
        ("DenseNet121", 59, "stem", "conv5_block16"),
        ("InceptionV3", 94, "conv2d", "conv2d_93"),
    ],
)
def test_blocks_are_those_of_the_architecture(kind, count, first, last):
    trunk = getattr(keras.applications, kind)(weights=None, include_top=False, pooling="avg", input_shape=(96, 96, 3))
    blocks = _blocks.of(trunk)
    assert (len(blocks), blocks[0].name, blocks[-1].name) == (count, first, last)
    assert sum(len(block.members) for block in blocks) == len(trunk.weights)


def test_layers_without_names_are_counted_within_the_network():
    """Keras counts them since the process began; a state must fit a network that is built again."""

    def build():
        images = keras.Input((8, 8, 3))
        x = keras.layers.BatchNormalization()(keras.layers.Conv2D(4, 3)(images))
        return keras.Model(images, keras.layers.Dense(2)(keras.layers.Conv2D(4, 3, name="own_7")(x)))

    one, other = build(), build()
    assert one.layers[1].name != other.layers[1].name
    assert [*_blocks.named(one)] == [*_blocks.named(other)]
    assert {name.split("/")[0] for name in _blocks.named(other)} == {"conv2d", "batch_normalization", "own_7", "dense"}
    assert [block.name for block in _blocks.of(other)] == ["conv2d", "own_7", "dense"]


def test_loose_layers_join_the_block_before():
    images = keras.Input((16, 16, 3))
    x = images
    for name in ("first", "block1_conv", "block2_conv", "loose", "block3_conv", "top"):
        x = keras.layers.Conv2D(2, 3, name=name)(x)
    blocks = _blocks.of(keras.Model(images, keras.layers.GlobalAveragePooling2D()(x)))
    assert [block.name for block in blocks] == ["stem", "block1", "block2", "block3"]
    assert [len(block.members) for block in blocks] == [2, 2, 4, 4]
