"""All options of a language model."""

from dataclasses import dataclass
from typing import Annotated

from noria.errors import OptionError
from noria.training.augmentation_options import AugmentationOptions
from noria.training.model_options import ModelOptions
from noria.training.option import Option
from noria.training.token_options import TokenOptions
from noria.training.training_options import TrainingOptions
from noria.training.vector_options import VectorOptions


@dataclass(kw_only=True)
class TextOptions(ModelOptions, TrainingOptions, TokenOptions, VectorOptions, AugmentationOptions):
    """What the network is, how it learns, and what it learns from."""

    bidirectional: Annotated[
        bool,
        Option(help="Refused: a language model may not read from the end.", group="Model", hidden=True),
    ] = False

    def _check_together(self, owner: str) -> None:
        super()._check_together(owner)
        if self.bidirectional:
            raise OptionError(
                f"The 'bidirectional' option of {owner} must be False. Got True: what reads from the end has "
                "seen the next symbol, which is what a language model is to predict."
            )
        if self.vectors and not self.embedding_size:
            raise OptionError(
                f"The 'vectors' option of {owner} needs an embedding to begin with them. "
                "Got embedding_size=0: give it the width of the vectors."
            )
