"""Deployments, as SDK v1 and SDK v2 write what is done with them."""

from __future__ import annotations

from services.migration.code import Action

ACTIONS: tuple[Action, ...] = (
    Action(
        key="deployment.create",
        title="Deploy a model",
        example={
            "name": "bank",
            "model": "bankmarketing",
            "version": 1,
            "cores": 1.0,
            "gb": 1.0,
            "auth": True,
            "telemetry": True,
        },
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
                    cpu_cores=$cores,
                    memory_gb=$gb,
                    auth_enabled=$auth,
                    enable_app_insights=$telemetry,
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
                app_insights_enabled=$telemetry,
            )
            ml_client.online_deployments.begin_create_or_update(blue).wait()
            endpoint.traffic = {"blue": 100}
            ml_client.online_endpoints.begin_create_or_update(endpoint).wait()
        """,
        v2_note="An endpoint keeps its address and keys while deployments behind it change.",
    ),
    Action(
        key="deployment.update",
        title="Serve another model version",
        example={"name": "bank", "model": "bankmarketing", "version": 2},
        v1="""
            from azureml.core import Model
            from azureml.core.webservice import Webservice
            service = Webservice(ws, $name)
            service.update(models=[Model(ws, name=$model, version=$version)])
            service.wait_for_deployment()
        """,
        v2="""
            blue = ml_client.online_deployments.get("blue", $name)
            blue.model = ml_client.models.get($model, version=str($version))
            ml_client.online_deployments.begin_create_or_update(blue).wait()
        """,
        v2_note="Beside the old one: create “green”, then shift the endpoint's traffic.",
    ),
    Action(
        key="deployment.telemetry",
        title="Turn Application Insights on or off",
        example={"name": "bank", "on": True},
        v1="""
            from azureml.core.webservice import Webservice
            service = Webservice(ws, $name)
            service.update(enable_app_insights=$on)
            service.wait_for_deployment()
        """,
        v2="""
            blue = ml_client.online_deployments.get("blue", $name)
            blue.app_insights_enabled = $on
            ml_client.online_deployments.begin_create_or_update(blue).wait()
        """,
    ),
    Action(
        key="deployment.read",
        title="Read a deployment's state and addresses",
        example={"name": "bank"},
        v1="""
            from azureml.core.webservice import Webservice
            service = Webservice(ws, $name)
            print(service.state, service.scoring_uri, service.swagger_uri)
        """,
        v2="""
            endpoint = ml_client.online_endpoints.get($name)
            print(endpoint.provisioning_state, endpoint.scoring_uri, endpoint.openapi_uri)
        """,
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
        key="deployment.rotate",
        title="Rotate both keys, callers going on",
        example={"name": "bank"},
        v1="""
            from azureml.core.webservice import Webservice
            service = Webservice(ws, $name)
            input("Give every caller the secondary key, then press Enter. ")
            service.regen_key("Primary")
            input("Give every caller the new primary key, then press Enter. ")
            service.regen_key("Secondary")
        """,
        v2="""
            roll = ml_client.online_endpoints.begin_regenerate_keys
            input("Give every caller the secondary key, then press Enter. ")
            roll($name, key_type="primary").wait()
            input("Give every caller the new primary key, then press Enter. ")
            roll($name, key_type="secondary").wait()
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
        key="deployment.benchmark",
        title="Load a deployment with Apache Benchmark",
        example={"name": "bank", "file": "request.json", "requests": 400, "at_once": 4},
        v1="""
            from subprocess import run
            from azureml.core.webservice import Webservice
            service = Webservice(ws, $name)
            primary, _ = service.get_keys()
            ab = ["ab", "-n", str($requests), "-c", str($at_once), "-p", $file]
            ab += ["-T", "application/json", "-H", "Authorization: Bearer " + primary]
            run([*ab, service.scoring_uri], check=True)
        """,
        v2="""
            from subprocess import run
            endpoint = ml_client.online_endpoints.get($name)
            primary = ml_client.online_endpoints.get_keys($name).primary_key
            ab = ["ab", "-n", str($requests), "-c", str($at_once), "-p", $file]
            ab += ["-T", "application/json", "-H", "Authorization: Bearer " + primary]
            run([*ab, endpoint.scoring_uri], check=True)
        """,
        v2_note="Neither SDK loads a deployment. Other users of the machine see ab's key in ps.",
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
)
