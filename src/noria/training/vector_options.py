"""The options of pretrained vectors."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

from noria.errors import OptionError
from noria.training.option import Option, Value
from noria.training.optioned import Default, defaults
from noria.training.symbol_options import EMBEDDING, EmbeddingOptions, need_embedding


@dataclass(kw_only=True)
@defaults(
    embedding_size=Default(
        value=None,
        help=f"{EMBEDDING}; none: 64, with vectors their width.",
        undecided=(None,),
        otherwise=64,
        reason="",
    ),
)
class VectorOptions(EmbeddingOptions):
    """What the vectors of symbols begin with."""

    vectors: Annotated[
        str,
        Option(
            help="A file of vectors that the symbols' begin with: text of word2vec or GloVe, or .npy.",
            group="Model",
            reason="What a model learns of its own text fits it best, where there is enough of it.",
        ),
    ] = ""
    vector_words: Annotated[
        str,
        Option(
            help="The words of the rows of a .npy file, one on each line; empty: its name with .txt.",
            group="Model",
            reason="The two files mostly differ in the ends of their names.",
        ),
    ] = ""
    freeze_embedding: Annotated[
        bool,
        Option(
            help="Leave the symbols' vectors as they begin.",
            group="Model",
            reason="Vectors that go on learning come to fit the task.",
        ),
    ] = False

    def decided(self, **found: Value) -> Self:
        """Give a copy as every class of options does; the width of vectors stays open until it is found."""
        width = {"embedding_size": self.embedding_size} if self.vectors else {}
        return super().decided(**{**width, **found})

    def _check_together(self, owner: str) -> None:
        super()._check_together(owner)
        need_embedding(self, owner, "vectors")
        if not self.vectors and (self.vector_words or self.freeze_embedding):
            name = "vector_words" if self.vector_words else "freeze_embedding"
            raise OptionError(
                f"The {name!r} option of {owner} does nothing without 'vectors'. "
                "Give a file, or leave it out."
            )
        if self.vector_words and Path(self.vectors).suffix != ".npy":
            raise OptionError(
                f"The 'vector_words' option of {owner} is for vectors in a .npy file; a file of text has "
                f"its own words. Got vectors={self.vectors!r}.\n  Leave vector_words out."
            )
