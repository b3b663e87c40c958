"""Many networks are tried on some of the samples first; half of them go on."""

from __future__ import annotations

import pytest

from autoft.records import EpochReport, Mode, ModelCard
from autoft.search.headgrid import heads
from autoft.search.headwork import HeadSearch
from autoft.search.probes import MUCH, PROBE, Probes
from tests.search.test_auto import Machine, space

NAMES = tuple(f"m/{letter}" for letter in "abcde")
ENOUGH = MUCH * PROBE


def cards(*names: str) -> list[ModelCard]:
    return [ModelCard(name=name, backend="b", modality="image", prior=70.0) for name in names]


@pytest.mark.parametrize("networks, rows", [(NAMES[:2], ENOUGH), (NAMES, ENOUGH - 1), ((), ENOUGH)])
def test_few_networks_or_little_data_need_no_probes(networks: tuple[str, ...], rows: int) -> None:
    assert Probes(networks, rows).over


@pytest.mark.parametrize(
    "values, dropped",
    [
        ([0.5, 0.9, 0.7, 0.8, 0.6], "ae"),
        ([0.5, 0.5, 0.5, 0.5, 0.5], "de"),
        ([0.5, 0.9, None, 0.8, 0.6], "ace"),
        ([0.5, None, None, None, None], "bcde"),
        ([None] * 5, ""),
    ],
)
def test_the_better_half_goes_on(values: list[float | None], dropped: str) -> None:
    probes = Probes(NAMES, ENOUGH)
    for name, value in zip(NAMES, values, strict=True):
        assert probes.next(()) == name
        if value is not None:
            probes.saw(name, value)
    assert probes.next(()) == ""
    assert probes.end() == {f"m/{letter}" for letter in dropped}
    assert probes.over


def report(score: float) -> EpochReport:
    return EpochReport(epoch=1, score=score, metrics={}, train_loss=1.0, seconds=1.0, combined=score)


def test_heads_wait_for_the_probes_and_leave_out_what_was_dropped() -> None:
    whole = space(*cards(*NAMES[:3]))
    work = HeadSearch(whole, NAMES[:3], "max", (ENOUGH, 100))
    asked = [work.next(100.0, NAMES[:n]) for n in range(3)]
    assert [[(p["model"], p["head_rows"]) for p in some] for some in asked] == [[(name, PROBE)] for name in NAMES[:3]]
    assert work.next(100.0, NAMES[:3]) == [], "all must be known"
    for (params,), score in zip(asked, (0.5, 0.6, 0.7), strict=True):
        work.saw(str(params["model"]), params, report(score))
    assert work.best(NAMES[2]) is None, "a probe is no head to start from"
    assert work.next(100.0, NAMES[2:3]) == [], "one is not over yet"
    handed = []
    while found := work.next(100.0):
        handed += found
    assert {params["model"] for params in handed} == {*NAMES[1:3]} and work.dropped == {NAMES[0]}
    assert handed == [params for name in NAMES[1:3] for size in (96, 128) for params in heads(whole, name, sized(size))]


def sized(size: int) -> list[dict[str, int | float | str | bool | None]]:
    return [{"image_size": size}]


def test_a_probe_that_failed_does_not_make_probes_of_later_heads() -> None:
    whole = space(*cards(*NAMES[:3]))
    work = HeadSearch(whole, NAMES[:3], "max", (ENOUGH, 100))
    for _ in range(3):
        assert work.next(100.0)
    handed = work.next(100.0)  # nothing was heard of any
    assert handed and not work.dropped and not any("head_rows" in params for params in handed)
    work.saw(str(handed[0]["model"]), handed[0], report(0.9))
    assert work.best(str(handed[0]["model"])) is not None


def test_rows_that_the_user_names_are_kept_and_need_no_probes() -> None:
    whole = space(*cards(*NAMES[:3]), head_rows=1000)
    work = HeadSearch(whole, NAMES[:3], "max", (ENOUGH, 100))
    handed = work.next(100.0)
    assert {params["head_rows"] for params in handed} == {1000}
    work.saw(str(handed[0]["model"]), handed[0], report(0.9))
    assert work.best(str(handed[0]["model"])) is not None


def test_a_probe_is_never_the_result() -> None:
    names = ("m/strong", *NAMES)
    machine = Machine(
        2, 60.0, space=space(*cards(*names)), parts=(ENOUGH, 100), sharing=frozenset(names), featured=frozenset(names)
    )
    machine.run()
    probed = {number for number, params in machine.params.items() if params.get("head_rows") == PROBE}
    assert probed and not probed & machine.strategy.ranks.best.keys()
    assert machine.strategy.chosen() not in {*probed, None}


@pytest.mark.parametrize("trials", [11, 12, 20, 40, 70])
@pytest.mark.parametrize("count", [2, 6])
def test_a_limited_number_of_trials_leaves_some_that_train_blocks(trials: int, count: int) -> None:
    names = ("m/strong", *NAMES)[:count]
    machine = Machine(
        2,
        1e6,
        space=space(*cards(*names)),
        parts=(ENOUGH, 100),
        sharing=frozenset(names),
        featured=frozenset(names),
        trials=trials,
    )
    machine.run()
    assert machine.strategy.brackets and len(machine.params) <= trials
    assert len(machine.params) >= trials - 1, "they are used"


def test_networks_whose_heads_the_space_forbids_are_not_probed() -> None:
    work = HeadSearch(space(*cards(*NAMES[:3]), freeze=0.5), NAMES[:3], "max", (ENOUGH, 100))
    assert work.next(100.0) == [] and work.dropped == set()


def test_auto_goes_on_without_the_networks_that_were_dropped() -> None:
    names = ("m/strong", *NAMES)
    machine = Machine(
        2, 400.0, space=space(*cards(*names)), parts=(ENOUGH, 100), sharing=frozenset(names), featured=frozenset(names)
    )
    machine.failing = {"m/c"}
    machine.run()
    strategy = machine.strategy
    assert len(strategy.heads.dropped) == 3 and "m/c" in strategy.heads.dropped
    assert not strategy.heads.dropped & {*strategy.networks}
    probed = {n for n, params in machine.params.items() if params.get("head_rows")}
    assert len(probed) == len(names)
    later = {params["model"] for number, params in machine.params.items() if number > max(probed)}
    assert not later & strategy.heads.dropped and "m/strong" in later


@pytest.mark.parametrize(
    ("scores", "mode", "rows", "kept"),
    [
        ((0.9, 0.83, 0.6), "max", 1400, "ab"),
        ((0.6, 0.83, 0.9), "max", 1400, "cb"),
        ((0.9, 0.83, 0.75), "max", 60, "abc"),  # chance
        ((0.9, 0.83, 0.6), "max", 0, "abc"),  # so few trials that no network is left out by a head
        ((0.02, 0.0, -0.2), "max", 1400, "ab"),  # near 0 any difference is many times the best
        ((2.0, 2.1, 2.6), "min", 1400, "ab"),
    ],
)
def test_networks_with_features_that_are_no_match_do_not_go_on(
    scores: tuple[float, ...], mode: Mode, rows: int, kept: str
) -> None:
    work = HeadSearch(space(*cards(*NAMES[:3])), NAMES[:3], mode, (rows, 100))
    for name, score in zip(NAMES, scores, strict=False):
        (params, *_) = heads(space(*cards(*NAMES[:3])), name)
        work.saw(name, params, report(score))
    assert work.promising(NAMES[:3]) == [f"m/{letter}" for letter in kept]
