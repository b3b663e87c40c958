"""A strategy's orders carried out by real worker processes, without Ray: pauses, deaths, and who is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from autoft import remote
from autoft.records import EpochReport, Metric, TrialResult, TrialSpec, from_json, to_json
from autoft.search import ray
from autoft.search.crew import Crew
from autoft.search.desk import Config
from autoft.search.host import Host
from autoft.search.outcome import Failure
from autoft.search.settings import Settings
from autoft.search.shift import Event, Leg, Shift
from autoft.search.strategy import Closed, Order, Work
from tests.search import scripted
from tests.search.scripted import Seen, noted


class Planned:
    """Gives out the pieces of work it was made with, one after the other."""

    def __init__(self, *works: Sequence[Order], close: Sequence[int] = ()) -> None:
        self.works = [Work(tuple(orders)) for orders in works]
        self.close = list(close)
        self.told: list[tuple[Any, ...]] = []

    def next(self) -> Work | None:
        return self.works.pop(0) if self.works else None

    def over(self) -> str:
        return "" if self.works else "nothing is left to do"

    def reported(self, number: int, report: EpochReport) -> None:
        self.told.append(("reported", number, report.epoch))

    def paused(self, number: int) -> None:
        self.told.append(("paused", number))

    def ended(self, result: TrialResult) -> None:
        self.told.append(("ended", result.number, result.status))

    def closed(self) -> Sequence[Closed]:
        ready = [number for number in self.close if ("paused", number) in self.told]
        self.close = [number for number in self.close if number not in ready]
        return [Closed(number, "not among the best") for number in ready]


class Searched(Seen):
    """What one actor made of a strategy's orders."""

    def __init__(
        self, folder: Path, strategy: Planned, host: Host, target: str = scripted.TARGET, divides: bool = True
    ) -> None:
        super().__init__()
        self.log = folder / "log"
        self.folder = folder
        self.host = host
        settings = Settings(metric=Metric(name="accuracy"), folder=str(folder / "ray"), target=target)
        self.crew = Crew(settings, strategy, self.spec_of, self, divides=divides)

    def spec_of(self, number: int, params: dict[str, Any]) -> TrialSpec | None:
        return scripted.spec_in(self.folder, number, {"epochs": 3, **params}, Metric(name="accuracy"))

    def piece(self) -> int:
        """Carry out one piece of work; gives its number."""
        config = self.crew.next()
        assert config is not None
        return self.carried_out(config)

    def carried_out(self, config: Config) -> int:
        """Do this piece of work, from its beginning; gives its number."""
        trial = config["trial"]
        shift = Shift(self.host, trial["target"], from_json(trial["legs"], list[Leg]))
        while not shift.over:
            self.crew.told(trial["number"], {"events": to_json(shift.work(0.0))})
        self.crew.completed(trial["number"], {})
        return int(trial["number"])

    def run(self) -> Searched:
        while not self.crew.over() or self.crew.strategy.works:  # type: ignore[attr-defined]
            self.piece()
        self.crew.end("out of time")
        return self


@pytest.fixture
def host() -> Iterator[Host]:
    one = Host()
    yield one
    one.close()


def test_several_trials_in_one_piece_of_work_are_rows_of_their_own(tmp_path: Path, host: Host) -> None:
    strategy = Planned([Order(0, {"lr": 0.5}), Order(1, {"lr": 0.4}), Order(2, {"lr": 0.3, "do": "fail"})])
    seen = Searched(tmp_path, strategy, host).run()
    assert [(r.number, r.status, r.epochs) for r in seen.results] == [
        (0, "finished", 3),
        (1, "finished", 3),
        (2, "failed", 0),
    ]
    assert seen[2].score is None
    assert len({row["pid"] for row in noted(seen.log)}) == 1, "one process runs them all"


def test_a_trial_pauses_and_goes_on_where_it_stood(tmp_path: Path, host: Host) -> None:
    strategy = Planned([Order(0, {"lr": 0.5}, until=2)], [Order(1, {"lr": 0.1})], [Order(0, None)])
    seen = Searched(tmp_path, strategy, host).run()
    assert [event for event in strategy.told if event[1] == 0] == [
        ("reported", 0, 1),
        ("reported", 0, 2),
        ("paused", 0),
        ("reported", 0, 3),
        ("ended", 0, "finished"),
    ]
    assert [report.epoch for report in seen[0].history] == [1, 2, 3]
    assert seen[0].score == pytest.approx(1.5), "its skill was kept over the pause"
    assert not list(tmp_path.glob("**/*.state")), "the state of an ended trial takes no room"


