"""The Azure ML back end: the unmodified SDK v1, translated into our records and nothing else."""
