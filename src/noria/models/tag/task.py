"""What the trainer trains of a tagger: batches of tagged sequences, and the figures on a part."""

from collections.abc import Sequence

from noria.layers import FlatParameters, Mode, Stack
from noria.models.examples import ExamplesTask
from noria.models.tag.figures import plain_figures
from noria.models.tag.lexicon import Example, Lexicon
from noria.models.tag.output import output_of
from noria.models.tag.schema import TagSchema
from noria.training import StepResult


class TagTask(ExamplesTask[Example]):
    """A network with tagged sequences to learn from.

    Parameters
    ----------
    network : Stack
    parameters : FlatParameters
    schema : TagSchema
    lexicon : Lexicon
        The words of all parts.
    parts : three sequences of Example
        Training, validation and test.
    batch_size, seed : int
    label_smoothing : float
        Of the loss that is trained on; figures are without it.
    """

    def __init__(
        self,
        network: Stack,
        parameters: FlatParameters,
        schema: TagSchema,
        lexicon: Lexicon,
        parts: tuple[Sequence[Example], Sequence[Example], Sequence[Example]],
        *,
        batch_size: int,
        seed: int,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__("tag", parameters, *parts, batch_size=batch_size, seed=seed)
        self.network, self.schema, self.lexicon = network, schema, lexicon
        self._output = output_of(network, schema, label_smoothing)

    def forward_backward(self, examples: Sequence[Example], mode: Mode) -> StepResult:
        """Run a batch forward and backward; add to the gradients of the parameters."""
        batch = self.lexicon.batch(examples)
        assert batch.tags is not None  # what is trained on has tags
        scores, backward = self.network(batch.ids, given=batch.given, mode=mode)
        loss, d_loss = self._output.loss(scores, batch.tags)
        backward(d_loss())
        return StepResult(loss, len(batch.tags))

    def length_of(self, example: Example) -> int:
        """Give its words."""
        return len(example.words)

    def figures(self, examples: Sequence[Example]) -> dict[str, float]:
        """Measure examples: loss, accuracy of tokens, and of spans where the tags write any."""
        return plain_figures(self.network, self.schema, self.lexicon, examples)
