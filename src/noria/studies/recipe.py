"""What a study by name is, and what of it a task, a user's settings and this machine leave."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, NamedTuple

from noria.errors import OptionError


@dataclass(frozen=True)
class Asked:
    """A value that the user may name (``--set``), such as a file: it is set in this row alone.

    Attributes
    ----------
    otherwise : object
        What stands there where nothing is named; None: the row is left out, and that is said.
    """

    otherwise: Any = None


@dataclass(frozen=True)
class Row:
    """A setting in which several options change together.

    Attributes
    ----------
    name : str
    options : mapping
        Values, or :class:`Asked`.
    tasks : tuple of str
        Those that it means something for; empty: all of the recipe's.
    library : str
        What has to be installed for it, and the extra of Noria that brings it: ``"tokenizers:text"``.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    tasks: tuple[str, ...] = ()
    library: str = ""


class Resolved(NamedTuple):
    """What is left of a recipe for one task.

    Attributes
    ----------
    rows : list of (name, options)
    settings : dict
        What the user set for all variants; options that belong to some rows alone are in these.
    left_out : list of str
        A sentence for each row that cannot be made.
    """

    rows: list[tuple[str, Mapping[str, Any]]]
    settings: dict[str, Any]
    left_out: list[str]


@dataclass(frozen=True)
class StudyRecipe:
    """A study by name.

    Attributes
    ----------
    reason : str
        Why one would compare this, and what has to be known to read the figures.
    grid : mapping
        Values by option, all combinations of them.
    rows : tuple of Row
        Settings in which several options change together.
    cells : tuple of str
    options : mapping
        Shared by all; what the user sets goes before them.
    tasks : tuple of str
        Those that it means something for; empty: every one. The first is taken where none is named.
    equal_parameters : bool
    data : mapping of str to str
        By task the built-in data that show it, where the task's own do not; taken where nothing is named.
    files : tuple of str
        The tasks whose built-in data do not show it: there a file has to be named.
    metric : str or None
        The figure that it is about, where that is not the task's own.
    """

    reason: str
    grid: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    rows: tuple[Row, ...] = ()
    cells: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    tasks: tuple[str, ...] = ()
    equal_parameters: bool = False
    data: Mapping[str, str] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    metric: str | None = None

    def for_task(self, name: str, task: str, settings: Mapping[str, Any]) -> Resolved:
        """Give the rows of a task, with what the user set for all variants.

        Parameters
        ----------
        name : str
            Of the recipe.
        task : str
        settings : mapping

        Raises
        ------
        OptionError
            If it is not for the task, or too little of it is left: says what is missing.
        """
        if self.tasks and task not in self.tasks:
            raise OptionError(f"The recipe {name!r} is for {' and '.join(self.tasks)}, not for {task}.")
        rows: list[tuple[str, Mapping[str, Any]]] = []
        left_out: list[str] = []
        taken: set[str] = set()
        own = [row for row in self.rows if not row.tasks or task in row.tasks]
        for row in own:
            asked = {option: one for option, one in row.options.items() if isinstance(one, Asked)}
            found = {option: settings.get(option, one.otherwise) for option, one in asked.items()}
            taken |= asked.keys()
            missing = [f"--set {option}=..." for option, value in found.items() if value is None]
            library, _, extra = row.library.partition(":")
            if missing:
                left_out.append(f"{row.name!r} is left out: it needs {' '.join(missing)}")
            elif library and find_spec(library) is None:
                needs = f"{library}, which is not installed (pip install 'noria[{extra}]')"
                left_out.append(f"{row.name!r} is left out: it needs {needs}")
            else:
                rows.append((row.name, {**row.options, **found}))
        if own and len(rows) < 2 and not self.grid:
            raise OptionError(
                f"The recipe {name!r} has nothing to compare for {task}: {'; '.join(left_out)}."
            )
        kept = {option: value for option, value in settings.items() if option not in taken}
        return Resolved(rows, kept, left_out)
