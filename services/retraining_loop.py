"""The port of the closed loop: a retrained model waits for somebody before it is deployed."""

from __future__ import annotations

from abc import ABC, abstractmethod

from services.retraining_policy import Decision, Measured, Policy


class RetrainingLoop(ABC):
    """Policies of retraining pipelines, and what was decided about each of their runs.

    Where a model can be asked before it serves, the golden set is asked before it is held;
    elsewhere right after it was deployed, and a wrong answer ends the decision as Failed.
    """

    @abstractmethod
    def policies(self) -> tuple[Policy, ...]:
        """One at most for each pipeline, those that are off too."""

    @abstractmethod
    def save(self, policy: Policy) -> None:
        """Hold the pipeline's runs that end from now on; or stop holding them.

        Each is judged in the background. One that passes is registered and waits; nothing
        is deployed before `approve`.

        Raises:
            NotFoundError: no such pipeline.
            InvalidRequestError: it does not retrain, or a name cannot be accepted.
        """

    @abstractmethod
    def decisions(self, pipeline_id: str, *, limit: int = 200) -> tuple[Decision, ...]:
        """Newest run first."""

    def measured(self, pipeline_id: str) -> tuple[Measured, ...]:
        """What is known of its past runs, where the runs themselves do not say.

        Of pipelines with a policy, switched on or off; gathered while the workspace is watched.
        """
        return ()

    @abstractmethod
    def approve(self, run_id: str, *, note: str = "") -> None:
        """Deploy its model now, in the background.

        Raises:
            NotFoundError: nothing was decided about this run.
            ConflictError: it does not wait for approval.
        """

    @abstractmethod
    def reject(self, run_id: str, *, note: str = "") -> None:
        """Decline it; the registered model stays. Raises as `approve`."""