class InBucket(Searched):
    """With its trials' folders at an address."""

    def spec_of(self, number: int, params: dict[str, Any]) -> TrialSpec | None:
        spec = super().spec_of(number, params)
        assert spec is not None
        return replace(spec, folder=(self.folder / "bucket" / spec.name).as_uri())


@pytest.fixture
def removed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The folders of the bucket that are removed."""
    names: list[str] = []
    real = remote.remove
    monkeypatch.setattr(remote, "remove", lambda address: (names.append(address.rpartition("/")[2]), real(address)))
    return names


def test_only_trials_that_were_to_pause_have_a_state_to_delete(tmp_path: Path, host: Host, removed: list[str]) -> None:
    strategy = Planned(
        [Order(0, {"lr": 0.5}), Order(1, {"lr": 0.4, "do": "fail"})],
        [Order(2, {"lr": 0.3}, until=1), Order(3, {"lr": 0.2}, until=1), Order(4, {"lr": 0.1}, until=1)],
        [Order(2, None)],
        close=[3],
    )
    InBucket(tmp_path, strategy, host).run()
    assert [name for name in removed if name.endswith(".state")] == [f"t000{number}.state" for number in (3, 2, 4)]
    assert not list(tmp_path.glob("bucket/*.state"))


@pytest.mark.parametrize("kind", [Searched, InBucket])
def test_a_state_that_was_cut_off_is_not_gone_on_from(kind: type[Searched], tmp_path: Path, host: Host) -> None:
    """Its process dies in the middle of its second save."""
    strategy = Planned([Order(0, {"lr": 0.5}, until=1)], [Order(0, None, until=2)], [Order(0, None)])
    seen = kind(tmp_path, strategy, host, "tests.search.scripted:Torn").run()
    assert (seen[0].status, seen[0].score) == ("finished", pytest.approx(1.5))
    assert [report.epoch for report in seen[0].history] == [1, 2, 3]
    assert [row["epoch"] for row in noted(seen.log) if row["what"] == "resumed"] == [1, 1, 2]
    assert not list(tmp_path.glob("**/*.state"))


@pytest.mark.parametrize("kind", [Searched, InBucket])
def test_the_state_that_was_told_of_outlives_its_piece_of_work_being_done_again(
    kind: type[Searched], tmp_path: Path, host: Host
) -> None:
    """The actor is lost after the first trial of the piece has paused, and before the second one has ended."""
    plan = [Order(0, {"lr": 0.5}, until=1)], [Order(0, None, until=2), Order(1, {"lr": 0.4})], [Order(0, None)]
    seen = kind(tmp_path, Planned(*plan), host)
    seen.piece()
    config = seen.crew.next()
    assert config is not None
    legs = from_json(config["trial"]["legs"], list[Leg])
    lost, events = Shift(host, scripted.TARGET, legs), list[Event]()
    while not events or events[-1].kind != "paused":
        events = lost.work(0.0)
        seen.crew.told(1, {"events": to_json(events)})
    seen.crew.recovering(1, kept=False)
    seen.carried_out(config)
    onward = seen.crew.next()
    assert onward is not None
    (leg,) = from_json(onward["trial"]["legs"], list[Leg])
    assert leg.resume == events[-1].state and list(tmp_path.glob(f"**/*.state/{leg.resume}/*"))


@pytest.mark.parametrize("kind", [Searched, InBucket])
def test_a_state_that_nobody_was_told_of_is_not_gone_on_from(kind: type[Searched], tmp_path: Path, host: Host) -> None:
    """The actor is lost between keeping the second one and telling of it."""
    strategy = Planned([Order(0, {"lr": 0.5}, until=1)], [Order(0, None, until=2)], [Order(0, None)])
    seen = kind(tmp_path, strategy, host)
    seen.piece()
    config = seen.crew.next()
    assert config is not None
    legs = from_json(config["trial"]["legs"], list[Leg])
    lost = Shift(host, scripted.TARGET, legs)
    while not lost.over:
        lost.work(0.0)
    seen.crew.recovering(1, kept=False)
    seen.carried_out(config)
    assert seen.crew.ledger.reports[0][-1].epoch == 2
    assert len(list(tmp_path.glob("**/*.state/*"))) == 3, "the one before is kept until this one was gone on from"
    seen.piece()
    seen.crew.end("out of time")
    assert [report.epoch for report in seen[0].history] == [1, 2, 3] and seen[0].score == pytest.approx(1.5)


def test_what_is_not_promoted_is_closed_with_its_reason(tmp_path: Path, host: Host) -> None:
    strategy = Planned([Order(0, {"lr": 0.5}, until=1)], [Order(1, {"lr": 0.1})], close=[0])
    seen = Searched(tmp_path, strategy, host).run()
    assert (seen[0].status, seen[0].reason, seen[0].epochs) == ("stopped", "not among the best", 1)
    assert seen[0].score == pytest.approx(0.5)


def test_a_dead_process_costs_one_try_and_no_other_trial(tmp_path: Path, host: Host) -> None:
    orders = [
        Order(0, {"lr": 0.5, "do": "die once", "at": 2}),
        Order(1, {"lr": 0.2, "do": "die"}),
        Order(2, {"lr": 0.1}),
    ]
    seen = Searched(tmp_path, Planned(orders), host).run()
    assert [(r.number, r.status) for r in seen.results] == [(0, "finished"), (1, "failed"), (2, "finished")]
    assert [report.epoch for report in seen[0].history] == [1, 2, 3], "what the lost attempt reported does not count"
    assert "died" in seen[1].reason


@pytest.mark.parametrize(("divides", "division"), [(True, 2), (False, 0)])
def test_a_result_tells_its_seed_and_which_samples_it_was_validated_on(
    tmp_path: Path, host: Host, divides: bool, division: int
) -> None:
    orders = [Order(0, {}), Order(1, {}, again=2)]
    seen = Searched(tmp_path, Planned(orders), host, divides=divides).run()
    assert {r.number: (r.seed, r.division) for r in seen.results} == {0: (0, 0), 1: (2, division)}


def test_a_lost_actor_runs_its_piece_again_without_telling_twice(tmp_path: Path, host: Host) -> None:
    strategy = Planned([Order(0, {"lr": 0.5}), Order(1, {"lr": 0.4})])
    seen = Searched(tmp_path, strategy, host)
    config = seen.crew.next()
    assert config is not None
    legs = from_json(config["trial"]["legs"], list[Leg])
    lost = Shift(host, scripted.TARGET, legs)
    for _ in range(4):  # the whole of the first trial, and an epoch of the second
        seen.crew.told(0, {"events": to_json(lost.work(0.0))})
    seen.crew.recovering(0, kept=False)
    seen.carried_out(config)
    assert sorted(event for event in strategy.told if event[0] == "ended") == [
        ("ended", 0, "finished"),
        ("ended", 1, "finished"),
    ]
    assert [report.epoch for report in seen[1].history] == [1, 2, 3]


def test_an_actor_lost_before_its_first_report_is_told_of_when_it_is_heard_of(tmp_path: Path, host: Host) -> None:
    strategy = Planned([Order(0, {"lr": 0.5}), Order(1, {"lr": 0.4})])
    seen = Searched(tmp_path, strategy, host)
    config = seen.crew.next()
    assert config is not None
    seen.crew.recovering(0, kept=False)
    assert seen.started_ == []
    seen.carried_out(config)
    assert seen.started_ == [0, 1]
    assert rows(seen) == [(0, "finished", [1, 2, 3]), (1, "finished", [1, 2, 3])]


def test_what_was_lost_before_its_first_report_is_no_row_when_the_time_is_over(tmp_path: Path, host: Host) -> None:
    seen = Searched(tmp_path, Planned([Order(0, {"lr": 0.5})]), host)
    assert seen.crew.next() is not None
    seen.crew.recovering(0, kept=False)
    seen.crew.end("out of time")
    assert seen.results == []


def test_an_actor_that_is_given_up_fails_its_open_trials_alone(tmp_path: Path, host: Host) -> None:
    strategy = Planned([Order(0, {"lr": 0.5}), Order(1, {"lr": 0.4})])
    seen = Searched(tmp_path, strategy, host)
    config = seen.crew.next()
    assert config is not None
    shift = Shift(host, scripted.TARGET, from_json(config["trial"]["legs"], list[Leg]))
    for _ in range(3):
        seen.crew.told(0, {"events": to_json(shift.work(0.0))})
    seen.crew.failed(0, Failure(reason="the node is gone", traceback=""))
    assert [(r.number, r.status, r.reason) for r in seen.results] == [
        (0, "finished", "all epochs done"),
        (1, "failed", "the node is gone"),
    ]


def test_no_time_for_another_trial_ends_the_search(tmp_path: Path, host: Host) -> None:
    seen = Searched(tmp_path, Planned([Order(0, {"lr": 0.5})], [Order(1, {"lr": 0.5})]), host)
    seen.piece()
    seen.crew.spec_of = lambda number, params: None
    assert seen.crew.next() is None
    assert seen.crew.over()


# ---- side by side ---------------------------------------------------------------------------------------

HEAD = {"freeze": 1.0, "augment": "none"}
SIDED = "tests.search.scripted:Sided"


def sided(tmp_path: Path, host: Host, warmup: float = 0.0, **more: Any) -> Searched:
    orders = [Order(n, {"lr": 0.5 - n / 10, **HEAD, "warmup": warmup if n == 0 else 0.0, **more}) for n in range(3)]
    return Searched(tmp_path, Planned(orders), host, SIDED).run()


def rows(seen: Searched) -> list[tuple[int, str, list[int]]]:
    return sorted((r.number, r.status, [report.epoch for report in r.history]) for r in seen.results)


def test_heads_that_stand_together_train_side_by_side(tmp_path: Path, host: Host) -> None:
    seen = sided(tmp_path, host)
    assert rows(seen) == [(n, "finished", [1, 2, 3]) for n in range(3)]
    assert [number for number, _ in seen.reports] == [0, 1, 2] * 3
    assert seen[1].score == pytest.approx(3 * 0.4)


def test_a_failure_beside_others_is_its_own(tmp_path: Path, host: Host) -> None:
    seen = sided(tmp_path, host, scripted.FAILS)
    assert rows(seen) == [(0, "failed", [1]), (1, "finished", [1, 2, 3]), (2, "finished", [1, 2, 3])]
    assert (seen[0].score, seen[0].reason) == (None, "its loss is nan.")


@pytest.mark.parametrize("way", [scripted.DIES, scripted.BREAKS])
def test_what_is_lost_side_by_side_is_run_alone(way: float, tmp_path: Path, host: Host) -> None:
    seen = sided(tmp_path, host, way)
    assert rows(seen) == [(n, "finished", [1, 2, 3]) for n in range(3)]
    assert [number for number, _ in seen.reports] == [0, 1, 2, *[0] * 3, *[1] * 3, *[2] * 3]
    assert len({row["pid"] for row in noted(seen.log)}) == 2


def test_what_cannot_train_side_by_side_is_run_alone(tmp_path: Path, host: Host) -> None:
    seen = sided(tmp_path, host, scripted.REFUSES)
    assert rows(seen) == [(n, "finished", [1, 2, 3]) for n in range(3)]
    assert [number for number, _ in seen.reports] == [*[0] * 3, *[1] * 3, *[2] * 3]
    assert len([row for row in noted(seen.log) if row["what"] == "begun"]) == 3, "the first one is not made twice"


def test_trials_that_pause_are_run_alone(tmp_path: Path, host: Host) -> None:
    orders = [Order(0, {"lr": 0.5, **HEAD}, until=1), Order(1, {"lr": 0.4, **HEAD}), Order(2, {"lr": 0.3, **HEAD})]
    seen = Searched(tmp_path, Planned(orders, [Order(0, None)]), host, SIDED).run()
    assert rows(seen) == [(n, "finished", [1, 2, 3]) for n in range(3)]
    assert [number for number, _ in seen.reports] == [0, *[1, 2] * 3, 0, 0]


@pytest.mark.slow
def test_the_same_on_a_real_ray(tmp_path: Path) -> None:
    strategy = Planned(
        [Order(0, {"lr": 0.5}, until=1), Order(1, {"lr": 0.4})],
        [Order(2, {"lr": 0.1, "do": "raise"})],
        [Order(0, None)],
    )
    seen = Seen()
    settings = Settings(
        metric=Metric(name="accuracy"), folder=str(tmp_path / "ray"), target=scripted.TARGET, concurrency=1
    )

    def spec_of(number: int, params: dict[str, Any]) -> TrialSpec | None:
        return scripted.spec_in(tmp_path, number, {"epochs": 3, **params}, settings.metric)

    ray.start(cpus=2)
    try:
        assert not ray.run_strategy(settings, Crew(settings, strategy, spec_of, seen))
    finally:
        ray.stop()
    assert {r.number: r.status for r in seen.results} == {0: "finished", 1: "finished", 2: "failed"}
    assert [report.epoch for report in seen[0].history] == [1, 2, 3]


def test_a_trial_begins_with_the_model_of_another_one_and_goes_on_with_its_own(tmp_path: Path, host: Host) -> None:
    strategy = Planned([Order(0, {"lr": 0.5})], [Order(1, {"lr": 0.1}, until=1, start=0)], [Order(1, None)])
    searched = Searched(tmp_path, strategy, host)
    searched.piece()
    config = searched.crew.next()
    assert config is not None
    (leg,) = from_json(config["trial"]["legs"], list[Leg])
    assert leg.spec.start == searched.crew.ledger.specs[0].folder
    shift = Shift(host, config["trial"]["target"], [leg])
    while not shift.over:
        searched.crew.told(config["trial"]["number"], {"events": to_json(shift.work(0.0))})
    config = searched.crew.next()
    assert config is not None
    (leg,) = from_json(config["trial"]["legs"], list[Leg])
    assert leg.resume and leg.spec.start == "", "the other model may be gone by now"
    searched.crew.end("out of time")
    assert [searched[number].start for number in (0, 1)] == ["", searched.crew.ledger.specs[0].folder]
