"""The measuring stick: a page with a title, on the same server and settings as ours."""

from __future__ import annotations

import sys
from pathlib import Path

import streamlit as st

if __name__ == "__main__":
    app = st.App(Path(__file__).with_name("empty_page.py"))
    app.run(config={"server.address": "127.0.0.1", "server.port": int(sys.argv[1])})
