"""The SDK's surroundings, set before it is imported for the first time.

Every module of this package that imports ``azureml`` calls `prepare` first.

Source: azureml-core 1.61.0, ``_restclient/clientbase.py`` (back-off and retries are
read from the environment at import), ``_project/_git`` (runs ``git`` in the working
folder and sends what it finds as properties, the remote's address included).
"""

from __future__ import annotations

import importlib
import logging
import os
from functools import cache

ENVIRONMENT = {
    "AZUREML_DEFAULT_BACKOFF": "1",  # seconds before the first retry; 32 unless told
    "AZUREML_DEFAULT_500_BACKOFF": "1",
    "AZUREML_DEFAULT_503_BACKOFF": "1",
    "AZUREML_DEFAULT_RETRIES": "1",
    "AZUREML_LOG_DEPRECATION_WARNING_ENABLED": "False",
    "GIT_DIR": os.devnull,  # no address of a repository leaves this machine
}
MODULES = (
    "azureml.core",
    "azureml.core.run",
    "azureml.core.webservice",
    "azureml.pipeline.core",
    "azureml.pipeline.core.schedule",
)
NOISY = ("azureml", "azure", "msal", "msrest", "urllib3.connectionpool")


@cache
def prepare() -> None:
    """Set what the SDK reads when it is imported; what the operator has set stays."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    os.environ["GIT_DIR"] = ENVIRONMENT["GIT_DIR"]
    for name in NOISY:  # at ERROR they write whole responses, headers and all
        logging.getLogger(name).setLevel(logging.CRITICAL)


@cache
def load() -> None:
    """Import the SDK now: seconds that must not be taken from the first call's deadline."""
    prepare()
    for name in MODULES:
        importlib.import_module(name)
