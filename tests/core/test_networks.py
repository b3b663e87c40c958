"""What sources of networks have in common."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from autoft.api import (
    BundledSource,
    ModelCard,
    PathSource,
    TrialFailed,
    UsageError,
    check_bundled,
    described,
    json_object,
    near_file,
)

CARD = ModelCard(name="autoft/small", backend="x", modality="image", weights="bundled:small", pretrained=True)


class Bundled(BundledSource):
    distribution = "autoft-x"

    def __init__(self, there: bool) -> None:
        self.there = there

    def catalogue(self) -> Sequence[ModelCard]:
        return (CARD,)

    def find(self, name: str) -> ModelCard | None:
        return CARD if name == CARD.name else None

    def at_hand(self, card: ModelCard) -> bool:
        return self.there


def test_what_a_distribution_brings_is_found_by_name_and_missed_in_words() -> None:
    source = Bundled(there=True)
    assert source.resolve(CARD.name) == CARD == source.fetch(CARD) and not source.reachable()
    assert source.resolve("timm/small") is None and source.resolve("autoft/small@file.pth") is None
    with pytest.raises(UsageError, match=r"no network 'autoft/smal'.* Did you mean 'autoft/small'\?"):
        source.resolve("autoft/smal")
    with pytest.raises(UsageError, match="must be in the installed autoft-x, but 'bundled:small' is not there"):
        Bundled(there=False).fetch(CARD)


def test_bundled_weights_are_those_that_were_shipped(tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(b"others")
    check_bundled(CARD, tmp_path / "weights", "autoft-x")
    with pytest.raises(TrialFailed, match="must have the SHA-256 0000"):
        check_bundled(msgspec.structs.replace(CARD, extra={"sha256": "0000"}), tmp_path / "weights", "autoft-x")


def describing(folder: Path, monkeypatch: pytest.MonkeyPatch, says: str) -> None:
    (folder / "describes.py").write_text(f"import os, sys\n{says}\n")
    monkeypatch.setenv("PYTHONPATH", str(folder))


def test_another_process_describes_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card = msgspec.json.encode({"card": CARD}).decode().replace("autoft/small", "NAME")
    describing(
        tmp_path, monkeypatch, f"print('a word'); print({card!r}.replace('NAME', sys.argv[1] + os.environ['W']))"
    )
    assert described("describes", "x/", {"W": "net"}) == msgspec.structs.replace(CARD, name="x/net")


@pytest.mark.parametrize(
    ("says", "words"),
    [
        ('print(\'{"error": "there is none", "hint": "look"}\')', "there is none"),
        ("raise ValueError('oh')", "'x' cannot be described: ValueError: oh"),
        ("", "no output"),
    ],
)
def test_why_a_network_cannot_be_described(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, words: str
) -> None:
    describing(tmp_path, monkeypatch, says)
    with pytest.raises(UsageError, match=words):
        described("describes", "x")


def test_only_an_object_describes_a_network(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"a": 1}')
    assert json_object(path) == {"a": 1}
    path.write_text("[1]")
    with pytest.raises(UsageError, match="must hold one JSON object, but holds a list"):
        json_object(path)
    path.write_text("{")
    with pytest.raises(UsageError, match="must be readable JSON"):
        json_object(path)


class Local(PathSource):
    prefix = "local"
    kind = "network"
    prefixes = ("timm",)
    suffixes = (".pth",)

    def known(self, name: str) -> ModelCard | None:
        return msgspec.structs.replace(CARD, name=name)

    def named(self, network: str, path: str) -> ModelCard:
        return msgspec.structs.replace(CARD, name=network, weights=path)

    def folder(self, name: str, path: Path) -> ModelCard:
        return msgspec.structs.replace(CARD, summary="a folder", weights=str(path))

    def file(self, name: str, path: Path) -> ModelCard:
        return msgspec.structs.replace(CARD, summary="a file", weights=str(path))

    def at_hand(self, card: ModelCard) -> bool:
        return Path(card.weights).exists()


def test_names_and_paths_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "timm").mkdir()
    (tmp_path / "mine").mkdir()
    (tmp_path / "a.pth").touch()
    found = {name: Local().resolve(name) for name in ("timm", "mine", "other", "a.pth", "./timm", "timm/net@a.pth")}
    said = {name: card and (card.name, card.summary, card.weights) for name, card in found.items()}
    assert said == {
        "timm": None,
        "mine": ("mine", "a folder", "mine"),
        "other": None,
        "a.pth": ("a.pth", "a file", "a.pth"),
        "./timm": ("./timm", "a folder", "timm"),
        "timm/net@a.pth": ("timm/net", "", "a.pth"),
    }
    with pytest.raises(UsageError, match=r"no network at './mime'\. Did you mean 'mine'\?"):
        Local().resolve("./mime")
    with pytest.raises(UsageError, match=r"no network at 'b.pth'"):
        Local().resolve("b.pth")
    assert near_file(tmp_path / "gone" / "x").endswith("gone does not exist either.")


def test_weights_that_are_gone_are_missed_unless_none_are_needed(tmp_path: Path) -> None:
    card = Local().resolve(str(tmp_path))
    assert card is not None and card.pretrained and Local().fetch(card) == card
    with pytest.raises(UsageError, match="must be at bundled:small, but are not there any more"):
        Local().fetch(CARD)
    for name in (f"{tmp_path}@scratch", "timm/net@scratch"):
        fresh = Local().resolve(name)
        assert fresh is not None and (fresh.name, fresh.weights, fresh.pretrained) == (name, "", False)
        assert Local().fetch(fresh) == fresh
    assert Local().resolve("other@scratch") is None
