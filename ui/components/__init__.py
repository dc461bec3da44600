"""Scripts and styles of the project's own components, as files that editors and linters understand."""

from pathlib import Path


def source(*names: str) -> str:
    """Return the text of a file in this folder, or of several, one after the other."""
    return "\n".join((Path(__file__).parent / name).read_text(encoding="utf-8") for name in names)
