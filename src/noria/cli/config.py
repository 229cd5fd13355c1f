"""Options from a TOML file: the same names as on the command line and in Python."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from noria.errors import OptionError
from noria.training.options import OptionInfo, did_you_mean


def read_config(path: Path, infos: Sequence[OptionInfo]) -> dict[str, Any]:
    """Read options from a TOML file: ``hidden_size = 128``, one a line.

    Raises
    ------
    OptionError
        If the file cannot be read, names something that is no option, or has a value that its option does not
        accept.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else error.strerror or error
        raise OptionError(f"{path}: the options cannot be read: {reason}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OptionError(f"{path}: expected TOML: {error}.") from None
    known = {name: info for info in infos for name in (info.name, *info.option.aliases)}
    options = {}
    for key, value in content.items():
        name = key.replace("-", "_")
        if name not in known:
            raise OptionError(
                f"{path}: {key!r} is no option of this command.{did_you_mean(name, list(known))}"
            )
        if not known[name].accepts(value):
            raise OptionError(f"{path}: {known[name].complaint('this command', value)}")
        if known[name].name in options:
            raise OptionError(f"{path}: {key!r} stands there twice, under two names of one option.")
        options[known[name].name] = value
    return options
