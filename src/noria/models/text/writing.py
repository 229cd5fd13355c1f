"""What a text model does with what it has learnt: it writes, and it can be asked symbol by symbol."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from noria.arrays import Array
from noria.data import Vocabulary, describe_symbols, normalised, whole_characters
from noria.data.conditions import Conditions
from noria.errors import DataError, OptionError
from noria.layers import Layer, State, Stream
from noria.models.model import Model
from noria.models.text.corpus import begun, start_id
from noria.models.text.generation import Recorder, StreamedNetwork, generate, read
from noria.models.text.network import ATTENTION, begun_states
from noria.models.text.sampling import Sampler
from noria.training.options import SamplingOptions
from noria.training.randomness import generator
from noria.training.token_options import CHARACTERS

WEIGHTS = f"{ATTENTION}.weights"
"""What streams of the network call the weights of attention."""


class TextWriter(Model):
    """The part of a text model that goes from symbol to symbol, with the model's network and vocabulary."""

    network_: Layer
    vocabulary_: Vocabulary
    _conditions: Conditions | None = None
    _streamed: StreamedNetwork | None = None

    def sample(
        self,
        prompt: str = "",
        *,
        length: int = 500,
        temperature: float = 0.8,
        top_k: int = 0,
        top_p: float = 1.0,
        greedy: bool = False,
        seed: int = 0,
        conditions: Any = None,
        attention_weights: list[Array] | None = None,
    ) -> str:
        """Write a text that begins with `prompt`.

        Parameters
        ----------
        prompt : str
            May be empty: the model then begins as after a newline, or as a new sequence.
        length : int
            Symbols to write behind the prompt; a model of sequences stops at the end symbol.
        temperature, top_k, top_p, greedy
            As of :class:`~noria.models.text.sampling.Sampler`.
        seed : int
            The same seed writes the same text.
        conditions : value, list of values, or mapping, optional
            Of a model that was fitted with some: what is known of the sequence, in the order of the columns
            or by their names; a single value where there is one column.
        attention_weights : list, optional
            Of a model with attention: gets a row of :meth:`attention_weights` for each symbol of the text, as
            it is written, and one more where a sequence ends.

        Raises
        ------
        DataError
            If the model does not know a symbol of the prompt: names them all.
        OptionError
            If an option is outside its range.
        """
        pieces = self.stream(
            prompt,
            length=length,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            greedy=greedy,
            seed=seed,
            conditions=conditions,
            attention_weights=attention_weights,
        )
        return "".join(pieces)

    def stream(
        self,
        prompt: str = "",
        *,
        length: int = 500,
        temperature: float = 0.8,
        top_k: int = 0,
        top_p: float = 1.0,
        greedy: bool = False,
        seed: int = 0,
        conditions: Any = None,
        attention_weights: list[Array] | None = None,
    ) -> Iterator[str]:
        """Write as :meth:`sample` does, piece by piece, the prompt first.

        No piece ends inside a character as readers see it: a letter comes with its accents, an emoji whole.
        """
        self._need_fit("write")
        SamplingOptions(
            prompt=prompt,
            length=length,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            greedy=greedy,
            seed=seed,
        ).validate("sampling")
        sampler = Sampler(temperature, top_k, top_p, greedy)
        prompt = normalised(prompt)
        self._refuse_unknown(self._read_of(prompt), "prompt")
        record = None if attention_weights is None else self._recorder(attention_weights)
        rng, state = generator(seed, "sample"), self._begun(conditions)
        return whole_characters(self._written(prompt, sampler, length, rng, record, state))

    def attention_weights(self, text: str, *, conditions: Any = None) -> Array:
        """Say how much a model with attention looks back on each earlier step while it reads a text.

        Parameters
        ----------
        text : str
            What the vocabulary does not have is read as ``<unk>``.
        conditions : optional
            As for :meth:`sample`.

        Returns
        -------
        array of shape (N, span)
            A row for each symbol of the text, and in a model of sequences one for the end. Row n belongs to
            step n, which predicts symbol n after reading the one before it; column j is the weight of step
            ``n - span + j``. Steps before the first one weigh 0.

        Raises
        ------
        DataError
            If there is nothing to read.
        OptionError
            If the model has no attention.
        """
        self._need_fit("attend")
        rows: list[Array] = []
        record = self._recorder(rows)
        read_ids = begun(normalised(text), self.vocabulary_)
        if self.vocabulary_.end_id is None:
            read_ids = read_ids[:-1]
        if not len(read_ids):
            raise DataError("attention: expected at least one symbol to read, got an empty string.")
        stream = self.network_.stream()
        state = self._begun(conditions)
        read(stream, read_ids, stream.start() if state is None else state, record)
        return np.stack(rows)

    def start(self, batch_size: int = 1, *, conditions: Any = None) -> State:
        """Give the state before the first symbol of `batch_size` sequences.

        From here on :meth:`step` has the weights of this moment.

        Parameters
        ----------
        batch_size : int, default 1
        conditions : optional
            Of a model that was fitted with some: as :meth:`sample` takes them, the same for all sequences.
        """
        self._need_fit("be streamed")
        self._streamed = StreamedNetwork(self.network_)
        state = self._begun(conditions, batch_size)
        return self.network_.start(batch_size) if state is None else state

    @property
    def start_symbol(self) -> int:
        """The id that stands before the first symbol: the end symbol, or a newline."""
        self._need_fit("be streamed")
        return start_id(self.vocabulary_)

    def step(self, symbols: str | int | Sequence[int] | Array, state: State) -> tuple[Array, State]:
        """Read on, and say what comes next.

        Parameters
        ----------
        symbols : str, int, or ids of shape (B,)
            Characters of one sequence in their order, or the id of its next symbol; or the ids of the next
            symbols of B sequences. Everything begins with ``start_symbol``.
        state : State
            What :meth:`start` or the step before gave.

        Returns
        -------
        log_probabilities : array of shape (V,), or (B, V) for an array of ids
            Of every symbol to be the next one, in nats, float64.
        state : State
        """
        self._need_fit("be streamed")
        if isinstance(symbols, str):
            text = normalised(symbols)
            if not text:
                raise DataError("step: expected at least one symbol, got an empty string.")
            self._refuse_unknown(text, "step")
            logits, state = self._network_streamed().read(self.vocabulary_.encode(text), state)
            return _log_softmax(logits), state
        ids = np.asarray(symbols)
        rows, state = self._network_streamed().step(np.atleast_1d(ids), state)
        return _log_softmax(rows if ids.ndim else rows[0]), state

    def _network_streamed(self) -> StreamedNetwork:
        """Give what :meth:`start` began; a state may also come from elsewhere, or from before a fit."""
        streamed = self._streamed
        if streamed is None or streamed.network is not self.network_:
            streamed = self._streamed = StreamedNetwork(self.network_)
        return streamed

    def _recorder(self, rows: list[Array]) -> Recorder:
        """Give what adds the weights of each step of a stream of one sequence to a list."""
        if WEIGHTS not in self.network_.stream().kept:
            raise OptionError(
                "attention: the model has none, so that there are no weights to record.\n"
                "  Train one with attention='general', or leave attention_weights out."
            )

        def record(stream: Stream) -> None:
            rows.append(stream.kept[WEIGHTS][0].copy())

        return record

    def _written(
        self,
        prompt: str,
        sampler: Sampler,
        length: int,
        rng: np.random.Generator,
        record: Recorder | None = None,
        state: State = None,
    ) -> Iterator[str]:
        """Give the prompt and what the model writes behind it, character by character."""
        yield from prompt
        vocabulary = self.vocabulary_
        spaced = vocabulary.kind != CHARACTERS and prompt.endswith(" ")
        drawn = generate(
            self.network_,
            sampler,
            rng,
            prompt=begun(self._read_of(prompt), vocabulary),
            length=length,
            banned={vocabulary.unknown_id},
            end=vocabulary.end_id,
            state=state,
            record=record,
        )
        for piece in vocabulary.pieces(drawn):
            yield from piece.removeprefix(" ") if spaced else piece
            spaced = False

    def _begun(self, conditions: Any, batch_size: int = 1) -> State:
        """Give the state in which sequences begin with conditions; None where the model has none."""
        if not self._needs_conditions(conditions):
            return None
        assert self._conditions is not None
        begins = self._conditions.encode_one(conditions)
        return begun_states(self.network_, np.repeat(begins, batch_size, axis=0))

    def _needs_conditions(self, given: Any) -> bool:
        """Say whether the model begins with conditions, and refuse those that are missing or too many."""
        known = self._conditions
        if (known is None) == (given is None):
            return known is not None
        if known is None:
            raise DataError("conditions: the model was fitted without any.\n  Leave conditions out.")
        raise DataError(
            f"conditions: the model begins each sequence with {known.described()}.\n  Give conditions."
        )

    def _read_of(self, prompt: str) -> str:
        """Give what is read of a prompt.

        Words and subwords bring the space before them along: one at the end of a prompt belongs to what comes
        next, and a first word that is only known behind a space is read with one.
        """
        vocabulary = self.vocabulary_
        if vocabulary.kind == CHARACTERS:
            return prompt
        read = prompt.removesuffix(" ")
        known_so = len(vocabulary.unknown_in(" " + read)) < len(vocabulary.unknown_in(read))
        return " " + read if known_so else read

    def _refuse_unknown(self, text: str, what: str) -> None:
        if unknown := self.vocabulary_.unknown_in(text):
            raise DataError(
                f"{what}: the model does not know {describe_symbols(unknown)}.\n"
                f"  It knows the {self.vocabulary_.kind} of the text it was trained on: leave these out, or "
                "train on more."
            )


def _log_softmax(logits: Array) -> Array:
    result = logits.astype(np.float64)
    result -= np.maximum.reduce(result, axis=-1, keepdims=True)
    result -= np.log(np.add.reduce(np.exp(result), axis=-1, keepdims=True))
    return result
