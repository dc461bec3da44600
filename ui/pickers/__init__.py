"""Choosing a run, or a class set."""
