"""`NAME@scratch`: the same network with random weights."""

import msgspec
import numpy as np
import pytest

from autoft.api import UsageError
from autoft_torch.backend import TorchBackend
from autoft_torch.local import LocalSource


def test_a_name_from_scratch_needs_no_weights():
    card = LocalSource().resolve("timm/mobilenetv3_small_050@scratch")
    assert card is not None
    assert (card.pretrained, card.weights, card.offline) == (False, "", True)
    assert card.name == "timm/mobilenetv3_small_050@scratch"
    assert LocalSource().fetch(card) == card


def test_what_is_no_network_is_not_one_from_scratch_either():
    assert LocalSource().resolve("nonsense@scratch") is None
    with pytest.raises(UsageError, match="no checkpoint"):
        LocalSource().resolve("./nowhere@scratch")


def test_a_fine_tuned_folder_from_scratch_has_other_weights(tmp_path, card, job, toys):
    first = TorchBackend().build(job(card("autoft", "resnet-s")))
    first.save(tmp_path)
    again = LocalSource().resolve(str(tmp_path))
    fresh = LocalSource().resolve(f"{tmp_path}@scratch")
    assert again is not None and fresh is not None
    one = TorchBackend().build(job(again)).arrays()["stem"]
    other = TorchBackend().build(msgspec.structs.replace(job(fresh), seed=7)).arrays()["stem"]
    kept = first.arrays()["stem"]
    name = next(k for k, v in kept.items() if v.ndim == 4)
    assert np.array_equal(one[name], kept[name])
    assert not np.array_equal(other[name], kept[name])
