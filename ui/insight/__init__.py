"""What a network looked at, on a page."""
