"""What the golden set said of a model, and the port that keeps it."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.scored import golden
from services.scored.records import ScoredRequest

KEPT = 100  # verdicts, per deployment


class Asker(StrEnum):
    """On what occasion the golden set was asked."""

    GATE = "before it served"
    ROUND = "on schedule"
    OPERATOR = "by hand"


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenVerdict:
    """The golden set of a deployment, as a model answered it."""

    deployment: str
    model_id: str
    asked_by: Asker
    at: datetime
    count: int
    wrong: tuple[str, ...] = ()  # one sentence per case, its name first
    cases: str = ""  # tells these cases and right answers from others

    @property
    def passed(self) -> bool:
        return not self.wrong

    @property
    def why(self) -> str:
        """What is wrong in one line, a case named; empty when it passed."""
        if not self.wrong:
            return ""
        cases = "golden case" if self.count == 1 else "golden cases"
        fail = "fails" if len(self.wrong) == 1 else "fail"
        more = f" And {len(self.wrong) - 1} more." if len(self.wrong) > 1 else ""
        return f"{len(self.wrong)} of {self.count} {cases} {fail}. {self.wrong[0]}{more}"


class GoldenGate(ABC):
    """Verdicts about models, and the way past one.

    Where the back end can be asked before it switches, a model that fails a case of the
    deployment's golden set is not served: a new deployment ends as Failed, an update is
    taken back, and the error names the case. An empty golden set lets everything pass.
    """

    @abstractmethod
    def verdicts(self, deployment: str, *, limit: int = 20) -> tuple[GoldenVerdict, ...]:
        """Newest first; of a deployment that is gone, too."""

    @abstractmethod
    def record(self, verdict: GoldenVerdict) -> None:
        """Keep it; the oldest make room."""

    @abstractmethod
    def overrule(self, deployment: str, model_id: str, *, reason: str) -> None:
        """Serve this model now, whatever its golden cases say. Once; it is in the audit log.

        Raises:
            NotFoundError: no such deployment, or the model is not registered.
            ConflictError: an earlier update has not settled.
            InvalidRequestError: without a reason, or nothing is gated here.
        """


def fingerprint(requests: Sequence[ScoredRequest]) -> str:
    """Changes with every golden case, its payload and its right answer."""
    cases = sorted(
        [each.id, each.payload, json.dumps(list(each.expected or ()))]
        for each in requests
        if each.golden
    )
    return hashlib.sha256(json.dumps(cases).encode()).hexdigest()[:16]


def judged(
    deployment: str,
    model_id: str,
    requests: Sequence[ScoredRequest],
    send: golden.Send,
    *,
    by: Asker,
    at: datetime,
) -> GoldenVerdict:
    """Ask every golden case and put the answers into a verdict."""
    verdict = golden.ask(requests, send)
    return GoldenVerdict(
        deployment=deployment,
        model_id=model_id,
        asked_by=by,
        at=at,
        count=len(verdict.cases),
        wrong=told(verdict),
        cases=fingerprint(requests),
    )


def told(verdict: golden.Verdict) -> tuple[str, ...]:
    """A sentence for every case that fails, its name first."""
    return tuple(f"{case.request.name}: {case.why}" for case in verdict.failed)
