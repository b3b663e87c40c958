"""The store of activations: computed once, whoever asks, and never taken for filled before it is."""

import contextlib
import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from msgspec.structs import replace

from autoft import activations
from autoft.activations import ActivationFeed, NoRoom, choose, forbidden
from autoft.activations import key as keys
from autoft.activations.store import FILLED, ActivationStore
from autoft.data import eviction
from autoft.errors import TrialFailed
from autoft.recipe import Recipe
from autoft.records import Cut, Job, View
from autoft.testing.numpy_backend import CARD
from autoft.testing.toy_task import problem
from autoft.vocab import ACTIVATION
from tests.core.extractor import CUTS, ORIGIN, ROWS, Extractor, filled, values

WHOLE, POOLED = CUTS
SOME = np.array([3, 4, 7, 131, 132, 300, 1070])


# ---- filled as asked for ------------------------------------------------------------------------------------


def test_rows_are_filled_as_they_are_asked_for(tmp_path):
    learner = Extractor()
    first = filled(tmp_path, learner, SOME)
    assert (learner.rows, first.computed, first.complete) == (SOME.tolist(), 7, True)
    np.testing.assert_array_equal(first.store.rows[SOME], values(SOME, WHOLE))
    assert first.store.missing(np.arange(10)).tolist() == [0, 1, 2, 5, 6, 8, 9]
    more = filled(tmp_path, learner, [2, 3, 4])
    assert learner.rows[7:] == [2] and more.computed == 1
    assert not first.store.rows.flags.writeable


def test_one_pass_fills_all_cuts(tmp_path):
    filled(tmp_path, Extractor(), SOME)
    again = Extractor()
    found = filled(tmp_path, again, SOME, cuts=[POOLED])
    assert again.rows == [] and found.computed == 0
    np.testing.assert_array_equal(found.store.rows[SOME], values(SOME, POOLED))


def test_a_cut_that_only_others_need_is_not_computed_for(tmp_path):
    filled(tmp_path, Extractor(), SOME, cuts=[POOLED])
    again = Extractor()
    filled(tmp_path, again, SOME, cuts=[POOLED, WHOLE])
    assert again.rows == []


def test_the_rest_stays_after_a_stop(tmp_path):
    learner = Extractor(batch=100)
    stopped = filled(tmp_path, learner, np.arange(ROWS), stop=lambda: len(learner.rows) >= 700)
    assert not stopped.complete and stopped.computed == 740
    later = Extractor()
    assert filled(tmp_path, later, np.arange(ROWS)).complete
    assert sorted(learner.rows + later.rows) == list(range(ROWS))


def test_what_came_before_an_error_stays(tmp_path):
    with pytest.raises(TrialFailed, match="boom"):
        filled(tmp_path, Extractor(fails_at=600, error=TrialFailed("boom")), np.arange(ROWS))
    later = Extractor()
    found = filled(tmp_path, later, np.arange(ROWS))
    assert 0 < len(later.rows) < ROWS
    np.testing.assert_array_equal(found.store.rows, values(np.arange(ROWS), WHOLE))


def test_rows_count_as_filled_only_once_they_are_marked(tmp_path):
    """A process that dies in between leaves rows that nobody takes for filled."""
    store = ActivationStore.open(tmp_path / "s", POOLED, 10)
    writer = store.writer()
    writer.put(np.array([2, 3, 8]), values(np.array([2, 3, 8]), POOLED))
    writer.close()
    assert len(store.missing(np.arange(10))) == 10
    writer = store.writer()
    writer.put(np.array([3, 2, 8]), values(np.array([3, 2, 8]), POOLED))
    writer.mark()
    writer.close()
    assert store.missing(np.arange(10)).tolist() == [0, 1, 4, 5, 6, 7, 9]
    np.testing.assert_array_equal(store.rows[[2, 3, 8]], values(np.array([2, 3, 8]), POOLED))


@pytest.mark.parametrize("wrong", [lambda v: v[:, :2], lambda v: v.astype(np.float64)])
def test_other_arrays_than_the_cut_says_are_refused(tmp_path, wrong):
    with pytest.raises(TrialFailed, match=r"extract must give \(5, 4, 3\) float32 at depth 1, but gave"):
        filled(tmp_path, Extractor(wrong=wrong), SOME)


