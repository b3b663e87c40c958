"""Heads that train side by side: each as if it were alone, and as torch would train it."""

import numpy as np
import pytest
from msgspec.structs import replace

from autoft import headbank, heads
from autoft.headbank import HeadBank
from autoft.recipe import Recipe
from autoft.testing.numpy_losses import value_and_gradient
from tests.core.test_heads import CLASSES, LABELS, NUMBERS, data

RECIPES = [
    Recipe(optimizer="adamw", lr=1e-2, weight_decay=0.1, epochs=3),
    Recipe(optimizer="sgd", lr=0.1, momentum=0.5, epochs=3, label_smoothing=0.1, schedule="linear"),
    Recipe(optimizer="adam", lr=1e-2, weight_decay=1e-2, epochs=3, clip=0.1),
    Recipe(optimizer="sgd", lr=0.05, nesterov=True, clip=0, l1=0.01, epochs=3, warmup=0.2),
    Recipe(optimizer="adamw", lr=1e-3, epochs=3, schedule="constant", label_smoothing=0.2),
]
SCALE = 0.02


def never():
    return False


def trained(recipes, output, epochs=3, **more):
    features, truth = data(output)
    bank = HeadBank(recipes, output, features.shape[1], 32, seed=1, **more)
    losses = [bank.train_epoch(features * SCALE, truth, epoch, never).losses for epoch in range(1, epochs + 1)]
    return bank, np.array(losses)


@pytest.mark.parametrize("output", [CLASSES, replace(CLASSES, class_weights=(0.5, 1.0, 2.0)), LABELS, NUMBERS])
@pytest.mark.parametrize("cache", [headbank.CACHE, 1])
def test_each_head_trains_as_if_it_were_alone(output, cache, monkeypatch):
    monkeypatch.setattr(headbank, "CACHE", cache)
    bank, losses = trained(RECIPES, output)
    assert (losses[-1] < losses[0]).all()
    for number, recipe in enumerate(RECIPES):
        alone, single = trained([recipe], output)
        np.testing.assert_allclose(bank.heads()[number].weights, alone.heads()[0].weights, atol=1e-5)
        np.testing.assert_allclose(losses[:, number], single[:, 0], rtol=1e-4)
    features = data(output)[0] * SCALE
    np.testing.assert_allclose(bank.raw(features)[2], bank.heads()[2].raw(features), atol=1e-4)


@pytest.mark.parametrize("output", [CLASSES, replace(CLASSES, class_weights=(0.5, 1.0, 2.0)), LABELS, NUMBERS])
def test_the_gradient_is_that_of_the_loss(output):
    rng = np.random.default_rng(0)
    raw, smoothing = rng.normal(size=(6, 2, output.size)), np.array([0.0, 0.2])
    wanted = {"cross_entropy": np.eye(3)[[0, 1, 2, 0, 1, 2]], "binary_cross_entropy": rng.integers(0, 2, (6, 3))}
    targets = wanted.get(output.loss, rng.normal(size=(6, output.size))).astype(float)
    losses, pull = headbank._loss(raw, targets[:, None], smoothing[None, :, None], output, output.loss)
    for head in range(2):
        value, gradient = value_and_gradient(output, raw[:, head], targets, smoothing[head])
        assert losses[head] == pytest.approx(value)
        np.testing.assert_allclose(pull[:, head], gradient, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(RECIPES)))
def test_steps_are_those_of_torch(number):
    torch = pytest.importorskip("torch")
    optimizers = pytest.importorskip("autoft_torch._optim")
    recipe, output = RECIPES[number], CLASSES
    features, truth = data(output)
    features = features * SCALE
    bank = HeadBank([recipe], output, features.shape[1], 32, seed=1)
    start = bank.heads()[0]
    for epoch in (1, 2, 3):
        bank.train_epoch(features, truth, epoch, never)

    class Net(torch.nn.Module):
        """As much of a net as the optimizer asks for."""

        def __init__(self):
            super().__init__()
            self.blocks = [None]
            self.heads = torch.nn.Linear(*start.weights.T.shape)

        def block_of(self):
            return {name: 0 for name, _ in self.named_parameters()}

    net = Net()
    with torch.no_grad():
        net.heads.weight.copy_(torch.from_numpy(start.weights)), net.heads.bias.zero_()
    optimizer, at = optimizers.Optimizer(net, recipe), 0
    for epoch in (1, 2, 3):
        batches = headbank.order(1, epoch, len(truth), 32)
        for index in batches:
            optimizer.set_step(at, 3 * len(batches))
            raw = net.heads(torch.from_numpy(features[index]))
            goal = torch.from_numpy(truth[index])
            torch.nn.functional.cross_entropy(raw, goal, label_smoothing=recipe.label_smoothing).backward()
            if recipe.clip:
                torch.nn.utils.clip_grad_norm_(optimizer.parameters, recipe.clip)
            optimizer.step()
            optimizer.zero()
            at += 1
    np.testing.assert_allclose(bank.heads()[0].weights, net.heads.weight.detach().numpy(), atol=2e-5)
    np.testing.assert_allclose(bank.heads()[0].bias, net.heads.bias.detach().numpy(), atol=2e-5)


def test_heads_can_start_from_a_solution():
    features, truth = data(CLASSES)
    solution = heads.solve("ridge", 1.0, features * SCALE, truth, CLASSES)
    bank, _ = trained([replace(RECIPES[0], lr=1e-6)], CLASSES, start=[solution])
    np.testing.assert_allclose(bank.heads()[0].weights, solution.weights, atol=1e-4)


def test_dropout_leaves_out_its_share_and_keeps_sums():
    draws = np.random.default_rng(0)
    features = np.ones((400, 50), np.float32)
    found = headbank.dropped(features, 0.2, draws)
    assert set(np.unique(found)) == {np.float32(0), np.float32(1) / np.float32(0.8)}
    assert found.mean() == pytest.approx(1, abs=0.02) and (found == 0).mean() == pytest.approx(0.2, abs=0.02)
    assert headbank.dropped(features, 0.0, draws) is features


def test_heads_with_dropout_learn_and_draw_anew_in_each_epoch():
    recipes = [replace(recipe, dropout=0.5) for recipe in RECIPES[:2]]
    bank, losses = trained(recipes, CLASSES)
    plain, _ = trained(RECIPES[:2], CLASSES)
    assert (losses[-1] < losses[0]).all()
    assert not np.allclose(bank.heads()[0].weights, plain.heads()[0].weights, atol=1e-3)
    again, _ = trained(recipes, CLASSES)
    np.testing.assert_array_equal(bank.heads()[1].weights, again.heads()[1].weights)


def test_an_epoch_can_be_stopped():
    features, truth = data(CLASSES)
    bank = HeadBank(RECIPES, CLASSES, features.shape[1], 32)
    asked = iter([False, False, True])
    found = bank.train_epoch(features * SCALE, truth, 1, lambda: next(asked))
    assert (found.steps, found.complete) == (2, False) and (found.losses > 0).all() and len(bank) == 5
