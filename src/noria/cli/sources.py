"""What a verb reads: files, folders, standard input, or the text that every Python brings along."""

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

from noria.cli.common import STANDARD_INPUT
from noria.data import Text, builtin_text, is_large, read_text
from noria.errors import DataError, OptionError
from noria.training.options import did_you_mean

BUILT_IN = {"python": builtin_text}


def read_source(files: Sequence[str], *, name: str | None = None, encoding: str | None = None) -> Text:
    """Read what was named on the command line.

    Parameters
    ----------
    files : sequence of str
        Files or folders, ``STANDARD_INPUT``; none: the built-in text.
    name : str, optional
        The name of a built-in text.
    encoding : str, optional
        The encoding of the files; detected if left out.
    """
    if name is not None and files:
        raise OptionError(
            f"--data {name} names a built-in text, and {files[0]!r} is a file: leave one of them out."
        )
    if not files:
        name = name or next(iter(BUILT_IN))
        if name not in BUILT_IN:
            near = did_you_mean(name, list(BUILT_IN))
            raise OptionError(f"There is no built-in text {name!r}.{near} There is: {', '.join(BUILT_IN)}.")
        return BUILT_IN[name]()
    if STANDARD_INPUT in files:
        if len(files) > 1:
            raise OptionError("Standard input, '-', cannot be read together with files.")
        return _standard_input(encoding)
    paths = [Path(file) for file in files]
    return read_text(paths[0] if len(paths) == 1 else paths, encoding=encoding)


def large_or_read(
    files: Sequence[str], *, name: str | None = None, encoding: str | None = None
) -> Text | Path:
    """Do as :func:`read_source` does, but leave a single file that is too big to hold a path."""
    if name is None and len(files) == 1 and is_large(files[0]):
        return Path(files[0])
    return read_source(files, name=name, encoding=encoding)


def source_again(source: str, run: Path) -> tuple[str, ...]:
    """Name the text that a run was made with, as :func:`read_source` takes it, from what the run says of it.

    Raises
    ------
    OptionError
        If it is no file that is still there.
    """
    if any(source == built_in().source for built_in in BUILT_IN.values()):
        return ()
    if source and Path(source).exists():
        return (source,)
    raise OptionError(
        f"{run}: was made with {source or 'a text'!r}, which is not to be found here.\n"
        f"  Name the text, wherever it is by now: noria train FILE --resume {run}"
    )


def _standard_input(encoding: str | None) -> Text:
    try:
        text = read_text(sys.stdin.buffer.read(), encoding=encoding)
    except DataError as error:
        raise DataError(str(error).replace("bytes:", "standard input:", 1)) from None
    return dataclasses.replace(text, source="standard input")
