"""What the tests put behind every annotation of noria: beartype, which cannot judge a lone ``Self``."""

from collections.abc import Callable
from typing import Any, Self, get_args

from beartype import BeartypeConf, beartype

# As in every type checker, an int will do where a float is asked for.
_judge = beartype(conf=BeartypeConf(is_pep484_tower=True))


def check(function: Callable[..., Any]) -> Callable[..., Any]:
    """Check the arguments and results of a function against its annotations, at each call."""
    for name, hint in function.__annotations__.items():
        if _mentions_self(hint):
            function.__annotations__[name] = Any
    return _judge(function)


def _mentions_self(hint: object) -> bool:
    return hint is Self or any(_mentions_self(part) for part in get_args(hint))
