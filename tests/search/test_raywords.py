"""What is said of a worker that Ray ended or lost: one line of Ray's pages."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from autoft.errors import UsageError
from autoft.search import ray
from autoft.search.outcome import FEWER, TrialLost

DEAD = """The actor died unexpectedly before finishing this task.
\tclass_name: _Shifts
\tactor_id: 0123
\tip: 10.0.0.7
The actor is dead because its node has died. Node Id: 4567
\tthe actor's node was terminated unexpectedly: health check failed due to missing too many heartbeats"""
MEMORY = """1 worker(s) were killed due to the node running low on memory. Memory on the node was 15.2GB / 16.0GB.
Top 10 memory users:
PID\tMEM(GB)\tCOMMAND
7\t12.1\tautoft
Refer to the documentation on how to address the out of memory issue. Consider provisioning more memory on this node."""
TRACED = """The actor died because of an error raised in its creation task, ray::_Shifts.__init__()
  File "ray.py", line 1, in setup
ModuleNotFoundError: No module named 'autoft'"""


def reason(error: Any) -> str:
    trial = SimpleNamespace(get_pickled_error=lambda: error, get_error=lambda: None)
    return ray.raywords.failure_of(trial).reason


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            ray.ray.exceptions.OutOfMemoryError(MEMORY),
            f"1 worker(s) were killed due to the node running low on memory: {FEWER}",
        ),
        (
            ray.ray.exceptions.RayActorError(error_msg=DEAD),
            "The actor is dead because its node has died. Node Id: 4567",
        ),
        (
            ray.ray.exceptions.RayActorError(error_msg=TRACED, actor_init_failed=True),
            "ModuleNotFoundError: No module named 'autoft'",
        ),
        (ray.ray.exceptions.NodeDiedError("Node 4567 is gone.\nLook at its logs."), "Node 4567 is gone."),
        (RuntimeError("Traceback\n  line 1\nValueError: no"), "ValueError: no"),
        (None, "the worker process died"),
    ],
)
def test_the_line_that_says_why(error: Any, words: str) -> None:
    assert reason(error) == words


def test_what_autoft_knows_of_a_lost_process_stands_as_it_is() -> None:
    assert reason(SimpleNamespace(cause=TrialLost("it was killed"))) == "it was killed"


def test_the_advice_names_what_lessens_trials_on_each_node() -> None:
    assert "--concurrency" in FEWER and "--cpus-per-trial" in FEWER


def test_a_cluster_that_asks_for_a_token_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray tells it three errors below the one that it raises."""

    def connect(**arguments: Any) -> None:
        try:
            raise ray.ray.exceptions.AuthenticationError("RPC error: InvalidAuthToken")
        except Exception as error:
            first = RuntimeError("Failed to connect to GCS.")
            first.__cause__ = error
        raise ConnectionError("Failed to connect to Ray cluster") from first

    monkeypatch.setattr(ray.ray, "init", connect)
    with pytest.raises(UsageError, match="Failed to connect to Ray cluster") as caught:
        ray.start("auto")
    assert "RAY_AUTH_MODE=token" in caught.value.hint
    assert ray.raywords.secret(ConnectionError("nothing there")) == ""
