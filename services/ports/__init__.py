"""What the dashboard may ask of a workspace.

An adapter subclasses these. Their docstrings are the contract and
``tests/contract`` is its executable form: if the two disagree, fix both.

Verbs mean what the Azure SDK guidelines say. `list` answers a tuple, in a stated
order, empty when there is nothing. `get` answers the thing now or raises
`NotFoundError`. `begin_…` returns before the work is done. `delete` succeeds when the
thing is already gone. Every method may raise `UnavailableError` and
`AccessDeniedError`; the docstrings name the others.
"""

from services.ports.datasets import Datasets
from services.ports.deployments import Deployments, Scoring
from services.ports.load_tests import LoadTests
from services.ports.models import Evaluations, Models
from services.ports.pipelines import BatchInferencePlan, Pipelines, RetrainingPlan
from services.ports.runs import Baselines, Runs
from services.ports.schedules import Schedules
from services.ports.telemetry import QueryResult, Telemetry
from services.ports.workspace import NOT_HELD, AuditLog, Flow, Workspace

__all__ = [
    "AuditLog",
    "Baselines",
    "BatchInferencePlan",
    "Datasets",
    "Deployments",
    "Evaluations",
    "Flow",
    "LoadTests",
    "Models",
    "NOT_HELD",
    "Pipelines",
    "QueryResult",
    "RetrainingPlan",
    "Runs",
    "Schedules",
    "Scoring",
    "Telemetry",
    "Workspace",
]
