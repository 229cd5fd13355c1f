"""How --help is laid out: its headings, in the order in which a user needs them, and its paragraphs."""

import inspect

from cyclopts import Group

ORDER = (
    "Data",
    "Budget",
    "Run",
    "Sampling",
    "Model",
    "Regularisation",
    "Training",
    "Optimiser",
    "Reporting",
    "Machine",
    "Output",
)


def heading(name: str) -> Group:
    """Give the heading of that name; one that is not in ``ORDER`` comes after those that are."""
    return Group(name, sort_key=ORDER.index(name) if name in ORDER else len(ORDER))


def unwrapped(text: str) -> str:
    """Give the paragraphs of a docstring on one line each: they are wrapped to the terminal's width."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(" ".join(paragraph.split("\n")) for paragraph in paragraphs)
