"""The Streamlit application: the shell, its components, and what pages share."""
