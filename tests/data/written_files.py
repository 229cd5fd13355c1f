"""Files for readers to read."""

from pathlib import Path


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    """Write a text as it is, ends of lines included, and give the path."""
    path.write_bytes(text.encode(encoding))
    return path
