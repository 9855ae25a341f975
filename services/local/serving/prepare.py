"""Chooses the core a model is served with: ``python -m services.local.serving.prepare MODEL CORE``.

A process of its own, so that what conversion needs (pandas, scikit-learn, the converters)
never burdens the server. Cores are tried in order, and the first that answers the replayed
rows as the model does, at a cost a request can bear, is chosen: ONNX Runtime, native trees,
and only where neither agrees the model itself, which needs no proof.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from services.domain import DataContract
from services.local.serving import model_folder, parity
from services.local.serving.feature_encoding import UnsupportedModelError, is_classifier
from services.local.serving.plan import CoreKind, Plan, fingerprint, read, write

log = logging.getLogger("prepare")

ROW_LIMIT_US = 600.0  # CPU of one row; beyond, the next core is tried too
FAST = (CoreKind.ONNX, CoreKind.NATIVE)  # in the order they are tried
CANNOT_PREPARE = 3  # exit code: the model cannot be read

Values = Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Reference:
    """The model itself, and what it answers for the replayed rows."""

    estimator: Any
    contract: DataContract
    classes: tuple[Any, ...]
    values: Values
    expected: parity.Matrix
    row_us: float


def prepare(model: Path, core: Path) -> Plan:
    """Decide on a core for the model in `model` and keep it in `core`.

    What is already there and still fits is left as it is.

    Raises:
        InvalidRequestError: the contract cannot be read.
        Exception: whatever loading a pickle can raise.
    """
    mark = fingerprint(model)
    known = read(core)
    if known is not None and known.fingerprint == mark:
        return known
    with tempfile.TemporaryDirectory(dir=core.parent, prefix=f".{core.name}-") as place:
        incoming = Path(place) / "core"
        incoming.mkdir()
        plan = _planned(model, incoming, mark)
        write(plan, incoming)
        _put_in_place(incoming, core, mark)
    return plan


def reason_file(core: Path) -> Path:
    """Where it is written why nothing could be put into `core`."""
    return core.with_name(f"{core.name}.reason")


def _put_in_place(incoming: Path, core: Path, mark: str) -> None:
    """Unless another deployment of the same model was quicker: then its server reads there."""
    present = read(core)
    if present is not None and present.fingerprint == mark:
        return
    shutil.rmtree(core, ignore_errors=True)
    with contextlib.suppress(OSError):
        incoming.rename(core)


def _planned(model: Path, folder: Path, mark: str) -> Plan:
    if not model_folder.scorable(model):
        return Plan(
            kind=CoreKind.SCRIPT,
            reason="The model comes with a scoring script and without a data contract.",
            fingerprint=mark,
        )
    reference = _reference(model)
    if reference is None:
        return Plan(
            kind=CoreKind.PLAIN,
            reason="There are no sample rows to compare a faster core on.",
            fingerprint=mark,
        )
    return _chosen(reference, folder, mark)


def _chosen(reference: Reference, folder: Path, mark: str) -> Plan:
    """The first core that agrees at a cost a request can bear, else the cheapest that agrees."""
    agreeing: list[tuple[CoreKind, parity.Verdict]] = []
    rejected: list[str] = []
    for kind in FAST:
        verdict, why = _tried(reference, _place(folder, kind), onnx=kind is CoreKind.ONNX)
        if verdict is None or why:
            rejected.append(f"{kind}: {why}")
            log.info("%s rejected: %s", kind, why)
            continue
        agreeing.append((kind, verdict))
        if verdict.row_us <= ROW_LIMIT_US:
            break
        log.info("%s agrees, but one row takes %.0f µs", kind, verdict.row_us)
    plain = Plan(
        kind=CoreKind.PLAIN,
        reason="No faster core could stand in for it.",
        fingerprint=mark,
        classes=reference.classes,
        row_us=reference.row_us,
        pipeline_row_us=reference.row_us,
        rejected=tuple(rejected),
    )
    plan = _with_best(plain, agreeing) if agreeing else plain
    for kind in FAST:
        if kind is plan.kind:
            _move_up(_place(folder, kind))
        shutil.rmtree(_place(folder, kind), ignore_errors=True)
    return plan


def _with_best(plain: Plan, agreeing: Sequence[tuple[CoreKind, parity.Verdict]]) -> Plan:
    kind, verdict = agreeing[-1]
    if verdict.row_us > ROW_LIMIT_US:
        kind, verdict = min(agreeing, key=lambda each: each[1].row_us)
    return replace(
        plain,
        kind=kind,
        reason=_agreed(verdict),
        row_count=verdict.row_count,
        largest_difference=verdict.largest_difference,
        row_us=verdict.row_us,
    )


def _place(folder: Path, kind: CoreKind) -> Path:
    """Where one candidate's files are until the choice is made."""
    return folder / kind.name.lower()


