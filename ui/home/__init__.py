"""The cards of the Home page."""
