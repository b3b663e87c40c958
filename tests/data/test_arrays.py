"""Pictures in arrays: NumPy's files, idx files, CIFAR's binary version. Nothing in them is run."""

from __future__ import annotations

import gzip
import pickle
import struct
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from autoft.data import readers
from autoft.errors import DataError
from autoft.options import DataOptions
from autoft.registry import load

RNG = np.random.default_rng(0)
PARTS = {"train": 12, "val": 6, "test": 6}


def opened(data, target="label", labelled=True, **options):
    task = SimpleNamespace(inputs=("image",), targets=(target,))
    return readers.open_dataset(load(), DataOptions(data=str(data), **options), task, labelled=labelled)


def noise(*shape):
    return RNG.integers(0, 256, shape, dtype=np.uint8)


def picture(sample):
    with Image.open(sample.fields["image"]) as image:
        return np.asarray(image)


def medmnist(folder, **other):
    arrays = {}
    for part, count in PARTS.items():
        arrays[f"{part}_images"] = noise(count, 9, 9, 3)
        arrays[f"{part}_labels"] = (np.arange(count) % 3)[:, None]
    np.savez_compressed(folder / "pathmnist.npz", **{**arrays, **other})
    return arrays


@pytest.mark.parametrize("file", ["", "pathmnist.npz"])
def test_an_archive_of_arrays_with_parts(tmp_path, file):
    arrays = medmnist(tmp_path)
    found = opened(tmp_path / file)
    assert Counter(sample.split for sample in found.samples) == PARTS
    assert {sample.fields["label"] for sample in found.samples} == {"0", "1", "2"}
    for part in PARTS:
        own = [picture(sample) for sample in found.samples if sample.split == part]
        assert np.array_equal(np.stack(own), arrays[f"{part}_images"])
    assert len({sample.id for sample in found.samples}) == 24
    assert "each picture 9 x 9 in colour" in found.recognised


def test_files_of_pictures_are_written_once(tmp_path, cache):
    medmnist(tmp_path)
    opened(tmp_path)
    before = sorted((path, path.stat().st_mtime_ns) for path in cache.rglob("*"))
    opened(tmp_path)
    assert sorted((path, path.stat().st_mtime_ns) for path in cache.rglob("*")) == before


def test_several_labels_and_numbers(tmp_path):
    flags = RNG.integers(0, 2, (12, 3))
    np.savez(tmp_path / "chest.npz", images=noise(12, 8, 8), labels=flags)
    found = opened(tmp_path, "labels")
    wanted = [[f"label {place + 1}" for place in range(3) if row[place]] for row in flags]
    assert [sample.fields["labels"] for sample in found.samples] == wanted
    np.savez(tmp_path / "chest.npz", x=noise(12, 8, 8), y=np.linspace(0, 3, 12))
    assert opened(tmp_path, "value").samples[-1].fields["value"] == 3


def test_files_beside_each_other_and_fractions(tmp_path):
    pixels = noise(12, 8, 8)
    for part, rows in (("train", slice(0, 8)), ("test", slice(8, 12))):
        np.save(tmp_path / f"x_{part}.npy", pixels[rows] / np.float32(255))
        np.save(tmp_path / f"y_{part}.npy", np.array(["cat", "dog"] * 6)[rows])
    found = opened(tmp_path)
    assert [sample.fields["label"] for sample in found.samples] == ["cat", "dog"] * 6
    assert np.array_equal(
        np.stack([picture(sample) for sample in found.samples]), np.concatenate([pixels[8:], pixels[:8]])
    )


def test_planes_of_colours(tmp_path):
    pixels = noise(6, 3, 10, 8)
    np.savez(tmp_path / "a.npz", X=np.asfortranarray(pixels), Y=np.arange(6) % 2)
    assert np.array_equal(picture(opened(tmp_path).samples[2]), pixels[2].transpose(1, 2, 0))


