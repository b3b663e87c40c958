"""Real data sets, where they are at hand."""

from __future__ import annotations

import pytest

from autoft.data.splits import make

pytestmark = pytest.mark.shared


@pytest.mark.parametrize(
    ("name", "samples", "kind", "sizes"),
    [
        ("imgcls__hymenoptera", 398, "given", (245, 77, 76)),
        ("imgcls__sign_language_digits", 1000, "stratified", (700, 150, 150)),
        ("imgcls__cifar10_mini", 2500, "stratified", (1700, 300, 500)),
    ],
)
def test_classification(shared, checked, name, samples, kind, sizes):
    inspection = checked(shared / "data" / name)
    assert inspection.issues == ()
    assert len(inspection.dataset.samples) == samples
    strata = [sample.fields["label"] for sample in inspection.dataset.samples]
    splits = make(inspection.dataset, strata, inspection.digests, 0)
    assert splits.kind == kind
    assert (len(splits.folds[0].train), len(splits.folds[0].val), len(splits.test)) == sizes


def test_a_table_beside_its_images(shared, open_data):
    dataset = open_data(shared / "data" / "imgreg__nuclei_count", target="count")
    assert dataset.reader == "table"
    assert dataset.samples[0].id == "images/cell_000.jpg"
