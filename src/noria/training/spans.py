"""Spans written as tags: what begins, goes on and ends; how well those predicted agree with those there.

``B-PER I-PER O`` (IOB2) is a span of type PER over two tokens. IOBES says as well where a span ends (``E-``)
and which is one token long (``S-``); BILOU writes ``L-`` and ``U-`` for these.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np

from noria.arrays import Array, Bool

IOB2, IOBES = "IOB2", "IOBES"

Span: TypeAlias = tuple[int, int, str]
"""First token, the one behind the last, type."""

_TAG = re.compile(r"([BIESLUM])(?:-(.+))?", re.DOTALL)
_SAME = {"L": "E", "U": "S", "M": "I"}
_WHOLE = {IOB2: re.compile("BI*"), IOBES: re.compile("S|BI*E")}


def tag_scheme(tags: Iterable[str]) -> str | None:
    """Say how tags write spans: ``"IOB2"``, ``"IOBES"``, or None where they do not.

    There has to be one that begins a span, and all but ``O`` have to say where in a span they stand.
    """
    prefixes = {_cut(tag)[0] for tag in tags}
    if "" in prefixes or "O" not in prefixes or not prefixes & {"B", "S"}:
        return None
    return IOBES if prefixes & {"E", "S"} else IOB2


def spans_of(tags: Sequence[str], strict: str | None = None) -> list[Span]:
    """Read the spans of one sequence.

    Parameters
    ----------
    tags : sequence of str
    strict : {"IOB2", "IOBES"}, optional
        The scheme that a span has to follow from its first token to its last; what does not is none. Left
        out, tags are read as the CoNLL tasks score them: what goes on where nothing began begins a span, and
        another type begins another one.

    References
    ----------
    Tjong Kim Sang & Buchholz 2000, and the program conlleval of that task.
    """
    found: list[Span] = []
    begin, kind, prefixes = 0, "", ""
    for place, (prefix, own) in enumerate([*map(_cut, tags), ("O", "")]):
        goes_on = prefix in ("I", "E") and prefixes != "" and prefixes[-1] not in "ES" and own == kind
        if prefixes and not goes_on:
            if strict is None or _WHOLE[strict].fullmatch(prefixes):
                found.append((begin, place, kind))
            prefixes = ""
        if prefix not in ("O", ""):
            if not prefixes:
                begin, kind = place, own
            prefixes += prefix
    return found


def span_scores(
    gold: Iterable[Sequence[str]], predicted: Iterable[Sequence[str]], strict: str | None = None
) -> dict[str, Any]:
    """Compare predicted spans with those that are there: right is one with both ends and the type.

    Parameters
    ----------
    gold, predicted : iterables of sequences of str
        The tags of each sequence.
    strict : {"IOB2", "IOBES"}, optional
        As for :func:`spans_of`.

    Returns
    -------
    dict
        ``precision``, ``recall`` and ``f1`` over all spans (0 where nothing is to be divided by), how many
        are ``right``, ``predicted`` and there (``gold``), and the same for each of the ``types``.
    """
    counts = {name: Counter[str]() for name in ("right", "predicted", "gold")}
    for theirs, ours in zip(gold, predicted, strict=True):
        there, here = set(spans_of(theirs, strict)), set(spans_of(ours, strict))
        for name, spans in (("right", there & here), ("predicted", here), ("gold", there)):
            counts[name].update(kind for _, _, kind in spans)
    kinds = sorted(counts["predicted"] | counts["gold"])
    by_kind = {kind: _scores(*(counts[name][kind] for name in counts)) for kind in kinds}
    return {**_scores(*(count.total() for count in counts.values())), "types": by_kind}


def legal_moves(
    tags: Sequence[str], scheme: str
) -> tuple[Bool[Array, " K"], Bool[Array, "K K"], Bool[Array, " K"]]:
    """Say which tags may begin a sequence, which may follow which (from row to column), and which may end it.

    Parameters
    ----------
    tags : sequence of str
    scheme : {"IOB2", "IOBES"}
    """
    cut = [_cut(tag) for tag in tags]
    goes_on = np.array([prefix in ("I", "E") for prefix, _ in cut])
    may_go_on = np.array([prefix in ("B", "I") for prefix, _ in cut])
    same = np.array([[one == other for _, other in cut] for _, one in cut])
    follows = np.where(goes_on, may_go_on[:, None] & same, True)
    if scheme == IOBES:  # what has begun goes on until it ends
        follows &= goes_on | ~may_go_on[:, None]
        return ~goes_on, follows, ~may_go_on
    return ~goes_on, follows, np.ones(len(cut), bool)


def _cut(tag: str) -> tuple[str, str]:
    """Give where in a span a tag stands, and of which type; an empty place for what is no such tag."""
    if tag == "O":
        return "O", ""
    match = _TAG.fullmatch(tag)
    if match is None:
        return "", ""
    return _SAME.get(match[1], match[1]), match[2] or ""


def _scores(right: int, predicted: int, gold: int) -> dict[str, Any]:
    return {
        "precision": right / predicted if predicted else 0.0,
        "recall": right / gold if gold else 0.0,
        "f1": 2 * right / (predicted + gold) if predicted + gold else 0.0,
        "right": right,
        "predicted": predicted,
        "gold": gold,
    }
