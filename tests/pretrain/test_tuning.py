"""Fine-tuning in the benchmark: what its head makes of features, and which images its choices look at."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from benchmarks import tuning, wholenet  # noqa: E402
from tools.pretrain import learner, probes  # noqa: E402
from tools.pretrain.realdata import Labelled  # noqa: E402

HOW = {"mirror": True, "epochs": 1}


def trunk(seed):
    torch.manual_seed(seed)
    return learner.trunk()


def labelled(*, dense=False):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (24, 32, 32, 3)).astype(np.uint8)
    labels = rng.integers(0, 2, (24, 32, 32) if dense else 24)
    return Labelled(images, labels, np.arange(24) >= 16, None, 2)


def test_the_size_of_features_makes_no_difference_to_the_head():
    torch.manual_seed(0)
    head = wholenet.Head([4, 8], 3)
    maps = [torch.randn(6, 4, 8, 8), torch.randn(6, 8, 4, 4)]
    torch.testing.assert_close(head([100 * maps[0], maps[1] - 7]), head(maps), rtol=1e-3, atol=1e-3)
    assert head(maps).shape == (6, 3, 8, 8)


@pytest.mark.parametrize("dense", [False, True])
def test_rates_are_chosen_without_a_look_at_the_test_part(dense):
    data = labelled(dense=dense)
    other = Labelled(data.images.copy(), data.labels.copy(), data.test, None, 2)
    other.images[data.test] = 0
    other.labels[data.test] = 1 - other.labels[data.test]
    choices = tuning.grid([1e-2], [1.0, 4.0])
    found = [tuning.fitting(trunk, tuning.held_out(one, 1), choices, **HOW) for one in (data, other)]
    assert found[0] == found[1]
    assert found[0][0] in choices


def test_the_head_runs_at_its_own_multiple_of_the_trunks_rate():
    optimizer, schedule = tuning.paced(wholenet.Whole(trunk(0), labelled()), tuning.Recipe(2e-3, 4.0), 10)
    seen = []
    for _ in range(9):
        seen.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        schedule.step()
    assert all(head == pytest.approx(4 * trunk_rate) for trunk_rate, head in seen)
    assert max(rate for rate, _ in seen) == pytest.approx(2e-3)


def test_a_trunk_runs_slower_towards_the_image_where_that_is_asked_for():
    optimizer, _ = tuning.paced(wholenet.Whole(trunk(0), labelled()), tuning.Recipe(1e-2, 4.0, 0.5), 10)
    highest = [group["max_lr"] for group in optimizer.param_groups]
    assert highest == pytest.approx([1e-2 / 16, 1e-2 / 8, 1e-2 / 4, 1e-2 / 2, 1e-2, 4e-2])


def test_a_recipe_can_be_told_in_words():
    assert tuning.recipe("8e-3,4,0.7,probed,16") == tuning.Recipe(8e-3, 4.0, 0.7, True, 16)
    assert tuning.recipe("2e-3,1") == tuning.Recipe(2e-3)
    with pytest.raises(ValueError, match="at most 5"):
        tuning.recipe("2e-3,1,1,plain,32,9")


@pytest.mark.parametrize("dense", [False, True])
def test_a_probed_head_knows_its_rows_before_any_step(dense):
    data = labelled(dense=dense)
    rows = np.arange(16)
    data.labels[rows[::2]], data.labels[rows[1::2]] = 0, 1
    data.images[rows[::2]] //= 4
    model = wholenet.Whole(trunk(0), data)
    wholenet.probe(model, data, rows, np.random.default_rng(0))
    with torch.no_grad():
        said = model(probes.normal(data.images[rows])).argmax(1).numpy()
    wanted = data.labels[rows][:, 2::4, 2::4] if dense else data.labels[rows]
    assert (said == wanted).mean() > 0.95
    assert all(norm.momentum == 0.1 for norm in model.head.norms)


def test_of_videos_another_stretch_in_time_is_held_out_each_time():
    data = replace(labelled(), clips=np.repeat([0, 1, 0], 8))
    seen = []
    for trial in tuning.held_out(data, 4):
        learn, judge = trial.parts
        assert not {*learn} & {*judge}
        for clip in (0, 1):
            held, rest = (sorted(rows[data.clips[rows] == clip]) for rows in (judge, learn))
            assert not [row for row in rest if min(held) < row < max(held)]
        seen += [*judge]
    assert not data.test[seen].any()
    assert len({*seen}) > 12
