"""MNIST: loaded, ordered, measured, mapped and changed at random; its file lies here."""
