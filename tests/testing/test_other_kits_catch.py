"""The task, reader and plugin kits find what they are there to find."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import numpy as np
import pytest
from pluggy import PluginValidationError

from autoft.errors import AutoftError, UsageError
from autoft.records import Dataset, Issue, Problem, ReadOptions, Sample, Scalar, Schema
from autoft.testing import PluginContract, ReaderContract, TaskContract, ToyTask, toys

pytest_plugins = "pytester"
FAILURES = (
    AssertionError,
    AutoftError,
    ValueError,
    TypeError,
    AttributeError,
    PluginValidationError,
    pytest.fail.Exception,
)


def assert_caught(kit: Any, check: str, folder: Path, **arguments: Any) -> None:
    method: Callable[..., None] = getattr(kit, f"test_{check}")
    given = {"tmp_path": folder, **arguments}
    if "data" in inspect.signature(method).parameters:
        given["data"] = kit.dataset(folder)
    with pytest.raises(FAILURES):
        method(**{key: value for key, value in given.items() if key in inspect.signature(method).parameters})


# ---- tasks --------------------------------------------------------------------------------------------


class ClassesAsTheyCome(ToyTask):
    def schema(self, dataset: Dataset) -> Schema:
        return Schema(task=self.name, classes=tuple(dict.fromkeys(str(s.fields["label"]) for s in dataset.samples)))


class EncodesByPlace(ToyTask):
    def encode(self, samples: Sequence[Sample], schema: Schema, problem: Problem) -> dict[str, Any]:
        return {"label": np.arange(len(samples)) % len(schema.classes)}


class DecodesUpsideDown(ToyTask):
    def decode(self, outputs: Mapping[str, Any], schema: Schema, problem: Problem) -> dict[str, Any]:
        return {"probability": outputs["label"], "index": outputs["label"].argmin(-1)}


class ScoresEverything(ToyTask):
    def score(self, decoded: Any, targets: Any, schema: Schema, names: Sequence[str]) -> dict[str, float]:
        return super().score(decoded, targets, schema, ["accuracy", "log_loss"])


class CrashesWithoutRows(ToyTask):
    def score(self, decoded: Any, targets: Any, schema: Schema, names: Sequence[str]) -> dict[str, float]:
        targets["label"][0]
        return super().score(decoded, targets, schema, names)


class AlikeWithoutClasses(ToyTask):
    metrics = (msgspec.structs.replace(ToyTask.metrics[0], alike=True),)

    def schema(self, dataset: Dataset) -> Schema:
        return msgspec.structs.replace(super().schema(dataset), classes=())


class NumpyRows(ToyTask):
    def rows(self, decoded: Any, schema: Schema) -> Iterator[dict[str, Scalar]]:
        for chances in decoded["probability"]:
            yield {"prediction": "x", "confidence": chances.max()}


class ThirtyTwoBits(ToyTask):
    def encode(self, samples: Sequence[Sample], schema: Schema, problem: Problem) -> dict[str, Any]:
        return {"label": super().encode(samples, schema, problem)["label"].astype(np.int32)}


class LearnsTheFirst(ToyTask):
    """What it learns hangs on the order of samples."""

    def learn(self, targets: Mapping[str, Any], schema: Schema) -> Schema:
        return msgspec.structs.replace(schema, extra={"first": targets["label"][:1].tolist()})


class ForgetsTheClasses(ToyTask):
    def learn(self, targets: Mapping[str, Any], schema: Schema) -> Schema:
        return Schema(task=self.name, extra={"counts": np.bincount(targets["label"]).tolist()})


class SharesOfNothing(ToyTask):
    """Its log loss is no mean of right and wrong."""

    metrics = tuple(msgspec.structs.replace(metric, share=True) for metric in ToyTask.metrics)


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        (SharesOfNothing, "shares_are_means_of_right_and_wrong"),
        (ClassesAsTheyCome, "schema_ignores_the_order_of_samples"),
        (ClassesAsTheyCome, "unlearnable_data_are_refused_in_words"),
        (AlikeWithoutClasses, "a_metric_that_counts_classes_alike_has_classes"),
        (EncodesByPlace, "encode_is_deterministic"),
        (EncodesByPlace, "unknown_label_is_named"),
        (DecodesUpsideDown, "perfect_outputs_score_perfectly"),
        (ScoresEverything, "only_the_named_metrics_are_computed"),
        (NumpyRows, "rows_are_flat_and_plain"),
        (LearnsTheFirst, "what_is_learned_of_targets_is_added_and_hangs_on_no_order"),
        (ForgetsTheClasses, "what_is_learned_of_targets_is_added_and_hangs_on_no_order"),
        (ThirtyTwoBits, "encoded_targets_fit_the_problem"),
        (DecodesUpsideDown, "it_trains_on_the_numpy_backend"),
    ],
)
def test_a_broken_task_is_caught(broken: type[ToyTask], check: str, tmp_path: Path) -> None:
    class Kit(TaskContract):
        task = broken

    assert_caught(Kit(), check, tmp_path)


def test_a_crash_without_rows_is_caught(tmp_path: Path) -> None:
    class Kit(TaskContract):
        task = CrashesWithoutRows

    with pytest.raises(IndexError):
        Kit().test_no_rows_score_without_a_crash(Kit().dataset(tmp_path))


# ---- readers ---------------------------------------------------------------------------------------------


class GoodReader:
    """Any folder of class folders, read without much care; correct all the same."""

    name = "good"

    def sniff(self, source: str, options: ReadOptions) -> str:
        return "has class folders" if "good" in source else ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        files = sorted(Path(source).glob("*/*"))
        good = [file for file in files if file.suffix == ".png"]
        samples = tuple(Sample(id=str(f), fields={"image": str(f), "label": f.parent.name}) for f in good)
        issues = tuple(Issue(kind="not_an_image", subject=str(f)) for f in files if f.suffix != ".png")
        return Dataset(samples=samples, reader=self.name, root=source, recognised="class folders", issues=issues)


class SaysYesToAll(GoodReader):
    def sniff(self, source: str, options: ReadOptions) -> str:
        return "why not"


class Chokes(GoodReader):
    def sniff(self, source: str, options: ReadOptions) -> str:
        return "not empty" if any(Path(source).iterdir()) else ""


class OneIdForAll(GoodReader):
    def read(self, source: str, options: ReadOptions) -> Dataset:
        dataset = super().read(source, options)
        samples = tuple(Sample(id="1", fields=sample.fields) for sample in dataset.samples)
        return Dataset(samples=samples, reader=self.name, root=source, recognised=dataset.recognised)


class Counts(GoodReader):
    calls: ClassVar[list[str]] = []

    def read(self, source: str, options: ReadOptions) -> Dataset:
        self.calls.append(source)
        dataset = super().read(source, options)
        return Dataset(samples=dataset.samples, reader=self.name, root=source, recognised=f"call {len(self.calls)}")


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        (SaysYesToAll, "sniff_leaves_foreign_things_alone"),
        (Chokes, "sniff_leaves_foreign_things_alone"),
        (GoodReader, "foreign_things_cannot_be_read"),
        (OneIdForAll, "ids_are_unique"),
        (OneIdForAll, "damaged_rows_become_issues"),
        (Counts, "reading_twice_gives_the_same"),
    ],
)
def test_a_broken_reader_is_caught(broken: type[GoodReader], check: str, tmp_path: Path) -> None:
    class Kit(ReaderContract):
        reader = broken

        def write(self, folder: Path) -> str:
            return str(toys.write_image_folder(folder / "good", per_class=2))

        def write_damaged(self, folder: Path) -> str:
            source = self.write(folder)
            (Path(source) / "red_disc" / "notes.txt").touch()
            return source

    with pytest.raises((*FAILURES, OSError)):
        getattr(Kit(), f"test_{check}")(tmp_path)


# ---- plugins ---------------------------------------------------------------------------------------------

GOOD = """
from autoft.api import Entry, hookimpl
from autoft.testing.toy_task import ToyTask

