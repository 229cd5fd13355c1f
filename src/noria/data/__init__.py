"""Data: from what lies in a file to what a model reads, with everything that was done to it said aloud."""

from noria.data.builtin import builtin_text
from noria.data.characters import CharacterVocabulary
from noria.data.graphemes import whole_characters
from noria.data.levels import build_vocabulary
from noria.data.mapped import MappedText, is_large, map_ids, map_text
from noria.data.spelling import Spelling
from noria.data.split import SequenceSplit, TextSplit, cut_places, split_sequences, split_text
from noria.data.symbols import describe_symbol, describe_symbols
from noria.data.text import Text, TextSource, normalised, read_lines, read_text
from noria.data.vocabulary import Vocabulary
from noria.data.word_vocabulary import WordVocabulary

__all__ = [
    "CharacterVocabulary",
    "MappedText",
    "SequenceSplit",
    "Spelling",
    "Text",
    "TextSource",
    "TextSplit",
    "Vocabulary",
    "WordVocabulary",
    "build_vocabulary",
    "builtin_text",
    "cut_places",
    "describe_symbol",
    "describe_symbols",
    "is_large",
    "map_ids",
    "map_text",
    "normalised",
    "read_lines",
    "read_text",
    "split_sequences",
    "split_text",
    "whole_characters",
]
