"""Azure's own inference server on loopback: the oracle of ours, and what it is measured against."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import requests

PACKAGE = "azureml_inference_server_http"
MISSING = f"{PACKAGE} is not installed; requirements-dev.txt has it"
START_LIMIT_S = 120.0


def installed() -> bool:
    return importlib.util.find_spec(PACKAGE) is not None


@dataclass(frozen=True)
class AzureServer:
    uri: str  # without a slash at the end
    process: psutil.Process

    def cpu_s(self) -> float:
        """What its processes have used so far."""
        family = [self.process, *self.process.children(recursive=True)]
        return sum(sum(each.cpu_times()[:2]) for each in family)


@contextmanager
def serving(model: Path, place: Path) -> Iterator[AzureServer]:
    """The scoring script of a model folder, served by Azure's server for the block.

    Its command line listens on every interface; started through gunicorn it can be kept to
    this machine.
    """
    place.mkdir(parents=True, exist_ok=True)
    (place / "azure_entry.py").write_text(f"from {PACKAGE}.server.entry import app\n")
    port = _free_port()
    environment = {
        **os.environ,
        "AML_APP_ROOT": str(model),
        "AZUREML_ENTRY_SCRIPT": "scoring_file_v_1_0_0.py",
        "AZUREML_MODEL_DIR": str(model),
        "SERVICE_NAME": "oracle",
        "OMP_NUM_THREADS": "1",
        "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
    }
    command = [
        sys.executable, "-m", "gunicorn", "-b", f"127.0.0.1:{port}", "-w", "1", "-k", "gthread",
        "--threads", "4", "--no-control-socket", "azure_entry:app",
    ]  # fmt: skip
    with (place / "azure.log").open("ab") as log:
        child = subprocess.Popen(command, cwd=place, env=environment, stdout=log, stderr=log)
    try:
        uri = f"http://127.0.0.1:{port}"
        _wait(uri, child, place / "azure.log")
        yield AzureServer(uri, psutil.Process(child.pid))
    finally:
        child.terminate()
        child.wait(timeout=30)


def _wait(uri: str, child: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while True:
        try:
            if requests.get(uri, timeout=5).ok:
                return
        except requests.RequestException:
            pass
        assert child.poll() is None and time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
