"""What to cite for a run: Noria, and the papers of what the run used."""

import re
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any

import noria
from noria.equations import Cell

CELLS = {
    "cornn": ("rusch2021",),
    "gru": ("cho2014",),
    "gru_reset_after": ("cho2014", "appleyard2016"),
    "indrnn": ("li2018",),
    "irnn": ("le2015",),
    "janet": ("vanderwesthuizen2018", "tallec2018"),
    "lem": ("rusch2022",),
    "lstm": ("hochreiter1997", "gers2000", "jozefowicz2015"),
    "lstm_coupled": ("hochreiter1997", "greff2017"),
    "lstm_mogrified": ("hochreiter1997", "gers2000", "jozefowicz2015", "melis2020"),
    "lstm_peephole": ("hochreiter1997", "gers2002"),
    "lstm_projected": ("hochreiter1997", "sak2014"),
    "mgu": ("zhou2016",),
    "rnn": ("elman1990",),
    "rnn_relu": ("elman1990", "talathi2015"),
    "slstm": ("beck2024",),
}
"""The papers of the cells that ship; a test sees that none is left out."""

CHOSEN = {
    ("optimizer", "adam"): ("kingma2015",),
    ("optimizer", "adamw"): ("kingma2015", "loshchilov2019"),
    ("optimizer", "adagrad"): ("duchi2011",),
    ("optimizer", "rmsprop"): ("tieleman2012",),
    ("schedule", "cosine"): ("loshchilov2017",),
    ("schedule", "one-cycle"): ("smith2018",),
    ("averaging", "asgd"): ("polyak1992",),
    ("averaging", "nt-asgd"): ("polyak1992", "merity2018"),
    ("level", "words"): ("witten1991",),
    ("level", "subwords"): ("sennrich2016", "witten1991"),
    ("attention", "dot"): ("luong2015",),
    ("attention", "general"): ("luong2015",),
    ("attention", "additive"): ("bahdanau2015",),
    ("pooling", "attention"): ("yang2016",),
    ("network", "convolution"): ("kim2014",),
    ("output", "quantile"): ("koenker1978", "romano2019"),
    ("output", "gaussian"): ("nix1994",),
    ("loss", "huber"): ("huber1964",),
}
"""The papers of the values of options that have a choice."""

SWITCHED_ON = {
    "momentum": ("polyak1964",),
    "nesterov": ("sutskever2013",),
    "grad_clip": ("pascanu2013",),
    "patience": ("prechelt1998",),
    "dropout": ("srivastava2014", "zaremba2014"),
    "input_dropout": ("srivastava2014",),
    "locked_dropout": ("gal2016",),
    "embedding_dropout": ("gal2016", "merity2018"),
    "recurrent_dropout": ("semeniuta2016",),
    "zoneout": ("krueger2017",),
    "drop_connect": ("merity2018",),
    "layer_norm": ("lei2016",),
    "batch_norm": ("ioffe2015", "laurent2016"),
    "label_smoothing": ("szegedy2016",),
    "tie_weights": ("press2017",),
    "attention_span": ("daniluk2017",),
    "bidirectional": ("schuster1997",),
    "crf": ("lafferty2001",),
    "input_feeding": ("luong2015",),
    "scheduled_sampling": ("bengio2015",),
    "softmax_samples": ("bengio2008", "jean2015"),
}
"""The papers of options that are off at 0 or False."""

OF_TASK = {
    "text": ("mikolov2010", "williams1990"),
    "classify": ("graves2013",),
    "regress": ("graves2013",),
    "tag": ("graves2005",),
    "forecast": ("hyndman2006", "papadopoulos2002", "gibbs2021", "angelopoulos2023"),
    "translate": ("sutskever2014", "cho2014"),
}
BASELINES = {"Kneser-Ney": ("kneser1995", "chen1999")}
"""The papers of baselines, by what their names begin with."""


def used(config: Mapping[str, Any], report: Mapping[str, Any]) -> dict[str, list[str]]:
    """Give the keys of all that a run should cite, each with what it is cited for.

    Parameters
    ----------
    config, report : mapping
        Of the run folder.

    Returns
    -------
    dict of str to list of str
        In the order of the table; a cell of the user's own has no paper here.
    """
    reasons: dict[str, list[str]] = {"noria": ["the library"]}

    def cite(keys: Iterable[str], reason: str) -> None:
        for key in keys:
            reasons.setdefault(key, []).append(reason)

    cite(OF_TASK.get(config.get("task", ""), ()), f"task {config.get('task')}")
    for name in dict.fromkeys(
        entry["name"] for entry in config.get("cells", ()) if _ships(entry["name"], entry["text"])
    ):
        cite(CELLS[name], f"cell {name}")
    options = config.get("options", {})
    for (option, value), keys in CHOSEN.items():
        if options.get(option) == value:
            cite(keys, f"{option} {value}")
    for option, keys in SWITCHED_ON.items():
        if options.get(option) and (option != "attention_span" or options.get("attention") != "none"):
            cite(keys, option)
    if baseline := report.get("baseline"):
        name = baseline.get("name", "")
        for begin, keys in BASELINES.items():
            if name.startswith(begin):
                cite(keys, name)
    return reasons


def bibliography(keys: Iterable[str]) -> str:
    """Give the entries of these keys as BibTeX, each field on a line of its own."""
    entries = _entries()
    return "\n\n".join(entries[key] for key in keys) + "\n"


def _entries() -> dict[str, str]:
    text = (files("noria.models") / "references.bib").read_text(encoding="utf-8")
    text = text.replace("VERSION", noria.__version__)
    lines = [line for line in text.splitlines() if line]
    return {line[line.index("{") + 1 : line.index(",")]: _set(line) for line in lines}


def _set(entry: str) -> str:
    """Break an entry into lines, where a field begins."""
    return re.sub(r", (?=\w+ = \{)", ",\n  ", entry).removesuffix("}") + "\n}"


def _ships(name: str, text: str) -> bool:
    from noria.equations import cells

    return name in cells.names() and cells.get(name) == Cell.parse(text, name=name)
