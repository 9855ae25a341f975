"""What the dashboard can ask for, and the back ends that answer; no Streamlit in here."""
