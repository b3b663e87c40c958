"""Trials whose heads train side by side: each comes to what it would have come to alone."""

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from autoft import artifact, bank, shelf
from autoft.bank import Bank
from autoft.data import cache
from autoft.errors import TrialFailed
from autoft.records import Caching, Fold
from autoft.search import banks
from autoft.testing import ToyTask
from autoft.testing.numpy_learner import FILE, NumpyLearner, read
from autoft.trial import Trial
from tests.core import told

CACHING = Caching(freezes=(1.0,), max_bytes=10**9)
SAID = (
    {"optimizer": "adamw", "lr": 1e-2, "weight_decay": 0.1},
    {"optimizer": "sgd", "lr": 0.05, "momentum": 0.5, "label_smoothing": 0.1, "schedule": "linear"},
    {"optimizer": "adam", "lr": 1e-2, "weight_decay": 1e-2, "clip": 0.1, "epochs": 3},
    {"optimizer": "sgd", "lr": 0.02, "nesterov": True, "clip": 0.0, "l1": 0.05, "warmup": 0.3},
    {"optimizer": "adamw", "lr": 1e-3, "schedule": "constant", "epochs": 8, "patience": 1},
    {"optimizer": "adamw", "lr": 1e-4, "head_init": "ridge", "head_strength": 1.0, "patience": 2},
)
"""The mean of a few heads that differ in everything that heads may differ in."""


@pytest.fixture(autouse=True)
def cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.PLACE, str(tmp_path / "cache"))


@pytest.fixture
def make_specs(make_spec):
    """Specs of one bank, and of the same trials alone."""

    def make(*said, **fields):
        plain = {"freeze": 1.0, "epochs": 6, "patience": 0, **fields.pop("recipe", {})}
        specs = [make_spec(recipe={**plain, **own}, caching=CACHING, **fields) for own in said or SAID]
        data = specs[0].data
        numbered = [replace(s, number=n, folder=f"{s.folder}-{n}", data=data) for n, s in enumerate(specs)]
        return numbered, [replace(spec, folder=f"{spec.folder}-alone") for spec in numbered]

    return make


def run(spec):
    job, reports = Trial(spec), []
    while not reports or not reports[-1].done:
        reports.append(job.step())
    return reports


def together(specs, most=50):
    """What is told of each trial, by number: reports, and a failure at the end where it failed."""
    job = Trial(specs[0]).together(specs)
    assert isinstance(job, Bank), job
    found = {spec.number: [] for spec in specs}
    for _ in range(most):
        for number, what in job.step():
            found[number].append(what)
        if not job.members:
            return found
    raise AssertionError("the bank never ends")


def over(row):
    return isinstance(row, TrialFailed) or bool(row.done)


def same(found, wanted, tolerance=1e-3):
    assert [r.score for r in found] == [r.score for r in wanted]
    np.testing.assert_allclose([r.train_loss for r in found], [r.train_loss for r in wanted], atol=tolerance)
    assert [(r.epoch, r.done, r.complete, r.planned) for r in found] == [
        (r.epoch, r.done, r.complete, r.planned) for r in wanted
    ]


def kept(spec):
    return artifact.read(Path(spec.folder))


# ---- the same as alone ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "more",
    [{}, {"class_weights": "balanced", "batch_size": 5}, {"augment": "light", "views": 3}],
    ids=["plain", "weighted", "views"],
)
def test_each_head_is_trained_as_its_trial_would_be_alone(make_specs, more):
    specs, alone = make_specs(recipe=more)
    assert list(banks.runs(specs)) == [list(range(len(SAID)))]
    found = together(specs)
    for spec, single in zip(specs, alone, strict=True):
        same(found[spec.number], run(single))
        assert (kept(spec).epoch, kept(spec).score) == (kept(single).epoch, kept(single).score)
        assert kept(spec).recipe == spec.recipe and kept(spec).trial == spec.name
        one, other = (read(Path(s.folder) / FILE) for s in (spec, single))
        assert all(np.allclose(one[name], other[name], atol=1e-3) for name in other)
    assert len(found[2]) == 3, "each has its own number of epochs"
    assert "5 other heads" in found[0][0].prefix and "rows computed now" in found[0][0].prefix
    assert not any(r.prefix for reports in found.values() for r in reports[1:])


