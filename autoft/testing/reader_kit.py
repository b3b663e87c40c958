"""`ReaderContract`: a reader knows its own format, leaves the others alone, and reports instead of raising."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

import msgspec
import pytest

from autoft import vocab
from autoft.contracts import Reader
from autoft.errors import DataError, UsageError
from autoft.records import Dataset, ReadOptions, from_json, to_json
from autoft.testing.contract import FRAMEWORKS, Contract, dragged_in, misfits


class ReaderContract(Contract):
    """Set `reader` and write `write` and `write_damaged`; `options` says what the kit asks for."""

    reader: ClassVar[type[Reader]]
    options: ClassVar[ReadOptions] = ReadOptions(needs=("image", "label"))
    targets: ClassVar[tuple[str, ...]] = ("label",)
    """Fields of `options.needs` that are absent when predicting."""

    def write(self, folder: Path) -> str:
        """Write a good example below `folder` (empty); give back the source as a user would type it."""
        raise NotImplementedError(f"{type(self).__name__} must write an example of its format")

    def write_damaged(self, folder: Path) -> str:
        """Like `write`, with something wrong in some rows (a missing file, an empty label)."""
        raise NotImplementedError(f"{type(self).__name__} must write an example with bad rows")

    def foreign(self, folder: Path) -> list[str]:
        """Sources that are not of this format; extend it with the neighbours of yours."""
        (folder / "empty").mkdir()
        (folder / "texts").mkdir()
        (folder / "texts" / "notes.txt").write_text("nothing to see here\n")
        (folder / "noise.bin").write_bytes(bytes(range(256)) * 64)
        (folder / "prose.md").write_text("# A title\n\nSome words, and a comma.\n")
        names = ["empty", "texts", "noise.bin", "prose.md", "not there", "x" * 5000]
        return ["", "\0", os.fspath(folder / "nul\0byte"), *(os.fspath(folder / name) for name in names)]

    def read(self, folder: Path) -> Dataset:
        return self.reader().read(self.write(folder), self.options)

    def test_conforms_to_the_protocol(self) -> None:
        assert not misfits(self.reader(), Reader)

    def test_import_needs_no_framework(self) -> None:
        assert not dragged_in(self.reader.__module__, FRAMEWORKS)

    def test_sniff_recognises_its_own(self, tmp_path: Path) -> None:
        sentence = self.reader().sniff(self.write(tmp_path), self.options)
        assert sentence.strip(), f"sniff must say why it takes its own example, but said {sentence!r}"

    def test_sniff_leaves_foreign_things_alone(self, tmp_path: Path) -> None:
        for source in self.foreign(tmp_path):
            assert self.reader().sniff(source, self.options) == "", f"sniff took {source[:80]!r} for its own"

    def test_foreign_things_cannot_be_read(self, tmp_path: Path) -> None:
        (tmp_path / "empty.csv").touch()
        (tmp_path / "noise.csv").write_bytes(b"\xff\xfe\x00\x01" * 64)
        spoilt = [os.fspath(tmp_path / "empty.csv"), os.fspath(tmp_path / "noise.csv")]
        for source in [*self.foreign(tmp_path), *spoilt]:
            with pytest.raises((DataError, UsageError)) as caught:
                self.reader().read(source, self.options)
            assert str(caught.value), f"the error for {source[:80]!r} has no words"

    def test_samples_have_the_fields_asked_for(self, tmp_path: Path) -> None:
        dataset = self.read(tmp_path)
        assert dataset.samples, "the example must have samples"
        for sample in dataset.samples:
            assert set(self.options.needs) <= set(sample.fields), f"{sample.id} has only {sorted(sample.fields)}"
            assert all(vocab.check("field", field) for field in sample.fields)
            assert sample.split in ("", "train", "val", "test"), f"{sample.id} is in a split named '{sample.split}'"

    def test_media_exist(self, tmp_path: Path) -> None:
        for sample in self.read(tmp_path).samples:
            for field in {"image", "audio", "mask"} & set(sample.fields):
                value = sample.fields[field]
                path = value["path"] if field == "mask" else value
                drawn = field == "mask" and not path
                assert drawn or Path(path).is_file(), f"{sample.id}: {field} is no file: {path}"

    def test_ids_are_unique(self, tmp_path: Path) -> None:
        ids = [sample.id for sample in self.read(tmp_path).samples]
        assert all(ids) and len(set(ids)) == len(ids), "each sample needs an id of its own: splits name samples by it"

    def test_reading_twice_gives_the_same(self, tmp_path: Path) -> None:
        source = self.write(tmp_path)
        assert self.reader().read(source, self.options) == self.reader().read(source, self.options)

    def test_a_further_source_is_read_by_the_same_meaning(self, tmp_path: Path) -> None:
        source = self.write(tmp_path)
        first = self.reader().read(source, self.options)
        again = self.reader().read(source, msgspec.structs.replace(self.options, meaning=first.meaning))
        assert again.samples == first.samples, "what is told of the first source must not change the same one"

    def test_dataset_survives_json(self, tmp_path: Path) -> None:
        dataset = self.read(tmp_path)
        assert from_json(to_json(dataset), Dataset) == dataset

    def test_it_says_what_it_recognised(self, tmp_path: Path) -> None:
        dataset = self.read(tmp_path)
        assert dataset.reader == self.reader().name
        assert " " in dataset.recognised, "`recognised` is a sentence for the user"

    def test_damaged_rows_become_issues(self, tmp_path: Path) -> None:
        dataset = self.reader().read(self.write_damaged(tmp_path), self.options)
        assert dataset.samples, "the good rows must stay"
        assert dataset.issues, "the bad rows must be reported"
        assert all(issue.kind and issue.subject for issue in dataset.issues), "an issue says what is wrong with what"

    def test_targets_may_be_absent_when_predicting(self, tmp_path: Path) -> None:
        source = self.write(tmp_path)
        inputs = tuple(field for field in self.options.needs if field not in self.targets)
        asked = ReadOptions(needs=inputs + self.targets, columns=self.options.columns, optional=self.targets)
        samples = self.reader().read(source, asked).samples
        assert samples and all(set(inputs) <= set(sample.fields) for sample in samples)
