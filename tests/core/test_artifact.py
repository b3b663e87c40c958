"""The model folder: whole or not there, and read with care."""

import json

import numpy as np
import pytest
from msgspec.structs import replace

from autoft import artifact
from autoft.errors import UsageError
from autoft.predictor import Predictor
from autoft.records import Decoding, Job
from autoft.testing import NumpyBackend, toys
from autoft.trial import Trial
from tests.core import told


@pytest.fixture
def model(tmp_path, make_spec):
    """A folder with a numpy model, its learner and its configuration."""
    spec = make_spec(recipe={"head_width": 8})
    job = Job(card=spec.card, problem=spec.problem, recipe=spec.recipe, image_size=16, seed=spec.seed)
    learner = NumpyBackend().build(job)
    config = artifact.config_of(spec, job, decoding=Decoding(size=20, seconds=1.5), epoch=5, score=0.75)
    folder = tmp_path / "model"
    artifact.save(folder, learner, config)
    return folder, learner, config


def test_a_model_remembers_the_columns_of_its_table(make_spec):
    spec = make_spec(columns={"label": "kind"}, guessed={"label": "kind", "image": "photo"})
    job = Job(card=spec.card, problem=spec.problem, recipe=spec.recipe, image_size=16, seed=spec.seed)
    config = artifact.config_of(spec, job, decoding=Decoding(size=20), epoch=5)
    assert (config.columns, config.guessed) == (spec.columns, spec.guessed)


def test_an_older_model_of_a_sequence_hears_all_of_a_recording(model):
    """Before parts could be joined, one part was all that such a model heard."""
    _, _, config = model
    told = replace(config.problem, outputs=tuple(replace(o, head="sequence") for o in config.problem.outputs))
    assert config.decoding.windows == 1
    assert replace(config, problem=told).decoding == Decoding(size=20, seconds=1.5, windows=0)


def test_what_is_saved_is_read_again(model):
    folder, _, config = model
    assert artifact.read(folder) == config
    assert (config.trial, config.epoch, config.score, config.decoding) == (
        "t0001",
        5,
        0.75,
        Decoding(size=20, seconds=1.5),
    )
    assert json.loads((folder / "labels.json").read_text()) == dict(zip("0123", toys.CLASSES, strict=True))
    said = json.loads((folder / "preprocess.json").read_text())
    assert (said["resize_to"], said["then_resize_to"]) == ([20, 20], [16, 16])
    assert (said["mean"], said["std"]) == ([0.5] * 3, [0.25] * 3)
    assert [p.name for p in folder.parent.glob(".*")] == []


def test_a_loaded_model_predicts_the_same(model, fakes):
    folder, learner, config = model
    read, loaded = artifact.load(folder, fakes, threads=2)
    feed = toys.feed(config.problem, size=16)
    assert read == config
    assert np.array_equal(loaded.predict(feed)["label"], learner.predict(feed)["label"])
    assert loaded.job.resources.threads == 2


def test_a_loaded_model_has_what_the_machine_has(model, fakes, tmp_path, monkeypatch):
    monkeypatch.setattr("autoft.gpus.DEVICES", tmp_path)
    monkeypatch.setattr("autoft.machine.cores", lambda: 6)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)

    def loaded(**given):
        resources = artifact.load(model[0], fakes, **given)[1].job.resources
        return resources.threads, resources.gpus

    assert loaded() == (6, 0)
    (tmp_path / "nvidia0").touch()
    assert loaded() == (6, 1)
    assert loaded(threads=2, cards=0.0) == (2, 0), "whoever was given none uses none"
    assert loaded(cards=0.5) == (6, 0.5)
    assert Predictor(model[0]).learner.job.resources.gpus == 1
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert loaded() == (6, 0)


def test_a_predictor_opens_it(model):
    folder, learner, config = model
    predictor = Predictor(folder)
    feed = toys.feed(config.problem, size=16)
    assert np.array_equal(predictor.outputs(feed)["index"], learner.predict(feed)["label"].argmax(1))
    rows = list(predictor.task.rows(predictor.outputs(feed), config.schema))
    assert rows[0]["prediction"] in toys.CLASSES


def test_a_folder_without_a_model(tmp_path):
    with pytest.raises(UsageError, match=r"must hold config\.json, but '.*' does not") as refused:
        artifact.read(tmp_path)
    assert "best/" in refused.value.hint


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"format": 1}', b'{"format": "one"}', b'{"model_type": "resnet"}'],
)
def test_a_config_that_is_not_ours(model, content):
    folder, _, _ = model
    (folder / "config.json").write_bytes(content)
    with pytest.raises(UsageError, match="is not a model of this version of autoft"):
        artifact.read(folder)


def test_a_config_with_a_word_that_nobody_knows(model):
    folder, _, _ = model
    text = (folder / "config.json").read_text()
    (folder / "config.json").write_text(text.replace('"cross_entropy"', '"crossentropy"'))
    with pytest.raises(UsageError, match="Did you mean 'cross_entropy'"):
        artifact.read(folder)


@pytest.mark.parametrize("fields", [{}, {"invented_later": True}])
def test_a_newer_format_asks_for_an_upgrade(model, fields):
    folder, _, _ = model
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **fields, "format": 2}))
    with pytest.raises(UsageError, match="has format 2, but this autoft reads formats up to 1") as refused:
        artifact.read(folder)
    assert "Upgrade" in refused.value.hint


def test_a_field_of_this_format_that_nobody_knows_is_refused(model):
    folder, _, _ = model
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "trust_remote_code": True}))
    with pytest.raises(UsageError, match="trust_remote_code"):
        artifact.read(folder)


def test_a_save_that_fails_leaves_the_old_model_and_no_litter(tmp_path, make_spec):
    spec = make_spec(told.CARD, recipe={"scores": "0.2,0.4,0.6"})
    trial = Trial(spec)
    trial.step()
    trial.parts[0].learner.fails_to_save = True
    with pytest.raises(OSError, match="disk is full"):
        trial.step()
    folder = tmp_path / "trials" / "t0001"
    assert artifact.read(folder).epoch == 1
    assert json.loads((folder / "model.json").read_text()) == {"epoch": 1}
    assert [p.name for p in folder.parent.iterdir()] == ["t0001"]


def test_a_backend_that_is_not_installed(model, fakes):
    folder, _, config = model
    text = (folder / "config.json").read_text()
    (folder / "config.json").write_text(text.replace('"backend": "numpy"', '"backend": "numpi"'))
    assert artifact.read(folder) == replace(config, backend="numpi", card=replace(config.card, backend="numpi"))
    with pytest.raises(UsageError, match=r"there is no backend 'numpi'\. Did you mean 'numpy'"):
        artifact.load(folder, fakes)
