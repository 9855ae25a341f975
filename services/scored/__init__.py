"""Requests that were scored: remembered, sent again, and held against what was expected."""
