"""Scripts and styles of the project's own components, as files that editors and linters understand."""

from pathlib import Path


def source(name: str) -> str:
    """Return the text of a file in this folder."""
    return (Path(__file__).parent / name).read_text(encoding="utf-8")
