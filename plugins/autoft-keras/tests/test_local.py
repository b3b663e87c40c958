"""Networks on this machine: files, folders, and names that are wrong."""

from __future__ import annotations

import json
import zipfile

import keras
import msgspec
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from autoft.api import TrialFailed, UsageError
from autoft_keras import _describe, _kerasfile, _trunks, _weights, catalogue
from autoft_keras.local import LocalSource
from autoft_keras.sources import AutoftSource, KerasSource

SOURCE = LocalSource()
IMAGES = np.random.default_rng(0).random((2, 32, 32, 3), np.float32)


def base(name="base", pooled=False):
    inputs = keras.Input((32, 32, 3))
    x = layers.Conv2D(4, 3, strides=2)(inputs)
    x = layers.BatchNormalization()(x)
    x = layers.Conv2D(6, 3, activation="relu")(x)
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(x) if pooled else x, name=name)


def drawn(model):
    """The model with arrays that no initialiser gives."""
    rng = np.random.default_rng(1)
    model.set_weights([rng.random(array.shape, np.float32) for array in model.get_weights()])
    return model


def same(model, other):
    return all(np.array_equal(a, b) for a, b in zip(model.get_weights(), other.get_weights(), strict=True))


def kept(tmp_path, model):
    path = tmp_path / "model.keras"
    drawn(model).save(path)
    card = _kerasfile.describe(path)
    return card, _trunks.pretrained(card, 32)


# ---- a whole model --------------------------------------------------------------------------------


def test_a_classifier_loses_its_head(tmp_path):
    inner = base("resnet50")
    model = keras.Sequential([inner, layers.GlobalAveragePooling2D(), layers.Dense(8), layers.Dense(3)])
    card, trunk = kept(tmp_path, model)
    assert "cut after global_average_pooling" in card.summary and "images as for keras/resnet50" in card.summary
    assert card.mean == catalogue.find("keras/resnet50").mean and card.extra["channels"] == "bgr"
    assert (card.params, card.fixed_size, card.input_size) == (342, False, 32)
    assert [type(layer).__name__ for layer in trunk.layers[1:4]] == ["Conv2D", "BatchNormalization", "Conv2D"]
    assert np.allclose(trunk(IMAGES), np.mean(inner(IMAGES), (1, 2)), atol=1e-5)
    assert _trunks.pretrained(card, 64)(np.ones((1, 64, 64, 3), np.float32)).shape == (1, 6)


def test_a_model_as_the_tutorials_build_it(tmp_path):
    """Augmentation as a layer, the images normalised by operations of the graph, the base in inference mode."""
    inputs = keras.Input((32, 32, 3))
    x = keras.Sequential([layers.RandomFlip(), layers.RandomRotation(0.1)])(inputs)
    x = keras.applications.mobilenet_v2.preprocess_input(x)
    features = layers.GlobalAveragePooling2D()(base()(x, training=False))
    model = keras.Model(inputs, layers.Dense(3)(layers.Dropout(0.2)(features)))
    card, trunk = kept(tmp_path, model)
    assert "normalises its images itself" in card.summary
    assert (card.mean, card.std) == ((0.0,) * 3, (1 / 255,) * 3), "it takes pixels in 0..255"
    assert not [layer for layer in trunk.layers if type(layer).__name__.startswith("Random")]
    assert np.allclose(trunk(IMAGES * 255), keras.Model(inputs, features)(IMAGES * 255, training=False), atol=1e-4)


def test_a_network_that_flattens_is_averaged_instead(tmp_path):
    parts = [layers.Conv2D(4, 3), layers.MaxPooling2D(name="last"), layers.Flatten(), layers.Dense(8), layers.Dense(3)]
    card, trunk = kept(tmp_path, keras.Sequential([keras.Input((32, 32, 3)), *parts]))
    assert "averaged after last" in card.summary and "pixels scaled to 0..1" in card.summary
    assert (card.fixed_size, card.min_size, trunk.output_shape) == (True, 32, (None, 4))


def test_a_trunk_is_rebuilt_without_the_file(tmp_path):
    card, trunk = kept(tmp_path, keras.Sequential([base(pooled=True), layers.Dense(3)]))
    (tmp_path / "model.keras").unlink()
    card = msgspec.json.decode(msgspec.json.encode(card), type=type(card))
    assert [v.path for v in _trunks.empty(card, 32).weights] == [v.path for v in trunk.weights]
    with pytest.raises(UsageError, match="not there any more"):
        SOURCE.fetch(card)


def keras_file(path, config):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(config))
    return str(path)


