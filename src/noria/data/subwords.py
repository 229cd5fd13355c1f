"""A vocabulary of subwords: byte-level byte-pair encoding, by the library ``tokenizers``.

Every text can be written with it, since every byte is a symbol: nothing is unknown, and nothing is lost. No
subword reaches over the end of a word.
"""

import codecs
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from noria.arrays import Array, Int
from noria.data.spelling import END, Spelling
from noria.data.vocabulary import REPLACEMENT, Vocabulary, special_symbols
from noria.data.words import segment
from noria.errors import MissingExtraError, OptionError, RunError

BYTES = 256
_NOTHING = Spelling({})


@dataclass(frozen=True)
class SubwordVocabulary(Vocabulary):
    """Bytes and what pairs of them were joined to, behind ``<unk>`` (never met) and ``<end>``.

    Attributes
    ----------
    definition : str
        The tokeniser as JSON, as ``tokenizers`` writes it.
    has_end : bool

    References
    ----------
    Sennrich, Haddow & Birch 2016; over bytes: Radford et al. 2019.
    """

    kind: ClassVar[str] = "subwords"

    definition: str
    has_end: bool = False
    spelling: Spelling = field(default=_NOTHING, compare=False)

    @classmethod
    def of_text(
        cls, text: str | Iterable[str], *, end: bool = False, min_count: int = 2, most: int = 4096
    ) -> "SubwordVocabulary":
        """Join the most frequent pairs of a text, or of several, until there are `most` symbols.

        Parameters
        ----------
        min_count : int, default 2
            How often a pair must occur to be joined.
        most : int, default 4096
            Symbols beside the special ones, the 256 bytes among them; fewer where the text has not so many
            pairs.

        Raises
        ------
        OptionError
            If `most` leaves no room beside the bytes.
        MissingExtraError
            If ``tokenizers`` is not installed.
        """
        if most <= BYTES:
            raise OptionError(
                f"The 'vocabulary_size' option must be above {BYTES + 1 + end} for subwords: each byte is a "
                f"symbol, beside {' and '.join(special_symbols(end))}. Got {most + 1 + end}."
            )
        library = _library()
        tokenizer = library.Tokenizer(library.models.BPE())
        bytes_of = library.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        # many words in one string go over to the library faster; from now on it gets them one by one
        cut = library.pre_tokenizers.Split(END, "removed")
        tokenizer.pre_tokenizer = library.pre_tokenizers.Sequence([cut, bytes_of])
        tokenizer.decoder = library.decoders.ByteLevel()
        trainer = library.trainers.BpeTrainer(
            vocab_size=most,
            min_frequency=min_count,
            show_progress=False,
            initial_alphabet=sorted(library.pre_tokenizers.ByteLevel.alphabet()),
        )
        parts = [text] if isinstance(text, str) else text
        words = (END.join(pieces) for part in parts for pieces in segment(part))
        tokenizer.train_from_iterator(words, trainer)
        tokenizer.pre_tokenizer = bytes_of
        return cls(tokenizer.to_str(), end)

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        """Every symbol in the order of its number; bytes are written in the library's alphabet."""
        entries = self._tokenizer.get_vocab()
        return (*special_symbols(self.has_end), *sorted(entries, key=entries.__getitem__))

    def encode(self, text: str) -> Int[Array, " N"]:
        """Give the ids of a text; nothing is unknown."""
        parts = [np.zeros(0, dtype=np.int32)]
        numbers: dict[str, int] = {}  # of every different word, which is looked up once
        orders = []
        for pieces in segment(text):
            new = list(dict.fromkeys(piece for piece in pieces if piece not in numbers))
            numbers.update(zip(new, range(len(numbers), len(numbers) + len(new)), strict=True))
            found = self._tokenizer.encode_batch_fast(new, add_special_tokens=False)
            parts += [np.asarray(encoding.ids, dtype=np.int32) for encoding in found]
            orders.append(np.fromiter(map(numbers.__getitem__, pieces), dtype=np.int32, count=len(pieces)))
        written = np.concatenate(parts) + np.int32(self.first_id)
        lengths = np.array([len(part) for part in parts[1:]], dtype=np.int64)
        starts = np.cumsum(lengths) - lengths
        ids = [np.zeros(0, dtype=np.int32)]
        for order in orders:
            each = lengths[order]
            shift = np.repeat(starts[order] - (np.cumsum(each) - each), each)
            ids.append(written[shift + np.arange(len(shift))])
        return np.concatenate(ids)

    def decode(self, ids: Iterable[int] | Int[Array, " N"]) -> str:
        """Give the text of ``ids``; ``<unk>`` and what is no text show as U+FFFD, ``<end>`` as nothing.

        Raises
        ------
        DataError
            If an id is outside ``[0, len(self))``.
        """
        numbers: list[int] = self.checked(ids).tolist()
        return b"".join(map(self._bytes.__getitem__, numbers)).decode("utf-8", "replace")

    def pieces(self, ids: Iterable[int]) -> Iterator[str]:
        """Give text as soon as the bytes of its characters are complete; what is no text shows as U+FFFD."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        for symbol in ids:
            if piece := decoder.decode(self._bytes[symbol]):
                yield piece
        if rest := decoder.decode(b"", final=True):
            yield rest

    def unknown_counts(self, text: str) -> Counter[str]:
        """Give what is not known: nothing."""
        return Counter()

    def to_dict(self) -> dict[str, Any]:
        """Give what is written down of it: the format, every symbol in order, and the tokeniser."""
        return self._written(tokenizer=json.loads(self.definition))

    @classmethod
    def _from_dict(cls, data: Mapping[str, Any], source: str) -> "SubwordVocabulary":
        made = cls(json.dumps(data.get("tokenizer"), ensure_ascii=False), data["end"] is not None)
        try:
            fits = list(made.symbols) == list(data["symbols"])
        except MissingExtraError:
            raise
        except Exception as error:  # the library raises nothing more special
            raise RunError(f"{source}: the tokeniser is damaged: {error}") from None
        if not fits:
            raise RunError(f"{source}: the tokeniser does not belong to the symbols.")
        return made

    @cached_property
    def _tokenizer(self) -> Any:
        return _library().Tokenizer.from_str(self.definition)

    @cached_property
    def _bytes(self) -> list[bytes]:
        """Give the bytes of every symbol."""
        byte_of = _byte_alphabet()
        special = [REPLACEMENT.encode(), b""][: self.first_id]
        return special + [bytes(byte_of[sign] for sign in symbol) for symbol in self.symbols[self.first_id :]]


def _byte_alphabet() -> dict[str, int]:
    """Give the byte that each sign of the library's alphabet stands for.

    Bytes that are visible characters of Latin-1 are themselves; the others follow from U+0100 on.
    """
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = sorted(set(range(BYTES)) - set(visible))
    return {chr(byte): byte for byte in visible} | {
        chr(0x100 + place): byte for place, byte in enumerate(hidden)
    }


def _library() -> Any:
    try:
        import tokenizers
    except ImportError:
        raise MissingExtraError(
            "subwords need the library 'tokenizers', which is not installed.\n  pip install 'noria[text]'"
        ) from None
    return tokenizers
