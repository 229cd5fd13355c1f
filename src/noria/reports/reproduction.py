"""The command that makes a run again, from what its config says."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from noria.data.builtin_tasks import builtin_recipe, builtin_tasks
from noria.equations import Cell, cells
from noria.models.loading import model_class
from noria.training.options import Budget, options_of

STANDARD_INPUT = "<stdin>"
"""What stands among the files of a run that read from nowhere else."""
OF_THE_STUDY = frozenset({"cell", "seed", "threads"})
"""Options that a study chooses for its runs."""
OF_THE_PLAN = frozenset({"replanned"})
"""Options of which the plan of a run says what became of them."""
BUDGET = frozenset(info.name for info in options_of(Budget))


def train_command(
    config: Mapping[str, Any], out: str, cell_file: str, report: Mapping[str, Any] | None = None
) -> str:
    """Write the command that makes a run again.

    Parameters
    ----------
    config : mapping
        What config.toml of the run holds.
    out : str
        The folder of the new run.
    cell_file : str
        Where the equations of a cell of the user's own are.
    report : mapping, optional
        What report.json holds: it says where the end of its time stopped a run.

    Returns
    -------
    str
        Empty where no command can: the data were handed over in Python, or on standard input.
    """
    task, data = str(config["task"]), config.get("data", {})
    words = ["noria", "train", *([] if task == "text" else [task])]
    files, builtin = [str(file) for file in data.get("files", ())], data.get("builtin")
    source = str(data.get("source", ""))
    if STANDARD_INPUT in files:
        return ""
    if files:
        words += files
    elif builtin is not None:
        words += ["--data", str(builtin)]
    elif Path(source).is_file():
        words.append(source)
    else:
        return ""
    words += _reading(config)
    words += ["--init-from", str(data["weights"])] if "weights" in data else []
    for name, value in changed_options(config).items():
        flag = f"--{name.replace('_', '-')}"
        if isinstance(value, bool):
            words.append(flag if value else f"{flag}=false")
        elif name == "cell" and own_cell(config):
            words += [flag, cell_file]
        else:
            words += [flag, _typed(value)]
    run = config.get("run", {})
    words += ["--steps", str(run["steps"])] if run.get("steps") else []
    words += ["--replanned", _typed(run["replanned"])] if run.get("replanned") else []
    if report and report.get("stopped") == "time":
        words += ["--stop-after", str(report["steps"])]
    return shlex.join([*words, "--out", out])


def compare_command(config: Mapping[str, Any], cells: Sequence[str], seeds: int) -> str:
    """Write the command that compares a run with others, over seeds: only that gives it a spread.

    Parameters
    ----------
    config : mapping
        What config.toml of the run holds.
    cells : sequence of str
        What is compared, names or files.
    seeds : int

    Returns
    -------
    str
        Empty where the data cannot be named, or a study would not do the same: it has no ``--lines``, no
        ``--encoding`` and no ``--init-from``.
    """
    data = config.get("data", {})
    words = ["noria", "compare", str(config["task"])]
    if _reading(config) or "weights" in data:
        return ""
    if data.get("files") and STANDARD_INPUT not in data["files"]:
        words += map(str, data["files"])
    elif "builtin" in data:
        words += ["--data", str(data["builtin"])]
    else:
        return ""
    for name, value in changed_options(config).items():
        if name not in OF_THE_STUDY:
            words += ["--set", f"{name}={_typed(value)}"]
    words += ["--cells", ",".join(cells), "--seeds", str(seeds)]
    steps = config.get("run", {}).get("steps")
    return shlex.join([*words, *(["--steps", str(steps)] if steps else [])])


def _reading(config: Mapping[str, Any]) -> list[str]:
    """Give the flags that say how the files of a run are read, where they do not say it themselves."""
    data, column = config.get("data", {}), config.get("options", {}).get("text_column")
    encoding = data.get("asked_encoding")
    is_told = column or _is_task(str(config["task"]), str(data.get("builtin", "")))
    by_line = data.get("kind") == "sequences" and not is_told
    return [*(["--lines"] if by_line else ()), *(["--encoding", str(encoding)] if encoding else ())]


def changed_options(config: Mapping[str, Any]) -> dict[str, Any]:
    """Give the options of a run that are not what the command would choose by itself."""
    task, data = str(config["task"]), config.get("data", {})
    model_of_task = model_class(task)
    infos = {
        info.name: info
        for info in options_of(model_of_task)
        if not info.option.hidden and info.name not in OF_THE_PLAN
    }
    usual = {name: info.default for name, info in infos.items()}
    if data.get("builtin") and not data.get("files"):
        usual |= {name: value for name, value in _recipe(task, str(data["builtin"])).items() if name in infos}
    options = {**model_of_task.unwritten, **config.get("options", {})}
    found = {name: value for name, value in options.items() if name in infos and value != usual[name]}
    return found | ({"cell": own_cell(config)} if own_cell(config) else {})


def own_cell(config: Mapping[str, Any]) -> str:
    """Name the first cell of a run that does not ship with Noria; empty where all do."""
    for entry in config.get("cells", ()):
        name, text = entry["name"], entry["text"]
        if name not in cells.names() or cells.get(name) != Cell.parse(text, name=name):
            return str(name)
    return ""


def _is_task(task: str, name: str) -> bool:
    """Whether these are built-in data of a task, and not a text like any other."""
    return name.partition(":")[0] in {entry.name for entry in builtin_tasks(task)}


def _recipe(task: str, name: str) -> Mapping[str, Any]:
    if not _is_task(task, name):
        return {}
    options: Mapping[str, Any] = builtin_recipe(name, task).options
    return {key: value for key, value in options.items() if key not in BUDGET}


def _typed(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(_typed, value))
    return f"{value:.12g}" if isinstance(value, float) else str(value)