@hookimpl
def autoft_tasks():
    yield Entry(name="toy", target="{module}:ToyTask", summary="A toy")
"""


@pytest.mark.parametrize(
    ("name", "source", "check"),
    [
        ("heavy_plugin", "import numpy\n" + GOOD, "import_is_thin"),
        ("misspelt_plugin", GOOD.replace("autoft_tasks", "autoft_taks"), "hooks_are_known"),
        ("lost_plugin", GOOD.replace(":ToyTask", ":TaskToy"), "targets_resolve"),
        ("renamed_plugin", GOOD.replace('name="toy"', 'name="tin"'), "targets_resolve"),
        ("mute_plugin", GOOD.replace(', summary="A toy"', ""), "hooks_yield_entries"),
        ("empty_plugin", "x = 1", "hooks_are_known"),
    ],
)
def test_a_broken_plugin_is_caught(
    name: str, source: str, check: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / f"{name}.py").write_text(source.replace("{module}", name))
    monkeypatch.syspath_prepend(tmp_path)

    class Kit(PluginContract):
        plugin = name

    with pytest.raises(FAILURES):
        getattr(Kit(), f"test_{check}")()


# ---- gaps ------------------------------------------------------------------------------------------------

TEST = """
from autoft.testing import TaskContract, ToyTask

class Upside(ToyTask):
    def decode(self, outputs, schema, problem):
        return {"probability": outputs["label"], "index": outputs["label"].argmin(-1)}

class TestUpside(TaskContract):
    task = Upside
    gaps = {"perfect_outputs_score_perfectly": "decodes upside down"}

class TestFine(TaskContract):
    task = ToyTask
    gaps = {"perfect_outputs_score_perfectly": "mended since"}
"""


def test_a_declared_gap_is_a_strict_expected_failure(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TEST)
    result = pytester.runpytest_inprocess("-k", "perfect_outputs_score_perfectly", "-p", "no:cacheprovider")
    result.assert_outcomes(xfailed=1, failed=1)
    result.stdout.fnmatch_lines(["*XPASS(strict)*mended since*"])


def test_a_gap_must_name_a_check() -> None:
    with pytest.raises(UsageError, match="Did you mean 'encode_is_deterministic'"):

        class Kit(TaskContract):
            gaps = {"encode_is_determinstic": "a slip"}
