"""Pipelines, their addresses and schedules, as SDK v1 and SDK v2 write it."""

from __future__ import annotations

from services.migration.code import Action

ACTIONS: tuple[Action, ...] = (
    Action(
        key="pipeline.publish",
        title="Publish a pipeline",
        example={"name": "retrain"},
        v1="""
            from azureml.pipeline.core import Pipeline
            from steps import automl_step
            # automl_step: your own, in steps.py
            Pipeline(ws, steps=[automl_step]).publish(name=$name)
        """,
        v2="""
            from azure.ai.ml import load_component
            from azure.ai.ml.entities import BatchEndpoint, PipelineComponentBatchDeployment
            endpoint = BatchEndpoint(name=$name)
            ml_client.batch_endpoints.begin_create_or_update(endpoint).wait()
            deployment = PipelineComponentBatchDeployment(
                name="v1",
                endpoint_name=$name,
                component=load_component("pipeline.yml"),
                settings={"default_compute": "cpu-cluster"},
            )
            ml_client.batch_deployments.begin_create_or_update(deployment).wait()
        """,
        v2_note="A published pipeline becomes a pipeline component behind a batch endpoint.",
    ),
    Action(
        key="pipeline.submit",
        title="Run a published pipeline",
        example={
            "pipeline_id": "0a1b2c3d",
            "experiment": "retraining",
            "parameters": {},
            "name": "retrain",
        },
        v1="""
            from azureml.pipeline.core import PublishedPipeline
            pipeline = PublishedPipeline.get(ws, $pipeline_id)
            run = pipeline.submit(ws, $experiment, pipeline_parameters=$parameters)
        """,
        v2="""
            from azure.ai.ml import Input
            inputs = {key: Input(type="string", default=text) for key, text in $parameters.items()}
            endpoints = ml_client.batch_endpoints
            job = endpoints.invoke($name, inputs=inputs, experiment_name=$experiment)
        """,
        v2_note="Pipeline parameters become the job's inputs.",
    ),
    Action(
        key="pipeline.cancel",
        title="Cancel a pipeline run",
        example={"run_id": "0a1b2c3d", "experiment": "retraining"},
        v1="""
            from azureml.core import Experiment
            from azureml.pipeline.core import PipelineRun
            PipelineRun(Experiment(ws, $experiment), $run_id).cancel()
        """,
        v2="""
            ml_client.jobs.begin_cancel($run_id).wait()
        """,
    ),
    Action(
        key="pipeline.steps",
        title="Read the steps of a pipeline run",
        example={"run_id": "0a1b2c3d", "experiment": "retraining"},
        v1="""
            from azureml.core import Experiment
            from azureml.pipeline.core import PipelineRun
            for step in PipelineRun(Experiment(ws, $experiment), $run_id).get_steps():
                print(step.name, step.get_status())
        """,
        v2="""
            for step in ml_client.jobs.list(parent_job_name=$run_id):
                print(step.display_name, step.status)
        """,
    ),
    Action(
        key="pipeline.retry",
        title="Run a failed pipeline run again, with its parameters",
        example={
            "pipeline_id": "0a1b2c3d",
            "experiment": "retraining",
            "parameters": {"label": "y"},
            "name": "retrain",
        },
        v1="""
            from azureml.pipeline.core import PublishedPipeline
            pipeline = PublishedPipeline.get(ws, $pipeline_id)
            run = pipeline.submit(ws, $experiment, pipeline_parameters=$parameters)
        """,
        v2="""
            from azure.ai.ml import Input
            inputs = {key: Input(type="string", default=text) for key, text in $parameters.items()}
            endpoints = ml_client.batch_endpoints
            job = endpoints.invoke($name, inputs=inputs, experiment_name=$experiment)
        """,
        v2_note="Neither SDK retries by itself.",
    ),
    Action(
        key="pipeline.enable",
        title="Enable a published pipeline",
        example={"pipeline_id": "0a1b2c3d"},
        v1="""
            from azureml.pipeline.core import PublishedPipeline
            PublishedPipeline.get(ws, $pipeline_id).enable()
        """,
        v2_note="A batch deployment has no such switch: delete it, or take it off as default.",
    ),
    Action(
        key="pipeline.disable",
        title="Disable a published pipeline",
        example={"pipeline_id": "0a1b2c3d"},
        v1="""
            from azureml.pipeline.core import PublishedPipeline
            PublishedPipeline.get(ws, $pipeline_id).disable()
        """,
        v2_note="A batch deployment has no such switch: delete it, or take it off as default.",
    ),
    Action(
        key="pipeline_endpoint.create",
        title="Put a stable address in front of a pipeline",
        example={"name": "retrain", "pipeline_id": "0a1b2c3d"},
        v1="""
            from azureml.pipeline.core import PipelineEndpoint, PublishedPipeline
            PipelineEndpoint.publish(
                ws, name=$name, description="", pipeline=PublishedPipeline.get(ws, $pipeline_id)
            )
        """,
        v2="""
            from azure.ai.ml.entities import BatchEndpoint
            ml_client.batch_endpoints.begin_create_or_update(BatchEndpoint(name=$name)).wait()
        """,
    ),
    Action(
        key="pipeline_endpoint.add_version",
        title="Put another pipeline behind an address",
        example={"name": "retrain", "pipeline_id": "0a1b2c3d"},
        v1="""
            from azureml.pipeline.core import PipelineEndpoint, PublishedPipeline
            endpoint = PipelineEndpoint.get(ws, name=$name)
            endpoint.add_default(PublishedPipeline.get(ws, $pipeline_id))
        """,
        v2="""
            from azure.ai.ml import load_component
            from azure.ai.ml.entities import PipelineComponentBatchDeployment
            deployment = PipelineComponentBatchDeployment(
                name="v2", endpoint_name=$name, component=load_component("pipeline.yml")
            )
            ml_client.batch_deployments.begin_create_or_update(deployment).wait()
        """,
    ),
    Action(
        key="pipeline_endpoint.set_default_version",
        title="Choose the version behind an address",
        example={"name": "retrain", "version": "1"},
        v1="""
            from azureml.pipeline.core import PipelineEndpoint
            PipelineEndpoint.get(ws, name=$name).set_default_version($version)
        """,
        v2="""
            endpoint = ml_client.batch_endpoints.get($name)
            endpoint.defaults.deployment_name = "v" + $version
            ml_client.batch_endpoints.begin_create_or_update(endpoint).wait()
        """,
    ),
    Action(
        key="schedule.create",
        title="Schedule a pipeline every 24 hours",
        example={
            "name": "nightly",
            "pipeline_id": "0a1b2c3d",
            "experiment": "retraining",
            "frequency": "Hour",
            "interval": 24,
            "start": "2026-12-01T02:00:00",
            "zone": "UTC",
            "week_days": None,
            "hours": None,
            "minutes": None,
        },
        v1="""
            from azureml.pipeline.core import Schedule, ScheduleRecurrence
            Schedule.create(
                ws,
                name=$name,
                pipeline_id=$pipeline_id,
                experiment_name=$experiment,
                recurrence=ScheduleRecurrence(
                    frequency=$frequency,
                    interval=$interval,
                    start_time=$start,
                    time_zone=$zone,
                    week_days=$week_days,
                    hours=$hours,
                    minutes=$minutes,
                ),
            )
        """,
        v2="""
            from azure.ai.ml import load_job
            from azure.ai.ml.entities import JobSchedule, RecurrencePattern, RecurrenceTrigger
            days = [day.lower() for day in $week_days or []]
            hours, minutes = $hours or [0], $minutes or [0]
            pattern = RecurrencePattern(hours=hours, minutes=minutes, week_days=days or None)
            trigger = RecurrenceTrigger(
                frequency=$frequency.lower(),
                interval=$interval,
                start_time=$start,
                time_zone=$zone,
                schedule=pattern if $hours or days else None,
            )
            job = load_job("pipeline-job.yml")
            schedule = JobSchedule(name=$name, trigger=trigger, create_job=job)
            ml_client.schedules.begin_create_or_update(schedule).wait()
        """,
        v2_note="A v2 schedule starts a job; it need not be published first.",
    ),
    Action(
        key="schedule.update",
        title="Change a schedule",
        example={
            "schedule_id": "0a1b2c3d",
            "name": "nightly",
            "experiment": "retraining",
            "frequency": "Hour",
            "interval": 24,
            "start": "2026-12-01T02:00:00",
            "zone": "UTC",
            "week_days": None,
            "hours": None,
            "minutes": None,
        },
        v1="""
            from azureml.pipeline.core import Schedule, ScheduleRecurrence
            Schedule.get(ws, $schedule_id).update(
                name=$name,
                experiment_name=$experiment,
                recurrence=ScheduleRecurrence(
                    frequency=$frequency,
                    interval=$interval,
                    start_time=$start,
                    time_zone=$zone,
                    week_days=$week_days,
                    hours=$hours,
                    minutes=$minutes,
                ),
            )
        """,
        v2="""
            from azure.ai.ml.entities import RecurrencePattern, RecurrenceTrigger
            schedule = ml_client.schedules.get($name)
            days = [day.lower() for day in $week_days or []]
            hours, minutes = $hours or [0], $minutes or [0]
            pattern = RecurrencePattern(hours=hours, minutes=minutes, week_days=days or None)
            schedule.trigger = RecurrenceTrigger(
                frequency=$frequency.lower(),
                interval=$interval,
                start_time=$start,
                time_zone=$zone,
                schedule=pattern if $hours or days else None,
            )
            ml_client.schedules.begin_create_or_update(schedule).wait()
        """,
    ),
    Action(
        key="schedule.enable",
        title="Enable a schedule",
        example={"schedule_id": "0a1b2c3d", "name": "nightly"},
        v1="""
            from azureml.pipeline.core import Schedule
            Schedule.get(ws, $schedule_id).enable(wait_for_provisioning=True)
        """,
        v2="""
            ml_client.schedules.begin_enable($name).wait()
        """,
    ),
    Action(
        key="schedule.disable",
        title="Disable a schedule",
        example={"schedule_id": "0a1b2c3d", "name": "nightly"},
        v1="""
            from azureml.pipeline.core import Schedule
            Schedule.get(ws, $schedule_id).disable(wait_for_provisioning=True)
        """,
        v2="""
            ml_client.schedules.begin_disable($name).wait()
        """,
    ),
    Action(
        key="schedule.pause",
        title="Pause schedules until a time",
        example={"schedule_id": "0a1b2c3d", "name": "nightly"},
        v1="""
            from azureml.pipeline.core import Schedule
            Schedule.get(ws, $schedule_id).disable(wait_for_provisioning=True)
        """,
        v2="""
            ml_client.schedules.begin_disable($name).wait()
        """,
        v2_note="Neither SDK resumes by itself: enable it again when the time has come.",
    ),
    Action(
        key="schedule.resume",
        title="Resume a paused schedule",
        example={"schedule_id": "0a1b2c3d", "name": "nightly"},
        v1="""
            from azureml.pipeline.core import Schedule
            Schedule.get(ws, $schedule_id).enable(wait_for_provisioning=True)
        """,
        v2="""
            ml_client.schedules.begin_enable($name).wait()
        """,
    ),
    Action(
        key="schedule.delete",
        title="Delete a schedule",
        example={"schedule_id": "0a1b2c3d", "name": "nightly"},
        v1="""
            from azureml.pipeline.core import Schedule
            Schedule.get(ws, $schedule_id).disable(wait_for_provisioning=True)
        """,
        v2="""
            ml_client.schedules.begin_disable($name).wait()
            ml_client.schedules.begin_delete($name).wait()
        """,
        v2_note="SDK v1 cannot delete one, only disable it.",
    ),
)