def test_a_feed_that_is_not_extracted_to_its_end_is_refused(tmp_path):
    class Lazy(Extractor):
        def extract(self, feed, cuts, view):
            yield next(super().extract(feed, cuts, view))

    with pytest.raises(TrialFailed, match="one row per sample \\(5\\), but gave 3"):
        filled(tmp_path, Lazy(batch=3), SOME)


# ---- augmented views ------------------------------------------------------------------------------------------


def test_a_samples_place_in_a_view_does_not_hang_on_what_was_there_before(tmp_path):
    rows, view = np.arange(1, ROWS, 2), View(augment="light", number=2)
    straight = Extractor()
    filled(tmp_path / "a", straight, rows, view=view)
    broken = Extractor()
    filled(tmp_path / "b", broken, rows, view=view, stop=lambda: len(broken.rows) >= 600)
    filled(tmp_path / "b", broken, rows, view=view)
    assert set(broken.places) == set(straight.places)
    places = [(seed, place) for seed, place, _ in straight.places]
    assert len(set(places)) == len(places) == len(rows), "no two samples are drawn alike"


def test_views_and_their_rows_have_stores_of_their_own(tmp_path):
    one = filled(tmp_path, Extractor(), SOME, view=View(augment="light", number=1)).store
    two = filled(tmp_path, Extractor(), SOME, view=View(augment="light", number=2)).store
    other = filled(tmp_path, Extractor(), SOME[1:], view=View(augment="light", number=1)).store
    assert len({one.folder, two.folder, other.folder}) == 3
    assert not np.array_equal(one.rows[SOME], two.rows[SOME])


# ---- several processes ------------------------------------------------------------------------------------------


@contextlib.contextmanager
def start(folder, number, count, seconds=0.01):
    """A process that fills the store, ended with the test whatever becomes of that."""
    code = "from tests.core.extractor import main; main()"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(Path.cwd()), *sys.path]))}
    words = [sys.executable, "-c", code, str(folder), str(number), str(count), str(seconds)]
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def masks(folder):
    """Of stores that stand: a draft is renamed while one looks at it."""
    return list((folder / "store").glob(f"[!.]*/{FILLED}"))


def test_processes_share_the_work_and_no_row_is_computed_twice(tmp_path):
    with start(tmp_path, 0, 2) as first, start(tmp_path, 1, 2) as second:
        told = [process.communicate(timeout=120)[0].split() for process in (first, second)]
    assert [words[1] for words in told] == ["True", "True"]
    assert sum(int(words[0]) for words in told) == ROWS


@pytest.mark.skipif(not eviction.LOCKS, reason="no file locks")
def test_the_rows_of_a_process_that_was_killed_are_taken_over(tmp_path):
    with start(tmp_path, 0, 1, seconds=0.3) as running:  # 2.4 s for each of its four ranges
        deadline = time.time() + 60
        while time.time() < deadline and not any(mask.read_bytes().count(1) for mask in masks(tmp_path)):
            time.sleep(0.02)
        running.send_signal(signal.SIGKILL)
        running.communicate()
    later = Extractor()
    found = filled(tmp_path / "store", later, np.arange(ROWS))
    assert 0 < len(later.rows) < ROWS, "what it had marked is kept"
    np.testing.assert_array_equal(found.store.rows, values(np.arange(ROWS), WHOLE))


def test_waiting_for_another_process_ends_with_the_time(tmp_path):
    with start(tmp_path, 0, 1) as running:
        deadline = time.time() + 60
        while time.time() < deadline and not masks(tmp_path):
            time.sleep(0.01)
        began = time.time()
        slow = Extractor(seconds=0.01)
        late = filled(tmp_path / "store", slow, np.arange(ROWS), stop=lambda: time.time() > began + 0.1)
        assert time.time() - began < 5
        assert not late.complete
        assert running.communicate(timeout=60)[0].split()[1] == "True"


# ---- room -----------------------------------------------------------------------------------------------------


def other(number):
    return replace(ORIGIN, weights=str(number))


def test_the_least_recently_used_that_nobody_holds_make_room(tmp_path):
    size = ROWS * POOLED.bytes + 5000

    def one(number, most):
        return filled(tmp_path, Extractor(), [1], cuts=[POOLED], origin=other(number), most=most).store

    first, held = one(0, 3 * size), one(1, 3 * size)
    gone, kept = first.folder, held.folder
    os.utime(gone, (1, 1)), os.utime(kept, (0, 0))
    del first
    one(2, 2 * size + 10_000)
    assert kept.is_dir() and (not gone.is_dir() or not eviction.LOCKS)
    with pytest.raises(NoRoom, match="are not in use by other trials"):
        one(3, size)
    assert held.rows.shape == (ROWS, 5)


