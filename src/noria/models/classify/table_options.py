"""Options of reading: where sequences, and what is to be told of them, stand in a file."""

from dataclasses import dataclass
from typing import Annotated

from noria.data.audio import Cepstrum
from noria.training.option import Option
from noria.training.optioned import Options


@dataclass(kw_only=True)
class TableOptions(Options):
    """Where things stand in a file."""

    text_column: Annotated[
        str,
        Option(
            help="The column of texts; empty: guessed from the names, and said.",
            group="Data",
            reason="Most tables name it, and what was guessed is said.",
        ),
    ] = ""
    label_column: Annotated[
        str,
        Option(
            help="The column of labels (or numbers to be told); empty: guessed, and said.",
            group="Data",
            reason="Most tables name it, and what was guessed is said.",
        ),
    ] = ""
    id_column: Annotated[
        str,
        Option(
            help="Of a long table of numbers: the column that says which sequence a row belongs to; "
            "empty: guessed, and said.",
            group="Data",
            reason="Most tables name it, and what was guessed is said.",
        ),
    ] = ""
    time_column: Annotated[
        str,
        Option(
            help="Of a long table: the column of time; empty: guessed, and said.",
            group="Data",
            reason="Most tables name it, and what was guessed is said.",
        ),
    ] = ""
    feature_columns: Annotated[
        list[str] | None,
        Option(
            help="Of a long table: the columns of numbers that are read; none: all others.",
            group="Data",
            reason="What stands in a table was put there to be read.",
        ),
    ] = None
    extra_columns: Annotated[
        list[str] | None,
        Option(
            help="Columns of numbers that are joined to every step of a row's sequence (early fusion).",
            group="Data",
            reason="Beside its sequence, nothing is known of most rows.",
        ),
    ] = None
    encoding: Annotated[
        str,
        Option(
            help="The encoding of files of text; empty: detected, and said.",
            group="Data",
            reason="Files seldom say it, and UTF-8 is hardly taken for anything else.",
        ),
    ] = ""
    test_file: Annotated[
        str,
        Option(
            help="A file like the first, on which the final figure is taken in the place of a share of it.",
            group="Data",
            reason="Most data are one file.",
        ),
    ] = ""
    sample_rate: Annotated[
        int,
        Option(
            help="Samples a second that recordings are brought to.",
            group="Data",
            minimum=1000,
            reason="What of speech tells words apart lies below 8,000 Hz.",
        ),
    ] = Cepstrum.sample_rate
    mfcc: Annotated[
        int,
        Option(
            help="Cepstral coefficients of a frame of a recording; beside them stand their slopes.",
            group="Data",
            minimum=1,
            maximum=40,
            reason="The usual number: higher ones are of the voice, not of what is said.",
        ),
    ] = Cepstrum.coefficients
