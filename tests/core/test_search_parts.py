"""What stands around Ray: the budget, what a trial came to, names of schedulers, and Ctrl-C."""

import os
import signal
import subprocess
import sys
import threading

import pytest
from msgspec.structs import replace

from autoft.errors import TrialFailed, UsageError
from autoft.pipeline import budget as budgets
from autoft.pipeline.budget import Budget
from autoft.prefix import LATE
from autoft.records import EpochReport, from_json, to_json
from autoft.search import process
from autoft.search.outcome import Failure, failure_of, result_of, spec_of_config
from autoft.search.process import ended_in_words, interruptible, memory_mb
from autoft.search.settings import SCHEDULERS, check_scheduler
from tests.core import told
from tests.core.conftest import LOG_LOSS


def report(epoch, score=0.5, **fields):
    plain = {"metrics": {"accuracy": score}, "train_loss": 1.0, "seconds": 10.0 * epoch}
    return EpochReport(epoch=epoch, score=score, **{**plain, **fields})


# ---- the budget -----------------------------------------------------------------------------------------


@pytest.fixture
def now(monkeypatch):
    clock = told.Clock()
    monkeypatch.setattr(budgets, "time", clock)
    return clock


def test_the_deadline_leaves_the_reserve(now):
    budget = Budget(600, now.now)
    assert budget.end == now.now + 600
    assert budget.deadline == budget.end - budget.reserve
    assert budget.reserve == pytest.approx(3 + 5 + 1.2 * 8 + 1.5)


def test_forks_start_sooner(now):
    budget = Budget(30, now.now)
    budget.backends = ("torch", "keras")
    slow = budget.deadline
    budget.forks(["torch"], cluster=False)
    assert budget.reserve == pytest.approx(1 + 2 + 1.2 * 8 + 0.45), "one of them is no fork"
    budget.forks(["torch", "keras"], cluster=False)
    assert budget.reserve == pytest.approx(1 + 2 + 1.2 * 3 + 0.45)
    budget.expect_refit(1.0)
    assert budget.refit == 0 and budget.latest == budget.deadline == budget.end - budget.reserve > slow
    budget.seconds = 60
    budget.expect_refit(1.0)
    assert budget.refit == 1 + 3
    budget.forks(["torch", "keras"], cluster=True)
    assert budget.reserve == pytest.approx(3 + 4 + 1.2 * 3 + 0.9)


def test_the_reserve_follows_the_slowest_start_and_validation(now):
    budget = Budget(600, now.now)
    budget.test_ratio = 2.0
    budget.saw(report(1, build_seconds=20.0, val_seconds=4.0))
    budget.saw(report(1, build_seconds=2.0, val_seconds=1.0))
    budget.saw(report(2, build_seconds=99.0, val_seconds=3.0))  # builds are told by first epochs alone
    assert budget.reserve == pytest.approx(3 + 5 + 1.2 * 20 + 1.5 * 4 * 2)


def test_the_reserve_counts_the_intervals_of_a_slow_score(now):
    budget = Budget(600, now.now)
    budget.test_ratio = 2.0
    budget.saw(report(1, resample_seconds=0.001))
    plain = budget.reserve
    budget.saw(report(1, resample_seconds=0.2))
    assert budget.reserve == pytest.approx(plain + 150 * 0.2 * 2 - 2.5), "50 of the best model, 50 of both"


def test_a_third_of_a_small_budget_is_left_to_trials(now):
    assert Budget(9, now.now).deadline == now.now + 3


def test_one_trial_may_plan_for_half_of_the_search(now):
    budget = Budget(600, now.now)
    assert budget.allowance(budget.deadline - 100) == pytest.approx(50)
    assert budget.allowance(budget.deadline + 100) == 1.0


def test_before_anything_is_known_a_trial_starts_while_there_is_time(now):
    budget = Budget(600, now.now)
    assert budget.room_for_another()
    now.now = budget.deadline - 0.1
    assert budget.room_for_another()
    now.now = budget.deadline
    assert not budget.room_for_another()


