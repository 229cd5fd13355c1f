"""The options of what reads or tells symbols: their vectors, their targets, and how many are scored."""

from dataclasses import dataclass
from typing import Annotated

from noria.errors import OptionError
from noria.training.model_options import ModelOptions
from noria.training.option import Option, Value
from noria.training.optioned import Options

SAMPLES, SAMPLED_FROM = 2048, 8192
"""How many symbols are drawn for a batch, and from how many on, where nothing is said."""

EMBEDDING = "Values in the learnt vector of a symbol; 0: one-hot"


@dataclass(kw_only=True)
class EmbeddingOptions(Options):
    """How symbols become vectors."""

    embedding_size: Annotated[
        int,
        Option(
            help=f"{EMBEDDING}.",
            group="Model",
            minimum=0,
            maximum=65_536,
            reason="Each symbol is multiplied once, not each token, so that it costs no more than one-hot.",
        ),
    ] = 64
    embedding_dropout: Annotated[
        float,
        Option(
            help="Probability of dropping a symbol wherever it stands in a batch (Gal & Ghahramani 2016).",
            group="Regularisation",
            minimum=0,
            maximum=1,
            closed="left",
            reason="It is for small texts that are read many times (benchmarks/regularisers.md).",
        ),
    ] = 0.0

    def _check_together(self, owner: str) -> None:
        super()._check_together(owner)
        for name in ("embedding_dropout", "input_dropout"):
            need_embedding(self, owner, name)


@dataclass(kw_only=True)
class TyingOptions(ModelOptions, EmbeddingOptions):
    """Whether symbols are scored with the vectors by which they are read."""

    tie_weights: Annotated[
        bool,
        Option(
            help="Score symbols with the table of their vectors, one matrix in two places (Press & Wolf).",
            group="Model",
            reason="It needs an embedding as wide as what is scored, and the defaults are not.",
        ),
    ] = False

    def _check_together(self, owner: str) -> None:
        super()._check_together(owner)
        need_embedding(self, owner, "tie_weights")
        size, width = self.embedding_size, self.projection_size or self.layer_sizes[-1]
        if self.tie_weights and size not in (None, width):  # None: vectors will say it
            or_that = "" if getattr(self, "vectors", "") else f" or embedding_size={width}"
            raise OptionError(
                f"The 'tie_weights' option of {owner} needs an embedding as wide as what is scored. Got "
                f"embedding_size={size} and {width} values that the last layer hands on.\n"
                f"  Set projection_size={size}{or_that}."
            )


@dataclass(kw_only=True)
class SmoothingOptions(Options):
    """How sure the targets are."""

    label_smoothing: Annotated[
        float,
        Option(
            help="Part of each target that is spread evenly over all symbols (Szegedy et al. 2016).",
            group="Regularisation",
            minimum=0,
            maximum=1,
            closed="left",
            reason="It lowers the loss where a small text is read dozens of times, and not before "
            "(benchmarks/regularisers.md).",
        ),
    ] = 0.0


@dataclass(kw_only=True)
class ScoringOptions(SmoothingOptions):
    """How symbols are scored in training where there may be many."""

    softmax_samples: Annotated[
        int | None,
        Option(
            help="Symbols that a step of training scores beside those that come, drawn for each batch by how "
            "often they occur: the loss of training is an estimate then (sampled softmax, Jean et al. 2015); "
            "0, or as many as there are: all, as in every evaluation; "
            f"none: {SAMPLES:,} where there are {SAMPLED_FROM:,} symbols and more, otherwise 0.",
            group="Training",
            undecided=(None,),
            minimum=0,
            reason="A step with 30,000 words takes a quarter of the time, and in the same minutes more is "
            "learnt (benchmarks/defaults.md); it is an estimate, and of few symbols saves little.",
        ),
    ] = None

    def by_symbols(self, symbols: int) -> dict[str, Value]:
        """Give what is left open and follows from how many symbols there are to be told."""
        chosen = {} if self.softmax_samples is not None else {"softmax_samples": self.samples_of(symbols)}
        return super().by_symbols(symbols) | chosen

    def unscored(self, symbols: int) -> int:
        """Give how many of so many symbols a step of training leaves out, but for those that come."""
        samples = self.samples_of(symbols)
        return max(0, symbols - samples) if samples else 0

    def samples_of(self, symbols: int) -> int:
        """Give ``softmax_samples``, or what follows from the number of symbols."""
        if self.softmax_samples is not None:
            return self.softmax_samples
        return SAMPLES if symbols >= SAMPLED_FROM else 0


def sampling_note(options: ScoringOptions, symbols: int, kind: str) -> list[str]:
    """Say that a step of training scores a sample of the symbols, if it does."""
    samples = options.samples_of(symbols)
    if not 0 < samples < symbols:
        return []
    return [f"a step of training scores {samples:,} of {symbols:,} {kind}, and those that come"]


def need_embedding(options: EmbeddingOptions, owner: str, name: str) -> None:
    """Refuse an option that needs an embedding where there is none.

    Raises
    ------
    OptionError
        Names it.
    """
    if getattr(options, name, None) and options.embedding_size == 0:
        raise OptionError(
            f"The {name!r} option of {owner} needs an embedding. Got embedding_size=0 (one-hot).\n"
            f"  Set embedding_size, or leave {name} out."
        )
