"""How textbooks differ in writing one cell: the sign of z, the place of the reset, weights joined."""

import re
from collections.abc import Iterator

from noria.equations import Cell

ORDINARY, WRITES, AFTER, AFTER_WRITES = "ordinary", "z_writes", "reset_after", "reset_after_z_writes"
WRITING = {ORDINARY: WRITES, AFTER: AFTER_WRITES}


def variants(cell: Cell, *, with_bias: bool) -> Iterator[tuple[str, str]]:
    """Give the conventions of a cell, as equations; weights may also stand in one matrix over [h, x]."""
    texts = {ORDINARY: "\n".join(line for line in cell.text.splitlines() if not line.startswith("#"))}
    texts[ORDINARY] = texts[ORDINARY].split("\ninit:")[0]
    if cell.name == "gru":
        after = r"W_n @ x + b_n + r * (U_n @ h + b_hn)"
        texts[AFTER] = re.sub(r"W_n @ x \+ U_n @ \(r \* h\) \+ b_n", after, texts[ORDINARY])
    if cell.name in ("gru", "gru_reset_after"):
        texts |= {WRITING[variant]: _writing(text) for variant, text in texts.items()}
        texts |= {
            f"{variant}_without_bias": text.replace(" + b_hn", "")
            for variant, text in texts.items()
            if " + b_hn" in text
        }
    for variant, text in texts.items():
        text = text if with_bias else re.sub(r" \+ b\w*", "", text)
        variant = variant.removesuffix("_without_bias")
        yield variant, text
        for joined in (r"W\1 @ [\2, x]", r"W\1 @ [x, \2]"):
            together = re.sub(r"W(_\w+|) @ x \+ U\1 @ \(?(r \* h|h)\)?(?= \+|\))", joined, text)
            if together != text:
                yield variant, together


def _writing(text: str) -> str:
    return text.replace("(1 - z) * n + z * h", "(1 - z) * h + z * n")
