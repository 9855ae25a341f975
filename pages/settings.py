"""Settings: which workspace is open, what keeps it going, and what it runs on."""

from dashboard.components import page_header

page_header.show("Settings", "Which workspace is open, what keeps it going, what it runs on")
