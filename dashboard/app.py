"""Entry point: ``streamlit run dashboard/app.py``, and the script ``dashboard.server`` serves."""

import sys
from pathlib import Path

# Streamlit puts this file's folder on the path; our packages are one level up.
ROOT = str(Path(__file__).resolve().parents[1])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

from dashboard import shell

shell.frame().run()