def idx(array):
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("file", ["", "train-images-idx3-ubyte"])
def test_idx_files(tmp_path, packed, file):
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    pixels = {part: noise(count, 8, 8) for part, count in (("train", 12), ("t10k", 6))}
    for part, array in pixels.items():
        for name, each in (("images-idx3", array), ("labels-idx1", (np.arange(len(array)) % 3).astype(np.uint8))):
            (raw / f"{part}-{name}-ubyte").write_bytes(idx(each))
            if packed:
                (raw / f"{part}-{name}-ubyte.gz").write_bytes(gzip.compress(idx(each)))
    found = opened(raw / file if file else tmp_path)
    assert Counter(sample.split for sample in found.samples) == {"train": 12, "test": 6}
    (one,) = [s for s in found.samples if s.split == "train"][3:4]
    assert one.fields["label"] == "0"
    assert np.array_equal(picture(one), pixels["train"][3])


def test_several_sets_of_idx_files(tmp_path):
    for name in ("letters", "digits"):
        for kind, array in (("images-idx3", noise(6, 8, 8)), ("labels-idx1", np.arange(6, dtype=np.uint8) % 2)):
            (tmp_path / f"emnist-{name}-train-{kind}-ubyte").write_bytes(idx(array))
    with pytest.raises(DataError, match="there are several"):
        opened(tmp_path)
    assert len(opened(tmp_path / "emnist-letters-train-images-idx3-ubyte").samples) == 6


def test_cifar_binary(tmp_path):
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    (folder / "batches.meta.txt").write_text("airplane\nautomobile\nbird\n\n")
    pixels = noise(6, 3, 32, 32)
    for name in ("data_batch_1.bin", "data_batch_2.bin", "test_batch.bin"):
        records = [bytes([place % 3]) + pixels[place].tobytes() for place in range(6)]
        (folder / name).write_bytes(b"".join(records))
    found = opened(tmp_path)
    assert Counter(sample.split for sample in found.samples) == {"train": 12, "test": 6}
    assert found.samples[1].fields["label"] == "automobile"
    assert np.array_equal(picture(found.samples[1]), pixels[1].transpose(1, 2, 0))


def test_to_predict_pictures_alone_will_do(tmp_path):
    np.save(tmp_path / "new.npy", noise(5, 8, 8))
    assert len(opened(tmp_path / "new.npy", labelled=False).samples) == 5


def test_objects_are_never_unpickled(tmp_path):
    np.savez(tmp_path / "a.npz", images=noise(6, 8, 8), labels=np.array([{}, 1, 2, 3, 4, 5], dtype=object))
    with pytest.raises(DataError, match="holds Python objects, which are not trusted"):
        opened(tmp_path)


@pytest.mark.parametrize("damage", [lambda raw: raw[:-900], lambda raw: raw[:3], lambda raw: b"no numbers"])
def test_damaged_files(tmp_path, damage):
    np.save(tmp_path / "x.npy", noise(6, 40, 40))
    np.save(tmp_path / "y.npy", np.arange(6) % 2)
    (tmp_path / "x.npy").write_bytes(damage((tmp_path / "x.npy").read_bytes()))
    with pytest.raises(DataError, match="must be whole"):
        opened(tmp_path)


def test_what_claims_too_much_is_refused(tmp_path):
    (tmp_path / "train-images-idx3-ubyte").write_bytes(struct.pack(">HBB3I", 0, 8, 3, 2**31, 2**10, 2**10))
    with pytest.raises(DataError, match="16 GiB at most"):
        opened(tmp_path)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"a": np.zeros((4, 5, 5)), "b": np.zeros((4, 5, 5))}, "several could be"),
        ({"a": np.zeros((4, 5))}, "none is"),
        ({"a": np.zeros((4, 5, 5, 4)), "y": np.arange(4)}, "one colour or three"),
        ({"a": np.full((4, 9, 9), -1.0), "y": np.arange(4)}, "from 0 to 255"),
    ],
)
def test_what_cannot_be_told_is_said(tmp_path, arrays, words):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(DataError, match=words):
        opened(tmp_path)


def test_pickles_and_other_files_are_named(tmp_path):
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    (folder / "data_batch_1").write_bytes(pickle.dumps({b"data": b"1" * 90}))
    with pytest.raises(DataError, match="data_batch_1 is a pickle") as caught:
        opened(tmp_path)
    assert "cifar-10-binary.tar.gz" in caught.value.hint
