"""Score two rows, with the primary key."""

import json

import requests
from azureml.core import Webservice, Workspace

ws = Workspace.from_config()
service = Webservice(ws, "bank")
primary, secondary = service.get_keys()

rows = {
    "data": [
        {"age": 41, "job": "admin.", "pdays": 999},
        {"age": 23, "job": "student", "pdays": 3},
    ]
}
headers = {"Content-Type": "application/json", "Authorization": "Bearer " + primary}
resp = requests.post(service.scoring_uri, json.dumps(rows), headers=headers)
print(resp.status_code, resp.json())

resp = requests.post(
    service.scoring_uri, json.dumps(rows), headers={**headers, "Authorization": ""}
)
print(resp.status_code)
