"""Numbers as people write them: a point before the decimals or a comma, one of the two in a column."""

import math
import re

_NAMES = {".": "point", ",": "comma"}
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")
_SHOWN = 40


class Decimals:
    """Which sign stands before the decimals in each column of a table: the first number with one settles it.

    Parameters
    ----------
    commas : bool, default False
        Whether ``1,234`` is a number with decimals, as it is where semicolons stand between fields. Elsewhere
        it may be a thousand and more, and is refused as long as no other number has settled it.
    """

    def __init__(self, *, commas: bool = False) -> None:
        self._commas = commas
        self._settled: dict[str, tuple[str, str]] = {}

    def sign(self, column: str) -> str:
        """Give the sign before the decimals of a column; empty as long as no number has had any."""
        return self._settled.get(column, ("", ""))[0]

    def number(self, written: str, column: str, place: str) -> float:
        """Give the number that is written in a column; `place` is for messages about later ones.

        Raises
        ------
        ValueError
            If it is none, not finite, or written in another way than those before: says what was expected.
        """
        sign = next((sign for sign in (",", ".") if sign in written), "")
        shown = repr(written if len(written) <= _SHOWN else f"{written[:_SHOWN]}...")
        try:
            number = float(written.replace(",", ".", 1))
        except ValueError:
            hint = "\n  Write it without signs between thousands." if re.search(r"\d,\d", written) else ""
            raise ValueError(f"expected a number, got {shown}.{hint}") from None
        if not math.isfinite(number):
            raise ValueError(f"expected a finite number, got {shown}.")
        if sign and column not in self._settled:
            if sign == "," and not self._commas and _THOUSANDS.fullmatch(written):
                raise ValueError(
                    f"expected a number, got {shown}, which may be read in two ways.\n  Write it without "
                    "signs between thousands, and decimals behind a point."
                )
            self._settled[column] = sign, place
        if sign and self.sign(column) != sign:
            before, where = self._settled[column]
            raise ValueError(
                f"expected a decimal {_NAMES[before]} as in {where}, got {shown}.\n"
                "  Write all numbers of the column in one way."
            )
        return number
