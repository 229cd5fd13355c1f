"""Where pictures go: into a folder, as SVG and PNG, or into the one file that is named."""

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from noria.errors import DataError, OptionError

WRITTEN = (".svg", ".png")
OTHERS = (".pdf", ".jpg", ".jpeg", ".gif", ".eps", ".ps", ".webp", ".tif", ".tiff", ".bmp")
"""Endings that nobody gives a folder."""


def is_picture(out: Path | None) -> bool:
    """Whether ``--out`` names a picture, by its ending, and not a folder.

    Raises
    ------
    OptionError
        If it is a picture of a kind that is not written.
    """
    if out is None or out.is_dir():
        return False
    ending = out.suffix.lower()
    if ending in OTHERS:
        raise OptionError(f"--out {out}: a picture is written as {' or '.join(WRITTEN)}, got {ending}.")
    return ending in WRITTEN


def drawn(out: Path, name: str, draw: Callable[[Path], Sequence[Path]]) -> list[Path]:
    """Draw into a folder, or the one picture that ``out`` names; give the files.

    Parameters
    ----------
    out : Path
    name : str
        What the pictures in a folder are called.
    draw : callable
        Takes a path without an ending, and gives the files that it wrote there, SVG and PNG.
    """
    if not is_picture(out):
        return list(draw(out / name))
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=out.parent, prefix=f".{out.stem}-") as beside:
            files = draw(Path(beside) / name)
            next(file for file in files if file.suffix == out.suffix.lower()).replace(out)
    except OSError as error:
        raise DataError(f"{out}: cannot be written: {error.strerror or error}.") from None
    return [out]
