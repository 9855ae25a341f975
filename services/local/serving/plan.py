"""Which core a model is served with, and why: decided once, kept beside the core's files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from typing import Any

from services.local.serving import model_folder

FILE = "plan.json"
FORMAT = 2  # raised when the files of a core change their meaning

# What a core's files depend on besides the model itself.
_PACKAGES = ("scikit-learn", "lightgbm", "xgboost-cpu", "onnxruntime", "skl2onnx", "numpy")


class CoreKind(StrEnum):
    ONNX = "ONNX Runtime"
    NATIVE = "native trees"
    PLAIN = "scikit-learn pipeline"
    SCRIPT = "scoring script"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    kind: CoreKind
    reason: str  # one sentence
    fingerprint: str  # of the model and of what prepared it
    classes: tuple[Any, ...] = ()  # of a classifier, as JSON writes them
    row_count: int = 0  # rows of the parity gate
    largest_difference: float | None = None  # from the pipeline's own answers
    row_us: float | None = None  # CPU microseconds for one row
    pipeline_row_us: float | None = None  # of the pipeline itself
    rejected: tuple[str, ...] = ()  # a sentence per core that was tried before

    @property
    def fast(self) -> bool:
        return self.kind in (CoreKind.ONNX, CoreKind.NATIVE)

    def described(self) -> Mapping[str, str]:
        """What a deployment says of its core, by name."""
        facts = {"core": self.kind.value, "core_reason": self.reason}
        if self.row_count:
            facts["parity_rows"] = str(self.row_count)
        if self.largest_difference is not None:
            facts["parity_largest_difference"] = f"{self.largest_difference:.1e}"
        if self.row_us is not None:
            facts["row_us"] = f"{self.row_us:.0f}"
        if self.pipeline_row_us is not None:
            facts["pipeline_row_us"] = f"{self.pipeline_row_us:.0f}"
        if self.rejected:
            facts["cores_rejected"] = " ".join(self.rejected)
        return facts


def write(plan: Plan, folder: Path) -> None:
    (folder / FILE).write_text(json.dumps(asdict(plan), indent=2) + "\n", encoding="utf-8")


def read(folder: Path) -> Plan | None:
    """The plan in `folder`; None when there is none this version can use."""
    try:
        document = json.loads((folder / FILE).read_text(encoding="utf-8"))
        kind = CoreKind(document.pop("kind"))
        for name in ("classes", "rejected"):
            document[name] = tuple(document[name])
        return Plan(kind=kind, **document)
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None


def fingerprint(folder: Path) -> str:
    """Changes whenever a core prepared from the model in `folder` would."""
    digest = hashlib.sha256(f"format {FORMAT}".encode())
    for package in _PACKAGES:
        digest.update(f"{package} {metadata.version(package)}".encode())
    names = (model_folder.MODEL, model_folder.CONTRACT, model_folder.SAMPLE, *model_folder.SCRIPTS)
    for name in names:
        path = folder / name
        digest.update(path.read_bytes() if path.is_file() else b"-")
    return digest.hexdigest()
