"""Classes whose fields are options: checked, listed, written to TOML and read back as declared."""

import copy
import dataclasses
import difflib
import typing
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Self, TypeVar

from noria.errors import OptionError
from noria.training.option import ByLength, Option, OptionInfo, Value

Declared = TypeVar("Declared", bound=type)


class Options:
    """The manners of every class whose fields are options. A mix-in: it has no fields of its own."""

    unwritten: ClassVar[Mapping[str, Any]] = {}
    """What options stood at in a run whose config.toml does not name them: their defaults are newer."""

    def validate(self, owner: str | None = None) -> None:
        """Check every option against its declaration, then the options against each other.

        Parameters
        ----------
        owner : str, optional
            Who is named in the message; by default the class.

        Raises
        ------
        OptionError
            ``The 'dropout' option of LanguageModel must be a float in [0, 1). Got 1.2.``
        """
        owner = owner or type(self).__name__
        for info in options_of(type(self)):
            value = getattr(self, info.name)
            if not info.accepts(value):
                raise OptionError(info.complaint(owner, value))
        for info in options_of(type(self)):
            if info.option.only_with:
                deciding = getattr(self, info.option.only_with[0])
                if complaint := info.misplaced(owner, getattr(self, info.name), deciding):
                    raise OptionError(complaint)
        self.decided()._check_together(owner)

    def _check_together(self, owner: str) -> None:
        """Contradictions between options; a class that overrides this calls ``super()`` first."""

    def undecided(self) -> tuple[OptionInfo, ...]:
        """List the options whose values are left to be chosen before the first step of a run."""
        return tuple(
            info for info in options_of(type(self)) if getattr(self, info.name) in info.option.undecided
        )

    @property
    def text_level(self) -> str:
        """What a text is cut into; empty, where there is no such option."""
        return str(vars(self).get("level", ""))

    def by_level(self) -> dict[str, Value]:
        """Give what is left open and follows from the level of the text, or from nothing."""
        found = {
            info.name: dict(info.option.by_level).get(self.text_level, info.option.otherwise)
            for info in self.undecided()
            if info.option.by_level or info.option.otherwise is not None
        }
        return {name: value for name, value in found.items() if value is not None}

    def by_symbols(self, symbols: int) -> dict[str, Value]:
        """Give what is left open and follows from how many symbols there are to be told."""
        return {}

    def unscored(self, symbols: int) -> int:
        """Give how many of so many symbols a step of training has nothing to do with."""
        return 0

    def by_length(self) -> tuple[OptionInfo, ...]:
        """List the options whose values are left to the length of the run."""
        by_level = self.by_level()
        return tuple(info for info in self.undecided() if info.option.by_length and info.name not in by_level)

    def decided(self, **found: Value) -> Self:
        """Give a copy in which what is left open has its value, that of a short run if the length decides.

        Parameters
        ----------
        **found
            Values that follow from the data, by name.
        """
        made = copy.copy(self)
        level = self.text_level
        vars(made).update({info.name: info.option.chosen(0.0, level) for info in self.by_length()})
        vars(made).update(self.by_level() | found)
        return made

    def to_toml_dict(self) -> dict[str, Any]:
        """Give the options as plain values for TOML, in the order of the table.

        None has no place in TOML and is left out. A cell is written by its name; its text has its own place
        in the run folder.
        """
        values = [(info, getattr(self, info.name)) for info in options_of(type(self))]
        return {info.name: _plain(info.coerced(value)) for info, value in values if value is not None}

    @classmethod
    def from_toml_dict(cls, values: Mapping[str, Any]) -> Self:
        """Undo :meth:`to_toml_dict`: what is left out has its default.

        Raises
        ------
        OptionError
            For a key that is not an option (names the nearest one) and for a value that its option does not
            accept.
        """
        known = {info.name: info for info in options_of(cls)}
        for name, value in values.items():
            if name not in known:
                raise OptionError(unknown_option(cls, name))
            if not known[name].accepts(value):
                raise OptionError(known[name].complaint(cls.__name__, value))
        made = cls(**{name: known[name].coerced(value) for name, value in values.items()})
        made.validate()
        return made


def options_of(cls: type) -> tuple[OptionInfo, ...]:
    """List the options of a dataclass, in the order in which they were declared, those of its bases first.

    Fields whose annotation carries no :class:`Option` are not options and are left out.
    """
    hints = typing.get_type_hints(cls, include_extras=True)
    infos = []
    for declared in dataclasses.fields(cls):
        hint = hints[declared.name]
        marks = [mark for mark in getattr(hint, "__metadata__", ()) if isinstance(mark, Option)]
        if marks:
            default = declared.default
            if declared.default_factory is not dataclasses.MISSING:
                default = declared.default_factory()
            infos.append(OptionInfo(declared.name, typing.get_args(hint)[0], default, marks[0]))
    return tuple(infos)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Default:
    """Another default for an option that a base class declares.

    Parameters
    ----------
    value : object
    reason : str
        Why it is this one here; empty: for the same reason.
    help : str
        What is to be said of the option; empty: the same.
    by_passes, passes_of_level, by_minutes, by_level, undecided : tuple
        As :class:`Option` has them, where the value is left open; it may be None then, whatever the type.
    otherwise : value, optional
        Likewise.
    """

    value: Value
    reason: str
    help: str = ""
    by_passes: ByLength = ()
    passes_of_level: tuple[tuple[str, ByLength], ...] = ()
    by_minutes: ByLength = ()
    by_level: tuple[tuple[str, Value], ...] = ()
    undecided: tuple[Value, ...] = ()
    otherwise: Value = None


def defaults(**given: Default) -> Callable[[Declared], Declared]:
    """Give options of base classes other defaults; stands below ``@dataclass``."""

    def changed(cls: Declared) -> Declared:
        hints = typing.get_type_hints(cls, include_extras=True)
        for name, default in given.items():
            kind, *marks = typing.get_args(hints[name])
            (option,) = (mark for mark in marks if isinstance(mark, Option))
            fields = {field.name: getattr(default, field.name) for field in dataclasses.fields(Default)}
            said = {key: value for key, value in fields.items() if value and key != "value"}
            kind = kind | None if default.value is None else kind
            cls.__annotations__[name] = Annotated[kind, dataclasses.replace(option, **said)]
            setattr(cls, name, default.value)
        return cls

    return changed


def unknown_option(cls: type, name: str) -> str:
    """Write the message for a name that is no option of a class; knows the aliases and the near misses."""
    meanings = {alias: info.name for info in options_of(cls) for alias in (info.name, *info.option.aliases)}
    near = difflib.get_close_matches(name, meanings, n=1)
    hint = (
        f" Did you mean {meanings[near[0]]!r}?"
        if near
        else f" It has {', '.join(sorted(set(meanings.values())))}."
    )
    return f"{cls.__name__} has no option {name!r}.{hint}"


def _plain(value: Value) -> Value:
    """Plain values as they are, a cell by its name."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if isinstance(value, (bool, int, float, str)) else value.name
