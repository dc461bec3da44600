"""The canvas of the Draw page, and what is read on it."""
