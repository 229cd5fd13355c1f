"""What a study compares: variants of one task's options, each over the same seeds with the same budget."""

import hashlib
import itertools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from noria.errors import DataError, OptionError, RunError
from noria.models.loading import MODELS, model_class
from noria.models.wiring import chosen_cells
from noria.training.option import OptionInfo
from noria.training.options import Budget, options_of, unknown_option

WHO = "noria compare"
FORMAT = 1
OF_THE_STUDY = {
    "seed": "every variant has the same seeds, 0 and on: --seeds says how many",
    "threads": "every run has one thread: --processes says how many stand side by side",
}
"""Options of models that are the same for all of a study, and why."""


@dataclass(frozen=True)
class Variant:
    """One of those that are compared: a name, and the options in which it is not the others."""

    name: str
    options: Mapping[str, Any]

    @property
    def slug(self) -> str:
        """Its name, as part of a file's."""
        plain = re.sub(r"[^\w.=+-]+", "_", self.name).strip("_")
        digest = hashlib.blake2b(self.name.encode(), digest_size=3).hexdigest()
        return f"{plain[:48]}-{digest}"


@dataclass(frozen=True)
class Study:
    """All that a study is.

    Attributes
    ----------
    task : str
    files : tuple of str
        What is read; empty: built-in data.
    data : str or None
        The name of built-in data; None: the task's own.
    options : mapping
        Of every variant.
    variants : tuple of Variant
        The first is what ``--equal-parameters`` measures the others by.
    seeds : tuple of int
    budget : mapping
        ``minutes``, ``epochs`` or ``steps``.
    equal_parameters : bool
    recipe : str or None
        Its name, if it has one.
    metric : str or None
        The figure that is compared, where it is not the task's own.
    """

    task: str
    variants: tuple[Variant, ...]
    seeds: tuple[int, ...]
    budget: Mapping[str, float]
    files: tuple[str, ...] = ()
    data: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    equal_parameters: bool = False
    recipe: str | None = None
    metric: str | None = None

    @property
    def digest(self) -> str:
        """Digits that two studies do not share."""
        written = json.dumps(self.to_dict(), sort_keys=True)
        return hashlib.blake2b(written.encode(), digest_size=4).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain values, for JSON."""
        return {"format": FORMAT, **json.loads(json.dumps(asdict(self)))}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], source: str) -> "Study":
        """Undo :meth:`to_dict`."""
        try:
            if int(data["format"]) > FORMAT:
                raise RunError(
                    f"{source}: was made by a newer version of Noria.\n  Upgrade Noria to open it."
                )
            return cls(
                task=str(data["task"]),
                variants=tuple(Variant(one["name"], one["options"]) for one in data["variants"]),
                seeds=tuple(int(seed) for seed in data["seeds"]),
                budget=dict(data["budget"]),
                files=tuple(data["files"]),
                data=data["data"],
                options=dict(data["options"]),
                equal_parameters=bool(data["equal_parameters"]),
                recipe=data["recipe"],
                metric=data.get("metric"),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(f"{source}: the file is damaged: {error!r}.") from error

    def options_of(self, variant: Variant, seed: int) -> dict[str, Any]:
        """Give all options of a run."""
        return {**self.options, **variant.options, "seed": seed, "threads": 1}

    def resolved(self, *, earlier: bool = False) -> dict[str, dict[str, Any]]:
        """Give every option of each variant; None where it is left open.

        Parameters
        ----------
        earlier : bool, default False
            Whether options whose defaults are newer than run folders stand at what they stood at before.
        """
        model_of_task = model_class(self.task)
        names = dict.fromkeys(info.name for info in options_of(model_of_task))
        before = model_of_task.unwritten if earlier else {}
        given = {one.name: {**before, **self.options_of(one, self.seeds[0])} for one in self.variants}
        return {name: names | model_of_task(**options).to_toml_dict() for name, options in given.items()}

    def check(self) -> None:
        """Refuse what cannot be trained before anything is.

        Raises
        ------
        OptionError
            Names the variant.
        UnknownNameError, EquationError
            For a cell that is none.
        DataError
            For a file that is not there.
        """
        Budget.from_toml_dict(self.budget)
        if not self.seeds:
            raise OptionError(f"{WHO}: expected at least one seed.")
        names = [variant.name for variant in self.variants]
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise OptionError(f"{WHO}: {twice!r} is compared with itself. Name each variant once.")
        model_of_task = model_class(self.task)
        for variant in self.variants:
            model = model_of_task(**self.options_of(variant, self.seeds[0]))
            model.validate(f"variant {variant.name!r}")
            chosen_cells(model)
        missing = [file for file in self.files if not Path(file).exists()]
        if missing:
            raise DataError(f"{missing[0]}: there is no such file or folder.")


def variants_of(
    task: str,
    cells: Sequence[str],
    grid: Mapping[str, Sequence[Any]],
    rows: Sequence[tuple[str, Mapping[str, Any]]] = (),
) -> tuple[Variant, ...]:
    """Combine every cell with every value of the grid and every row of a recipe.

    Parameters
    ----------
    task : str
    cells : sequence of str
        Names or files; empty: the task's own, or those of the rows.
    grid : mapping
        Values by option.
    rows : sequence of (str, mapping)
        Named settings that stand together.
    """
    if task not in MODELS:
        raise OptionError(f"There is no task {task!r}. There are: {', '.join(MODELS)}.")
    found = []
    settings = [[(name, value) for value in values] for name, values in grid.items()]
    for cell, row, *chosen in itertools.product(cells or [""], rows or [("", {})], *settings):
        options: dict[str, Any] = {**({"cell": _in_place(cell)} if cell else {}), **row[1], **dict(chosen)}
        words = [
            Path(cell).stem if cell else "",
            row[0],
            *(f"{name}={_shown(value)}" for name, value in chosen),
        ]
        found.append(Variant(" ".join(word for word in words if word) or "as it is", options))
    return tuple(found)


def parse_grid(task: str, lines: Sequence[str]) -> dict[str, list[Any]]:
    """Read ``key=a,b,c`` lines by the table of options of a task; of lists ``key=a,b;c,d``.

    Raises
    ------
    OptionError
        For a key that is no option (names the nearest one), one that is the study's own, and a value that
        its option does not take.
    """
    grid: dict[str, list[Any]] = {}
    for line in lines:
        info, values = _entry(task, line, "key=a,b,c")
        if info.name in grid:
            raise OptionError(f"{WHO}: {info.name!r} stands in the grid twice. Write all its values in one.")
        parts = values.split(";") if ";" in values else values.split(",")
        grid[info.name] = [info.parse(part.strip(), owner=WHO) for part in parts]
    return grid


def parse_settings(task: str, lines: Sequence[str]) -> dict[str, Any]:
    """Read ``key=value`` lines by the table of options of a task, a switch alone as one that is on.

    Raises what :func:`parse_grid` does.
    """
    entries = [_entry(task, _switched(task, line), "key=value") for line in lines]
    return {info.name: info.parse(value.strip(), owner=WHO) for info, value in entries}


def _switched(task: str, line: str) -> str:
    is_switch = "=" not in line and option_named(task, line).type is bool
    return f"{line}=true" if is_switch else line


def _entry(task: str, line: str, form: str) -> tuple[OptionInfo, str]:
    name, equals, value = line.partition("=")
    if not equals or not value:
        raise OptionError(f"{WHO}: expected {form}, got {line!r}.")
    info = option_named(task, name)
    if info.name in OF_THE_STUDY:
        raise OptionError(f"{WHO}: {info.name!r} cannot be set: {OF_THE_STUDY[info.name]}.")
    return info, value


def option_named(task: str, name: str) -> OptionInfo:
    """Find an option of a task by its name, as Python or the command line write it, or by an alias."""
    model_of_task = model_class(task)
    plain = name.strip().lstrip("-").replace("-", "_")
    for info in options_of(model_of_task):
        if plain == info.name or plain in {alias.replace("-", "_") for alias in info.option.aliases}:
            return info
    raise OptionError(f"{WHO}: {unknown_option(model_of_task, plain)}")


def _in_place(cell: str) -> str:
    """Give the path of a cell's file such that other processes find it."""
    return str(Path(cell).resolve()) if cell.endswith(".eq") else cell


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return "+".join(map(_shown, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
