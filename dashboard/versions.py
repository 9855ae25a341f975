"""Which versions run here, read from what pip recorded; nothing is imported to find out."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from functools import cache
from importlib import metadata

PACKAGES = {
    "streamlit": "Screens",
    "plotly": "Charts",
    "pandas": "Tables",
    "pyarrow": "Tables on their way to the browser",
    "uvicorn": "Web server",
    "uvloop": "Web server's event loop",
    "scikit-learn": "Training",
    "lightgbm": "Training",
    "xgboost-cpu": "Training",
    "optuna": "Search of AutoML",
    "onnxruntime": "Fast scoring",
    "skl2onnx": "Models to ONNX",
    "duckdb": "Telemetry store",
    "duckdb-kql": "Queries of telemetry",
    "applicationinsights": "Telemetry of the dashboard itself",
    "azureml-core": "Azure ML SDK v1",
    "azureml-pipeline-core": "Azure ML SDK v1, pipelines",
}


@dataclass(frozen=True, slots=True)
class Version:
    name: str
    version: str | None  # None: not installed
    purpose: str


@cache
def installed() -> tuple[Version, ...]:
    """Python and every package the dashboard relies on, in the order above."""
    return (
        Version("Python", platform.python_version(), "Everything"),
        *(Version(name, _version(name), purpose) for name, purpose in PACKAGES.items()),
    )


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
