"""The same seed gives the same pictures, and what is said of a picture is true of it."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tools.pretrain import bank, compose, contours, fractals, strokes, textures, views  # noqa: E402


@pytest.fixture(scope="module")
def stock():
    rng = np.random.default_rng(3)
    masks = np.concatenate(
        [
            fractals.render(fractals.systems(4, rng), 48, rng)[:, None],
            contours.render(contours.draw(4, rng), 48)[:, None],
            strokes.render(strokes.draw(4, rng), 48, rng)[:, None],
        ]
    )
    return compose.Stock.of(masks, *textures.bank(1, 48, rng))


def made(stock, seed, count=12):
    return compose.compose(count, stock, torch.Generator().manual_seed(seed))


def test_the_same_seed_gives_the_same_composites(stock):
    one, two, other = made(stock, 5), made(stock, 5), made(stock, 6)
    assert torch.equal(one.images, two.images)
    assert torch.equal(one.tops, two.tops)
    assert torch.equal(one.categories, two.categories)
    assert not torch.equal(one.images, other.images)


def test_the_same_seed_gives_the_same_shapes_and_fields():
    def drawn(seed):
        rng = np.random.default_rng(seed)
        return fractals.render(fractals.systems(3, rng), 32, rng), textures.bank(1, 32, rng)[0]

    for one, two in zip(drawn(1), drawn(1), strict=True):
        np.testing.assert_array_equal(one, two)
    assert not np.array_equal(drawn(1)[0], drawn(2)[0])


def test_every_shape_and_field_has_something_on_it(stock):
    assert (stock.masks.flatten(1).float().mean(1) > 2).all()
    assert (stock.fields.flatten(1).float().std(1) > 10).all()
    assert len(textures.KINDS) == len(stock.kinds.unique())


def test_the_map_names_only_layers_that_are_there(stock):
    batch = made(stock, 7, 40)
    assert (batch.categories[:, 0] == -1).all()
    assert (batch.categories[:, : 1 + compose.PATCHES] == -1).all()
    for tops, categories in zip(batch.tops, batch.categories, strict=True):
        shapes = [layer for layer in tops.unique().tolist() if layer > compose.PATCHES]
        assert (categories[shapes] >= 0).all()
    assert len(batch.tops.unique()) == 1 + compose.LAYERS


def test_a_patch_of_ground_is_no_shape(stock):
    from tools.pretrain import learner

    batch = made(stock, 9, 40)
    bare = compose.Batch(batch.images, batch.tops, torch.full_like(batch.categories, -1), batch.kinds)
    view = views.look(bare, 32, 0.9, torch.Generator().manual_seed(0))
    assert (view.shares[:, 1:] > learner.SEEN).any()
    assert float(learner._category(torch.randn(40, 12), bare, view)) == 0


def test_a_leaning_surface_is_smaller_on_one_side():
    stripes = torch.sin(torch.linspace(0, 40, 64)).expand(1, 1, 64, 64)
    lean = torch.tensor([[0.4, 0.0]])
    seen = compose._sample(stripes, torch.eye(3)[None, :2], "reflection", lean)[0, 0, 0]
    crossings = (seen[1:] * seen[:-1] < 0).float()
    assert crossings[: len(crossings) // 2].sum() > crossings[len(crossings) // 2 :].sum() + 3


def test_a_look_keeps_the_map_beside_the_picture(stock):
    batch = made(stock, 8)
    view = views.look(batch, 64, 0.5, torch.Generator().manual_seed(0))
    assert view.images.shape == (12, 3, 64, 64)
    assert view.tops.shape == (12, 8, 8)
    assert view.edges.shape == (12, views.ANGLES * views.CELLS**2)
    torch.testing.assert_close(view.shares.sum(1), torch.ones(12))
    again = views.look(batch, 64, 0.5, torch.Generator().manual_seed(0))
    assert torch.equal(view.images, again.images)


@pytest.mark.slow
def test_the_bank_is_made_once(tmp_path):
    said = []
    small = bank.prepare(tmp_path, 40, 1, said.append)
    assert len(small) == 40
    again = bank.prepare(tmp_path, 40, 1, said.append)
    np.testing.assert_array_equal(small.images, again.images)
    assert len(said) == 1
    row = small.take(torch.tensor([7]))
    np.testing.assert_array_equal(row.images[0].numpy(), small.images[7])