def layer(module, name, registered=None, **config):
    return {"module": module, "class_name": name, "config": config, "registered_name": registered}


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (layer("keras.layers", "Lambda"), "a layer Lambda"),
        (layer("keras.layers", "TFSMLayer", filepath="/tmp/program"), "a layer TFSMLayer"),
        (layer("os", "system"), "names os.system"),
        (layer("keras.utils", "get_file"), "names keras.utils.get_file"),
        (layer(None, "Mine", "mine>Mine"), "names mine.Mine"),
        (layer("keras.layers", "Dense", "mine>Dense"), "names mine.Dense"),
        (layer("builtins", "function") | {"config": "exec", "module": "subprocess"}, "names subprocess.exec"),
        (layer("builtins", "function") | {"config": "eval"}, "names builtins.eval"),
    ],
)
def test_code_is_refused_before_anything_is_imported(tmp_path, part, words):
    path = keras_file(tmp_path / "model.keras", layer("keras", "Sequential", layers=[part]))
    with pytest.raises(UsageError) as caught:
        SOURCE.resolve(path)
    assert words in caught.value.message and "keras/NAME@FILE.weights.h5" in caught.value.hint


def test_a_model_of_something_else_is_refused(tmp_path):
    path = tmp_path / "model.keras"
    keras.Sequential([keras.Input((8,)), layers.Dense(3)]).save(path)
    with pytest.raises(UsageError, match="square images of three channels"):
        _kerasfile.describe(path)


# ---- the weights of a file ------------------------------------------------------------------------


def under_a_head():
    return keras.Sequential([drawn(base()), layers.GlobalAveragePooling2D(), layers.Dense(3)])


def beside_a_head():
    below = drawn(base())
    return keras.Model(below.input, layers.Dense(3)(layers.GlobalAveragePooling2D()(below.output)))


@pytest.mark.parametrize("model", [under_a_head, beside_a_head, base], ids=["nested", "flat", "bare"])
@pytest.mark.parametrize("form", ["weights.h5", "keras", "h5", "saved", "exported"])
def test_weights_of_every_form(tmp_path, recwarn, model, form):
    saved, path = model(), tmp_path / f"model.{form}"
    if form == "weights.h5":
        saved.save_weights(path)
    elif form == "saved":
        tf.saved_model.save(saved, str(path))
    elif form == "exported":
        saved.export(path, verbose=False)
    else:
        saved.save(path)
    recwarn.clear()  # Keras warns of the older form
    network = base()
    wanted = [array for array in saved.get_weights() if array.shape not in ((6, 3), (3,))]
    _weights.put(network, path, "base")
    assert all(np.array_equal(a, b) for a, b in zip(network.get_weights(), wanted, strict=True))


def test_weights_of_another_network_are_refused_in_words(tmp_path):
    other = keras.Sequential([keras.Input((32, 32, 3)), *(layers.Conv2D(5, 3) for _ in range(9))])
    few = keras.Sequential([keras.Input((32, 32, 3)), layers.Conv2D(5, 3)])
    for model, words in ((other, "unknown to it|could not be loaded|must"), (few, "it has 8 arrays, the file 2")):
        model.save_weights(tmp_path / "other.weights.h5")
        with pytest.raises(TrialFailed, match=f"do not fit base: .*({words})"):
            _weights.put(base(), tmp_path / "other.weights.h5", "base")
    tf.saved_model.save(other, str(tmp_path / "saved"))
    with pytest.raises(TrialFailed, match=r"do not fit base: the arrays of its layer .* have the shapes"):
        _weights.put(base(), tmp_path / "saved", "base")
    (tmp_path / "damaged.h5").write_bytes(b"no weights at all")
    with pytest.raises(TrialFailed, match="cannot be read"):
        _weights.put(base(), tmp_path / "damaged.h5", "base")


def test_a_named_network_takes_a_files_weights(tmp_path):
    whole = keras.applications.MobileNetV3Small(weights=None, classes=5, input_shape=(32, 32, 3))
    path = tmp_path / "mine.weights.h5"
    drawn(whole).save_weights(path)
    card = _describe.describe(f"keras/MobileNetV3Small@{path}")
    assert (card.offline, card.min_size, card.input_size) == (True, 32, 224) and "mine.weights.h5" in card.summary
    trunk = _trunks.pretrained(card, 64)
    assert all(np.array_equal(a, b) for a, b in zip(trunk.get_weights(), whole.get_weights(), strict=False))
    with pytest.raises(TrialFailed, match=r"do not fit base: the file has .* unknown to it"):
        _weights.put(base(), path, "base")


@pytest.mark.slow
def test_another_process_compares_the_arrays(tmp_path):
    path = tmp_path / "mine.weights.h5"
    whole = keras.applications.MobileNetV3Small(weights=None, classes=5, input_shape=(32, 32, 3))
    whole.save_weights(path)
    name = f"keras/mobilenet_v3_small@{path}"
    assert KerasSource().resolve(name) is None, "the local source owns names with a file"
    card = SOURCE.resolve(name)
    assert card is not None and card.name == name and card.offline and SOURCE.fetch(card) == card
    with pytest.raises(UsageError, match="do not fit"):
        SOURCE.resolve(f"keras/vgg16@{path}")


