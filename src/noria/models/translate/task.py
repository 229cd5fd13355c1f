"""What the trainer trains of a translator: batches of pairs."""

from collections.abc import Callable, Sequence

import numpy as np

from noria.layers import EncoderDecoder, FlatParameters, Mode
from noria.models.examples import ExamplesTask, side_by_side
from noria.models.translate.corpus import Example, batch_of
from noria.models.translate.network import DECODER, OUTPUT
from noria.models.translate.scheduled_sampling import own_inputs
from noria.models.translate.schema import PairSchema
from noria.models.translate.scoring import exactness, nats, translations
from noria.models.translate.search import Writer
from noria.training import StepResult
from noria.training.symbol_loss import SymbolLoss
from noria.training.task import Part

TRANSLATED = 256
"""Pairs of a part, at most, that are translated at each evaluation; the validation loss is that of all."""
SHOWN = 2


class TranslationTask(ExamplesTask[Example]):
    """Pairs in batches of like length.

    Parameters
    ----------
    network : EncoderDecoder
    parameters : FlatParameters
    schema : PairSchema
    train, validation, test : sequences of Example
    batch_size, seed : int
    writer : callable
        Makes what translates, with the network as it is then.
    loss : SymbolLoss, optional
        What is trained on; by default the cross-entropy of all symbols. Figures are without smoothing and of
        all symbols.
    scheduled_sampling : float, default 0
        Probability of reading the decoder's own last symbol.
    """

    most_measured = TRANSLATED

    def __init__(
        self,
        network: EncoderDecoder,
        parameters: FlatParameters,
        schema: PairSchema,
        train: Sequence[Example],
        validation: Sequence[Example],
        test: Sequence[Example],
        *,
        batch_size: int,
        seed: int,
        writer: Callable[[], Writer],
        loss: SymbolLoss | None = None,
        scheduled_sampling: float = 0.0,
    ) -> None:
        super().__init__("translate", parameters, train, validation, test, batch_size=batch_size, seed=seed)
        self.network, self.schema = network, schema
        self._loss = loss or SymbolLoss(len(schema.target))
        self._writer, self._own = writer, scheduled_sampling

    def forward_backward(self, examples: Sequence[Example], mode: Mode) -> StepResult:
        """Run a batch of pairs forward and backward."""
        batch = batch_of(examples, self.schema.end)
        inputs = batch.inputs
        if self._own:
            assert mode.rng is not None  # training draws
            inputs = own_inputs(self.network, batch.source, inputs, self._own, mode.rng)
        compared = self._loss.of_batch(batch.targets, mode.rng)
        given = compared.given(f"{DECODER}.{OUTPUT}.")
        logits, backward = self.network(inputs, source=batch.source, given=given, mode=mode)
        nats, loss_back = compared.cost(logits.rows)
        backward(loss_back())
        return StepResult(nats, len(batch.targets))

    def length_of(self, example: Example) -> int:
        """Give the symbols of both sides."""
        return len(example.read) + len(example.written)

    def tokens_of(self, example: Example) -> int:
        """Give the symbols that are written, the end among them."""
        return len(example.written)

    def figures(self, examples: Sequence[Example]) -> dict[str, float]:
        """Measure loss, exact answers and BLEU."""
        return self._measured(examples, examples)

    def evaluate(self, part: Part) -> dict[str, float]:
        """Measure a part; of the validation part some are translated, always the same."""
        if part == "test" or not self.validation:
            return super().evaluate(part)
        return self._measured(self.validation, self._translated())

    def rehearse(self, part: Part, share: float) -> float:
        """Translate this share of what is translated of a part or a little more, and score as much of all.

        What is written is as long as the right answers: a model that has learnt nothing would go on to the
        limit, and foretell too much.
        """
        learnt = self.training_sample
        writer, read, whole = self._writer(), 0, 0
        limit = writer.limit
        validation = ((self.validation, self._translated()), (learnt, learnt))
        for scored, translated in validation if part == "validation" else ((self.test, self.test),):
            some = self._spread(translated, share)
            for batch in side_by_side(some, [self.length_of(pair) for pair in some]):
                pairs = [some[place] for place in batch]
                writer.limit = min(limit, max(len(pair.written) for pair in pairs))
                exactness(translations(writer, pairs, self.schema), pairs)
            if some:
                nats(self.network, self._spread(scored, len(some) / len(translated)), self.schema.end)
            read, whole = read + len(some), whole + len(translated)
        return read / whole if whole else 1.0

    def _translated(self) -> Sequence[Example]:
        if len(self.validation) <= TRANSLATED:
            return self.validation
        places = np.linspace(0, len(self.validation) - 1, TRANSLATED).astype(int)
        return [self.validation[place] for place in places]

    def sample(self, rng: np.random.Generator) -> str | None:
        """Translate some of the validation part, or of the training part where there is none."""
        known = self.validation or self.train
        chosen = [known[int(index)] for index in rng.integers(0, len(known), SHOWN)]
        answers = translations(self._writer(), chosen, self.schema)
        shown = (
            f"{example.source} → {example.target} {'✓' if answer == example.target else f'✗ {answer}'}"
            for example, answer in zip(chosen, answers, strict=True)
        )
        return "\n".join(shown)

    def _measured(self, scored: Sequence[Example], translated: Sequence[Example]) -> dict[str, float]:
        loss, count = nats(self.network, scored, self.schema.end)
        answers = translations(self._writer(), translated, self.schema)
        return {"loss": loss, "tokens": count, **exactness(answers, translated)}
