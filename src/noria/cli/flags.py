"""From the table of options to the flags of a verb, and from what was typed back to options."""

import functools
import inspect
import math
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

from cyclopts import Parameter

from noria.cli.headings import heading
from noria.training.options import OptionInfo


def flag(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    """Make a flag that stands in no table of options: where a run goes, how results are written."""
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def option_flags(infos: Sequence[OptionInfo]) -> list[inspect.Parameter]:
    """Make the flags of options.

    Values arrive as they were typed; ``None`` stands for a flag that was not given.
    """
    return [_option_flag(info) for info in infos]


def _option_flag(info: OptionInfo) -> inspect.Parameter:
    is_switch = info.type is bool
    text = info.option.help
    if math.isfinite(info.option.maximum):
        text += f" {info.option.interval}"
    if info.option.reason:
        text += f" Why: {info.option.reason}"
    mark = Parameter(
        name=f"--{info.name.replace('_', '-')}",
        alias=tuple(f"--{alias.replace('_', '-')}" for alias in info.option.aliases),
        help=text,
        group=heading(info.option.group),
        show_default=_shown(info.default) or False,
        metavar=None if is_switch else _metavar(info),
        allow_leading_hyphen=not is_switch,
        negative=f"--no-{info.name.replace('_', '-')}" if info.default is True else "",
    )
    annotation = Annotated[(bool if is_switch else str) | None, mark]  # type: ignore[valid-type]
    return flag(info.name, annotation, None)


def parsed(infos: Sequence[OptionInfo], given: Mapping[str, Any], owner: str) -> dict[str, Any]:
    """Read the flags that were given as their options' values.

    Raises
    ------
    OptionError
        If a value is not of the type or not in the range of its option.
    """
    known = {info.name: info for info in infos}
    typed = {name: value for name, value in given.items() if name in known and value is not None}
    return {
        name: known[name].parse(value, owner=owner) if isinstance(value, str) else value
        for name, value in typed.items()
    }


def with_flags(function: Callable[..., int], parameters: Sequence[inspect.Parameter]) -> Callable[..., int]:
    """Give ``function``, which takes ``**flags``, the signature that cyclopts reads.

    The result calls ``function`` with every flag, given or not.
    """
    own = [
        parameter
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    together = [*own, *parameters]
    defaults = {parameter.name: parameter.default for parameter in parameters}

    @functools.wraps(function)
    def verb(*words: Any, **flags: Any) -> int:
        return function(*words, **(defaults | flags))

    verb.__signature__ = inspect.Signature(together)  # type: ignore[attr-defined]
    verb.__annotations__ = {parameter.name: parameter.annotation for parameter in together} | {"return": int}
    return verb


def _shown(default: Any) -> str:
    if default is True:
        return "on"
    if default is False or default is None or default == "":
        return ""
    return f"{default:g}" if isinstance(default, float) else str(default)


def _metavar(info: OptionInfo) -> str:
    if info.option.choices:
        return "|".join(info.option.choices)
    members = typing.get_args(info.type) or (info.type,)
    for member, word in ((int, "N"), (float, "X")):
        if member in members:
            is_listed = any(typing.get_origin(other) is list for other in members)
            return f"{word},..." if is_listed else word
    return "TEXT"
