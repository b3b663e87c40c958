"""The shipped list of networks, and the look for their weights on this machine."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from huggingface_hub import hf_hub_download, try_to_load_from_cache

from autoft.api import hub_file, hub_folder
from autoft_torch import catalogue

PROGRAM = """
import json, sys
from autoft_torch import catalogue
at_hand = [card.name for card in catalogue.of("timm") if card.offline]
print(json.dumps([at_hand, sorted({"huggingface_hub", "timm", "torch"} & set(sys.modules))]))
"""


@pytest.mark.parametrize("card", catalogue.listed(), ids=lambda card: card.name)
def test_every_card_can_be_ranked(card):
    assert card.params > 0 or card.fixed
    if card.modality == "image":  # the others have no one size of which a cost could be told
        assert 0 < card.macs < 300
    if card.weights.startswith(("hub:", "https:")):
        assert 50 <= card.prior <= 95
    assert " 0 classes" not in card.summary


def test_names_are_unique():
    names = [card.name for card in catalogue.listed()]
    assert len(names) == len(set(names))


def test_the_cache_is_read_as_its_own_library_reads_it(hub, places):
    """`hub_file` knows the layout by heart; here huggingface_hub itself writes and reads it."""
    repo, name = "timm/resnet18.a1_in1k", "model.safetensors"
    assert hub_file(repo, name) is None
    hub.files[repo] = {name: b"weights"}
    hf_hub_download(repo, name, cache_dir=hub_folder(), endpoint=hub.address)
    found = hub_file(repo, name)
    assert found is not None and found.read_bytes() == b"weights"
    assert str(found) == try_to_load_from_cache(repo, name, cache_dir=hub_folder())
    assert hub_file(repo, "config.json") is None

    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(done.stdout) == [["timm/resnet18"], []], "listing imports none of them"
