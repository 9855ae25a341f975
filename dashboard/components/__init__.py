"""Parts of pages: one module each, whose verb is ``show``."""
