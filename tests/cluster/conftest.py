"""Two nodes on one machine, and buckets: a folder behind `file://`, and a server that speaks S3."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from autoft import registry
from autoft.testing import toys

KEYS = {
    "AWS_ACCESS_KEY_ID": "pretend",
    "AWS_SECRET_ACCESS_KEY": "pretend",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_DEFAULT_REGION": "us-east-1",
}
"""For the bucket of `s3`. Nodes have their own: requests without keys are sent in a form that moto stores as it is."""


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fakes are installed, runs of this machine lie below `tmp_path`."""
    monkeypatch.setenv("AUTOFT_PLUGINS", "autoft.testing.plugin")
    monkeypatch.setenv("AUTOFT_CACHE", str(tmp_path / "driver-cache"))
    monkeypatch.chdir(tmp_path)
    registry.installed.cache_clear()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return toys.write_image_folder(tmp_path / "imgs", per_class=12, size=16)


CLUSTER = """
import os, sys
from ray.cluster_utils import Cluster
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
for folder in sys.argv[1:]:
    os.environ["AUTOFT_CACHE"] = folder
    cluster.add_node(num_cpus=1)
cluster.wait_for_nodes()
print("address", cluster.address, flush=True)
sys.stdin.read()
cluster.shutdown()
"""


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[Path]]]:
    """Address of a cluster of two nodes, each with one CPU, and the cache folder of each.

    The head offers no CPU, so that every trial runs where the driver's cache is not. The cluster belongs to another
    process, as with `ray start`.
    """
    with cluster([tmp_path_factory.mktemp(f"node{number}") / "cache" for number in range(2)]) as running:
        yield running


@contextmanager
def cluster(caches: list[Path]) -> Iterator[tuple[str, list[Path]]]:
    """A node for each of these caches."""
    pytest.importorskip("ray")
    quiet = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0", "OMP_NUM_THREADS": "1"}
    owner = subprocess.Popen(
        [sys.executable, "-c", CLUSTER, *map(str, caches)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **quiet, **KEYS},
    )
    assert owner.stdin is not None
    assert owner.stdout is not None
    try:
        address = next((line.split()[1] for line in owner.stdout if line.startswith("address ")), "")
        assert address, "the cluster did not start"
        yield address, caches
    finally:
        owner.stdin.close()
        try:
            owner.wait(60)
        finally:
            owner.kill()
            owner.stdout.close()


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """What follows `s3://bucket` in an address of a server on this machine, which holds an empty bucket `bucket`."""
    if any(importlib.util.find_spec(name) is None for name in ("moto", "flask", "flask_cors")):
        pytest.skip("needs moto and flask")
    with pytest.MonkeyPatch.context() as patch, socket.socket() as probe:
        for name, value in KEYS.items():
            patch.setenv(name, value)
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _make_bucket(port, server)
            yield f"?endpoint_override=127.0.0.1:{port}&scheme=http"
        finally:
            server.terminate()
            server.wait(30)


def _make_bucket(port: int, server: subprocess.Popen[bytes]) -> None:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/bucket", method="PUT")
    for _ in range(300):
        assert server.poll() is None, "the server ended"
        try:
            urllib.request.urlopen(request, timeout=10).close()
            return
        except OSError:
            time.sleep(0.1)
    pytest.fail("the server does not answer")
