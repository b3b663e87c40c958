"""What is learned from past runs holds on a data set that was not among them, and the shipped file is what it was."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

import numpy as np
import pytest

from autoft.api import UsageError
from autoft_graybox.curve import to_unit
from autoft_graybox.encoding import encode, network
from autoft_graybox.features import State, best_so_far, knowledge
from autoft_graybox.network import QUANTILES, forward, train
from autoft_graybox.surrogate import SHIPPED, Outlook, Surrogate, load, save, shipped
from autoft_graybox.table import EPOCHS, Table
from autoft_graybox.training import fit_prior, learn

TOOL = Path(__file__).parents[1] / "tools" / "train_surrogate.py"


@pytest.fixture
def young(unseen: Table) -> State:
    """Each curve two epochs old."""
    count = len(unseen.length)
    return State(unseen.scores, np.full(count, 2), np.full(count, EPOCHS))


def outlook(surrogate: Surrogate, state: State, table: Table) -> Outlook:
    return surrogate.outlook(state, knowledge(table.encoded, list(table.models), surrogate.prior))


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a.argsort().argsort(), b.argsort().argsort())[0, 1])


def test_it_tells_the_end_of_a_curve_better_than_its_beginning_does(
    learned: Surrogate, young: State, unseen: Table
) -> None:
    told, best = outlook(learned, young, unseen).mean(), best_so_far(young)
    assert spearman(told, unseen.final) > spearman(best, unseen.final) + 0.05
    assert np.abs(told - unseen.final).mean() < np.abs(best - unseen.final).mean() / 2


def test_the_prior_knows_good_configurations_before_they_run(learned: Surrogate, young: State, unseen: Table) -> None:
    nothing = young._replace(used=np.zeros_like(young.used))
    assert spearman(outlook(learned, nothing, unseen).mean(), unseen.final) > 0.5


def test_what_has_not_run_is_not_looked_at(learned: Surrogate, young: State, unseen: Table) -> None:
    hidden = young.scores.copy()
    hidden[:, 2:] = np.random.default_rng(0).random(hidden[:, 2:].shape)
    spoilt = outlook(learned, young._replace(scores=hidden), unseen)
    np.testing.assert_array_equal(outlook(learned, young, unseen).final, spoilt.final)


def test_predictions_stay_between_the_best_so_far_and_one(learned: Surrogate, young: State, unseen: Table) -> None:
    told = outlook(learned, young, unseen)
    assert (told.final >= told.best[:, None, None]).all()
    assert (told.final <= 1).all()
    assert (told.improvement(float(told.best.max())) >= 0).all()


def test_what_is_left_out_leaves_no_trace(tables: dict[str, Table]) -> None:
    whole = {name: tables[name] for name in ("set0", "set1", "set2", "set3")}
    spoilt = {**whole, "set3": whole["set3"]._replace(scores=1 - whole["set3"].scores)}
    assert not np.allclose(fit_prior(whole).unknown, fit_prior(spoilt).unknown)
    one, other = (learn({n: t for n, t in some.items() if n != "set3"}, searches=2) for some in (whole, spoilt))
    np.testing.assert_array_equal(one.centre, other.centre)
    np.testing.assert_array_equal(one.prior.known, other.prior.known)
    assert one.data_sets == ("set0", "set1", "set2")


def test_quantiles_are_learned() -> None:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(4000, 3)).astype(np.float32)
    y = (x[:, 0] + (1 + (x[:, 1] > 0)) * generator.normal(size=4000)).astype(np.float32)
    told = forward(train(x, y, np.ones(4000, np.float32), seed=0, epochs=30), x)
    below = (y[:, None] < told).mean(0)
    np.testing.assert_allclose(below, QUANTILES, atol=0.04)


def test_a_file_gives_back_what_was_saved(learned: Surrogate, young: State, unseen: Table, tmp_path: Path) -> None:
    digest = save(learned, tmp_path / "one.safetensors", {"seed": "0"})
    again = load(tmp_path / "one.safetensors")
    assert digest == hashlib.sha256((tmp_path / "one.safetensors").read_bytes()).hexdigest()
    assert (again.prior.models, again.data_sets, again.epochs) == (learned.prior.models, learned.data_sets, 50)
    told = [outlook(surrogate, young, unseen).mean() for surrogate in (learned, again)]
    np.testing.assert_allclose(told[0], told[1], atol=1e-5)


def test_a_file_for_other_features_is_refused(learned: Surrogate, tmp_path: Path) -> None:
    save(learned._replace(centre=learned.centre[1:]), tmp_path / "one.safetensors", {})
    with pytest.raises(UsageError, match=r"44 features, but .* has 43"):
        load(tmp_path / "one.safetensors")


def test_the_shipped_file_is_what_was_trained() -> None:
    surrogate = shipped()
    assert SHIPPED.with_suffix(".sha256").read_text().strip() == hashlib.sha256(SHIPPED.read_bytes()).hexdigest()
    assert SHIPPED.stat().st_size < 500_000
    assert len(surrogate.data_sets) == 13
    assert all(np.isfinite(array).all() for layers in surrogate.networks for array in layers)


@pytest.mark.shared
def test_the_tool_writes_a_file_and_its_hash(shared: Path, tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("train_surrogate", TOOL)
    assert spec is not None and spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    files = [tmp_path / "one.safetensors", tmp_path / "two.safetensors"]
    for file in files:
        curves = shared / "curves" / "quicktune_extended.jsonl.gz"
        assert tool.main(["--curves", str(curves), "--out", str(file), "--searches", "2", "--networks", "1"]) == 0
    assert files[0].read_bytes() == files[1].read_bytes(), "the same seed gives the same file"
    assert load(files[0]).data_sets == shipped().data_sets


def test_names_of_one_network_are_one() -> None:
    names = ("xcit_nano", "timm/xcit_nano", "timm/xcit_nano@a/file.bin", "timm/xcit_nano.tag_in1k", "xcit_nano:torch")
    assert {network({"model": name}) for name in names[:2] + names[3:]} == {"xcit_nano"}


def test_a_recipe_is_encoded_with_its_defaults() -> None:
    plain, stated = encode([{}, {"optimizer": "adamw", "lr": 1e-3, "freeze": 0.0}], 20)
    np.testing.assert_array_equal(plain, stated)
    assert np.isfinite(encode([{"lr": 0.0, "weight_decay": 0.0, "batch_size": 1}], 20)).all()


@pytest.mark.parametrize(
    ("mode", "scores", "expected"),
    [
        ("max", [0.2, 0.9], [0.2, 0.9]),
        ("min", [0.0, 1.0], [1.0, np.exp(-1)]),
        ("max", [-10.0, 30.0], [0.0, 0.95]),
        ("min", [-1.0, 3.0], [0.95, 0.0]),
        ("max", [0.5, np.nan], [0.5, 0.0]),
    ],
)
def test_scores_of_any_metric_come_to_the_unit_interval(mode: str, scores: list[float], expected: list[float]) -> None:
    np.testing.assert_allclose(to_unit([np.array(scores)], mode)[0], expected)