def test_a_head_is_learned_at_the_pace_that_its_card_says(make_specs):
    """A tenth of the usual rate for the blocks, which the head makes up for: side by side and alone."""
    plain, _ = make_specs({"lr": 1e-2})
    (slow,), (alone,) = make_specs({"lr": 1e-3})
    slow, alone = (replace(s, card=replace(s.card, lr=1e-4), folder=f"{s.folder}-slow") for s in (slow, alone))
    wanted, found = together(plain)[0], together([slow])[0]
    assert [r.train_loss for r in found] == pytest.approx([r.train_loss for r in wanted], abs=1e-5)
    same(found, run(alone))


def test_folds(make_specs, data_ref, ids):
    folds = [Fold(train=ids["train"], val=ids["val"]), Fold(train=ids["val"], val=ids["train"])]
    specs, alone = make_specs(SAID[0], SAID[5], data=data_ref(folds))
    found = together(specs)
    for spec, single in zip(specs, alone, strict=True):
        wanted = run(single)
        assert [r.score for r in found[spec.number]] == pytest.approx([r.score for r in wanted])
        assert [r.train_loss for r in found[spec.number]] == pytest.approx([r.train_loss for r in wanted], abs=1e-3)


def test_what_a_task_sets_on_validation_is_kept_with_each_head(make_specs, monkeypatch, data_ref, ids):
    def calibrate(task, decoded, targets, schema):
        least = float(decoded["probability"].max(1).min())
        return replace(schema, extra={**schema.extra, "calibrated": {"least": least}})

    monkeypatch.setattr(ToyTask, "calibrate", calibrate, raising=False)
    monkeypatch.setattr(ToyTask, "settled", lambda task, decoded, schema: decoded, raising=False)
    folds = [Fold(train=ids["train"], val=ids["val"]), Fold(train=ids["val"], val=ids["train"])]
    specs, alone = make_specs(*SAID[:2], data=data_ref(folds))
    together(specs)
    least = []
    for spec, single in zip(specs, alone, strict=True):
        run(single)
        own, other = (kept(one).schema.extra["calibrated"]["least"] for one in (spec, single))
        assert own == pytest.approx(other, abs=1e-3)
        least.append(own)
    assert least[0] != least[1]


@pytest.mark.slow
def test_heads_of_torch(make_specs, monkeypatch):
    pytest.importorskip("torch")
    from autoft import registry

    monkeypatch.setenv(registry.ENVIRONMENT, "autoft.testing.plugin,tests.core.told,autoft_torch.plugin")
    registry.installed.cache_clear()
    card = registry.installed().get("models", "autoft").resolve("autoft/resnet-s")
    specs, alone = make_specs(card=card)
    found = together(specs)
    for spec, single in zip(specs, alone, strict=True):
        same(found[spec.number], run(single))
        assert (kept(spec).epoch, kept(spec).score) == (kept(single).epoch, kept(single).score)


# ---- trials of their own --------------------------------------------------------------------------------


def test_a_head_that_diverges_fails_alone(make_specs):
    wild = {"optimizer": "sgd", "lr": 100.0, "momentum": 1.0, "clip": 0.0, "weight_decay": 1e3, "schedule": "constant"}
    specs, _ = make_specs(SAID[1], {**wild, "epochs": 40}, SAID[3], recipe={"epochs": 40})
    found = together(specs)
    assert isinstance(found[1][-1], TrialFailed) and "the training loss must be finite" in str(found[1][-1])
    assert not Path(specs[1].folder).exists()
    plain = together([replace(spec, folder=spec.folder + "-again") for spec in (specs[0], specs[2])])
    for number in (0, 2):
        same(found[number], plain[number], 1e-5)


def test_a_model_is_written_once_and_before_its_trial_is_told_of(make_specs, monkeypatch):
    saved = []
    save = shelf.save
    monkeypatch.setattr(shelf, "save", lambda place, *rest: (saved.append(place), save(place, *rest)))
    specs, _ = make_specs()
    job = Trial(specs[0]).together(specs)
    while job.members:
        for number, what in job.step():
            assert what.epoch <= kept(specs[number]).epoch or what.score <= kept(specs[number]).score
    assert sorted(saved) == sorted(spec.folder for spec in specs)


