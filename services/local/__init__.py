"""The embedded workspace: real data, training, serving and telemetry on this machine."""
