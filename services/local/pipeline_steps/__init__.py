"""What the steps of a pipeline do: one module each, whose verb is ``act``."""
