"""A trial whose frozen prefix comes from the cache: the same numbers, and reasons where it cannot."""

import time
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from autoft import heads, prefix
from autoft.data import cache
from autoft.errors import TrialFailed
from autoft.records import Caching, Fold, View
from autoft.testing.numpy_learner import FILE, NumpyLearner, read
from autoft.trial import Trial
from tests.core import told

CACHING = Caching(freezes=(0.3, 1.0), max_bytes=10**9)


@pytest.fixture(autouse=True)
def cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.PLACE, str(tmp_path / "cache"))
    monkeypatch.setattr(prefix, "_agreed", {})
    return tmp_path / "cache" / "activations"


@pytest.fixture
def extracted(monkeypatch):
    """(view, cuts, rows) of every batch that a learner extracts for the cache; the self-test's are left out."""
    seen = []
    extract = NumpyLearner.extract

    def noting(self, feed, cuts, view):
        for arrays in extract(self, feed, cuts, view):
            if hasattr(feed, "rows"):
                seen.append((view, tuple(cut.depth for cut in cuts), len(arrays[0])))
            yield arrays

    monkeypatch.setattr(NumpyLearner, "extract", noting)
    return seen


def run(spec, job=None):
    job, reports = job or Trial(spec), []
    while not reports or not reports[-1].done:
        reports.append(job.step())
    return job, reports


def twin(spec, number=2, **changes):
    """The same trial with a cache, and a folder of its own."""
    return replace(spec, number=number, folder=f"{spec.folder}-{number}", **{"caching": CACHING, **changes})


def recipe(spec, **changes):
    return replace(spec.recipe, **changes)


def agree(one, other, **tolerance):
    for block, arrays in one.parts[0].learner.arrays().items():
        for key, array in arrays.items():
            np.testing.assert_allclose(other.parts[0].learner.arrays()[block][key], array, **tolerance)


# ---- the same numbers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("freeze", [0.34, 0.67, 1.0])
@pytest.mark.parametrize("more", [{}, {"dropout": 0.2, "head_width": 8, "optimizer": "sgd"}])
def test_cached_and_uncached_give_the_same(make_spec, freeze, more):
    spec = make_spec(recipe={"freeze": freeze, **more})
    plain, wanted = run(spec)
    cached, found = run(twin(spec))
    assert cached.prefix.cut.depth == round(3 * freeze) and plain.prefix.cut is None
    assert [r.score for r in found] == [r.score for r in wanted]
    assert [r.train_loss for r in found] == pytest.approx([r.train_loss for r in wanted], abs=1e-5)
    agree(plain, cached, atol=1e-5)
    assert [r.prefix for r in wanted] == [""] * len(wanted)
    assert "32 of 32 rows computed now" in found[0].prefix and not any(r.prefix for r in found[1:])


def test_later_trials_compute_nothing_at_any_of_the_depths(make_spec, extracted, monkeypatch):
    spec, compared = make_spec(recipe={"freeze": 0.67}), []
    compare = prefix.differences
    monkeypatch.setattr(prefix, "differences", lambda *args: compared.append(args[1].depth) or compare(*args))
    run(twin(spec))
    assert {depths for _, depths, _ in extracted} == {(2, 3, 1)}
    assert sum(rows for *_, rows in extracted) == 32, "what trains and validates, but not what tests"
    for number, freeze in enumerate((0.67, 0.34, 1.0), start=3):
        _, reports = run(twin(spec, number, recipe=recipe(spec, freeze=freeze, lr=1e-3)))
        assert f"{round(3 * freeze)} of 3 blocks" in reports[0].prefix
        assert "0 of 32 rows computed now" in reports[0].prefix
    assert sum(rows for *_, rows in extracted) == 32
    assert compared == [2, 1, 3], "the same kept rows are compared once in a process"


def test_the_kept_model_is_the_whole_network(make_spec):
    spec = make_spec(recipe={"freeze": 1.0})
    run(spec), run(twin(spec))
    one, other = (read(Path(folder) / FILE) for folder in (spec.folder, twin(spec).folder))
    assert one.keys() == other.keys() and any(name.startswith("stem") for name in one)


def test_folds_share_the_rows(make_spec, data_ref, ids, extracted):
    folds = [Fold(train=ids["train"], val=ids["val"]), Fold(train=ids["val"], val=ids["train"])]
    spec = make_spec(data=data_ref(folds), recipe={"freeze": 0.67})
    _, wanted = run(spec)
    _, found = run(twin(spec))
    assert [r.score for r in found] == pytest.approx([r.score for r in wanted])
    assert sum(rows for *_, rows in extracted) == 32


# ---- views --------------------------------------------------------------------------------------------------


