"""The Python interface, in a process of its own: what the README shows must run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.e2e.conftest import environment

SCRIPT = """
import json
import autoft

short = dict(task="toy", models="numpy/mlp", time="10m", overrides={"epochs": 3, "batch_size": 16})
run = autoft.search("./imgs", trials=2, **short)
board = run.leaderboard()
found = run.best.predict(["imgs/red_disc/0002.png", "imgs/blue_ring"])

import autoft.search.space

trained = autoft.search("./imgs", trials=1, **short)
try:
    autoft.search("./imgs", task="toy", trails=3)
except autoft.api.UsageError as error:
    refused = str(error)
document = {"board": board, "found": found, "second": trained.metrics["trials"], "refused": refused,
            "best": run.metrics["best"], "package": autoft.search.__name__, "space": autoft.search.space.__name__}
print(json.dumps(document))
"""


def test_the_python_interface(place: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.replace("import autoft\n", "import autoft, autoft.api\n", 1)],
        cwd=place,
        env=environment(place),
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "a user sees nothing of Ray"
    told = json.loads(done.stdout)
    assert [row["rank"] for row in told["board"]] == [1, 2]
    assert told["board"][0]["trial"] == told["best"]["trial"]
    assert len(told["found"]) == 21
    assert told["found"][0]["file"].endswith("0002.png")
    assert told["second"] == {"finished": 1, "stopped": 0, "failed": 0}
    assert "Did you mean 'trials'" in told["refused"]
    assert (told["package"], told["space"]) == ("autoft.search", "autoft.search.space")
