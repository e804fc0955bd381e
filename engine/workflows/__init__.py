"""Processes: stages, gates, transitions, and the time that records spend in them."""
