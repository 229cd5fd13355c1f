"""Speaking to people: what goes to standard error, what to standard output, and in which colours."""

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

LABEL = 8  # width of the column of labels: "Text    ", "Model   "


def say(label: str, text: str) -> None:
    """Tell the user something, on standard error: a label in the left column, lines to the right of it."""
    first, *more = text.split("\n")
    _write(f"{label:<{LABEL}}", first)
    for line in more:
        _write(" " * LABEL, line)


def tell(line: str) -> None:
    """Write one plain line to standard error."""
    _write("", line)


def complain(message: str) -> None:
    """Write an error to standard error; only the first word is coloured, and only in a terminal."""
    _write("error: ", message, style="bold red")


def _write(label: str, text: str, *, style: str = "bold") -> None:
    if not sys.stderr.isatty():
        print(f"{label}{text}".rstrip(), file=sys.stderr, flush=True)
        return
    terminal().print(labelled(label, text, style=style), soft_wrap=True)


def labelled(label: str, text: str, *, style: str = "bold") -> "Text":
    """Set a line for a terminal, with a label that stands out."""
    from rich.text import Text

    return Text().append(label, style=style).append(harmless(text))


def terminal() -> "Console":
    """Give the rich console of standard error, which knows about NO_COLOR and about simple terminals."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, markup=False, emoji=False)


def give(text: str) -> None:
    """Write a result to standard output, at once. A terminal is shown control characters, not sent them."""
    sys.stdout.write(harmless(text) if sys.stdout.isatty() else text)
    sys.stdout.flush()


def give_marked(line: str) -> None:
    """Write a line of a result to a terminal, with rich's markup for colours."""
    from rich.console import Console

    Console(highlight=False, emoji=False, soft_wrap=True).print(line)


def give_json(data: Mapping[str, Any] | Sequence[Any]) -> None:
    """Write a result to standard output as one JSON document; NaN and infinity, unknown to JSON, are null."""
    give(json.dumps(_finite(data), ensure_ascii=False, indent=2, default=_plain) + "\n")


def table(rows: Iterable[Sequence[str]], *, right: Sequence[int] = (), indent: int = 2) -> str:
    """Set rows in columns, two blanks apart; the columns named in ``right`` are set flush right."""
    lines = [list(row) for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    out = []
    for line in lines:
        cells = [
            f"{cell:>{width}}" if place in right else f"{cell:<{width}}"
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        out.append((" " * indent + "  ".join(cells)).rstrip())
    return "\n".join(out)


def harmless(text: str) -> str:
    """Show control characters as pictures of themselves, so that a text cannot drive the terminal."""
    return text.translate(_PICTURES)


_PICTURES = {code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\n\t"} | {127: "\u2421"}
_PICTURES |= dict.fromkeys(range(128, 160), "\N{REPLACEMENT CHARACTER}")


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def _plain(value: Any) -> Any:
    """Give NumPy's scalars and arrays as Python's, and anything else as its text."""
    return _finite(value.tolist()) if hasattr(value, "tolist") else str(value)