def test_views_are_drawn_once_and_take_turns(make_spec, extracted):
    spec = make_spec(recipe={"freeze": 0.67, "augment": "light", "views": 3, "patience": 0})
    first, reports = run(twin(spec))
    by_view = {number: sum(n for view, _, n in extracted if view.number == number) for number in range(4)}
    assert by_view == {0: 16, 1: 16, 2: 16, 3: 16}, "validation sees the images as they are"
    assert {view.augment for view, *_ in extracted if view.number} == {"light"}
    assert "64 of 64 rows" in reports[0].prefix
    feed = first.prefix.train(0, 1)
    batches = [first.prefix.train(0, epoch).batch(np.arange(16))["activation"] for epoch in (1, 2, 3, 4)]
    assert not np.array_equal(batches[0], batches[1]) and np.array_equal(batches[0], batches[3])
    assert len(set(feed.starts.tolist())) > 1, "samples do not all begin with the same view"
    _, same = run(twin(spec, 3))
    assert [r.train_loss for r in same] == [r.train_loss for r in reports]
    assert sum(n for *_, n in extracted) == 64


def test_views_of_plain_images_are_all_the_same(make_spec, extracted):
    _, reports = run(twin(make_spec(recipe={"freeze": 0.67, "views": 3})))
    assert "32 of 32 rows" in reports[0].prefix


# ---- reasons ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said, words",
    [
        ({"freeze": 0.1}, "none: no block is frozen"),
        ({"augment": "light"}, "none: augment=light is drawn anew in every epoch"),
        ({"mixup": 0.2}, "none: mixup mixes"),
    ],
)
def test_what_forbids_the_cache_is_reported(make_spec, cache_folder, said, words):
    spec = make_spec(recipe={"freeze": 0.67, **said})
    plain, _ = run(spec)
    cached, found = run(twin(spec))
    assert found[0].prefix.startswith(words)
    agree(plain, cached, atol=0)
    assert not cache_folder.exists()


def test_a_backend_without_the_ability_is_named(make_spec):
    _, reports = run(make_spec(told.CARD, caching=CACHING))
    assert reports[0].prefix == "none: the learners of the backend 'told' are not Cuttable"


def test_too_little_room(make_spec):
    _, reports = run(make_spec(recipe={"freeze": 1.0}, caching=Caching(freezes=(1.0,), max_bytes=100)))
    assert reports[0].prefix == "none: 5.12 kB at least would be kept, but 100 bytes may be"


def test_a_cache_that_cannot_be_written(make_spec, cache_folder):
    cache_folder.parent.mkdir()
    cache_folder.write_text("a file")
    spec = make_spec(recipe={"freeze": 1.0, "head_init": "ridge"})
    plain, _ = run(spec)
    cached, reports = run(twin(spec))
    assert reports[0].prefix == "none: the cache cannot be used: File exists"
    agree(plain, cached, atol=1e-6)


