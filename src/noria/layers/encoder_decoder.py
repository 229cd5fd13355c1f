"""Sequence to sequence: an encoder reads, and a decoder begins and looks where the encoder ended."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from noria.arrays import Array
from noria.errors import DataError, ShapeError
from noria.layers.backward import Backward, Gradients
from noria.layers.decoder_attention import LENGTHS, MEMORY, DecoderAttention
from noria.layers.encoder_decoder_bridge import Bridge
from noria.layers.layer import INFERENCE, TRACKED, Inputs, Layer, Mode
from noria.layers.parameters import Parameter
from noria.layers.stack import below, gather_kept
from noria.layers.state import State, take_sequences
from noria.layers.streaming import Stream
from noria.sequences import Layout, Ragged

SOURCE = "source"


@dataclass(frozen=True)
class Encoded:
    """What a decoder needs of the sequences that were read, in the caller's order.

    Attributes
    ----------
    state : State
        In which the decoder begins.
    given : dict of arrays
        Its auxiliary inputs: the memory, where there is attention.
    lengths : integer array of shape (B,)
        Steps of each sequence.
    """

    state: State
    given: dict[str, Array]
    lengths: Array

    def take(self, indices: Array) -> "Encoded":
        """Give the sequences ``indices[0], indices[1], ...``, repeats allowed."""
        given = {name: array[indices] for name, array in self.given.items()}
        return Encoded(take_sequences(self.state, indices), given, self.lengths[indices])


class EncoderDecoder(Layer):
    """``decoder(x)`` from the state in which ``encoder(source)`` ended, with attention to what it gave.

    Called with the decoder's input `x` and ``source=...``, both ragged, the same sequences in the caller's
    order. Wherever a :class:`DecoderAttention` stands in the decoder, its memory is the encoder's output.
    Auxiliary inputs and recorded values are called ``"encoder...."`` and ``"decoder...."``. The gradient of
    the source's rows, unless they are token ids, is in ``backward.d_given["source"]``.

    Parameters
    ----------
    encoder : Layer
        May read ahead.
    decoder : Layer
        Causal.
    source_size : int
        Features (symbols) of the source.

    References
    ----------
    Cho et al. 2014; Sutskever, Vinyals & Le 2014; with attention: Bahdanau et al. 2015, Luong et al. 2015.
    """

    kind = "encoder-decoder"

    def __init__(self, encoder: Layer, decoder: Layer, source_size: int, *, name: str | None = None) -> None:
        super().__init__(name)
        decoder.require_causal("write a sequence")
        self.encoder, self.decoder, self.source_size = encoder, decoder, source_size
        self.bridge: Bridge | None = None
        self._memories = list(_attention_paths(decoder))

    @property
    def causal(self) -> bool:
        """False: the decoder begins where the source has been read."""
        return False

    def children(self) -> Iterator[tuple[str, Layer]]:
        """Give encoder and decoder."""
        yield "encoder", self.encoder
        yield "decoder", self.decoder

    def own_parameters(self) -> Iterator[Parameter]:
        """Give those between the encoder's last state and the decoder's first."""
        if self.bridge is not None:
            yield from self.bridge.parameters()

    def _declare(self, input_size: int) -> int:
        self.encoder.configure(self.source_size)
        output_size = self.decoder.configure(input_size)
        self.bridge = Bridge(self.encoder, self.decoder)
        return output_size

    def __call__(
        self,
        x: Ragged,
        *,
        state: State = None,
        given: Inputs | None = None,
        mode: Mode = TRACKED,
        source: Ragged | None = None,
    ) -> tuple[Ragged, Backward]:
        """Read the source, and run the decoder over `x`."""
        self._no_memory(state)
        if source is None:
            raise DataError(f"{self.title}: expected the sequences to read, got none.\n  Pass source=...")
        if source.batch_size != x.batch_size:
            raise ShapeError(
                f"{self.title}: expected as many sequences to read as to write, {x.batch_size}, got "
                f"{source.batch_size}."
            )
        bridge = self._bridge()
        to_encoder, to_decoder = below(self.title, given, ("encoder", "decoder"))
        memory, encoder_back = self.encoder(source, given=to_encoder, mode=mode)
        start, bridge_back = bridge(encoder_back.state, x.batch_size)
        inputs = to_decoder | self._given(memory)
        y, decoder_back = self.decoder(x, state=start, given=inputs, mode=mode)
        backwards = {"encoder": encoder_back, "decoder": decoder_back}
        kept = gather_kept(backwards)

        def backward(d_y: Array, d_state: State) -> Gradients:
            d_x = decoder_back(d_y, d_state)
            d_memory = self._d_memory(memory, decoder_back.d_given)
            d_source = encoder_back(d_memory, bridge_back(decoder_back.d_state))
            kept.update(gather_kept(backwards))
            return Gradients(d_x, None, {} if d_source is None else {SOURCE: d_source})

        way_back = backward if mode.save else None
        return y, Backward(way_back, self.title, state=decoder_back.state, kept=kept)

    def encode(self, source: Ragged) -> Encoded:
        """Read sequences, for a decoder that writes them step by step: :meth:`stream`."""
        memory, backward = self.encoder(source, mode=INFERENCE)
        start, _ = self._bridge()(backward.state, source.batch_size)
        return Encoded(start, self._given(memory), source.layout.caller_lengths)

    def stream(self, batch_size: int = 1) -> Stream:
        """Give the stream of the decoder: its first step takes what :meth:`encode` gave."""
        return self.decoder.stream(batch_size)

    def _bridge(self) -> Bridge:
        self._configured()
        assert self.bridge is not None
        return self.bridge

    def _given(self, memory: Ragged) -> dict[str, Array]:
        """Give every attention of the decoder its memory."""
        if not self._memories:
            return {}
        arrays = {MEMORY: memory.to_dense(), LENGTHS: memory.layout.caller_lengths}
        return {f"{path}{name}": array for path in self._memories for name, array in arrays.items()}

    def _d_memory(self, memory: Ragged, d_given: dict[str, Array]) -> Array:
        """Gather the gradient of the memory's rows."""
        if not self._memories:
            return np.zeros_like(memory.rows)
        first, *others = (d_given[f"{path}{MEMORY}"] for path in self._memories)
        layout: Layout = memory.layout
        return np.asarray(sum(others, first)[layout.caller_of_row, layout.step_of_row])


def _attention_paths(layer: Layer, prefix: str = "") -> Iterator[str]:
    """Give what the names of the auxiliary inputs begin with, of each attention inside."""
    if isinstance(layer, DecoderAttention):
        yield prefix
    for key, child in layer.children():
        yield from _attention_paths(child, f"{prefix}{key}.")
