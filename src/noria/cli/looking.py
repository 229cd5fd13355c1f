"""What the verbs that look inside a model share: which input is looked at."""

from pathlib import Path
from typing import Any

from noria.errors import DataError, OptionError

TEXT, FORECAST = "text", "forecast"


def looked_at(model: Any, text: str | None, data: str | None, part: str | None) -> Any:
    """Give the input that was named on the command line, as ``explain`` of the model takes it.

    Parameters
    ----------
    model : Model
    text, data : str, optional
        What stands behind ``--text`` and ``--data``: one of the two, but for forecasters, which have series.
    part : str, optional
        Which characters of a text, ``"A:B"``.
    """
    if text is not None and data is not None:
        raise OptionError("--text and --data both name an input: leave one of them out.")
    if text is None and data is None:
        if model.task == FORECAST:
            return None
        raise OptionError("expected an input to look at.\n  Give --text, or --data and a file.")
    if text is not None:
        if model.task == FORECAST:
            raise OptionError("a forecaster reads series, not texts.\n  Give --data and a table, or neither.")
        return text if part is None else text[sliced(part)]
    path = Path(str(data))
    if not path.exists():
        raise DataError(f"{path}: there is no such file.")
    if part is None:
        return path
    if model.task != TEXT:
        raise OptionError("--part is for texts; of another file one input is looked at: --row.")
    from noria.data import read_text

    return read_text(path).text[sliced(part)]


def sliced(part: str) -> slice:
    """Read ``"A:B"``, either of which may be left out."""
    begin, colon, end = part.partition(":")
    try:
        if colon:
            return slice(int(begin) if begin else None, int(end) if end else None)
    except ValueError:
        pass
    raise OptionError(f"--part: expected two numbers of characters as in 100:300, got {part!r}.")


def numbers(text: str | None, name: str) -> list[int]:
    """Read ``"0,3,7"``.

    Raises
    ------
    OptionError
        If it is something else.
    """
    try:
        return [int(one) for one in (text or "").split(",") if one.strip()]
    except ValueError:
        raise OptionError(f"{name}: expected numbers as in 0,3,7, got {text!r}.") from None
