"""Azure on loopback, for the real and unmodified SDK.

The SDK keeps its own host names; a proxy ends their TLS with a throw-away authority
and hands every request to one application, behind which stands a local workspace: a
deployment there is a real scoring server, an AutoML run a real search.

``python -m tests.azure_double`` starts it by hand and prints the environment to use.
"""