def _move_up(place: Path) -> None:
    for each in place.iterdir():
        each.rename(place.parent / each.name)


def _tried(reference: Reference, place: Path, *, onnx: bool) -> tuple[parity.Verdict | None, str]:
    """What the gate measured, and why the core may not serve (empty when it may)."""
    from services.local.serving import native, native_model

    place.mkdir()
    try:
        native_model.write(reference.estimator, reference.contract, place, onnx=onnx)
        verdict = parity.compare(
            native.load(place),
            reference.expected,
            reference.values,
            classifying=bool(reference.classes),
        )
    except UnsupportedModelError as error:
        return None, f"it does not know {_ended(str(error))}"
    except Exception as error:  # whatever a converter or a library meets, another core remains
        log.warning("a core could not be made", exc_info=True)
        return None, f"it could not be made ({type(error).__name__})."
    return verdict, _objection(verdict)


def _objection(verdict: parity.Verdict) -> str:
    if verdict.label_difference_count:
        return f"{verdict.label_difference_count} of {verdict.row_count} labels differed."
    if not verdict.passed:
        return f"answers differed by up to {verdict.largest_difference:.1e}."
    return ""


def _agreed(verdict: parity.Verdict) -> str:
    return (
        f"It answered {verdict.row_count:,} rows as the pipeline does, "
        f"to within {verdict.largest_difference:.1e}."
    )


def _ended(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _reference(model: Path) -> Reference | None:
    """None when there is nothing to compare on."""
    from services.local.serving.frames import frame

    contract = model_folder.read_contract(model)
    estimator = model_folder.read_estimator(model)
    sample = model_folder.read_sample(model, contract)
    if not sample:
        return None
    answer = estimator.predict_proba if is_classifier(estimator) else estimator.predict
    rows, expected = _answered(lambda rows: answer(frame(contract, rows)), contract, sample)
    classes = estimator.classes_.tolist() if is_classifier(estimator) else ()
    started = time.thread_time()
    repeats = 5
    for row in rows[:repeats]:
        answer(frame(contract, [row]))
    return Reference(
        estimator=estimator,
        contract=contract,
        classes=tuple(classes),
        values=[list(row.values()) for row in rows],
        expected=expected.reshape(len(rows), -1),
        row_us=(time.thread_time() - started) / min(repeats, len(rows)) * 1e6,
    )


def _answered(
    answer: Callable[[Sequence[parity.Row]], Any],
    contract: DataContract,
    sample: Sequence[Mapping[str, Any]],
) -> tuple[Sequence[parity.Row], Any]:
    """The replayed rows and what the model answers; only the sample where it refuses mixtures."""
    rows = parity.replay_rows(contract, sample)
    try:
        return rows, answer(rows)
    except ValueError:  # a category never seen, for an encoder that insists on known ones
        log.info("the model refuses some mixed rows; only its sample is replayed")
        return sample, answer(sample)


def main(model: Path, core: Path) -> int:
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname).1s [%(process)d] %(name)s - %(message)s",
    )
    started = time.process_time()
    try:
        plan = prepare(model, core)
    except Exception as error:
        log.exception("the model in %s cannot be served", model)
        reason_file(core).write_text(f"{type(error).__name__}: {error}", encoding="utf-8")
        return CANNOT_PREPARE
    spent = time.process_time() - started
    log.info("%s chosen in %.1f CPU-s: %s", plan.kind, spent, plan.reason)
    return 0


if __name__ == "__main__":
    from services.local import lifeline

    lifeline.follow()
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
