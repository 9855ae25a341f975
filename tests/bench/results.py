"""What was measured, kept as JSON with the machine it was measured on, and shown in the README."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from tests.bench.measures import HEADING, Measure, read

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "bench-results"
SHOWN = Path(__file__).with_name("shown.json")  # what the README shows
README = ROOT / "README.md"
BEGIN, END = "<!-- bench: written by python -m tests.bench readme -->", "<!-- bench ends -->"
PACKAGES = (
    "streamlit",
    "duckdb",
    "duckdb-kql",
    "pandas",
    "scikit-learn",
    "lightgbm",
    "xgboost-cpu",
    "azureml-inference-server-http",
    "FLAML",
)


@dataclass(frozen=True)
class Result:
    """One comparison's measures, and the circumstances."""

    comparison: str
    at: str  # ISO 8601, UTC
    rounds: int
    load: tuple[float, float]  # average of a minute, before and after
    measures: Sequence[Measure]

    def record(self) -> dict[str, Any]:
        return {
            "comparison": self.comparison,
            "at": self.at,
            "rounds": self.rounds,
            "load": self.load,
            "measures": [each.record() for each in self.measures],
        }


def machine() -> dict[str, Any]:
    """What the figures depend on; nothing that tells whose machine it is."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "os": platform.freedesktop_os_release().get("PRETTY_NAME", platform.system()),
        "kernel": platform.release().split("-")[0],
        "python": platform.python_version(),
        "packages": {name: version for name in PACKAGES if (version := _version(name))},
    }


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def keep(results: Sequence[Result], began: datetime) -> Path:
    """Write what there is so far; the same run writes the same file."""
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{began:%Y%m%dT%H%M%SZ}.json"
    _write(file, machine(), results)
    return file


def _write(file: Path, machine: Mapping[str, Any], results: Sequence[Result]) -> None:
    told = {"machine": machine, "results": [each.record() for each in results]}
    file.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", "utf-8")


def load(file: Path) -> tuple[dict[str, Any], list[Result]]:
    """The machine and the results of a file; none where it is of an older form."""
    told = json.loads(file.read_text("utf-8"))
    if not isinstance(told, dict):
        return {}, []
    results = [
        Result(
            each["comparison"],
            each["at"],
            each["rounds"],
            tuple(each["load"]),
            [read(measure) for measure in each["measures"]],
        )
        for each in told["results"]
    ]
    return told["machine"], results


# --- the README -------------------------------------------------------------------


def show(order: Sequence[str]) -> int:
    """Take the newest result of each comparison, on the machine measured last, into the README.

    Returns:
        How many comparisons it shows.
    """
    files = [load(file) for file in sorted(RESULTS.glob("*.json"))]
    files = [each for each in files if each[1]]
    if not files:
        return 0
    newest, _ = files[-1]
    found: dict[str, Result] = {}
    for measured_on, results in files:
        if _hardware(measured_on) == _hardware(newest):
            found |= {each.comparison: each for each in results if each.measures}
    chosen = [found[name] for name in order if name in found]
    _write(SHOWN, newest, chosen)
    README.write_text(with_table(README.read_text("utf-8"), newest, chosen), "utf-8")
    return len(chosen)


def _hardware(machine: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(machine.get(name) for name in ("cpu", "cores", "memory_gb", "os"))


def with_table(text: str, machine: Mapping[str, Any], results: Sequence[Result]) -> str:
    """The README's text with the results between the markers."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{markdown(machine, results)}\n{END}{after}"


def markdown(machine: Mapping[str, Any], results: Sequence[Result]) -> str:
    rows = [measure.cells() for each in results for measure in each.measures if not measure.detail]
    lines = [_row(HEADING), _row(["---"] * len(HEADING)), *(_row(row) for row in rows)]
    return "\n".join([*lines, "", _circumstances(machine, results)])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '∣') for cell in cells)} |"


def _circumstances(machine: Mapping[str, Any], results: Sequence[Result]) -> str:
    days = sorted({each.at[:10] for each in results})
    rounds = ", ".join(f"{each.comparison} {each.rounds}" for each in results)
    loads = [load for each in results for load in each.load]
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB, {machine['os']},"
        f" Python {machine['python']}; {' to '.join(dict.fromkeys((days[0], days[-1])))}, with a"
        f" load of {min(loads):.1f} to {max(loads):.1f} from other work."
        f" Medians of rounds: {rounds}."
    )


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
