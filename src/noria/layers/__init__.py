"""Layers: packed rows in, packed rows and the way back out.

Every layer is called the same way, ``y, backward = layer(x, state=..., mode=...)``, owns no values of its
own (they are views of one flat vector, :class:`FlatParameters`) and nothing of a call (that belongs to its
:class:`Backward`). The recurrence itself runs in the engines; a layer sorts states, draws masks and keeps
gradients together.
"""

from noria.layers.backward import Backward, Gradients
from noria.layers.batch_norm import BatchNorm
from noria.layers.bidirectional import Bidirectional
from noria.layers.causal_attention import CausalAttention
from noria.layers.conditioned import Conditioned
from noria.layers.conditioned_steps import ConditionedSteps
from noria.layers.convolution import Convolution
from noria.layers.crf import ConditionalRandomField
from noria.layers.decoder_attention import DecoderAttention
from noria.layers.decoder_feeding import InputFeeding
from noria.layers.dropout import Dropout
from noria.layers.embedding import Embedding
from noria.layers.encoder_decoder import EncoderDecoder
from noria.layers.flat import FlatParameters, Group
from noria.layers.initialisers import INITIALISERS, initialise
from noria.layers.joined import Joined
from noria.layers.layer import INFERENCE, TRACKED, Inputs, Layer, Mode
from noria.layers.linear import OUTPUTS, Linear
from noria.layers.onehot import OneHot
from noria.layers.parameters import Parameter, Statistic
from noria.layers.pooling import AttentionPooling, LastPooling, MaxPooling, MeanPooling, Pooling
from noria.layers.recurrent import Recurrent
from noria.layers.recurrent_stack import recurrent_stack
from noria.layers.stack import Stack
from noria.layers.state import State, first_sequences, map_state, restore_state, state_arrays, take_sequences
from noria.layers.streaming import Stream
from noria.layers.symbol_features import SymbolFeatures

__all__ = [
    "INFERENCE",
    "INITIALISERS",
    "OUTPUTS",
    "TRACKED",
    "AttentionPooling",
    "Backward",
    "BatchNorm",
    "Bidirectional",
    "CausalAttention",
    "ConditionalRandomField",
    "Conditioned",
    "ConditionedSteps",
    "Convolution",
    "DecoderAttention",
    "Dropout",
    "Embedding",
    "EncoderDecoder",
    "FlatParameters",
    "Gradients",
    "Group",
    "InputFeeding",
    "Inputs",
    "Joined",
    "LastPooling",
    "Layer",
    "Linear",
    "MaxPooling",
    "MeanPooling",
    "Mode",
    "OneHot",
    "Parameter",
    "Pooling",
    "Recurrent",
    "Stack",
    "State",
    "Statistic",
    "Stream",
    "SymbolFeatures",
    "first_sequences",
    "initialise",
    "map_state",
    "recurrent_stack",
    "restore_state",
    "state_arrays",
    "take_sequences",
]
