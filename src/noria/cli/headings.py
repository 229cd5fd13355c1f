"""The headings of --help, in the order in which a user needs them."""

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
