"""Asks a model the deployment's golden set before it serves anybody."""

from __future__ import annotations

import logging
import time

from services import scoring
from services.domain import ScoringAnswer
from services.local.clock import Clock, utc_now
from services.local.golden_gate import LocalGoldenGate
from services.local.scored_requests import LocalScoredRequests
from services.local.serving.decisions import Decided
from services.local.serving.engine import Engine
from services.local.serving.loading import CannotServeError
from services.local.store import Store
from services.scored.gate import Asker, judged

log = logging.getLogger("scoring")


class GoldenCheck:
    """Of one deployment."""

    def __init__(self, store: Store, name: str, *, clock: Clock = utc_now) -> None:
        self._scored, self._gate = LocalScoredRequests(store), LocalGoldenGate(store)
        self._name, self._clock = name, clock

    def check(self, engine: Engine, decided: Decided) -> None:
        """Nothing to say about a model that was serving already: a restart is no deploy.

        Raises:
            CannotServeError: a case fails, and nobody has overruled it.
        """
        model_id = decided.model_id
        if decided.row["served_model_id"] == model_id:
            return
        cases = [each for each in self._scored.list(self._name) if each.golden]
        if not cases:
            return
        verdict = judged(
            self._name,
            model_id,
            cases,
            lambda payload: self._answer(engine, payload),
            by=Asker.GATE,
            at=self._clock(),
        )
        self._gate.record(verdict)
        if verdict.passed:
            log.info("%s answers all %d golden cases as expected", model_id, verdict.count)
        elif decided.row["golden_overruled"] == model_id:
            log.warning("%s serves although %s", model_id, verdict.why)
        else:
            raise CannotServeError(verdict.why)

    def _answer(self, engine: Engine, payload: str) -> ScoringAnswer:
        began, sent_at = time.perf_counter(), self._clock()
        scored = engine.warm_up(payload.encode())
        body = scored.body.decode("utf-8", "replace")
        meaning = scoring.understand(scored.status, body)
        return ScoringAnswer(
            status=scored.status,
            ok=not meaning.error,
            body=body,
            results=meaning.results,
            probabilities=meaning.probabilities,
            error=meaning.error,
            attempts=1,
            duration_ms=(time.perf_counter() - began) * 1000,
            run_ms=None,
            request_id=None,
            sent_at=sent_at,
        )
