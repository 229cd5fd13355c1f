"""``noria options``: every option with its default and the reason for it, in one table."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Annotated

from cyclopts import Parameter

from noria.cli.common import Debug, Json
from noria.cli.console import give, give_json
from noria.cli.headings import ORDER
from noria.errors import OptionError
from noria.models.loading import MODELS, model_class
from noria.training.options import Budget, OptionInfo, SamplingOptions, did_you_mean, options_of

HEAD = """# The options, their defaults, and why

`noria options` writes this. An option has the same name in Python, in a TOML file (`hidden_size = 128`) and
on the command line (`--hidden-size 128`).

"""
ALL = "all"


@dataclass(frozen=True)
class Row:
    """An option of one task or more that have the same default of it, for the same reason."""

    option: str
    group: str
    what: str
    default: str
    why: str
    tasks: tuple[str, ...] = ()


def options(
    task: Annotated[
        str | None, Parameter(help=f"Of which task, one of {', '.join(MODELS)}; none: of all.")
    ] = None,
    /,
    *,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """List every option of training with its default, and why it is that.

    They have the same names on the command line, in a TOML file and in Python. The table is Markdown, one
    part for each heading of noria train --help. A default that depends on the text or on the length of a run
    is given with what it depends on.

    noria options text

    noria options > options.md
    """
    if task is not None and task not in MODELS:
        near = did_you_mean(task, list(MODELS))
        raise OptionError(f"options: expected a task, one of {', '.join(MODELS)}. Got {task!r}.{near}")
    rows = option_table(MODELS if task is None else [task])
    if json:
        give_json([asdict(row) for row in rows])
    else:
        give(HEAD + in_markdown(rows, with_tasks=task is None))


def option_table(tasks: Iterable[str]) -> list[Row]:
    """Make the rows of tasks, by heading and then by name."""
    found: dict[Row, list[str]] = {}
    for task in tasks:
        infos = [*options_of(model_class(task)), *options_of(Budget)]
        infos += options_of(SamplingOptions) if task == "text" else []
        for info in infos:
            if not info.option.hidden:
                option = info.option
                row = Row(info.name, option.group, option.help, default_of(info), option.reason)
                found.setdefault(row, []).append(task)
    rows = [replace(row, tasks=tuple(of)) for row, of in found.items()]
    return sorted(rows, key=lambda row: (_place(row.group), row.option))


def _place(group: str) -> tuple[int, str]:
    return ORDER.index(group) if group in ORDER else len(ORDER), group


def default_of(info: OptionInfo) -> str:
    """Write a default; one that depends on the text or on the length of a run with all that it may be."""
    option = info.option
    unit = "passes" if option.by_passes else "minutes"
    usual = info.default if option.otherwise is None else option.otherwise

    def plain_of(level: str) -> str:
        first, *later = option.by_length_of(level) or [(0.0, usual)]
        return "; ".join([_plain(first[1]), *(f"from {least:g} {unit} {_plain(to)}" for least, to in later)])

    plain, levels = plain_of(""), dict[str, list[str]]()
    for level, value in option.by_level:
        levels.setdefault(plain_of(level) if value is None else _plain(value), []).append(level)
    return ", ".join(f"{value} ({', '.join(of)})" for value, of in levels.items()) or plain


def _plain(value: object) -> str:
    if value is None or value == "":
        return "none" if value is None else "empty"
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)


def in_markdown(rows: Sequence[Row], *, with_tasks: bool) -> str:
    """Write a table for each heading."""
    parts = []
    for group in dict.fromkeys(row.group for row in rows):
        of_group = [row for row in rows if row.group == group]
        several = with_tasks and len({row.tasks for row in of_group}) > 1
        heads = ["option", "what", "default", *(["of"] if several else []), "why"]
        lines = [heads, ["---"] * len(heads)]
        for row in of_group:
            tasks = [ALL if len(row.tasks) == len(MODELS) else ", ".join(row.tasks)] if several else []
            lines.append([f"`{row.option}`", row.what, row.default, *tasks, row.why])
        table = "\n".join(
            f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines
        )
        parts.append(f"## {group}\n\n{table}\n")
    return "\n".join(parts)
