"""What one option is, and everything that follows from its declaration.

An option is written once, as an :class:`Option` inside the annotation of a dataclass field. The check, the
message of the check, the flag of the command line, the TOML entry and the line of the documentation are all
derived from that.
"""

import difflib
import math
import numbers
import types
import typing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from noria.errors import OptionError

Hint: TypeAlias = Any  # a type as annotations know it
Value: TypeAlias = Any  # whatever an option may be set to
ByLength: TypeAlias = tuple[tuple[float, Value], ...]
"""The length from which on a value is chosen, and the value, rising from 0."""

TRUTHS = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}


@dataclass(frozen=True, kw_only=True)
class Option:
    """The metadata of one option.

    Parameters
    ----------
    help : str
        One sentence for ``--help``.
    group : str
        The heading under which it is listed.
    reason : str
        Why the default is what it is.
    minimum, maximum : float
        The ends of the allowed interval; infinite by default. An infinite value itself is never allowed.
    closed : {"both", "left", "right", "neither"}
        Which of the two ends belong to the interval.
    choices : tuple of str
        The only strings allowed; empty: any.
    aliases : tuple of str
        Other names under which the command line takes it.
    hidden : bool
        Whether the command line does not have it.
    only_with : tuple of str and tuple of str, optional
        Another option, and those of its values with which this one means something: with the others it has to
        keep its default.
    undecided : tuple of values
        Those that leave the value to be chosen before the first step of a run, which writes down the choice.
    by_passes : tuple of pairs
        What is chosen where the value is None, by the passes over the training part that a run is going to
        make: each value with the number of passes from which on it is chosen, rising from 0.
    passes_of_level : tuple of pairs
        What a text is cut into, with what takes the place of ``by_passes`` there.
    by_minutes : tuple of pairs
        The same as ``by_passes``, by the minutes that the run is going to take at the usual pace. Where a
        value shapes the network, it is this that it may follow: the time of a run of so many passes depends
        on it.
    by_level : tuple of pairs
        What is chosen where the value is undecided, by what a text is cut into: each level with its value, or
        with None where it is left to the length of the run.
    otherwise : value, optional
        What is chosen where the value is undecided and nothing else says what.
    """

    help: str
    group: str
    reason: str = ""
    minimum: float = -math.inf
    maximum: float = math.inf
    closed: Literal["both", "left", "right", "neither"] = "both"
    choices: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    hidden: bool = False
    only_with: tuple[str, tuple[str, ...]] | None = None
    undecided: tuple[Value, ...] = ()
    by_passes: ByLength = ()
    passes_of_level: tuple[tuple[str, ByLength], ...] = ()
    by_minutes: ByLength = ()
    by_level: tuple[tuple[str, Value], ...] = ()
    otherwise: Value = None

    @property
    def by_length(self) -> ByLength:
        """What follows from the length of the run, in passes or in minutes."""
        return self.by_passes or self.by_minutes

    def by_length_of(self, level: str) -> ByLength:
        """Give what follows from the length of the run where a text is cut into this."""
        return dict(self.passes_of_level).get(level, self.by_length)

    def chosen(self, length: float, level: str = "") -> Value:
        """Give the value for a run of so many passes over its training part, or of so many minutes."""
        return [value for least, value in self.by_length_of(level) if least <= length][-1]

    def allows(self, number: float) -> bool:
        """Whether a number lies in the interval (NaN and the infinities never do)."""
        above = number >= self.minimum if self.closed in ("both", "left") else number > self.minimum
        below = number <= self.maximum if self.closed in ("both", "right") else number < self.maximum
        return math.isfinite(number) and above and below

    @property
    def interval(self) -> str:
        """The interval in the notation of the textbook, ``"[0, 1)"``; empty when every number will do."""
        if math.isinf(self.minimum) and math.isinf(self.maximum):
            return ""
        left = "[" if self.closed in ("both", "left") and math.isfinite(self.minimum) else "("
        right = "]" if self.closed in ("both", "right") and math.isfinite(self.maximum) else ")"
        return f"{left}{self.minimum:g}, {self.maximum:g}{right}"


