"""Text from elsewhere, from a link, a file or a visitor, made fit to be quoted in a sentence."""

from __future__ import annotations


def one_line(text: str, most: int) -> str:
    """Return the beginning of a text, `most` characters at most, on one line.

    Control characters and what cannot be printed are left out; white space of any kind becomes single spaces.
    """
    kept = "".join(letter for letter in text if letter.isprintable() or letter.isspace())
    return " ".join(kept.split())[:most].rstrip()


def percent(share: float, decimals: int | None = None) -> str:
    """Return a proportion, 0 to 1, in percent with so many decimals, as all text writes it: “99.09%” with two.

    Without `decimals` it is a probability, which is never rounded to certainty: “98.2%”, “over 99.9%”, “under 0.1%”.
    """
    if decimals is not None:
        return f"{share:.{decimals}%}"
    if share > 0.999:
        return "over 99.9%"
    return f"{share:.1%}" if share >= 0.001 else "under 0.1%"
