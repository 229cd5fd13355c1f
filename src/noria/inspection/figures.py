"""How figures look, and how they are written: SVG whose text stays text, and PNG for where that is needed.

Colours are those of Okabe & Ito (2008), which people who are colour-blind tell apart; lines differ in their
dashes too, and maps of values grow lighter from low to high, so that they can be read in black and white.
"""

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

from noria.errors import DataError, MissingExtraError

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)), (0, (8, 2)))
MAP = "cividis"
DPI = 160

_LOOKS: dict[Any, Any] = {
    "font.size": 9.0,
    "axes.titlesize": 10.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "noria",
    "text.parse_math": False,
    "legend.frameon": False,
}
_PICTURES = {code: chr(0x2400 + code) for code in range(32)} | {
    127: "\u2421",
    ord(" "): "\u2423",
    ord("\n"): "\u21b5",
    ord("\t"): "\u21e5",
}
_RAISED = str.maketrans("-0123456789", "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079")
_SPECIAL = {"<unk>": "\ufffd", "<end>": "\u25a0"}
LONGEST = 14
"""Characters of a label that are shown."""


@contextmanager
def figure(width: float, height: float) -> Iterator[Any]:
    """Make a figure of some inches that is drawn on inside the block.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError(
            "a picture needs the library 'matplotlib', which is not installed.\n  pip install matplotlib"
        ) from None
    with matplotlib.rc_context(_LOOKS):
        yield Figure(figsize=(width, height), layout="constrained")


def written(drawn: Any, path: str | PathLike[str]) -> list[Path]:
    """Write a figure beside a path as SVG and PNG; give the files.

    Raises
    ------
    DataError
        If they cannot be written.
    """
    import matplotlib

    place = Path(path)
    files = [place.with_name(f"{place.name}{ending}") for ending in (".svg", ".png")]
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with matplotlib.rc_context(_LOOKS), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing")  # SVG has them where fonts do
            for file in files:
                drawn.savefig(file, dpi=DPI, metadata={"Date": None} if file.suffix == ".svg" else None)
                drawn.set_layout_engine("none")  # the first has found it
    except OSError as error:
        raise DataError(f"{place}: cannot be written: {error.strerror or error}.") from None
    return files


def powers_of_ten(axis: Any) -> None:
    """Write the ticks of a logarithmic axis as powers of ten; the figures have no mathematical text."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    def shown(value: float, place: int | None = None) -> str:
        if value <= 0:  # a power of ten that is too small for a float
            return ""
        return "10" + str(round(math.log10(value))).translate(_RAISED)

    axis.set_major_locator(LogLocator(numticks=8))
    axis.set_major_formatter(FuncFormatter(shown))
    axis.set_minor_formatter(NullFormatter())


def label(text: str) -> str:
    """Give what is written for a symbol: white space and control characters as pictures of themselves.

    What the vocabulary does not have is a question mark in a rhombus, the end of a sequence a black square.
    """
    text = _SPECIAL.get(text, text)
    shown = text.translate(_PICTURES) if len(text) == 1 else text.strip(" ").translate(_PICTURES)
    shown = shown.replace("\u2423", " ") if len(text) > 1 else shown
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}\u2026"
