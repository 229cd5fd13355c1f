"""What the trainer trains of a language model: windows of one text, or batches of separate sequences."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from noria.arrays import Array
from noria.errors import DataError
from noria.layers import FlatParameters, Inputs, Layer, Mode, State, restore_state, state_arrays
from noria.models.examples import layer_norms, spread
from noria.models.text.augmenting import TrainingReadings
from noria.models.text.corpus import Corpus
from noria.models.text.network import BEGINS
from noria.models.text.reading import Reading, beginning, beginnings, long_reading, side_by_side
from noria.models.text.scoring import score_readings
from noria.models.text.wide_output import forward_backward
from noria.sequences import Batches, Ragged, Streams
from noria.training import StepResult
from noria.training.randomness import generator
from noria.training.symbol_loss import SymbolLoss
from noria.training.task import Part

SHORTEST_WINDOW = 16
WINDOWS_IN_A_STREAM = 4


class TextTask(ABC):
    """A network, the data it learns from, and how a step of it goes.

    Parameters
    ----------
    network : Layer
        From token ids to logits; its parameters are in `parameters`.
    corpus : Corpus
    batch_size : int
        Streams, or sequences, side by side.
    write : callable
        Writes a sample with the generator that it is given.
    loss : SymbolLoss, optional
        What is trained on; by default the cross-entropy of all symbols. Figures are without smoothing and of
        all symbols.
    training : TrainingReadings, optional
        What is learnt from in each epoch; by default the training part as it is.
    """

    name = "text"
    steps_per_epoch: int
    tokens_per_epoch: int

    def __init__(
        self,
        network: Layer,
        parameters: FlatParameters,
        corpus: Corpus,
        batch_size: int,
        write: Callable[[np.random.Generator], str],
        *,
        loss: SymbolLoss | None = None,
        training: TrainingReadings | None = None,
    ) -> None:
        self.network = network
        self._parameters = parameters
        self.corpus = corpus
        self.batch_size = batch_size
        self._write = write
        self._loss = loss or SymbolLoss(len(corpus.vocabulary))
        self._training = training or TrainingReadings(corpus)

    @property
    def parameters(self) -> FlatParameters:
        """All parameters of the network."""
        return self._parameters

    @abstractmethod
    def step(self, step: int, mode: Mode) -> StepResult:
        """Run batch number `step` forward and backward."""

    def evaluate(self, part: Part) -> dict[str, float]:
        """Score a part; empty if the part is.

        The test part of one text is read as a whole, its state carried from the first symbol to the last (a
        very long one as ``evaluate`` reads it); validation is cut into parallel readings.
        """
        data = self.corpus.validation if part == "validation" else self.corpus.test
        if not data.readings:
            return {}
        return score_readings(
            self.network,
            self._readings(part),
            end=self.corpus.vocabulary.end_id,
            characters=data.characters,
            spelling=data.spelling,
        ).figures()

    def rehearse(self, part: Part, share: float) -> float:
        """Score this share of a part or a little more: of one text, the beginnings of its readings."""
        whole = self._readings(part)
        if not whole:
            return 1.0
        if self.corpus.separate:
            some = spread(whole, [len(reading.ids) for reading in whole], share)
        else:
            some = [beginning(reading, share) for reading in whole]
        score_readings(self.network, some, end=self.corpus.vocabulary.end_id)
        return sum(len(one.ids) for one in some) / sum(len(one.ids) for one in whole)

    def _readings(self, part: Part) -> Sequence[Reading]:
        """Give what is read of a part."""
        readings = (self.corpus.validation if part == "validation" else self.corpus.test).readings
        if self.corpus.separate or not readings:
            return readings
        whole = readings[0]
        return side_by_side(whole, self.batch_size) if part == "validation" else long_reading(whole)

    def sample(self, rng: np.random.Generator) -> str | None:
        """Let the network write."""
        return self._write(rng)

    def carried(self) -> dict[str, Array]:
        """Nothing goes from batch to batch unless a task says so."""
        return {}

    def restore_carried(self, carried: Mapping[str, Array]) -> None:
        """Go on from what :meth:`carried` gave."""
        assert not carried

    def layer_norms(self) -> dict[str, float]:
        """Norm of the gradient of each layer, in the order in which data pass through them."""
        return layer_norms(self.parameters)

    def _forward_backward(
        self, inputs: Ragged, targets: Array, state: State, mode: Mode, given: Inputs | None = None
    ) -> tuple[StepResult, State]:
        nats, final = forward_backward(
            self.network,
            inputs,
            targets,
            loss=self._loss,
            state=state,
            mode=mode,
            given=given,
        )
        return StepResult(nats, len(targets)), final


class StreamTask(TextTask):
    """One text, read in `batch_size` places at once; the state is carried over windows, its gradient not.

    References
    ----------
    Truncated back-propagation through time: Williams & Peng 1990.
    """

    def __init__(
        self,
        network: Layer,
        parameters: FlatParameters,
        corpus: Corpus,
        batch_size: int,
        window: int,
        write: Callable[[np.random.Generator], str],
        *,
        loss: SymbolLoss | None = None,
        training: TrainingReadings | None = None,
    ) -> None:
        super().__init__(network, parameters, corpus, batch_size, write, loss=loss, training=training)
        self.streams = Streams(corpus.train.readings[0].ids, batch_size, window)
        self._epoch = -1
        self.steps_per_epoch = len(self.streams)
        self.tokens_per_epoch = self.streams.predictions
        self._state: State = None

    def step(self, step: int, mode: Mode) -> StepResult:
        """Run the next window of every stream; each epoch begins with the initial state."""
        epoch, place = divmod(step, self.steps_per_epoch)
        if not self._training.are_the_same and epoch != self._epoch:
            ids = self._training.of_epoch(epoch)[0].ids
            self._epoch, self.streams = epoch, Streams(ids, self.batch_size, self.streams.window_size)
        window = self.streams.window(place)
        state = self._state if window.carries else None
        result, self._state = self._forward_backward(window.inputs, window.targets, state, mode)
        return result

    def carried(self) -> dict[str, Array]:
        """Give the states of the streams by path; empty before the first step."""
        return state_arrays(self._state)

    def restore_carried(self, carried: Mapping[str, Array]) -> None:
        """Go on from what :meth:`carried` gave."""
        self._state = restore_state(self.network.start(self.batch_size), carried) if carried else None


class SequenceTask(TextTask):
    """Separate sequences in batches of like length, each from the initial state, shuffled every epoch."""

    def __init__(
        self,
        network: Layer,
        parameters: FlatParameters,
        corpus: Corpus,
        batch_size: int,
        seed: int,
        write: Callable[[np.random.Generator], str],
        *,
        loss: SymbolLoss | None = None,
        training: TrainingReadings | None = None,
    ) -> None:
        super().__init__(network, parameters, corpus, batch_size, write, loss=loss, training=training)
        self._batches = Batches([reading.predictions for reading in corpus.train.readings], batch_size)
        self._seed = seed
        self._epoch: tuple[int, list[Array]] = (-1, [])
        self.steps_per_epoch = len(self._batches)
        self.tokens_per_epoch = int(self._batches.lengths.sum())

    def step(self, step: int, mode: Mode) -> StepResult:
        """Run one batch; the order of an epoch is drawn from the seed and the number of the epoch."""
        epoch, place = divmod(step, self.steps_per_epoch)
        readings = self._training.of_epoch(epoch)
        if self._epoch[0] != epoch:
            if not self._training.are_the_same:
                self._batches = Batches([reading.predictions for reading in readings], self.batch_size)
            self._epoch = epoch, self._batches.epoch(generator(self._seed, "order", epoch))
        chosen = [readings[index] for index in self._epoch[1][place]]
        inputs = Ragged.from_sequences([reading.ids[:-1] for reading in chosen])
        following = np.concatenate([reading.ids[1:] for reading in chosen])
        targets = following[inputs.layout.position_in_sequences]
        begins = beginnings(chosen)
        given = None if begins is None else {BEGINS: begins}
        return self._forward_backward(inputs, targets, None, mode, given)[0]


def fitting_sizes(
    symbols: int, batch_size: int, window: int, source: str, unit: str = "characters"
) -> tuple[int, int, list[str]]:
    """Shrink batch and window to what a short text can fill, and say so.

    Parameters
    ----------
    symbols : int
        Predictions that the training part has.
    batch_size, window : int
        As asked for. The window shrinks to the text, the batch until each stream has four windows to carry
        its state over.
    source : str
        What the text is called in messages.
    unit : str
        What its symbols are called.

    Raises
    ------
    DataError
        If the text does not even fill one short window.
    """
    if symbols < min(window, SHORTEST_WINDOW):
        shortest = min(window, SHORTEST_WINDOW)
        raise DataError(
            f"{source}: expected at least {shortest} {unit} to train on, one window, got {symbols}.\n"
            "  Give a longer text."
        )
    notes = []
    if (shorter := min(window, symbols)) < window:
        notes.append(f"seq_length {window} became {shorter}: the training part has {symbols:,} {unit}")
    if (smaller := max(1, min(batch_size, symbols // (WINDOWS_IN_A_STREAM * shorter)))) < batch_size:
        notes.append(f"batch_size {batch_size} became {smaller}: the training part has {symbols:,} {unit}")
    return smaller, shorter, notes