@dataclass(frozen=True)
class OptionInfo:
    """One option of a class: its name, type and default beside its metadata. What ``options_of`` lists."""

    name: str
    type: Hint
    default: Value
    option: Option

    @property
    def flags(self) -> tuple[str, ...]:
        """The spellings on the command line, the shown one first: ``("--hidden-size", "--rnn_size")``."""
        spellings = (self.name.replace("_", "-"), self.name, *self.option.aliases)
        return tuple(dict.fromkeys(f"--{spelling}" for spelling in spellings))

    @property
    def expected(self) -> str:
        """What the option must be, in words: ``"a float in [0, 1)"``."""
        return _describe(self.type, self.option)

    def accepts(self, value: object) -> bool:
        """Whether a value has the type and lies in the range of the option."""
        return _accepts(self.type, value, self.option)

    def complaint(self, owner: str, value: object) -> str:
        """Write the message for a value that is not accepted."""
        message = f"The {self.name!r} option of {owner} must be {self.expected}. Got {value!r}."
        if isinstance(value, str) and self.option.choices:
            message += did_you_mean(value, self.option.choices)
        return message

    def misplaced(self, owner: str, value: object, deciding: object) -> str:
        """Write the message for a value that means nothing with the value of the option it belongs to.

        Empty if it does, or if the value is the default.
        """
        decider, values = self.option.only_with or ("", ())
        if not decider or deciding in values or value == self.default:
            return ""
        homes = " or ".join(f"{decider}={home!r}" for home in values)
        return (
            f"The {self.name!r} option of {owner} belongs to {homes}. Got {self.name}={value} with "
            f"{decider}={deciding!r}.\n  Leave {self.name} out, or choose {' or '.join(values)}."
        )

    def coerced(self, value: Value) -> Value:
        """Give an accepted value as plain Python: no NumPy scalars or tuples, 2.0 for 2 as a float."""
        if isinstance(value, (list, tuple)):
            return [self.coerced(item) for item in value]
        if isinstance(value, (str, bool, type(None))):
            return value
        if isinstance(value, numbers.Integral) and int in _scalars(self.type):
            return int(value)
        return float(value) if isinstance(value, numbers.Real) else value

    def parse(self, text: str, *, owner: str = "the command line") -> Value:
        """Read a value from text, as the command line gets it: ``"256,128"`` is a list, ``"none"`` is None.

        Raises
        ------
        OptionError
            If no reading of the text is an allowed value.
        """
        for reading in _readings(self.type, text):
            if self.accepts(reading):
                return reading
        raise OptionError(self.complaint(owner, text))


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """Give a closing question with the nearest known word, or nothing when none is near."""
    near = difflib.get_close_matches(word, known, n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def _members(hint: Hint) -> tuple[Hint, ...]:
    """Give the types of which a value may be one: ``int | list[int]`` has two."""
    origin: object = typing.get_origin(hint)
    return typing.get_args(hint) if origin in (typing.Union, types.UnionType) else (hint,)


def _is_list(hint: Hint) -> bool:
    origin: object = typing.get_origin(hint)
    return origin is list


def _item(hint: Hint) -> Hint:
    """Give the type of what a list holds."""
    return typing.get_args(hint)[0]


def _scalars(hint: Hint) -> tuple[Hint, ...]:
    """Give the members with ``list[X]`` opened to ``X``."""
    return tuple(
        scalar
        for member in _members(hint)
        for scalar in (_members(_item(member)) if _is_list(member) else (member,))
    )


def _describe(hint: Hint, option: Option) -> str:
    words = [_describe_scalar(member, option) for member in _members(hint) if not _is_list(member)]
    if any(_is_list(member) for member in _members(hint)):
        words.append("a list of these" if set(words) - {"None"} else "a list of strings")
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _describe_scalar(member: Hint, option: Option) -> str:
    if member is type(None):
        return "None"
    if member is str and option.choices:
        return "one of " + ", ".join(repr(choice) for choice in option.choices)
    if member in (int, float):
        article = "an int" if member is int else "a float"
        return f"{article} in {option.interval}" if option.interval else article
    return f"a {member.__name__}"


def _accepts(hint: Hint, value: object, option: Option) -> bool:
    return any(_accepts_member(member, value, option) for member in _members(hint))


def _accepts_member(member: Hint, value: object, option: Option) -> bool:
    if _is_list(member):
        entries = list(value) if isinstance(value, (list, tuple)) else []
        return bool(entries) and all(_accepts(_item(member), entry, option) for entry in entries)
    if member in (int, float):
        kind = numbers.Integral if member is int else numbers.Real
        return not isinstance(value, bool) and isinstance(value, kind) and option.allows(float(value))
    if member is str:
        return isinstance(value, str) and (not option.choices or value in option.choices)
    return isinstance(value, member)


def _readings(hint: Hint, text: str) -> Iterator[Value]:
    """Give the values that a text may mean, lists last; with a comma it is a list where there can be one."""
    members = sorted(_members(hint), key=lambda member: (_is_list(member), member is str))
    has_list = any(_is_list(member) for member in members)
    for member in members:
        if _is_list(member):
            parts = [next(_readings(_item(member), part.strip()), None) for part in text.split(",")]
            if None not in parts:
                yield parts
        elif member is type(None):
            if text.lower() == "none":
                yield None
        elif member is bool:
            if text.lower() in TRUTHS:
                yield TRUTHS[text.lower()]
        elif member in (int, float):
            try:
                yield member(text)
            except ValueError:
                continue
        elif member is str and not (has_list and "," in text):
            yield text