def test_a_store_that_does_not_agree_is_left(make_spec, cache_folder):
    spec = make_spec(recipe={"freeze": 0.67})
    _, wanted = run(spec)
    run(twin(spec))
    for file in cache_folder.glob("*/rows.npy"):
        content = bytearray(file.read_bytes())
        content[128:] = np.random.default_rng(0).normal(size=(len(content) - 128) // 4).astype(np.float32).tobytes()
        file.write_bytes(content)
    _, reports = run(twin(spec, 3))
    assert reports[0].prefix.startswith("none: what is kept must agree with the network within 0.0001, but differ")
    assert [r.train_loss for r in reports] == [r.train_loss for r in wanted]


def test_a_learner_that_goes_on_wrongly_from_its_cut_is_left(make_spec, monkeypatch):
    spec = make_spec(recipe={"freeze": 0.34})
    predict = NumpyLearner.predict

    def off(self, feed):
        found = predict(self, feed)
        return {k: np.roll(v, 1, axis=1) if self._cut else v for k, v in found.items()}

    monkeypatch.setattr(NumpyLearner, "predict", off)
    _, reports = run(twin(spec, 3))
    assert reports[0].prefix.startswith("none: outputs from the cache must agree with the network within 0.0001")


# ---- time ---------------------------------------------------------------------------------------------------


def test_when_time_ends_before_the_rows_are_there_the_trial_fails_and_they_stay(make_spec, clock, monkeypatch):
    extract = NumpyLearner.extract

    def slowly(self, feed, cuts, view):
        for arrays in extract(self, feed, cuts, view):
            clock.now += 10
            yield arrays

    monkeypatch.setattr(NumpyLearner, "extract", slowly)
    spec = make_spec(recipe={"freeze": 1.0, "augment": "light", "views": 4}, caching=CACHING, deadline=clock.now + 25)
    late = Trial(spec)
    assert late.prefix.words.startswith("none: time was over")
    with pytest.raises(TrialFailed, match="time was over before the first training step"):
        late.step()
    clock.now -= 1000
    _, reports = run(twin(spec, deadline=0.0))
    assert "32 of 80 rows computed now" in reports[0].prefix


def test_a_head_is_solved_on_the_rows_for_which_there_was_time(make_spec, clock, monkeypatch):
    extract, seen = NumpyLearner.extract, []

    def one_by_one(self, feed, cuts, view):
        for arrays in extract(self, feed, cuts, view):
            for row in range(len(arrays[0])):
                clock.now += hasattr(feed, "rows")  # not those of the self-test
                seen.append(row)
                yield [array[row : row + 1] for array in arrays]

    monkeypatch.setattr(NumpyLearner, "extract", one_by_one)
    monkeypatch.setattr(prefix, "FEWEST", 4)
    said = {"freeze": 1.0, "optimizer": "solve", "head_init": "ridge"}
    spec = make_spec(recipe=said, caching=CACHING, deadline=clock.now + 30)
    job, (report,) = run(spec)
    assert report.done == "the head is solved" and report.seconds == 26, "a part of the time is kept for solving"
    assert f"solved on 10 of {len(job.parts[0].train)} training rows, for which there was time" in report.prefix
    assert "26 of 32 rows computed now" in report.prefix
    before = len(seen)
    again = job.again(twin(spec, recipe=recipe(spec, head_strength=10.0)))
    assert again.step().done == "the head is solved" and len(seen) == before, "on the same rows"
    clock.now += 10
    with pytest.raises(TrialFailed, match="time was over before the first training step"):
        again.again(twin(spec, recipe=recipe(spec, head_strength=1.0))).step()
    monkeypatch.setattr(prefix, "FEWEST", 20)
    with pytest.raises(TrialFailed, match="time was over before the first training step"):
        run(make_spec(number=7, recipe={**said, "head_strength": 5.0}, caching=CACHING, deadline=clock.now + 1))


def test_validation_is_told_as_it_takes_without_the_cache(make_spec, monkeypatch):
    extract = NumpyLearner.extract

    def slowly(self, feed, cuts, view):
        for arrays in extract(self, feed, cuts, view):
            time.sleep(0.005 * len(arrays[0]))
            yield arrays

    monkeypatch.setattr(NumpyLearner, "extract", slowly)
    spec = make_spec(recipe={"freeze": 1.0}, caching=CACHING)
    _, (first, *_) = run(spec)
    assert first.val_seconds >= 16 * 0.005
    _, (later, *_) = run(twin(spec, 3))
    assert later.val_seconds < 16 * 0.005, "nothing was computed by which to tell"


def test_time_for_the_prefix_is_told_apart(make_spec, clock, monkeypatch):
    extract = NumpyLearner.extract

    def slowly(self, feed, cuts, view):
        clock.now += 7 if hasattr(feed, "rows") else 0
        yield from extract(self, feed, cuts, view)

    monkeypatch.setattr(NumpyLearner, "extract", slowly)
    job = Trial(make_spec(recipe={"freeze": 1.0}, caching=CACHING))
    report = job.step()
    assert (report.build_seconds, report.prefix_seconds, report.seconds) == (0, 7, 7)


# ---- paused and taken up --------------------------------------------------------------------------------------


def test_a_paused_trial_goes_on_from_the_cache(make_spec, tmp_path):
    spec = make_spec(recipe={"freeze": 0.67, "epochs": 4, "head_init": "ridge"})
    _, straight = run(spec)
    before = Trial(twin(spec))
    first = [before.step(), before.step()]
    before.save_state(tmp_path / "state")
    after = Trial(twin(spec))
    after.load_state(tmp_path / "state")
    reports = [*first, after.step(), after.step()]
    assert [r.score for r in reports] == [r.score for r in straight]
    assert [r.train_loss for r in reports] == pytest.approx([r.train_loss for r in straight], abs=1e-5)
    assert "0 of 32 rows" in reports[2].prefix, "each start says what it took"


def test_weights_of_a_trial_that_froze_less_leave_the_cache(make_spec, tmp_path):
    donor = Trial(make_spec(recipe={"freeze": 0.0, "lr": 0.01}))
    donor.step()
    donor.save_state(tmp_path / "state")
    spec = make_spec(number=3, recipe={"freeze": 0.67}, caching=CACHING)
    taker = Trial(spec)
    assert taker.prefix.cut
    taker.load_state(tmp_path / "state")
    assert taker.prefix.cut is None
    assert taker.step().prefix.startswith("none: what is kept must agree")
    plain = Trial(replace(spec, caching=None, folder=spec.folder + "-2"))
    plain.load_state(tmp_path / "state")
    plain.step()
    agree(plain, taker, atol=0)


# ---- heads that are solved ------------------------------------------------------------------------------------


@pytest.mark.parametrize("caching", [None, CACHING])
@pytest.mark.parametrize("kind", ["ridge", "logistic"])
def test_a_head_that_is_solved_is_one_epoch(make_spec, kind, caching):
    said = {"freeze": 1.0, "optimizer": "solve", "head_init": kind, "head_strength": 0.1, "epochs": 9}
    job, (report,) = run(make_spec(recipe=said, caching=caching))
    assert report.done == "the head is solved" and report.complete
    part = job.parts[0]
    part.learner.enter(None)
    cut = part.learner.cuts()[-1]
    features = np.concatenate([a for (a,) in part.learner.extract(part.train, [cut], View())])
    output = part.job.problem.outputs[0]
    wanted = heads.solve(kind, 0.1, features, part.train.targets["label"], output)
    arrays = part.learner.arrays()["head"]
    np.testing.assert_allclose(arrays["label.weight"].T, wanted.weights, rtol=1e-3, atol=1e-4)
    assert report.train_loss == pytest.approx(
        heads.loss(output, wanted.raw(features), part.train.targets["label"]), 1e-3
    )
    assert report.score > 0.5


def test_folds_solve_on_their_own_training_part_with_one_extraction(make_spec, data_ref, ids, extracted):
    folds = [Fold(train=ids["train"], val=ids["val"]), Fold(train=ids["val"], val=ids["train"])]
    said = {"freeze": 1.0, "optimizer": "solve", "head_init": "ridge", "class_weights": "balanced"}
    both, (report,) = run(make_spec(data=data_ref(folds), recipe=said, caching=CACHING))
    alone = [run(make_spec(number=n, data=data_ref([f]), recipe=said)) for n, f in enumerate(folds, start=2)]
    assert report.score == pytest.approx(np.mean([reports[0].score for _, reports in alone]))
    for part, (job, _) in zip(both.parts, alone, strict=True):
        wanted = job.parts[0].learner.arrays()["head"]["label.weight"]
        np.testing.assert_allclose(part.learner.arrays()["head"]["label.weight"], wanted, rtol=1e-3, atol=1e-4)
    assert sum(rows for *_, rows in extracted[:1]) == 32


@pytest.mark.parametrize("caching", [None, CACHING])
def test_training_goes_on_from_the_solution(make_spec, caching):
    said = {"freeze": 0.34, "head_init": "logistic", "head_strength": 0.1, "lr": 1e-6, "epochs": 1}
    solved = {**said, "freeze": 1.0, "optimizer": "solve"}
    _, (wanted,) = run(make_spec(recipe=solved))
    _, (found,) = run(make_spec(number=2, recipe=said, caching=caching))
    assert found.train_loss == pytest.approx(wanted.train_loss, rel=0.02) and found.score == wanted.score


def test_solving_needs_the_ability(make_spec):
    said = {"freeze": 1.0, "optimizer": "solve", "head_init": "ridge"}
    with pytest.raises(TrialFailed, match="head_init=ridge needs a backend that gives features") as refused:
        run(make_spec(told.CARD, recipe=said))
    assert refused.value.hint == "Use head_init=random."


def test_solving_needs_a_linear_head_and_a_loss_with_a_solution(make_spec):
    with pytest.raises(TrialFailed, match="head_init=ridge needs linear heads"):
        run(make_spec(recipe={"head_init": "ridge", "head_width": 8}))


def test_features_heed_the_time(make_spec, clock):
    spec = make_spec(recipe={"head_init": "ridge"}, deadline=clock.now + 5)
    job = Trial(spec)
    clock.now += 6
    with pytest.raises(TrialFailed, match="time was over before the first training step"):
        job.step()


@pytest.mark.parametrize("caching", [None, CACHING])
def test_another_solution_is_a_trial_without_building_anew(make_spec, clock, caching):
    said = {"freeze": 1.0, "optimizer": "solve", "head_init": "ridge", "head_strength": 0.1}
    spec = make_spec(recipe=said, caching=caching, deadline=clock.now + 5)
    first, _ = run(spec)
    clock.now += 50
    second = twin(spec, recipe=recipe(spec, head_strength=10.0), deadline=clock.now + 5, caching=caching)
    job = first.again(second)
    report = job.step()
    _, (wanted,) = run(twin(second, 3, caching=None))
    assert (report.epoch, report.score, report.done) == (1, wanted.score, "the head is solved")
    assert report.train_loss == pytest.approx(wanted.train_loss, rel=1e-4)
    one, other = (read(Path(folder) / FILE) for folder in (second.folder, f"{second.folder}-3"))
    assert all(np.allclose(one[name], other[name], atol=1e-5) for name in one)
    assert job.again(twin(spec, recipe=recipe(spec, class_weights="balanced"))) is None
    assert Trial(make_spec(recipe={"freeze": 1.0})).again(second) is None
