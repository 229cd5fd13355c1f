"""Strings drawn evenly from an alphabet."""

import numpy as np

from noria.arrays import Array, Int


def drawn_strings(rng: np.random.Generator, alphabet: str, lengths: Int[Array, " S"]) -> list[str]:
    """Draw one string of each length, every symbol of the (ASCII) alphabet as likely as any other."""
    codes = np.frombuffer(alphabet.encode("ascii"), np.uint8)
    text = codes[rng.integers(0, len(alphabet), int(lengths.sum()))].tobytes().decode("ascii")
    ends = np.cumsum(lengths)
    return [text[end - length : end] for length, end in zip(lengths.tolist(), ends.tolist(), strict=True)]
