"""Data: from what lies in a file to what a model reads, with everything that was done to it said aloud."""

from noria.data.builtin import builtin_text
from noria.data.graphemes import whole_characters
from noria.data.split import SequenceSplit, TextSplit, split_sequences, split_text
from noria.data.text import Text, TextSource, normalised, read_lines, read_text
from noria.data.vocabulary import Vocabulary, describe_symbol, describe_symbols

__all__ = [
    "SequenceSplit",
    "Text",
    "TextSource",
    "TextSplit",
    "Vocabulary",
    "builtin_text",
    "describe_symbol",
    "describe_symbols",
    "normalised",
    "read_lines",
    "read_text",
    "split_sequences",
    "split_text",
    "whole_characters",
]
