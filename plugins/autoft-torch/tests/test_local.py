"""Networks on this machine: folders, files, and names that are wrong."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file

from autoft.api import TrialFailed, UsageError
from autoft_torch.backend import TorchBackend
from autoft_torch.local import LocalSource
from autoft_torch.sources import AutoftSource, TimmSource, TorchvisionSource

transformers = pytest.importorskip("transformers", reason="autoft-torch is here without its extra hf")

SOURCE = LocalSource()


def flat(learner):
    return {key: values for block in learner.arrays().values() for key, values in block.items()}


@pytest.fixture
def timm_folder(tmp_path):
    folder = tmp_path / "timm"
    folder.mkdir()
    net = timm.create_model("test_resnet", num_classes=7)
    save_file(
        {k: v.half() if v.is_floating_point() else v for k, v in net.state_dict().items()}, folder / "model.safetensors"
    )
    about = {"mean": [0.5] * 3, "std": [0.25] * 3, "input_size": [3, 160, 160], "license": "mit", "classifier": "fc"}
    (folder / "config.json").write_text(json.dumps({"architecture": "test_resnet", "pretrained_cfg": about}))
    return folder, net.state_dict()


def test_a_timm_folder(timm_folder, job, toys):
    folder, state = timm_folder
    card = SOURCE.resolve(str(folder))
    assert card is not None and card.offline and SOURCE.fetch(card) == card
    assert (card.mean, card.std, card.input_size, card.licence) == ((0.5,) * 3, (0.25,) * 3, 160, "mit")
    learner = TorchBackend().build(job(card))
    arrays = flat(learner)
    trunk = {k: v for k, v in state.items() if not k.startswith("fc.")}
    assert card.params == sum(
        v.numel() for k, v in trunk.items() if k in dict(timm.create_model("test_resnet").named_parameters())
    )
    for key, values in trunk.items():
        assert arrays[f"trunk.{key}"].dtype == np.float32 or "num_batches" in key
        assert np.array_equal(arrays[f"trunk.{key}"], values.half().numpy().astype(arrays[f"trunk.{key}"].dtype))
    assert learner.predict(toys)["class"].shape == (32, 4)


def test_a_transformers_folder(tmp_path, job, toys):
    config = transformers.ViTConfig(
        hidden_size=16, num_hidden_layers=3, num_attention_heads=2, intermediate_size=32, image_size=32, patch_size=8
    )
    net = transformers.ViTForImageClassification(config)
    net.save_pretrained(tmp_path / "vit")
    card = SOURCE.resolve(str(tmp_path / "vit"))
    assert card is not None and (card.fixed_size, card.input_size, card.min_size) == (True, 32, 32)
    learner = TorchBackend().build(job(card, freeze=0.5))
    assert learner.blocks()[0] == "stem" and len(learner.blocks()) == 4, learner.blocks()
    images = torch.from_numpy(toys.batch(np.arange(4))["image"]).permute(0, 3, 1, 2) / 255
    values = (images - torch.tensor(card.mean).view(1, 3, 1, 1)) / torch.tensor(card.std).view(1, 3, 1, 1)
    net.classifier = torch.nn.Identity()
    with torch.inference_mode():
        assert torch.allclose(learner.net.trunk(values), net.eval()(pixel_values=values).logits, atol=1e-5)
    saved = tmp_path / "saved"
    learner.save(saved)
    (tmp_path / "vit" / "model.safetensors").unlink()
    again = TorchBackend().load(job(card), saved)
    assert np.array_equal(again.predict(toys)["class"], learner.predict(toys)["class"])


def test_a_model_of_autoft_goes_on_from_its_backbone(tmp_path, job, toys):
    first = TorchBackend().build(job(AutoftSource().catalogue()[0]))
    first.train_epoch(toys, 1, lambda: False)
    first.save(tmp_path / "best")
    (tmp_path / "best" / "config.json").write_text('{"of": "the run"}')
    card = SOURCE.resolve(str(tmp_path / "best"))
    assert card is not None and card.pretrained and "fine-tuned by autoft from autoft/resnet-s" in card.summary
    second = flat(TorchBackend().build(job(card, head_width=8)))
    assert all(np.array_equal(second[k], v) for k, v in flat(first).items() if k.startswith("trunk."))


@pytest.mark.slow
def test_weights_of_a_file_in_a_named_network(tmp_path, job):
    state = torchvision.models.mobilenet_v2(num_classes=3).state_dict()
    path = tmp_path / "weights.pth"
    torch.save({"state_dict": {f"module.{k}": v for k, v in state.items()}, "epoch": 3}, path)
    name = f"torchvision/mobilenet_v2@{path}"
    assert TorchvisionSource().resolve(name) is None, "the local source owns names with a file"
    card = SOURCE.resolve(name)
    assert card is not None and card.name == name and card.offline
    arrays = flat(TorchBackend().build(job(card)))
    assert all(np.array_equal(arrays[f"trunk.{k}"], v.numpy()) for k, v in state.items() if k.startswith("features."))


@pytest.mark.slow
def test_weights_of_another_network_are_refused_in_words(tmp_path):
    path = tmp_path / "weights.safetensors"
    save_file(torchvision.models.resnet34().state_dict(), path)
    with pytest.raises(UsageError) as caught:
        SOURCE.resolve(f"torchvision/resnet18@{path}")
    assert "arrays of the file are unknown to it (layer1.2.bn1.bias" in caught.value.message


def test_a_file_with_code_is_not_run(tmp_path, job, card):
    class Bomb:
        def __reduce__(self):
            return (tmp_path.joinpath("ran").touch, ())

    path = tmp_path / "weights.pth"
    path.write_bytes(pickle.dumps({"state_dict": Bomb()}))
    wanted = card("timm", "test_resnet")
    wanted = type(wanted)(
        **{f: getattr(wanted, f) for f in wanted.__struct_fields__} | {"pretrained": True, "weights": str(path)}
    )
    with pytest.raises(TrialFailed, match=r"cannot be read|holds other objects"):
        TorchBackend().build(job(wanted))
    assert not (tmp_path / "ran").exists()


def test_wrong_paths_are_refused_in_words(timm_folder, tmp_path):
    folder, _ = timm_folder
    cases = {
        str(folder.parent / "tim"): "Did you mean 'timm'",
        str(tmp_path): "must hold model.safetensors or pytorch_model.bin",
        str(tmp_path / "no" / "such"): "does not exist either",
        f"timm/test_resnet@{folder / 'model.safetensor'}": "Did you mean 'model.safetensors'",
        f"autoft/resnet-s@{folder}": "timm or torchvision",
        str(folder / "model.safetensors"): "does not say which network",
        str(folder / "config.json"): "must end in one of",
    }
    for name, words in cases.items():
        with pytest.raises(UsageError) as caught:
            SOURCE.resolve(name)
        assert words in caught.value.message, name
    (folder / "config.json").write_text("{}")
    with pytest.raises(UsageError, match="neither"):
        SOURCE.resolve(str(folder))
    (folder / "config.json").unlink()
    with pytest.raises(UsageError, match=r"must hold a config\.json"):
        SOURCE.resolve(str(folder))
    (folder / "model.safetensors").write_bytes(b"not weights at all")
    with pytest.raises(UsageError, match="must be a safetensors file"):
        SOURCE.resolve(str(folder))


def test_names_are_not_taken_for_paths():
    assert SOURCE.resolve("timm/resnet18") is None and SOURCE.resolve("resnet18") is None
    assert TimmSource().resolve("torchvision/resnet18") is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "name", "near"),
    [
        (TimmSource, "timm/resnet18x", "resnet18"),
        (TimmSource, "timm/resnet18.a1_in2k", "a1_in1k"),
        (TorchvisionSource, "torchvision/mobilnet_v2", "mobilenet_v2"),
        (AutoftSource, "autoft/resnet", "autoft/resnet-s"),
    ],
)
def test_misspelt_names_meet_the_nearest(source, name, near):
    with pytest.raises(UsageError, match=f"Did you mean '{near}'"):
        source().resolve(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["timm/resnet18.tv_in1k", "torchvision/mnasnet0_5"])
def test_networks_beyond_the_catalogue_are_described(name, places):
    card = (TimmSource() if name.startswith("timm") else TorchvisionSource()).resolve(name)
    assert card is not None and card.name == name and card.params > 900_000 and card.min_size == 32
    assert not card.offline and card.weights.startswith(("hub:timm/", "https://download.pytorch.org/"))
