"""Entry point: ``streamlit run dashboard/app.py``, and the script ``dashboard.server`` serves."""

import sys
from pathlib import Path

# Streamlit puts this file's folder on the path; our packages are one level up.
ROOT = str(Path(__file__).resolve().parents[1])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

import streamlit as st

from dashboard import shell

# Icon and layout before the navigation, or each page's icon would be fetched as the favicon.
st.set_page_config(page_icon=shell.FAVICON, layout="wide", initial_sidebar_state=264)
page = shell.navigation()
st.set_page_config(page_title=f"{page.title} · Azure ML operator")
shell.sidebar()
page.run()
