"""When a search by `auto` has nothing left to gain, and what its first head tells."""

from __future__ import annotations

import pytest

from autoft.search.auto import AGAIN
from autoft.search.headgrid import heads
from tests.search.test_auto import Machine, space


def test_it_ends_early_when_nothing_can_become_better() -> None:
    machine = Machine(2, 1e6)
    machine.run()
    assert "rounds" in machine.strategy.over()
    assert machine.now < 1e5
    ideal = Machine(2, 1e6, perfect=0.5)
    ideal.run()
    assert "cannot become better" in ideal.strategy.over()
    assert ideal.status[0] == "finished", "the gain is measured against a whole baseline"
    assert any(known.again for known in ideal.strategy.known.values()), "of few samples it may have been luck"
    sure = Machine(2, 1e6, parts=(1000, 300), perfect=0.5)
    sure.run()
    assert not any(known.again for known in sure.strategy.known.values())


def test_the_first_head_tells_whether_there_is_time_for_others() -> None:
    machine = Machine(2, 1e6)
    _, first = works = [machine.strategy.next() for _ in range(2)]
    machine._seconds(first)
    machine._finish(first)
    works.append(machine.strategy.next())
    assert [len(work.orders) for work in works if work] == [1, 1, len(heads(space(), "m/strong")) // 2 - 1]


@pytest.mark.parametrize("seconds", [120.0, 300.0])
def test_what_second_runs_leave_of_the_time_has_further_trials(seconds: float) -> None:
    machine = Machine(2, seconds)
    machine.run()
    again = [number for number, known in machine.strategy.known.items() if known.family == AGAIN]
    assert again and all(machine.status[number] == "finished" for number in again)
    later = [n for n in machine.params if n > max(again)]
    assert later or machine.now > 0.98 * seconds, "time was left over"
    assert machine.now > 0.95 * seconds
    assert machine.strategy.chosen() is not None
