"""Networks: their layers, the notation that describes them, and the Keras model that they become."""
