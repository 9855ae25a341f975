"""What AutoML checked about the data before training on it, and one leak it cannot see (pure)."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from services.errors import OperationFailedError

FILE = "outputs/verifier_results.json"  # an artifact of the parent run


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardrail:
    """One check and its outcome."""

    title: str
    result: str  # "passed", "done" (something was changed) or "alerted"
    description: str
    reason: str
    details: tuple[Mapping[str, str], ...]  # one per finding: column, count …

    @property
    def alerted(self) -> bool:
        return self.result == "alerted"


def read(content: bytes) -> tuple[Guardrail, ...]:
    """The checks of a ``verifier_results.json``, alerts first.

    Raises:
        OperationFailedError: it is not of the shape AutoML writes.

    Source: azureml-automl-core 1.62.0, ``verifier_schema.json`` and ``console_interface``.
    """
    try:
        faults = json.loads(content)["faults"]
        found = [
            Guardrail(
                title=str(fault.get("friendly_type") or fault["type"]),
                result=str(fault["result"]).lower(),
                description=str(fault.get("friendly_result") or ""),
                reason=str(fault.get("friendly_parameter_preface") or ""),
                details=tuple(
                    {str(name): str(value) for name, value in each.items()}
                    for each in fault.get("friendly_parameters") or ()
                ),
            )
            for fault in faults
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise OperationFailedError(
            "The guardrails of this run are not in the form AutoML writes."
        ) from error
    return tuple(sorted(found, key=lambda each: not each.alerted))


def leak(columns: Collection[str]) -> str | None:
    """Why a model trained on these columns will disappoint, or None.

    Known for the bank marketing data only: the length of a call is not known before it.
    """
    telling = {"campaign", "pdays", "poutcome"}
    if "duration" in columns and telling <= set(columns):
        return (
            "“duration” is the length of the call, known only after it has ended. With it a model "
            "reaches AUC_weighted ≈ 0.95; without it about 0.80. Leave the column out of the "
            "dataset when the model is to decide whom to call."
        )
    return None
