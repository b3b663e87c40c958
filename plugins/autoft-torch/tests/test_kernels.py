"""Other kernels for the same functions: the same numbers and gradients, in the order in which maps lie."""

import pytest
import torch
from torch.nn import functional

from autoft_torch._kernels import ROWS, Kernels
from autoft_torch._precision import Precision

LAST = torch.channels_last
WEIGHT = torch.randn(6, 4, 1, 1, generator=torch.Generator().manual_seed(1))

FUNCTIONS = {
    "mean": lambda maps: maps.mean((2, 3)),
    "mean, negative places, sides kept": lambda maps: torch.mean(maps, dim=[-1, -2], keepdim=True),
    "mean, sides kept by place": lambda maps: maps.mean((2, 3), True),
    "pooled": lambda maps: functional.adaptive_avg_pool2d(maps, 1),
    "a module pools": torch.nn.AdaptiveAvgPool2d((1, 1)),
    "1x1 convolution": lambda maps: functional.conv2d(maps, WEIGHT),
    "1x1 convolution and bias": lambda maps: functional.conv2d(maps, WEIGHT, torch.ones(6)),
}
OTHERS = {
    "mean of all": lambda maps: maps.mean(),
    "mean of channels": lambda maps: maps.mean(1),
    "mean by its keyword": lambda maps: torch.mean(input=maps, dim=(2, 3)),
    "mean by another word for what is kept": lambda maps: maps.mean((2, 3), keepdims=True),
    "one channel": lambda maps: functional.conv2d(maps[:, :1], WEIGHT[:, :1]),
    "mean in double": lambda maps: maps.mean((2, 3), dtype=torch.float64),
    "pooled to four": lambda maps: functional.adaptive_avg_pool2d(maps, 2),
    "strided": lambda maps: functional.conv2d(maps, WEIGHT, stride=2),
    "padded": lambda maps: functional.conv2d(maps, WEIGHT, padding=1),
    "padded by a word": lambda maps: functional.conv2d(maps, WEIGHT, padding="same"),
    "in groups": lambda maps: functional.conv2d(maps, WEIGHT[:, :2], groups=2),
    "3x3": lambda maps: functional.conv2d(maps, WEIGHT.expand(6, 4, 3, 3), padding=1),
    "a vector's mean": lambda maps: maps[0, 0].mean(0),
}


def maps(samples=3, side=4, layout=LAST):
    drawn = torch.randn(samples, 4, side, side, generator=torch.Generator().manual_seed(0))
    return drawn.contiguous(memory_format=layout).requires_grad_()


def both(function, given):
    """Values and gradients, plain and by the other kernels; the latter's own node of the graph."""
    found = []
    for kernels in (None, Kernels()):
        images = given.detach().clone(memory_format=torch.preserve_format).requires_grad_()
        if kernels:
            with kernels:
                result = function(images * 1)
        else:
            result = function(images * 1)
        result.square().sum().backward()
        found.append((result.detach(), images.grad))
    return found


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_and_gradients_are_the_same_and_lie_channels_last(name):
    (wanted, slope), (found, gradient) = both(FUNCTIONS[name], maps())
    torch.testing.assert_close(found, wanted)
    torch.testing.assert_close(gradient, slope)
    assert gradient.is_contiguous(memory_format=LAST)


@pytest.mark.parametrize("name", OTHERS)
def test_what_has_no_other_kernel_is_left_alone(name):
    (wanted, slope), (found, gradient) = both(OTHERS[name], maps())
    assert torch.equal(found, wanted) and torch.equal(gradient, slope)
    assert (found.dtype, found.stride()) == (wanted.dtype, wanted.stride())


@pytest.mark.parametrize(
    ("given", "name"), [(maps(layout=torch.contiguous_format), "MeanBackward1"), (maps(), "_AverageBackward")]
)
def test_only_maps_that_lie_channels_last_are_averaged_otherwise(given, name):
    with Kernels():
        assert type(given.mean((2, 3)).grad_fn).__name__ == name


def test_only_small_maps_are_multiplied():
    small, large = maps(1, 32), maps(2, 32)
    assert small.shape[2] * small.shape[3] == ROWS
    with Kernels():
        kinds = [type(functional.conv2d(m, WEIGHT).grad_fn).__name__ for m in (small, large)]
    assert kinds == ["PermuteBackward0", "ConvolutionBackward0"]


def test_maps_on_a_cpu_alone_have_them():
    with Precision("fp32", torch.device("cpu"), maps=True).cast():
        assert type(maps().mean((2, 3)).grad_fn).__name__ == "_AverageBackward"
    for precision in (
        Precision("fp32", torch.device("cpu"), maps=False),
        Precision("fp32", torch.device("cuda"), maps=True),
    ):
        with precision.cast():
            assert type(maps().mean((2, 3)).grad_fn).__name__ == "MeanBackward1"


def test_sixteen_bits_are_computed_in_sixteen_bits():
    with Precision("bf16", torch.device("cpu"), maps=True).cast():
        assert functional.conv2d(maps(), WEIGHT).dtype == torch.bfloat16
    assert functional.conv2d(maps(), WEIGHT).dtype == torch.float32
