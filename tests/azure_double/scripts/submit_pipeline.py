"""Submit a published pipeline, once through the SDK and once through its REST endpoint."""

import os

import requests
from azureml.core import Workspace
from azureml.core.authentication import ServicePrincipalAuthentication
from azureml.pipeline.core import PublishedPipeline

ws = Workspace.from_config()
published = PublishedPipeline.list(ws)[0]
print("pipeline:", published.name, published.status)

run = published.submit(ws, "bank-retraining", pipeline_parameters={"model_name": ""})
print("sdk:", run.id, run.get_status())
run.cancel()

auth = ServicePrincipalAuthentication(
    tenant_id=os.environ["AZURE_TENANT_ID"],
    service_principal_id=os.environ["AZURE_CLIENT_ID"],
    service_principal_password=os.environ["AZURE_CLIENT_SECRET"],
)
response = requests.post(
    published.endpoint,
    headers=auth.get_authentication_header(),
    json={"ExperimentName": "bank-retraining"},
)
response.raise_for_status()
print("rest:", response.json().get("Id"))
