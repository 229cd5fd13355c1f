"""Whether texts are those of a run: their symbols, their content, the synonyms they are varied with."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from noria.data import Vocabulary, describe_symbols
from noria.data.augmentation import Augmentation
from noria.models.text.corpus import Corpus

CHUNK = 1 << 20


def content_of(corpus: Corpus) -> str:
    """Give digits that two corpora do not share: of every symbol in every part, wherever the files lie."""
    digest = hashlib.blake2b(digest_size=16)
    for part in (corpus.train, corpus.validation, corpus.test):
        digest.update(f"part of {len(part.readings)}".encode())
        for reading in part.readings:
            digest.update(f"reading of {len(reading.ids)}, {reading.lead}".encode())
            if reading.begins is not None:
                digest.update(reading.begins.astype("<f8").tobytes())
            for start in range(0, len(reading.ids), CHUNK):
                digest.update(reading.ids[start : start + CHUNK].astype("<i4").tobytes())
    return digest.hexdigest()


def thesaurus_of(augmentation: Augmentation | None) -> str | None:
    """Give digits that two thesauruses do not share; None where there is none."""
    if augmentation is None or augmentation.thesaurus is None:
        return None
    written = json.dumps(dict(augmentation.thesaurus), sort_keys=True)
    return hashlib.blake2b(written.encode(), digest_size=16).hexdigest()


def corpus_differences(
    about: Mapping[str, Any], vocabulary: Vocabulary, corpus: Corpus, thesaurus: str | None
) -> list[str]:
    """Say in what the corpus here is not that of a run.

    Parameters
    ----------
    about : mapping
        What the run says of its data.
    vocabulary : Vocabulary
        Of the run.
    corpus : Corpus
        That is here.
    thesaurus : str or None
        Digits of the synonyms here.
    """
    kind = "sequences" if corpus.separate else "text"
    differences = []
    if about["kind"] != kind:
        differences.append(f"kind: {about['kind']} in the run, {kind} here (lines makes sequences of a text)")
    if about.get("characters") != corpus.characters:
        differences.append(
            f"characters: {about.get('characters', 0):,} in the run, from {about.get('source', 'unknown')}; "
            f"{corpus.characters:,} here, from {corpus.source}"
        )
    differences += vocabulary_differences(vocabulary, corpus.vocabulary)
    if about.get("thesaurus") != thesaurus:
        differences.append("thesaurus: the synonyms are not those of the run")
    if differences and about.get("encoding") != corpus.encoding:
        differences.append(f"encoding: {about.get('encoding', 'unknown')} in the run, {corpus.encoding} here")
    return differences


def vocabulary_differences(stored: Vocabulary, given: Vocabulary) -> list[str]:
    """Say which symbols two vocabularies do not share."""
    there, here = stored.symbols, given.symbols
    if there == here:
        return []
    gone, new = sorted(set(there) - set(here)), sorted(set(here) - set(there))
    parts = [
        f"{describe_symbols(symbols)} only {place}"
        for symbols, place in ((gone, "in the run"), (new, "here"))
        if symbols
    ]
    told = "; ".join(parts) or "the same symbols in another order"
    return [f"vocabulary: {len(there):,} symbols in the run, {len(here):,} here; {told}"]