def test_later_a_trial_starts_only_if_it_would_come_to_an_epoch(now):
    budget = Budget(600, now.now)
    budget.saw(report(1, seconds=14.0, build_seconds=4.0))
    budget.saw(report(2, seconds=24.0, build_seconds=4.0))  # 10 s an epoch
    needed = 4 + 1.5 * 10
    now.now = budget.deadline - needed - 0.1
    assert budget.room_for_another()
    now.now = budget.deadline - needed
    assert not budget.room_for_another()


def test_a_head_that_is_solved_needs_no_epoch(now):
    budget = Budget(60, now.now)
    budget.expect_refit(1.0)
    now.now = budget.deadline
    assert not budget.room_for_another(solved=True), "what its features cost is not known"
    budget.saw(report(1, seconds=20.0, build_seconds=1.0))
    now.now = budget.deadline
    assert budget.deadline < budget.latest - 1
    assert budget.room_for_another(solved=True) and not budget.room_for_another()
    now.now = budget.latest
    assert not budget.room_for_another(solved=True)


def test_each_backend_has_its_own_times(now):
    budget = Budget(600, now.now)
    budget.backends = ("quick", "slow")
    budget.saw(report(1, seconds=4.0, build_seconds=2.0), "quick")
    assert budget.reserve == pytest.approx(3 + 5 + 1.2 * 8), "the other one may start more slowly"
    budget.saw(report(1, seconds=45.0, build_seconds=15.0), "slow")
    assert budget.reserve == pytest.approx(3 + 5 + 1.2 * 15)
    now.now = budget.deadline - 40
    assert budget.room_for_another("quick")
    assert not budget.room_for_another("slow")


# ---- what a trial came to -------------------------------------------------------------------------------


def test_the_best_epoch_counts_and_of_equal_ones_the_last(make_spec):
    reports = [report(1, 0.2), report(2, 0.7), report(3, 0.7), report(4, 0.1, done="all epochs done")]
    found = result_of(make_spec(number=3), reports, "finished", "all epochs done", "")
    assert (found.score, found.best_epoch, found.epochs, found.seconds) == (0.7, 3, 4, 40.0)
    assert found.metrics == {"accuracy": 0.7} and found.history == tuple(reports)
    assert (found.name, found.model, found.backend, found.status) == ("t0003", "numpy/mlp", "numpy", "finished")
    assert found.folder.endswith("t0003") and found.ended > 0
    assert from_json(to_json(found), type(found)) == found


def test_the_smallest_counts_where_small_is_good(make_spec):
    found = result_of(make_spec(metric=LOG_LOSS), [report(1, 0.2), report(2, 0.1)], "stopped", "asha", "")
    assert (found.score, found.best_epoch) == (0.1, 2)


def test_a_failure_is_not_a_score(make_spec):
    found = result_of(make_spec(), [report(1, 0.9)], "failed", "it broke", "Traceback ...")
    assert (found.score, found.metrics, found.folder) == (None, {}, "")
    assert (found.epochs, found.reason, found.traceback) == (1, "it broke", "Traceback ...")


def test_a_trial_stopped_before_its_first_epoch_has_nothing(make_spec):
    found = result_of(make_spec(), [], "stopped", "out of time", "")
    assert (found.score, found.folder, found.epochs) == (None, "", 0)
    assert found.reason == "out of time, before its first epoch was over"


def test_a_trial_that_came_too_late_for_a_step_has_not_failed(make_spec):
    found = result_of(make_spec(), [], "failed", LATE, "Traceback ...")
    assert (found.status, found.traceback) == ("stopped", "")
    assert found.reason == "out of time, before its first epoch was over"


def test_the_recipe_has_the_epochs_that_were_planned(make_spec):
    found = result_of(make_spec(recipe={"epochs": 20}), [report(1, planned=5), report(2, planned=5)], "stopped", "", "")
    assert found.recipe.epochs == 5
    assert result_of(make_spec(recipe={"epochs": 20}), [report(1)], "stopped", "", "").recipe.epochs == 20