def test_others_cuts_are_left_out_where_there_is_no_room_for_them(tmp_path):
    found = filled(tmp_path, Extractor(), SOME, cuts=[POOLED, WHOLE], most=ROWS * POOLED.bytes + 5000)
    assert found.complete
    assert [folder.name for folder in tmp_path.iterdir() if folder.is_dir()] == [found.store.folder.name]


def test_a_disk_that_is_full_is_known_before(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda root: SimpleNamespace(free=100))
    with pytest.raises(NoRoom, match="336 bytes are needed, but the disk has 100 left"):
        filled(tmp_path, Extractor(), SOME)


def test_a_disk_that_becomes_full_gets_its_room_back(tmp_path):
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(OSError, match="No space"):
        filled(tmp_path, Extractor(fails_at=600, error=full), np.arange(ROWS))
    assert not [folder for folder in tmp_path.iterdir() if folder.is_dir()]


@pytest.mark.parametrize("damage", ["cut", "about", "other"])
def test_a_damaged_store_is_made_anew(tmp_path, damage):
    folder = filled(tmp_path, Extractor(), SOME, cuts=[POOLED]).store.folder
    if damage == "cut":
        (folder / "rows.npy").write_bytes((folder / "rows.npy").read_bytes()[:300])
    elif damage == "about":
        (folder / "store.json").write_text("{")
    else:
        (folder / "store.json").write_text('{"rows": 7, "shape": [5], "dtype": "float32"}')
    again = Extractor()
    found = filled(tmp_path, again, SOME, cuts=[POOLED])
    assert again.rows == SOME.tolist()
    np.testing.assert_array_equal(found.store.rows[SOME], values(SOME, POOLED))


# ---- keys -------------------------------------------------------------------------------------------------------


def job(card=CARD, seed=0, **recipe):
    chosen = Recipe.of({"model": card.name, "precision": "fp32", **recipe})
    return Job(card=card, problem=problem(), recipe=chosen, image_size=32, seed=seed)


def test_the_key_is_made_of_what_decides_the_numbers(tmp_path):
    file = tmp_path / "w.bin"
    file.write_bytes(b"one")
    card = replace(CARD, weights=str(file))
    plain = activations.origin_of(job(card), {"numpy": "2"}, "data")
    cut, view = POOLED, View()
    known = {plain.key(cut, view)}
    for origin in (
        activations.origin_of(job(card), {"numpy": "3"}, "data"),
        activations.origin_of(job(card), {"numpy": "2"}, "other"),
        activations.origin_of(job(replace(card, mean=(0.1, 0.1, 0.1))), {"numpy": "2"}, "data"),
        activations.origin_of(job(replace(card, extra={"a": 1})), {"numpy": "2"}, "data"),
        activations.origin_of(job(card, precision="bf16"), {"numpy": "2"}, "data"),
        activations.origin_of(replace(job(card), image_size=64), {"numpy": "2"}, "data"),
    ):
        known.add(origin.key(cut, view))
    known |= {plain.key(replace(cut, depth=3), view), plain.key(replace(cut, shape=(6,)), view)}
    known |= {plain.key(cut, View(number=1)), plain.key(cut, View(augment="light", number=1))}
    known.add(plain.key(cut, View(number=1), b"rows"))
    assert len(known) == 12
    same = activations.origin_of(job(card, seed=5, lr=1.0, freeze=1.0, head_width=8), {"numpy": "2"}, "data")
    assert same.key(cut, view, b"rows") == plain.key(cut, view), "what trains the head is not in it"
    file.write_bytes(b"two")
    assert activations.origin_of(job(card), {"numpy": "2"}, "data").key(cut, view) not in known


def test_random_weights_are_the_same_for_the_same_seed_alone():
    card = replace(CARD, pretrained=False, weights="")
    one, two = (activations.origin_of(job(card, seed=seed), {}, "d") for seed in (1, 2))
    assert (one.weights, two.weights) == ("scratch 1", "scratch 2")


