"""What several verbs have: flags declared once, and the name of standard input."""

from typing import Annotated

from cyclopts import Parameter

from noria.cli.headings import heading

STANDARD_INPUT = "<stdin>"
"""What the word ``-`` becomes before the flags are parsed: cyclopts would take it for one of them."""

OUTPUT = heading("Output")

Json = Annotated[bool, Parameter(negative="", show_default=False, group=OUTPUT, help="Write JSON.")]

Debug = Annotated[
    bool,
    Parameter(negative="", show_default=False, group=OUTPUT, help="Show where an error comes from."),
]

Threads = Annotated[
    int,
    Parameter(
        group=heading("Machine"),
        help="Threads for NumPy's products; 0: as many as its library chooses.",
        show_default=False,
    ),
]
