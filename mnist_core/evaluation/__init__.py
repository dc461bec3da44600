"""What predictions say about a network: pure functions from labels and probabilities."""
