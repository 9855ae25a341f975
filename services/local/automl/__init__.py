"""The AutoML engine: featurization, learners, search, ensembles, metrics and explanation.

Nothing here knows the store or the dashboard; ``services.local.training_worker`` does.
"""
