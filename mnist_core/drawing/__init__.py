"""From what a hand draws to a digit as MNIST was made, and whether it is one: strokes, photos, class sets."""
