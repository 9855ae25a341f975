"""The composition root: the only code that knows more than one adapter."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from dashboard.settings import Backend, Settings
from services.alerts.records import Source
from services.domain import ConnectionStep
from services.ports import Workspace

if TYPE_CHECKING:
    from services.azure.sign_in import AzureConfig
    from services.azure.workspace import AzureWorkspace
    from services.local.desk import LocalDesk
    from services.local.workspace import LocalWorkspace

# Of an Azure workspace, in evaluations: lists that cost a request per experiment or pipeline.
LISTS, TELEMETRY, LOGS = 5, 10, 5
EXPENSIVE = (Source.RUNS, Source.PIPELINE_RUNS, Source.PIPELINES, Source.SCHEDULES)
LOOK_LIMIT_S = 45.0


def open_workspace(settings: Settings) -> Workspace:
    """
    Raises:
        InvalidRequestError: which Azure workspace to open is not known.
        OperationFailedError, UnavailableError: the folder cannot be used.
    """
    if settings.backend is Backend.AZURE:
        return azure(settings)
    from services.local.workspace import open_workspace as open_local

    return open_local(settings.home)


def azure(settings: Settings) -> AzureWorkspace:
    """Asks nothing of Azure yet. What Azure has no place for is kept in the local folder."""
    return _azure(settings)[0]


def load(workspace: Workspace) -> None:
    """Import what the workspace's first answer would otherwise wait for."""
    if workspace.backend == Backend.AZURE:
        from services.azure import sdk

        sdk.load()


def require_azure(settings: Settings) -> None:
    """
    Raises:
        ServiceError: it cannot be reached, or not be signed in to.
    """
    from services.azure import connection_test

    connection_test.require(azure(settings))


def connection_steps(settings: Settings) -> Iterator[ConnectionStep]:
    """Each step to the Azure workspace that `settings` describe, as it was just tried.

    Raises:
        InvalidRequestError: they do not say which workspace.
    """
    from services.azure import connection_test

    yield from connection_test.steps(azure(settings))


def watch_azure(settings: Settings) -> bool:
    """Watch the Azure workspace for as long as this process lives; False: another one does.

    Raises:
        InvalidRequestError: which workspace is not known.
        UnavailableError: the folder cannot be used.
    """
    from services.local import watcher
    from services.local.clock import utc_now
    from services.retraining_rounds import RetrainingRounds

    workspace, desk, home = _azure(settings)
    every = timedelta(seconds=settings.watch_every_s)
    held = watcher.hold(home.home, desk.workspace)
    if held is None:
        return False
    rounds = RetrainingRounds(
        workspace,
        desk.retraining(workspace.pipelines),
        clock=utc_now,
        ended_every_s=LISTS * every.total_seconds(),
    )
    watcher.run_until_told(
        watcher.Watcher(
            workspace,
            home.home,
            home.store,
            key=desk.workspace,
            rhythm=watcher.Rhythm(
                evaluate_s=every.total_seconds(),
                logs_s=LOGS * every.total_seconds(),
                golden_s=LOGS * every.total_seconds(),
                patience={
                    **dict.fromkeys(EXPENSIVE, LISTS * every),
                    Source.TELEMETRY: TELEMETRY * every,
                },
                limit_s=LOOK_LIMIT_S,
            ),
            chores=(
                workspace.schedules.resume_due,
                workspace.pipelines.retry_due,
                rounds.look,
            ),
            sender=None,  # its Application Insights is the customer's, and so is the bill
        )
    )
    return True


def _azure(settings: Settings) -> tuple[AzureWorkspace, LocalDesk, LocalWorkspace]:
    from services.azure.sign_in import AzureConfig
    from services.azure.workspace import AzureWorkspace
    from services.local.desk import LocalDesk
    from services.local.workspace import open_workspace as open_local

    config = AzureConfig.read(settings.workspace_config, settings.variables)
    home = open_local(settings.home)
    desk = LocalDesk(home.home, home.store, workspace=_key(config))
    return AzureWorkspace(config, desk), desk, home


def _key(config: AzureConfig) -> str:
    """Tells apart what is kept for several."""
    parts = (config.subscription_id, config.resource_group, config.workspace_name)
    return "/".join(parts).casefold()
