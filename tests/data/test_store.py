"""The decoded-image store: contents, reuse, concurrent builders, damage, a full disk, eviction; and the feeds."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time

import msgspec
import numpy as np
import pytest

from autoft.data import cache as cache_module
from autoft.data import eviction, images, store
from autoft.data.feed import DecodedFeed, StoreFeed
from autoft.data.images import decode
from autoft.errors import DataError, UsageError
from autoft.records import Sample
from autoft.testing import toys


@pytest.fixture
def build(cache):
    def call(inspection, size: int = 16):
        return store.build(inspection.dataset, inspection.digests, *toys.pictures(size), cache)

    return call


def paths(inspection) -> list[str]:
    return [sample.fields["image"] for sample in inspection.dataset.samples]


def test_rows_are_the_decoded_samples_in_order(classes, checked, build):
    inspection = checked(classes({"a": 3, "b": 4}))
    built, issues = build(inspection)
    assert issues == ()
    assert len(built) == 7 and built.decoding.size == 16
    images = built.arrays["image"]
    assert isinstance(images, np.memmap) and images.dtype == np.uint8 and not images.flags.writeable
    assert (images == np.stack([decode(path, 16) for path in paths(inspection)])).all()


def test_open_in_another_process(classes, checked, build):
    built, _ = build(checked(classes({"a": 2, "b": 2})))
    code = (
        "import sys; from autoft.data.store import Store; s = Store.open(sys.argv[1]); print(s.arrays['image'].sum())"
    )
    printed = subprocess.run([sys.executable, "-c", code, built.folder], capture_output=True, text=True, check=True)
    assert int(printed.stdout) == int(built.arrays["image"].sum())


def test_a_later_search_reuses_the_pixels_whatever_the_labels(classes, checked, build, monkeypatch):
    inspection = checked(classes({"a": 2, "b": 2}))
    first, _ = build(inspection)
    monkeypatch.setattr(images, "decode", lambda *_: pytest.fail("decoded again"))
    relabelled = tuple(msgspec.structs.replace(s, split="train", group="g") for s in inspection.dataset.samples)
    again = inspection._replace(dataset=msgspec.structs.replace(inspection.dataset, samples=relabelled))
    assert build(again)[0].folder == first.folder


def test_size_content_and_decoder_make_another_store(classes, checked, build, picture, monkeypatch):
    root = classes({"a": 2, "b": 2})
    keys = {build(checked(root))[0].fingerprint, build(checked(root), size=8)[0].fingerprint}
    picture(root / "a" / "000.png", seed=99)
    keys.add(build(checked(root))[0].fingerprint)
    monkeypatch.setattr(images, "DECODER", "another")
    keys.add(build(checked(root))[0].fingerprint)
    assert len(keys) == 4


def test_damage_behind_the_header_becomes_issues_each_time(classes, checked, build):
    root = classes({"a": 3, "b": 3})
    whole = (root / "a" / "001.png").read_bytes()
    (root / "a" / "001.png").write_bytes(whole[: len(whole) // 2])
    inspection = checked(root)
    assert inspection.issues == ()
    for _ in range(2):  # built, then reused
        built, issues = build(inspection)
        assert [(i.kind, i.subject, i.drops) for i in issues] == [("truncated", "a/001.png", True)]
        assert list(built.bad) == [1]
        assert not built.arrays["image"][1].any() and built.arrays["image"][2].any()


def test_concurrent_builders_agree(classes, checked, build, cache):
    root = classes({"a": 6, "b": 6})
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from autoft.data import inspect, store\nfrom autoft.testing import toys\n"
        "from autoft.data.folder import FolderReader\nfrom autoft.records import ReadOptions\n"
        "d = FolderReader().read(sys.argv[1], ReadOptions(needs=('image', 'label')))\n"
        "i = inspect.inspect(d, ['image'])\n"
        "s, _ = store.build(i.dataset, i.digests, *toys.pictures(16), Path(sys.argv[2]))\n"
        "print(s.fingerprint, s.arrays['image'].sum())\n"
    )
    command = [sys.executable, "-c", code, str(root), str(cache)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    printed = {process.communicate()[0] for process in running}
    built, _ = build(checked(root))
    assert printed == {f"{built.fingerprint} {built.arrays['image'].sum()}\n"}
    assert [entry.name for entry in (cache / "stores").iterdir()] == [built.fingerprint]


@pytest.mark.parametrize("file", ["store.json", "image.npy"])
@pytest.mark.parametrize("damage", [lambda p: p.write_bytes(b"{"), lambda p: p.unlink()])
def test_a_damaged_store_is_built_anew(classes, checked, build, file, damage):
    inspection = checked(classes({"a": 2, "b": 2}))
    built, _ = build(inspection)
    damage(built.folder / file)
    with pytest.raises(DataError, match="cannot be read"):
        store.Store.open(built.folder)
    assert build(inspection)[0].arrays["image"].any()


def test_a_full_disk_is_said_and_leaves_nothing_behind(classes, checked, build, cache, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    inspection = checked(classes({"a": 2, "b": 2}))
    monkeypatch.setattr(store.os, "pwrite", full)
    with pytest.raises(UsageError, match="No space left") as caught:
        build(inspection)
    assert "AUTOFT_CACHE=" in caught.value.hint
    assert list((cache / "stores").iterdir()) == []


def test_a_cache_that_is_no_folder(classes, checked, tmp_path):
    (tmp_path / "file").write_text("")
    inspection = checked(classes({"a": 2, "b": 2}))
    with pytest.raises(UsageError, match="writable folder"):
        store.build(inspection.dataset, inspection.digests, *toys.pictures(8), tmp_path / "file")


def aged(folder, name: str, hours: float, size: int = 1000):
    entry = folder / name
    entry.mkdir(parents=True)
    (entry / "store.json").write_text("{}")
    (entry / "image.npy").write_bytes(bytes(size))
    os.utime(entry, (time.time() - hours * 3600,) * 2)
    return entry


def test_the_least_recently_used_go_first(tmp_path):
    for name, hours in (("old", 50), ("older", 90), ("young", 2), ("now", 0)):
        aged(tmp_path, name, hours)
    evicted = eviction.make_room(tmp_path, needed=500, limit=3000)
    assert [store.name for store in evicted] == ["older", "old"]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["now", "young"]


def test_stores_in_use_or_used_lately_stay(tmp_path):
    aged(tmp_path, "open", 50)
    aged(tmp_path, "now", 0)
    handle = eviction.hold(tmp_path / "open" / "store.json")
    try:
        assert eviction.make_room(tmp_path, needed=500, limit=100) == []
    finally:
        os.close(handle)
    assert [store.name for store in eviction.make_room(tmp_path, needed=500, limit=100)] == ["open"]


def test_using_a_store_makes_it_young(classes, checked, build):
    built, _ = build(checked(classes({"a": 2, "b": 2})))
    os.utime(built.folder, (0, 0))
    store.Store.open(built.folder)
    assert time.time() - built.folder.stat().st_mtime < 3600


def test_leftovers_of_dead_builders_are_swept(tmp_path):
    dead = aged(tmp_path, f"{eviction.DRAFT}dead", 48)
    alive = aged(tmp_path, f"{eviction.DRAFT}alive", 0)
    eviction.make_room(tmp_path, needed=0, limit=10**9)
    assert alive.exists() and not dead.exists()


def test_where_the_cache_is(monkeypatch, tmp_path):
    monkeypatch.setenv("AUTOFT_CACHE", str(tmp_path))
    assert cache_module.cache_root() == tmp_path
    monkeypatch.delenv("AUTOFT_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_module.cache_root() == tmp_path / ".cache" / "autoft"


@pytest.mark.parametrize(("text", "limit"), [("", 20 * 10**9), ("0.5", 5 * 10**8)])
def test_cache_limit(monkeypatch, text, limit):
    monkeypatch.setenv("AUTOFT_CACHE_MAX_GB", text)
    assert cache_module.cache_limit() == limit


@pytest.mark.parametrize("text", ["much", "0", "-1", "nan", "inf"])
def test_cache_limit_must_be_a_size(monkeypatch, text):
    monkeypatch.setenv("AUTOFT_CACHE_MAX_GB", text)
    with pytest.raises(UsageError, match="AUTOFT_CACHE_MAX_GB"):
        cache_module.cache_limit()


def test_store_feed_gathers_the_rows_asked_for(classes, checked, build):
    built, _ = build(checked(classes({"a": 3, "b": 3})))
    feed = StoreFeed(built.arrays, np.array([4, 0, 2]), {"label": np.array([7, 8, 9])})
    batch = feed.batch(np.array([2, 0, 0]))
    assert len(feed) == 3
    assert batch["label"].tolist() == [9, 7, 7]
    assert (batch["image"] == built.arrays["image"][[2, 4, 4]]).all()
    assert type(batch["image"]) is np.ndarray and batch["image"].flags.writeable


def test_targets_must_fit_the_feed(classes, checked, build):
    built, _ = build(checked(classes({"a": 3, "b": 3})))
    with pytest.raises(ValueError, match="one row per sample"):
        StoreFeed(built.arrays, np.array([0, 1]), {"label": np.zeros(6)})


def test_prediction_sees_the_pixels_of_the_search(classes, checked, build):
    inspection = checked(classes({"a": 3, "b": 3}))
    built, _ = build(inspection)
    rows = np.arange(6)
    decoded = DecodedFeed(inspection.dataset.samples, toys.pictures(16)[0], {"label": rows}).batch(rows[::-1])
    assert (decoded["image"] == StoreFeed(built.arrays, rows).batch(rows[::-1])["image"]).all()
    assert decoded["label"].tolist() == [5, 4, 3, 2, 1, 0]


def test_decoded_feed_reports_what_it_cannot_decode(classes):
    root = classes({"a": 2})
    (root / "a" / "000.png").write_text("words")
    files = sorted(root.glob("a/*"))
    feed = DecodedFeed([Sample(id=f.name, fields={"image": str(f)}) for f in files], toys.pictures(16)[0])
    pixels = feed.batch(np.arange(2))["image"]
    assert not pixels[0].any() and pixels[1].any()
    assert {row: bad.kind for row, bad in feed.bad.items()} == {0: "not_an_image"}
