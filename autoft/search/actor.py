"""What an actor does with the configurations that it is given: trials of `host.py`, as plain answers for Ray."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autoft.records import to_json
from autoft.search.host import Host
from autoft.search.outcome import Failure, TrialLost, spec_of_config

WORST = 1e30


class Turns:
    """Runs one trial after another. The methods raise `TrialLost` where a trial should be tried again."""

    def __init__(self) -> None:
        self._host = Host()
        self._config: dict[str, Any] = {}
        self._begun = False
        """The present trial has been made."""
        self._last_score: float | None = None

    def take(self, config: dict[str, Any]) -> None:
        """The next trial is the one that `config` describes. It is made when it is first needed."""
        self._begun = False
        self._config = config
        self._last_score = None

    def step(self, number: int) -> dict[str, Any]:
        """One epoch of trial `number`: `score`, `done`, and as JSON a `report` or a `failure`.

        A failure of one configuration ends that trial only.
        """
        answer = self._begin(number) or self._host.step()
        if isinstance(answer, Failure):
            # Some schedulers cannot do without a number here. It goes no further than them.
            return {"score": self._stand_in(), "failure": to_json(answer), "done": True}
        self._last_score = answer.score
        return {"score": answer.score, "report": to_json(answer), "done": bool(answer.done)}

    def save(self, folder: str) -> None:
        if self._begun:
            _raise(self._host.save_state(Path(folder)))

    def load(self, number: int, folder: str) -> None:
        self._begun = False
        _raise(self._begin(number) or self._host.load_state(Path(folder)))

    def close(self) -> None:
        self._host.close()

    def _begin(self, number: int) -> Failure | None:
        if self._begun:
            return None
        failure = self._host.begin(self._config["trial"]["target"], spec_of_config(self._config, number))
        self._begun = failure is None
        return failure

    def _stand_in(self) -> float:
        worst = -spec_of_config(self._config, 0).metric.sign * WORST
        return worst if self._last_score is None else self._last_score


def _raise(failure: Failure | None) -> None:
    if failure is not None:
        raise TrialLost(failure.reason, failure.traceback)
