"""What a model has to know of its data besides its weights: vocabularies, labels, columns, scales."""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, Self

from noria.errors import RunError

SHOWN = 60


class Schema(ABC):
    """The part of a model that turns inputs into numbers and numbers into answers.

    It is fitted on the training part alone and written into the run folder, so that a model that was loaded
    reads its inputs as the one that was trained. A task has its own, as a frozen dataclass.
    """

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Give it as plain values, for JSON."""

    @classmethod
    @abstractmethod
    def from_dict(cls, data: Mapping[str, Any], source: str) -> Self:
        """Undo :meth:`to_dict`.

        Parameters
        ----------
        data : mapping
        source : str
            The file, for messages.

        Raises
        ------
        RunError
            If something is missing or not what it should be.
        """

    def differences(self, here: Self) -> list[str]:
        """Say in which entries another schema is not this one, which is that of a run."""
        there, other = _flat(self.to_dict()), _flat(here.to_dict())
        return [
            f"{name}: {_shown(there.get(name))} in the run, {_shown(other.get(name))} here"
            for name in dict.fromkeys([*there, *other])
            if there.get(name) != other.get(name)
        ]

    def fingerprint(self) -> str:
        """Give digits that two schemas do not share: with a swapped file a model would answer nonsense."""
        written = json.dumps(self.to_dict(), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(written.encode()).hexdigest()[:16]


def entry(data: Mapping[str, Any], name: str, kind: type | tuple[type, ...], source: str) -> Any:
    """Give an entry of what was read of a schema.

    Raises
    ------
    RunError
        If it is missing, or of another type.
    """
    if name not in data or not isinstance(data[name], kind):
        found = "missing" if name not in data else f"of type {type(data[name]).__name__}"
        raise RunError(
            f"{source}: the file is damaged: {name!r} is {found}.\n"
            "  Copy the run again from where it was made."
        )
    return data[name]


def _flat(entries: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    return dict(_flattened(entries, prefix))


def _flattened(entries: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in entries.items():
        if isinstance(value, Mapping):
            yield from _flattened(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _shown(value: object) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= SHOWN else text[:SHOWN] + "..."