def test_weights_are_read_once(tmp_path, monkeypatch):
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "a").write_bytes(b"1"), (folder / "b").write_bytes(b"2")
    first = keys.digest_of(str(folder))
    monkeypatch.setattr(keys.hashlib, "file_digest", lambda *_: pytest.fail("read again"))
    assert keys.digest_of(str(folder)) == first
    assert keys.digest_of("hub:some/model") == "named hub:some/model"


# ---- the choice of cuts -------------------------------------------------------------------------------------------

NETWORK = (
    Cut(depth=1, shape=(56, 56, 24)),  # 301 kB
    Cut(depth=2, shape=(28, 28, 32)),  # 100 kB
    Cut(depth=3, shape=(14, 14, 96)),  # 75 kB
    Cut(depth=4, shape=(160,)),
)


def test_the_deepest_cut_in_the_frozen_blocks_that_is_small_enough():
    def at(own, depths=(), rows=100, most=10**9, size=224):
        return choose(NETWORK, own, depths, size, rows, most)

    assert at(4).own == NETWORK[3] and at(3).own == NETWORK[2]
    assert at(3, depths=(4, 3, 1, 2)).others == (NETWORK[3], NETWORK[1])
    assert at(1) == "a sample has 301 kB at least where it can be cut, but 151 kB is the most to keep"
    assert at(1, size=512).own == NETWORK[0], "smaller than the image that it is made of"
    assert at(3, most=5 * 10**6) == "7.53 MB at least would be kept, but 5 MB may be"
    assert at(4, depths=(2, 3), most=8 * 10**6).others == (NETWORK[2],), "as many as there is room for"
    assert choose(NETWORK[2:], 2, (), 224, 100, 10**9) == "the network cannot be cut within its first 2 blocks"
    assert choose((), 2, (), 224, 100, 10**9) == "the network cannot be cut within its first 2 blocks"


@pytest.mark.parametrize(
    "recipe, words",
    [
        ({"freeze": 0.1}, "no block is frozen"),
        ({"augment": "light"}, "augment=light is drawn anew in every epoch"),
        ({"mixup": 0.2}, "mixup mixes the images"),
        ({"cutmix": 0.2, "augment": "light", "views": 3}, "cutmix mixes the images"),
    ],
)
def test_what_forbids_a_cached_prefix_is_said(recipe, words):
    chosen = Recipe.of({"freeze": 0.5, "augment": "none", **recipe})
    assert words in forbidden(chosen, 4)


def test_fixed_views_and_plain_images_may_be_cached():
    assert forbidden(Recipe.of({"freeze": 0.5, "augment": "none"}), 4) == ""
    assert forbidden(Recipe.of({"freeze": 0.5, "augment": "strong", "views": 2}), 4) == ""


# ---- minibatches -------------------------------------------------------------------------------------------------


def test_a_feed_gathers_rows_and_targets():
    rows = np.array([5, 1, 1, 7])
    feed = ActivationFeed([values(np.arange(9), WHOLE)], rows, {"label": np.array([0, 1, 2, 3])})
    batch = feed.batch(np.array([3, 0, 3]))
    np.testing.assert_array_equal(batch[ACTIVATION], values(np.array([7, 5, 7]), WHOLE))
    assert batch["label"].tolist() == [3, 0, 3] and len(feed) == 4
    batch[ACTIVATION][:] = 0
    np.testing.assert_array_equal(feed.batch(np.array([3]))[ACTIVATION], values(np.array([7]), WHOLE))


def test_epochs_take_turns_with_the_views():
    views = [values(np.arange(6), POOLED, View(number=number)) for number in (1, 2, 3)]
    feed = ActivationFeed(views, np.array([4, 2]), {}, starts=np.array([0, 2]))
    seen = []
    for epoch in range(1, 4):
        batch = feed.at(epoch).batch(np.array([1, 0]))[ACTIVATION]
        first, second = (1 + (start + epoch) % 3 for start in (2, 0))
        np.testing.assert_array_equal(batch[0], values(np.array([2]), POOLED, View(number=first))[0])
        np.testing.assert_array_equal(batch[1], values(np.array([4]), POOLED, View(number=second))[0])
        seen.append((first, second))
    assert [sorted(turn) for turn in zip(*seen, strict=True)] == [[1, 2, 3], [1, 2, 3]]


def test_rows_outside_the_store_are_an_error():
    with pytest.raises(IndexError, match="rows must lie in the store"):
        ActivationFeed([np.zeros((3, 2))], np.array([3]), {})
