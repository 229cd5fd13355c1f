"""What is said of a text before training."""

from dataclasses import dataclass
from typing import ClassVar

from noria.models.description import DataDescription


@dataclass(frozen=True, kw_only=True)
class TextDescription(DataDescription):
    """A text, or separate sequences, as they were read.

    Attributes
    ----------
    encoding : str
    kind : str
        ``"text"``, or ``"sequences"`` for separate ones.
    level : str
        What a symbol is: ``"characters"``, ``"words"`` or ``"subwords"``.
    characters : int
        In all parts together.
    symbols : int
        Size of the vocabulary, special symbols included.
    train, validation, test : int
        Predictions in each part: one for each symbol and, for separate sequences, one for each end.
    sequences : tuple of int
        How many sequences each part has; empty for one text.
    """

    label: ClassVar[str] = "Text"

    encoding: str
    kind: str
    level: str
    characters: int
    symbols: int
    train: int
    validation: int
    test: int
    sequences: tuple[int, ...]

    def summary(self) -> str:
        """Say in one line what the data are and how they are cut."""
        parts = (self.train, self.validation, self.test)
        shares = "/".join(f"{100 * part / sum(parts):.3g}" for part in parts)
        about = [self.source, self.encoding]
        if self.kind == "sequences":
            about.append(f"{sum(self.sequences):,} sequences")
        about += [
            f"{self.characters:,} characters",
            f"{self.symbols:,} {'symbols' if self.level == 'characters' else self.level}",
        ]
        cut = "sequences drawn for each part" if self.kind == "sequences" else "in order"
        return " · ".join([*about, f"train/validation/test {shares}, {cut}"])
