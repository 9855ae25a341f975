"""Datasets, runs and models, as SDK v1 and SDK v2 write what is done with them."""

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
        key="dataset.preview",
        title="Read the first rows of a dataset",
        example={"name": "bankmarketing", "version": 1, "rows": 10},
        v1="""
            from azureml.core import Dataset
            data = Dataset.get_by_name(ws, $name, version=$version)
            print(data.take($rows).to_pandas_dataframe())
        """,
        v2="""
            from pandas import read_csv
            data = ml_client.data.get($name, version=str($version))
            print(read_csv(data.path, nrows=$rows))
        """,
        v2_note="pandas reads an azureml:// path where azureml-fsspec is installed.",
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
        key="run.metrics",
        title="Read the metrics of a run",
        example={"run_id": "AutoML_0a1b2c3d"},
        v1="""
            from azureml.core import Run
            print(Run.get(ws, $run_id).get_metrics(recursive=True))
        """,
        v2="""
            from mlflow import MlflowClient, set_tracking_uri
            workspace = ml_client.workspaces.get(ml_client.workspace_name)
            set_tracking_uri(workspace.mlflow_tracking_uri)
            print(MlflowClient().get_run($run_id).data.metrics)
        """,
        v2_note="Metrics are read with MLflow.",
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
)