# ---- folders and names ----------------------------------------------------------------------------


def test_a_preset_folder(tmp_path):
    keras_hub = pytest.importorskip("keras_hub", reason="autoft-keras is here without its extra hub")
    backbone = keras_hub.models.ViTBackbone(
        image_shape=(32, 32, 3), patch_size=8, num_layers=2, num_heads=2, hidden_dim=16, mlp_dim=32
    )
    drawn(backbone).save_to_preset(tmp_path / "vit")
    card = SOURCE.resolve(str(tmp_path / "vit"))
    assert card is not None and (card.fixed_size, card.input_size, card.min_size) == (True, 32, 32)
    trunk = _trunks.pretrained(card, 32)
    assert same(trunk, backbone) and np.allclose(trunk(IMAGES), backbone(IMAGES)[:, 0], atol=1e-5)
    fresh = SOURCE.resolve(f"{tmp_path / 'vit'}@scratch")
    assert fresh is not None and not fresh.pretrained
    assert not same(_trunks.pretrained(fresh, 32), backbone)
    config = json.loads((tmp_path / "vit" / "config.json").read_text())
    config["config"]["dtype"] = layer("os", "system")
    (tmp_path / "vit" / "config.json").write_text(json.dumps(config))
    with pytest.raises(UsageError, match=r"names os\.system"):
        SOURCE.resolve(str(tmp_path / "vit"))


def test_wrong_paths_are_refused_in_words(tmp_path):
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "saved_model.pb").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "w.weights.h5").touch()
    (tmp_path / "notes.txt").touch()
    (tmp_path / "bad.keras").write_bytes(b"no archive")
    cases = {
        str(tmp_path / "savd"): "Did you mean 'saved'",
        str(tmp_path / "no" / "such"): "does not exist either",
        str(tmp_path / "saved"): "not cut into layers",
        str(tmp_path / "empty"): "must hold model.keras, or a preset of KerasHub",
        str(tmp_path / "w.weights.h5"): "does not say which network",
        str(tmp_path / "notes.txt"): "must end in one of .keras, .h5",
        str(tmp_path / "bad.keras"): "must be a file that Keras 3 saved",
        keras_file(tmp_path / "list.keras", []): "has no config.json",
        f"keras/resnet50@{tmp_path / 'w.weights'}": "Did you mean 'w.weights.h5'",
        f"keras/resnet50@{tmp_path / 'notes.txt'}": "must end in one of .keras, .h5",
        f"keras/resnet50@{tmp_path / 'empty'}": "must hold saved_model.pb or model.keras",
        f"autoft/resnet-s@{tmp_path / 'w.weights.h5'}": "must be one of keras/...",
    }
    for name, words in cases.items():
        with pytest.raises(UsageError) as caught:
            SOURCE.resolve(name)
        assert words in caught.value.message, name


def test_names_are_not_taken_for_paths():
    for name in ("keras/resnet50", "resnet50", "timm/resnet18", "timm/resnet18@./w.safetensors"):
        assert SOURCE.resolve(name) is None


def test_a_name_from_scratch_needs_no_weights():
    for name in ("keras/resnet50@scratch", "autoft/resnet-s@scratch"):
        card = SOURCE.resolve(name)
        assert card is not None and card.name == name
        assert (card.pretrained, card.weights, card.offline) == (False, "", True)
        assert SOURCE.fetch(card) == card
    assert SOURCE.resolve("nonsense@scratch") is None
    with pytest.raises(UsageError, match="no network at"):
        SOURCE.resolve("./nowhere@scratch")
    with pytest.raises(UsageError, match="cannot be made from scratch"):
        SOURCE.resolve("kerashub/resnet_18_imagenet@scratch")


def test_a_model_of_autoft_goes_on_from_its_backbone(tmp_path):
    """What the learner saves: trunk and heads in one model, and the card in the archive."""
    card = AutoftSource().catalogue()[0]
    trunk = drawn(_trunks.empty(card, 32))
    trunk.name = "trunk"
    inputs = keras.Input((32, 32, 3))
    keras.Model(inputs, {"class": layers.Dense(4)(trunk(inputs))}).save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras", "a") as archive:
        archive.writestr("autoft_card.json", msgspec.json.encode(msgspec.structs.replace(card, weights="")))
    (tmp_path / "config.json").write_text('{"of": "the run"}')
    for name in (tmp_path, tmp_path / "model.keras"):
        again = SOURCE.resolve(str(name))
        assert again is not None and again.pretrained and again.offline
        assert again.summary == "fine-tuned by autoft from autoft/resnet-s" and SOURCE.fetch(again) == again
        assert same(_trunks.pretrained(again, 64), trunk)
