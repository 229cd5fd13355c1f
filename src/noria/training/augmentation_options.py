"""The options of augmentation: how the training part, and it alone, is changed from epoch to epoch."""

from dataclasses import dataclass
from typing import Annotated

from noria.errors import OptionError
from noria.training.option import Option
from noria.training.optioned import Options


@dataclass(kw_only=True)
class AugmentationOptions(Options):
    """What is changed in the text that is learnt from; validation and test are never touched."""

    character_noise: Annotated[
        float,
        Option(
            help="Share of the characters of the training part that are changed, added, dropped or swapped.",
            group="Regularisation",
            minimum=0,
            maximum=1,
            closed="left",
            reason="Off: it is for texts with slips of the pen in them, and blurs clean ones.",
        ),
    ] = 0.0
    synonym_rate: Annotated[
        float,
        Option(
            help="Share of the words of the training part that a synonym of the 'thesaurus' replaces.",
            group="Regularisation",
            minimum=0,
            maximum=1,
            reason="Off: nothing can be put in without a thesaurus of the language.",
        ),
    ] = 0.0
    thesaurus: Annotated[
        str,
        Option(
            help="A file with a group of synonyms on each line, with commas or tabs between.",
            group="Regularisation",
            reason="No list suits every language.",
        ),
    ] = ""

    def _check_together(self, owner: str) -> None:
        super()._check_together(owner)
        if bool(self.thesaurus) != bool(self.synonym_rate):
            given, other = ("thesaurus", "synonym_rate") if self.thesaurus else ("synonym_rate", "thesaurus")
            raise OptionError(
                f"The {given!r} option of {owner} does nothing without {other!r}: give both, or neither."
            )
