"""How results and talk are written."""

import json
import math

import numpy as np

from noria.cli import console
from noria.cli.progress import clock


def test_a_table_is_set_in_columns():
    assert console.table([("a", "1"), ("bcd", "22")], right=[1], indent=1) == " a     1\n bcd  22"


def test_json_has_no_numbers_that_json_does_not_know(capsys):
    console.give_json(
        {"loss": math.inf, "rows": [math.nan, 1.5], "array": np.array([2.0, np.nan]), "letter": "ñ"}
    )
    out = capsys.readouterr().out
    assert json.loads(out) == {"loss": None, "rows": [None, 1.5], "array": [2.0, None], "letter": "ñ"}
    assert "ñ" in out


def test_control_characters_cannot_drive_a_terminal():
    assert console.harmless("a\x1b[31mb\r\n\tc\x7f\x9b") == "a␛[31mb␍\n\tc␡\N{REPLACEMENT CHARACTER}"


def test_results_are_exact_where_no_terminal_reads_them(capsys):
    console.give("a\x1b[31m")
    assert capsys.readouterr().out == "a\x1b[31m"


def test_labels_stand_in_a_column(capsys):
    console.say("Text", "one\ntwo")
    assert capsys.readouterr().err == "Text    one\n        two\n"


def test_clock():
    assert [clock(s) for s in (0, 5.4, 65, 3725, math.inf)] == ["0:00", "0:05", "1:05", "1:02:05", "?"]