def test_a_long_bank_tells_of_trials_that_go_on(make_specs, monkeypatch):
    monkeypatch.setattr(bank, "HOLD", 0.0)
    specs, alone = make_specs(*SAID[:2])
    job = Trial(specs[0]).together(specs)
    for epoch in range(1, 7):
        assert [(number, what.epoch) for number, what in job.step()] == [(0, epoch), (1, epoch)]
        assert all(kept(spec).epoch <= epoch for spec in specs)
    assert not job.members
    run(alone[0])
    assert kept(specs[0]).score == kept(alone[0]).score


def test_the_deadline_ends_all_and_keeps_their_models(make_specs, monkeypatch):
    clock = told.Clock()
    monkeypatch.setattr(bank, "time", clock)
    specs, _ = make_specs(SAID[0], SAID[1], deadline=clock.now + 5)
    job = Trial(replace(specs[0], deadline=0.0)).together(specs)
    assert job.step() == []
    clock.now += 6
    news = job.step()
    assert [(n, r.epoch, r.done, r.complete) for n, r in news if r.done] == [
        (0, 2, "out of time", False),
        (1, 2, "out of time", False),
    ]
    assert all(kept(spec).epoch in (1, 2) for spec in specs) and not job.members


def test_no_time_for_a_step_fails_all(make_specs, monkeypatch):
    clock = told.Clock()
    specs, _ = make_specs(SAID[0], SAID[1], deadline=clock.now - 1)
    job = Trial(replace(specs[0], deadline=0.0)).together(specs)
    monkeypatch.setattr(bank, "time", clock)
    assert ["time was over before the first training step" in str(error) for _, error in job.step()] == [True, True]


def test_an_allowance_shortens_the_schedules(make_specs, monkeypatch):
    monkeypatch.setattr(bank.course, "fitting", lambda allowance, seconds: 3)
    specs, _ = make_specs({}, {"epochs": 2}, allowance=1.0)
    found = together(specs)
    assert [(r.epoch, r.planned) for r in found[0]] == [(1, 3), (2, 3), (3, 3)]
    assert [(r.epoch, r.planned) for r in found[1]] == [(1, 0), (2, 0)]


# ---- which trials ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"freeze": 0.67}, "need freeze=1"),
        ({"head_width": 8}, "need head_width=0"),
        ({"augment": "light"}, "augment=light is drawn anew"),
        ({"optimizer": "solve", "head_init": "ridge"}, "takes no steps"),
        ({"mine": 1}, "what a plugin makes of mine"),
    ],
)
def test_what_trains_alone(make_specs, changed, words):
    specs, _ = make_specs({}, changed, {}, {})
    assert words in banks.refusal(specs[1])
    assert list(banks.runs(specs)) == [[0], [1], [2, 3]]


def test_what_trains_beside_what(make_specs):
    (one, *others), _ = make_specs({}, {"batch_size": 8}, {"class_weights": "balanced"}, {"lr": 0.5})
    assert list(banks.runs([one, *others])) == [[0], [1], [2], [3]]
    dropping, _ = make_specs({"dropout": 0.1}, {"dropout": 0.1, "lr": 0.5}, {"dropout": 0.2}, {})
    assert list(banks.runs(dropping)) == [[0, 1], [2], [3]], "dropout draws for all heads of a bank"
    assert list(banks.runs([one, others[2], replace(one, seed=9), None, None])) == [[0, 1], [2], [3], [4]]
    loss = replace(one.problem.outputs[0], loss="focal")
    focal = replace(one, problem=replace(one.problem, outputs=(loss,)))
    assert "loss of heads side by side must be one of" in banks.refusal(focal)
    assert "for one output" in banks.refusal(replace(one, problem=replace(one.problem, outputs=(loss, loss))))
    assert banks.refusal(replace(one, caching=None)) == "nothing is shared between trials"


def test_reasons_that_are_found_in_the_worker(make_specs, monkeypatch):
    specs, _ = make_specs(*SAID[:2])
    small = [replace(spec, caching=Caching(freezes=(1.0,), max_bytes=10)) for spec in specs]
    assert "may be" in Trial(small[0]).together(small)
    monkeypatch.setattr(bank, "MOST", 100)
    assert "more than are held in memory" in Trial(specs[0]).together(specs)
    monkeypatch.undo()
    monkeypatch.setenv(cache.PLACE, str(Path(specs[0].folder).parent / "cache"))
    arrays = NumpyLearner.arrays
    monkeypatch.setattr(NumpyLearner, "arrays", lambda self: {**arrays(self), "head": {}})
    assert "cannot be read" in Trial(specs[0]).together(specs)
