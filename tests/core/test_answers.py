"""What all backends answer alike: nothing where nothing was asked, in a precision that the machine has."""

from __future__ import annotations

import msgspec
import pytest

from autoft.api import Job, ModelCard, Output, Problem, Recipe, no_answers, to_predict


@pytest.mark.parametrize(
    ("head", "post", "size", "shape", "kind"),
    [
        ("pooled", "softmax", 3, (0, 3), "float32"),
        ("pooled", "argmax", 255, (0,), "uint8"),
        ("sequence", "identity", 5, (0, 1, 5), "float32"),
        ("dense", "sigmoid", 2, (0, 8, 8, 2), "float32"),
        ("dense", "argmax", 256, (0, 32, 32), "uint16"),
        ("boxes", "identity", 4, (0, 100, 6), "float32"),
    ],
)
def test_no_answers_have_the_shape_of_answers(head, post, size, shape, kind):
    output = Output(name="x", head=head, size=size, loss="mse", post=post, target="x", most=100)
    found = no_answers(output, maps=8, indices=32)
    assert found.shape == shape and found.dtype.name == kind


@pytest.mark.parametrize("precision", ["auto", "fp32", "bf16", "fp16"])
@pytest.mark.parametrize("gpu", [True, False])
def test_only_half_precision_is_left_on_a_cpu(precision, gpu):
    problem = Problem(name="x", inputs=("image",), outputs=())
    job = Job(
        card=ModelCard(name="x", backend="x", modality="image"),
        problem=problem,
        recipe=Recipe(precision=precision),
        image_size=8,
    )
    found = to_predict(job, gpu=gpu)
    left = precision == "fp16" and not gpu
    assert found.recipe.precision == ("fp32" if left else precision)
    assert msgspec.structs.replace(found, recipe=job.recipe) == job
