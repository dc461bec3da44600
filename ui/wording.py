"""Numbers as people say them, and foreign text as it stands."""

import re


def duration(seconds: float) -> str:
    """Return a time as people say it: 42 s, 3 min 10 s, 1 h 5 min."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min" + (f" {whole % 60} s" if whole % 60 else "")
    return f"{whole // 3600} h" + (f" {whole % 3600 // 60} min" if whole % 3600 // 60 else "")


def rough_duration(seconds: float) -> str:
    """Return a time that is only expected: 8 s, 40 s, 6 min, 1 h 5 min."""
    if seconds < 90:
        return duration(seconds if seconds < 20 else round(seconds, -1))
    return duration(round(seconds / 60) * 60)


def count(number: int, noun: str) -> str:
    """Return `1 run`, `3 runs`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def plain(text: str) -> str:
    """Return text that somebody typed, so that Markdown shows it as it stands."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|<>~$:])", r"\\\1", text)
