"""What several verbs have: flags declared once, and the name of standard input."""

from typing import Annotated

from cyclopts import Parameter, validators

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
        help="Threads of the engines and of NumPy's products; 0: what NORIA_THREADS says, or one a core.",
        show_default=False,
        validator=validators.Number(gte=0),
    ),
]
