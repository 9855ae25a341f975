"""Everything that can be done here, as SDK v1 and SDK v2 write it."""

from __future__ import annotations

from services.migration.code import Action

ACTIONS: tuple[Action, ...] = (
    Action(
        key="dataset.register",
        title="Register a dataset",
        example={"name": "bankmarketing", "path": "bankmarketing_train.csv"},
        v1="""
            from azureml.core import Dataset
            from azureml.data.datapath import DataPath
            store = ws.get_default_datastore()
            Dataset.File.upload_directory(".", DataPath(store, "data"), pattern=$path)
            data = Dataset.Tabular.from_delimited_files((store, "data/" + $path))
            data.register(ws, name=$name, create_new_version=True)
        """,
        v2="""
            from azure.ai.ml.constants import AssetTypes
            from azure.ai.ml.entities import Data
            ml_client.data.create_or_update(Data(name=$name, path=$path, type=AssetTypes.URI_FILE))
        """,
        v2_note="AutoML reads an MLTable: a folder with the file and an MLTable description.",
    ),
    Action(
        key="run.start",
        title="Start AutoML",
        example={
            "experiment": "bankmarketing",
            "dataset": "bankmarketing",
            "task": "classification",
            "label": "y",
            "metric": "AUC_weighted",
            "minutes": 15,
            "at_once": 2,
        },
        v1="""
            from azureml.core import Dataset, Experiment
            from azureml.train.automl import AutoMLConfig
            config = AutoMLConfig(
                task=$task,
                training_data=Dataset.get_by_name(ws, $dataset),
                label_column_name=$label,
                primary_metric=$metric,
                experiment_timeout_minutes=$minutes,
                max_concurrent_iterations=$at_once,
                enable_early_stopping=True,
                featurization="auto",
                compute_target="cpu-cluster",
            )
            run = Experiment(ws, $experiment).submit(config)
            run.wait_for_completion()
        """,
        v2="""
            from azure.ai.ml import Input, automl
            from azure.ai.ml.constants import AssetTypes
            data = Input(type=AssetTypes.MLTABLE, path="azureml:" + $dataset + "@latest")
            start = getattr(automl, $task)
            job = start(
                experiment_name=$experiment,
                compute="cpu-cluster",
                training_data=data,
                target_column_name=$label,
                primary_metric=$metric,
            )
            job.set_limits(
                timeout_minutes=$minutes,
                max_concurrent_trials=$at_once,
                enable_early_termination=True,
            )
            job = ml_client.jobs.create_or_update(job)
            ml_client.jobs.stream(job.name)
        """,
    ),
    Action(
        key="run.cancel",
        title="Cancel a run",
        example={"run_id": "AutoML_0a1b2c3d"},
        v1="""
            from azureml.core import Run
            Run.get(ws, $run_id).cancel()
        """,
        v2="""
            ml_client.jobs.begin_cancel($run_id).wait()
        """,
    ),
    Action(
        key="run.leaderboard",
        title="Read the leaderboard of an AutoML run",
        example={"run_id": "AutoML_0a1b2c3d"},
        v1="""
            from azureml.core import Run
            for child in Run.get(ws, $run_id).get_children():
                print(child.properties.get("run_algorithm"), child.properties.get("score"))
        """,
        v2="""
            for child in ml_client.jobs.list(parent_job_name=$run_id):
                print(child.display_name, child.properties.get("score"))
        """,
    ),
    Action(
        key="model.register",
        title="Register a run's model",
        example={"run_id": "AutoML_0a1b2c3d_2", "name": "bankmarketing"},
        v1="""
            from azureml.core import Run
            Run.get(ws, $run_id).register_model(model_name=$name, model_path="outputs/model.pkl")
        """,
        v2="""
            from azure.ai.ml.constants import AssetTypes
            from azure.ai.ml.entities import Model
            path = "azureml://jobs/" + $run_id + "/outputs/artifacts/paths/outputs/mlflow-model/"
            model = Model(name=$name, path=path, type=AssetTypes.MLFLOW_MODEL)
            ml_client.models.create_or_update(model)
        """,
        v2_note="A model in MLflow's format deploys without a scoring script.",
    ),
    Action(
        key="model.update",
        title="Describe a model",
        example={"name": "bankmarketing", "version": 1, "description": "Best of June"},
        v1="""
            from azureml.core import Model
            Model(ws, name=$name, version=$version).update(description=$description)
        """,
        v2="""
            model = ml_client.models.get($name, version=str($version))
            model.description = $description
            ml_client.models.create_or_update(model)
        """,
    ),
    Action(
        key="deployment.create",
        title="Deploy a model",
        example={"name": "bank", "model": "bankmarketing", "version": 1, "cores": 1.0, "gb": 1.0},
        v1="""
            from azureml.core import Environment, Model
            from azureml.core.model import InferenceConfig
            from azureml.core.webservice import AciWebservice
            model = Model(ws, name=$model, version=$version)
            environment = Environment.from_conda_specification($name, "conda_env_v_1_0_0.yml")
            service = Model.deploy(
                ws,
                $name,
                [model],
                InferenceConfig(entry_script="scoring_file_v_1_0_0.py", environment=environment),
                AciWebservice.deploy_configuration(
                    cpu_cores=$cores, memory_gb=$gb, auth_enabled=True, enable_app_insights=True
                ),
            )
            service.wait_for_deployment(show_output=True)
        """,
        v2="""
            from azure.ai.ml.entities import ManagedOnlineDeployment, ManagedOnlineEndpoint
            endpoint = ManagedOnlineEndpoint(name=$name, auth_mode="key")
            ml_client.online_endpoints.begin_create_or_update(endpoint).wait()
            blue = ManagedOnlineDeployment(
                name="blue",
                endpoint_name=$name,
                model=ml_client.models.get($model, version=str($version)),
                instance_type="Standard_DS3_v2",
                instance_count=1,
                app_insights_enabled=True,
            )
            ml_client.online_deployments.begin_create_or_update(blue).wait()
            endpoint.traffic = {"blue": 100}
            ml_client.online_endpoints.begin_create_or_update(endpoint).wait()
        """,
        v2_note="An endpoint keeps its address and keys while deployments behind it change.",
    ),
    Action(
        key="deployment.update",
        title="Turn Application Insights on, or serve another model version",
        example={"name": "bank", "model": "bankmarketing", "version": 2},
        v1="""
            from azureml.core import Model
            from azureml.core.webservice import Webservice
            service = Webservice(ws, $name)
            service.update(enable_app_insights=True)
            service.update(models=[Model(ws, name=$model, version=$version)])
            service.wait_for_deployment()
        """,
        v2="""
            blue = ml_client.online_deployments.get("blue", $name)
            blue.app_insights_enabled = True
            blue.model = ml_client.models.get($model, version=str($version))
            ml_client.online_deployments.begin_create_or_update(blue).wait()
        """,
        v2_note="Beside the old one: create “green”, then shift the endpoint's traffic.",
    ),
    Action(
        key="deployment.keys",
        title="Read the keys",
        example={"name": "bank"},
        v1="""
            from azureml.core.webservice import Webservice
            primary, secondary = Webservice(ws, $name).get_keys()
        """,
        v2="""
            keys = ml_client.online_endpoints.get_keys($name)
            primary, secondary = keys.primary_key, keys.secondary_key
        """,
    ),
    Action(
        key="deployment.regenerate",
        title="Regenerate a key",
        example={"name": "bank", "kind": "Primary"},
        v1="""
            from azureml.core.webservice import Webservice
            Webservice(ws, $name).regen_key($kind)
        """,
        v2="""
            ml_client.online_endpoints.begin_regenerate_keys($name, key_type=$kind.lower()).wait()
        """,
    ),
    Action(
        key="deployment.logs",
        title="Read a deployment's log",
        example={"name": "bank"},
        v1="""
            from azureml.core.webservice import Webservice
            print(Webservice(ws, $name).get_logs(num_lines=5000))
        """,
        v2="""
            print(ml_client.online_deployments.get_logs("blue", $name, lines=5000))
        """,
    ),
    Action(
        key="deployment.score",
        title="Score",
        example={"name": "bank", "file": "request.json"},
        v1="""
            from pathlib import Path
            from azureml.core.webservice import Webservice
            print(Webservice(ws, $name).run(Path($file).read_text()))
        """,
        v2="""
            print(ml_client.online_endpoints.invoke($name, request_file=$file))
        """,
    ),
    Action(
        key="deployment.delete",
        title="Delete a deployment",
        example={"name": "bank"},
        v1="""
            from azureml.core.webservice import Webservice
            Webservice(ws, $name).delete()
        """,
        v2="""
            ml_client.online_endpoints.begin_delete($name).wait()
        """,
    ),
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
        example={"pipeline_id": "0a1b2c3d", "experiment": "retraining", "name": "retrain"},
        v1="""
            from azureml.pipeline.core import PublishedPipeline
            run = PublishedPipeline.get(ws, $pipeline_id).submit(ws, $experiment)
        """,
        v2="""
            job = ml_client.batch_endpoints.invoke($name, experiment_name=$experiment)
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
        },
        v1="""
            from azureml.pipeline.core import Schedule, ScheduleRecurrence
            Schedule.create(
                ws,
                name=$name,
                pipeline_id=$pipeline_id,
                experiment_name=$experiment,
                recurrence=ScheduleRecurrence(
                    frequency=$frequency, interval=$interval, start_time=$start, time_zone="UTC"
                ),
            )
        """,
        v2="""
            from azure.ai.ml import load_job
            from azure.ai.ml.entities import JobSchedule, RecurrenceTrigger
            trigger = RecurrenceTrigger(
                frequency=$frequency.lower(), interval=$interval, start_time=$start
            )
            job = load_job("pipeline-job.yml")
            schedule = JobSchedule(name=$name, trigger=trigger, create_job=job)
            ml_client.schedules.begin_create_or_update(schedule).wait()
        """,
        v2_note="A v2 schedule starts a job; it need not be published first.",
    ),
    Action(
        key="schedule.update",
        title="Change a schedule, switch it on or off",
        example={"schedule_id": "0a1b2c3d", "name": "nightly"},
        v1="""
            from azureml.pipeline.core import Schedule
            schedule = Schedule.get(ws, $schedule_id)
            schedule.update(name=$name)
            schedule.disable(wait_for_provisioning=True)
            schedule.enable(wait_for_provisioning=True)
        """,
        v2="""
            ml_client.schedules.begin_disable($name).wait()
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
