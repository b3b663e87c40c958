"""One trial, and what it takes from a bucket, without a cluster."""

from __future__ import annotations

import hashlib
import shutil
import time
from pathlib import Path

import msgspec
import pytest

from autoft import artifact, remote, shelf
from autoft.data import cache, store
from autoft.errors import UsageError
from autoft.evaluate import predict_test
from autoft.options import SearchOptions
from autoft.pipeline import storage
from autoft.recipe import Recipe
from autoft.records import DataRef, Dataset, Decoding, Fold, ModelCard, Splits, TrialSpec, to_json
from autoft.search.outcome import spec_of_config
from autoft.testing import ToyTask, toys
from autoft.testing.numpy_backend import CARD
from autoft.trial import Trial
from autoft.trialdata import open_data
from autoft.version import API_VERSION


@pytest.fixture(params=["file", "s3"])
def bucket(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "file":
        return (tmp_path / "bucket").as_uri()
    return f"s3://bucket/{tmp_path.name}{request.getfixturevalue('s3')}"


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return toys.dataset(tmp_path / "imgs", per_class=8, size=16)


@pytest.fixture
def ref(bucket: str, dataset: Dataset, tmp_path: Path) -> DataRef:
    """Data in the bucket alone: what they were made from is deleted."""
    digests = [hashlib.sha256(Path(sample.fields["image"]).read_bytes()).hexdigest() for sample in dataset.samples]
    built, _ = store.build(dataset, digests, *toys.pictures(16), tmp_path / "elsewhere", workers=1)
    names = tuple(sample.id for sample in dataset.samples)
    fold = Fold(train=names[::2], val=names[1::4])
    splits = Splits(seed=0, kind="given", sentence="as the test says", folds=(fold,), test=names[3::4])
    remote.push(built.folder, remote.join(bucket, "store"), last=store.ABOUT)
    remote.write(remote.join(bucket, "dataset.json"), to_json(dataset).encode())
    remote.write(remote.join(bucket, "splits.json"), to_json(splits).encode())
    shutil.rmtree(tmp_path / "elsewhere")
    open_data.cache_clear()
    return DataRef(
        store=remote.join(bucket, "store"),
        fingerprint=built.fingerprint,
        dataset=remote.join(bucket, "dataset.json"),
        splits=remote.join(bucket, "splits.json"),
    )


@pytest.fixture
def spec(bucket: str, dataset: Dataset, ref: DataRef) -> TrialSpec:
    task = ToyTask()
    schema = task.schema(dataset)
    recipe = {"model": CARD.name, "lr": 3e-3, "epochs": 6, "batch_size": 4, "augment": "none", "precision": "fp32"}
    return TrialSpec(
        api=API_VERSION,
        number=1,
        task=task.name,
        backend=CARD.backend,
        card=CARD,
        problem=task.formulations(schema)[0],
        schema=schema,
        recipe=Recipe.of(recipe),
        data=ref,
        metric=task.metrics[1],
        seed=3,
        folder=remote.join(bucket, "trials", "t0001"),
    )


def versions(place: str) -> set[str]:
    return {name.split("/")[0] for name in remote.sizes(place)}


def test_the_best_model_is_the_only_one_there(spec: TrialSpec, tmp_path: Path) -> None:
    trial = Trial(spec)
    reports = [trial.step() for _ in range(6)]
    best = min(reports, key=lambda report: report.score)
    (version,) = versions(spec.folder)
    assert version.startswith(f"{best.epoch:04d}-")
    kept = shelf.kept(spec.folder)
    assert kept is not None
    assert (kept.epoch, kept.score) == (best.epoch, best.score)
    shelf.fetch(spec.folder, tmp_path / "model")
    assert artifact.read(tmp_path / "model").epoch == best.epoch
    with shelf.at_hand(spec.folder) as folder:
        assert (folder / "config.json").is_file()
    assert not folder.exists()


def test_a_trial_goes_on_with_the_best_model_of_before(spec: TrialSpec, tmp_path: Path) -> None:
    first = Trial(spec)
    first.step()
    first.save_state(tmp_path / "state")
    second = Trial(spec)
    second.load_state(tmp_path / "state")
    assert (second.best_epoch, second.best_score) == (first.best_epoch, first.best_score)


def test_predictions_of_a_model_in_a_bucket(spec: TrialSpec, ref: DataRef) -> None:
    Trial(spec).step()
    decoded, targets = predict_test(spec.folder, ref, open_data(ref).splits.test)
    assert len(decoded["index"]) == len(targets["label"]) == 8


def test_the_store_is_copied_once_and_shared_with_local_searches(ref: DataRef, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = open_data(ref)
    folder = cache.cache_root() / "stores" / ref.fingerprint
    assert opened.store.folder == folder
    assert opened.store.arrays["image"].shape == (32, 16, 16, 3)
    remote.remove(ref.store)
    open_data.cache_clear()
    assert open_data(ref).store.folder == folder


@pytest.mark.parametrize("what", ["store", "weights"])
def test_what_is_copied_once_is_no_part_of_what_a_process_takes_to_start(
    what: str, spec: TrialSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search keeps the time that a process takes to start for its end: a copy of minutes would end it early."""
    if what == "weights":
        place = remote.join(remote.sibling(spec.folder, "weights"), "w")
        remote.write(remote.join(place, "file"), b"weights")
        spec = msgspec.structs.replace(spec, card=msgspec.structs.replace(spec.card, weights=place))
    real = remote.pull

    def slow(address: str, folder: Path, last: str = "", alone: bool = False) -> None:
        real(address, folder, last, alone)
        time.sleep(1.5 if what in str(folder) else 0.0)

    monkeypatch.setattr(remote, "pull", slow)
    began = time.time()
    first = Trial(spec).step()
    assert time.time() - began > 1.5
    assert first.build_seconds < 1 and first.seconds < 1.4


def test_a_damaged_store_in_the_cache_is_copied_anew(ref: DataRef) -> None:
    folder = cache.cache_root() / "stores" / ref.fingerprint
    folder.mkdir(parents=True)
    (folder / store.ABOUT).write_text("{")
    assert len(open_data(ref).store) == 32


def test_a_store_without_its_last_file_is_refused(ref: DataRef) -> None:
    about = remote.join(ref.store, store.ABOUT)
    place = remote._open(about)
    place.system.delete_file(place.path)
    with pytest.raises(UsageError, match=r"store\.json is missing"):
        open_data(ref)
    assert not (cache.cache_root() / "stores" / ref.fingerprint).exists()


def test_the_cache_of_a_node_keeps_its_size(ref: DataRef, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that nobody has used for long makes room."""
    import os

    old = cache.cache_root() / "stores" / "old"
    old.mkdir(parents=True)
    (old / "store.json").write_text("x" * 1000)
    os.utime(old, (0, 0))
    monkeypatch.setenv("AUTOFT_CACHE_MAX_GB", "0.00000001")
    open_data(ref)
    assert not old.exists()


def test_a_model_that_is_replaced_while_it_is_copied(
    spec: TrialSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy is of the new one, and whole."""
    trial = Trial(spec)
    trial.step()
    real, replaced = remote._fetch, []

    def replace_first(*args: object) -> None:
        if not replaced:
            replaced.append(trial)
            part = trial.parts[0]
            shelf.save(spec.folder, part.learner, artifact.config_of(spec, part.job, Decoding(size=16), 2))
        real(*args)

    monkeypatch.setattr(remote, "_fetch", replace_first)
    shelf.fetch(spec.folder, tmp_path / "model")
    assert artifact.read(tmp_path / "model").epoch == 2
    assert {p.name for p in (tmp_path / "model").iterdir()} >= {"labels.json", "preprocess.json"}


def test_a_proposal_keeps_its_address(spec: TrialSpec, bucket: str) -> None:
    """Population based training gives a trial the whole configuration of another one."""
    config = {"trial": {"spec": to_json(spec)}, "params": {"lr": 0.5}}
    assert spec_of_config(config, 7).folder == remote.join(bucket, "trials", "t0007")


@pytest.mark.parametrize("whole_folder", [False, True])
def test_weights_reach_workers(bucket: str, tmp_path: Path, whole_folder: bool) -> None:
    source = tmp_path / "weights of mine" / "model v1.safetensors"
    source.parent.mkdir()
    source.write_bytes(b"weights")
    (source.parent / "private.txt").write_text("not a part of it")
    path = source.parent if whole_folder else source
    sent = storage.of(SearchOptions(storage=bucket)).weights(card_of(path))
    shutil.rmtree(source.parent)
    got = shelf.with_weights(sent)
    assert Path(got.weights).name == path.name
    assert Path(got.weights).is_relative_to(cache.cache_root())
    file = Path(got.weights) / source.name if whole_folder else Path(got.weights)
    assert file.read_bytes() == b"weights"
    assert bool(list(cache.cache_root().rglob("private.txt"))) == whole_folder


def test_weights_in_a_shared_folder(tmp_path: Path) -> None:
    source = tmp_path / "model.safetensors"
    source.write_bytes(b"weights")
    place = storage.of(SearchOptions(storage=str(tmp_path / "shared")))
    sent = place.weights(card_of(source))
    assert Path(sent.weights).is_relative_to(tmp_path / "shared")
    assert Path(sent.weights).read_bytes() == b"weights"
    assert place.weights(card_of(source)) == sent
    assert place.weights(sent) == sent, "what lies there already is not copied"
    assert shelf.with_weights(sent) == sent


@pytest.mark.parametrize("weights", ["", "hub:owner/name", "https://example.com/x.pth"])
def test_weights_that_are_no_files_stay_as_they_are(bucket: str, weights: str) -> None:
    card = msgspec.structs.replace(CARD, weights=weights)
    assert storage.of(SearchOptions(storage=bucket)).weights(card) == card
    assert shelf.with_weights(card) == card


def card_of(path: Path) -> ModelCard:
    return msgspec.structs.replace(CARD, weights=str(path))


@pytest.mark.parametrize("scratch", [False, True])
@pytest.mark.parametrize("shared", [False, True])
def test_what_a_network_needs_beside_its_weights_reaches_workers(
    bucket: str, tmp_path: Path, shared: bool, scratch: bool
) -> None:
    """The files that the card names, and no others of that folder."""
    folder = tmp_path / "preset of mine"
    (folder / "assets").mkdir(parents=True)
    for name in ("weights.h5", "tokenizer.json", "assets/words.txt", "holiday.jpg"):
        (folder / name).write_text(name)
    named = ("tokenizer.json", "assets/words.txt", "absent.txt")
    weights = "" if scratch else str(folder / "weights.h5")
    card = msgspec.structs.replace(card_of(Path(weights)), weights=weights, folder=str(folder), files=named)
    place = storage.of(SearchOptions(storage=str(tmp_path / "shared") if shared else bucket))
    sent = place.weights(card)
    assert place.weights(card) == sent
    shutil.rmtree(folder)
    got = shelf.with_weights(sent)
    found = {path.relative_to(got.folder).as_posix() for path in Path(got.folder).rglob("*") if path.is_file()}
    assert found == set(named[:2])
    assert (Path(got.folder) / "assets" / "words.txt").read_text() == "assets/words.txt"
    assert scratch or Path(got.weights).read_text() == "weights.h5"
    assert shelf.with_weights(got) == got and place.weights(msgspec.structs.replace(got, weights="")).files == named
