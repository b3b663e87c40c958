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

refused = []
def refuse():
    try:
        autoft.search("./imgs", task="toy", trails=3)
    except Exception as error:
        refused.append([type(error).__name__, str(error)])

refuse()
run = autoft.search("./imgs", task="toy", models="numpy/mlp", time="10m", trials=2, overrides={"epochs": 3})
board = run.leaderboard()
found = run.best.predict(["imgs/red_disc/0002.png", "imgs/blue_ring"])

import autoft.search.space

refuse()
document = {"board": board, "found": found, "refused": refused, "best": run.metrics["best"],
            "names": [autoft.search.__name__, autoft.search.space.__name__]}
print(json.dumps(document))
"""


def test_the_python_interface(place: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
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
    assert told["refused"][0] == told["refused"][1], (
        "the package is the function, before its modules are imported and after"
    )
    assert told["refused"][0] == ["UsageError", "there is no option 'trails'. Did you mean 'trials'?"]
    assert told["names"] == ["autoft.search", "autoft.search.space"]
