"""Text from elsewhere, from a link, a file or a visitor, made fit to be quoted in a sentence."""

from __future__ import annotations


def one_line(text: str, most: int) -> str:
    """Return the beginning of a text, `most` characters at most, on one line.

    Control characters and what cannot be printed are left out; white space of any kind becomes single spaces.
    """
    kept = "".join(letter for letter in text if letter.isprintable() or letter.isspace())
    return " ".join(kept.split())[:most].rstrip()
