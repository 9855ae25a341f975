"""Turn Application Insights on for a service, and read what it logged."""

from azureml.core import Workspace
from azureml.core.webservice import Webservice

ws = Workspace.from_config()

service = Webservice(name="bank", workspace=ws)
service.update(enable_app_insights=True)

print("app insights:", Webservice(ws, "bank").enable_app_insights)
print(service.state, service.scoring_uri, service.swagger_uri)
for line in service.get_logs().split("\n"):
    print(line)
