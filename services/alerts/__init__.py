"""What a workspace notices by itself: rules, incidents, messages, probes and metric bands."""