def test_a_failure_in_words():
    try:
        raise TrialFailed("the loss must be finite.\nIt is nan.", "Try a lower lr.")
    except TrialFailed as error:
        failure = failure_of(error)
    assert failure.reason == "the loss must be finite."
    assert "test_a_failure_in_words" in failure.traceback
    assert from_json(to_json(failure), Failure) == failure


@pytest.mark.parametrize(
    "error, reason",
    [
        (TrialFailed("no.", "Try less."), "no. Try less."),
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
        (RuntimeError("CUDA out of memory.\nTried to allocate"), "RuntimeError: CUDA out of memory."),
        (KeyError("a"), "KeyError: 'a'"),
        (ValueError(), "ValueError:"),
        (TrialFailed(""), "TrialFailed"),
        (TrialFailed("\n"), "TrialFailed"),
    ],
)
def test_any_exception_has_a_first_line(error, reason):
    assert failure_of(error).reason == reason


def test_a_configuration_goes_on_under_its_own_number(make_spec):
    spec = make_spec(number=4, recipe={"acme_alpha": 1})
    config = {"trial": {"spec": to_json(spec)}, "params": {"lr": 0.5, "dropout": 0.1}}
    found = spec_of_config(config, 7)
    assert found.number == 7 and found.folder.endswith("t0007")
    assert found.recipe == replace(spec.recipe, lr=0.5, dropout=0.1)
    assert replace(found, number=4, folder=spec.folder, recipe=spec.recipe) == spec


# ---- settings and the process ---------------------------------------------------------------------------


def test_schedulers_by_name():
    assert [check_scheduler(name) for name in SCHEDULERS] == list(SCHEDULERS)
    with pytest.raises(UsageError, match=r"there is no scheduler 'ahsa'\. Did you mean 'asha'\? Known: asha"):
        check_scheduler("ahsa")


def test_the_first_ctrl_c_is_a_wish_and_the_second_an_order():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), interruptible() as interrupted:
        assert not interrupted()
        os.kill(os.getpid(), signal.SIGINT)
        assert interrupted()
        os.kill(os.getpid(), signal.SIGINT)
        pytest.fail("the second one must be heard")
    assert signal.getsignal(signal.SIGINT) is before


def test_sigterm_is_the_same_wish_and_comes_twice_from_timeout(monkeypatch):
    monkeypatch.setattr(process, "_told", [])
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), interruptible() as interrupted:
        os.kill(os.getpid(), signal.SIGTERM)
        assert interrupted()
        os.kill(os.getpid(), signal.SIGTERM)
        assert process._told, "the same wish once more"
        process._told[0] -= 2 * process.SAME
        os.kill(os.getpid(), signal.SIGTERM)
        pytest.fail("the second one must be heard")
    assert signal.getsignal(signal.SIGTERM) is before


def test_sigterm_ends_a_command_as_ctrl_c_does(monkeypatch):
    monkeypatch.setattr(process, "_told", [])
    with pytest.raises(KeyboardInterrupt), ended_in_words():
        os.kill(os.getpid(), signal.SIGTERM)
        pytest.fail("it must be heard")


def test_a_worker_leaves_signals_to_its_driver_and_its_forks_do_not():
    program = (
        "import os, signal, time; from autoft.search.process import left_to_the_driver; left_to_the_driver()\n"
        "os.kill(os.getpid(), signal.SIGTERM); os.kill(os.getpid(), signal.SIGINT)\n"
        "ready, told = os.pipe(); child = os.fork()\n"
        "if child == 0: os.write(told, b'.'); time.sleep(60)\n"
        "os.read(ready, 1); os.kill(child, signal.SIGTERM)\n"
        "print(os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGTERM)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    assert done.stdout == "True\n", done.stderr


def test_outside_the_main_thread_nothing_is_caught():
    seen, before = [], signal.getsignal(signal.SIGINT)

    def work():
        with interruptible() as interrupted:
            seen.append(interrupted())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False] and signal.getsignal(signal.SIGINT) is before


def test_memory_of_this_process_grows_with_what_it_holds():
    before = memory_mb()
    block = b"x" * 100_000_000
    assert memory_mb() - before > 90
    assert len(block)
