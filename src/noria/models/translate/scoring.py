"""What a translator is measured by: nats per symbol, exact answers, and BLEU."""

import importlib.util
from collections.abc import Sequence

import numpy as np

from noria.layers import INFERENCE, EncoderDecoder
from noria.models.examples import side_by_side
from noria.models.translate.corpus import Example, batch_of
from noria.models.translate.schema import PairSchema
from noria.models.translate.search import Writer
from noria.training.losses import cross_entropy_rows

THIRDS = "short", "middle", "long"
ORDER = 4
"""Words in a row, at most, that BLEU looks at."""


def nats(network: EncoderDecoder, examples: Sequence[Example], end: int) -> tuple[float, int]:
    """Give the cross-entropy of the right targets, in nats per symbol, and the number of symbols."""
    total, count = 0.0, 0
    for some in side_by_side(examples, [len(example.written) for example in examples]):
        batch = batch_of([examples[index] for index in some], end)
        logits, _ = network(batch.inputs, source=batch.source, mode=INFERENCE)
        total += float(cross_entropy_rows(logits.rows, batch.targets).sum())
        count += len(batch.targets)
    return total / count, count


def translations(writer: Writer, examples: Sequence[Example], schema: PairSchema) -> list[str]:
    """Translate the sources of examples, in their order."""
    found = [""] * len(examples)
    for some in side_by_side(examples, [len(example.read) for example in examples]):
        batch = batch_of([examples[index] for index in some], schema.end)
        for index, one in zip(some, writer.write(batch.source), strict=True):
            found[index] = schema.target.decode(one.ids)
    return found


def exactness(
    answers: Sequence[str], examples: Sequence[Example], *, thirds: bool = True
) -> dict[str, float]:
    """Give the share of exact answers, of all and of each third by the length of the source, and BLEU."""
    right = np.array([a == example.target for a, example in zip(answers, examples, strict=True)], float)
    figures = {"exact_match": float(right.mean())}
    if thirds and len(right) >= len(THIRDS):
        by_length = np.argsort([len(example.read) for example in examples], kind="stable")
        for name, part in zip(THIRDS, np.array_split(by_length, len(THIRDS)), strict=True):
            figures[f"exact_match_{name}"] = float(right[part].mean())
    return figures | bleu(answers, [example.target for example in examples])


def bleu(answers: Sequence[str], targets: Sequence[str]) -> dict[str, float]:
    """Give BLEU by sacrebleu, 0 to 100; of characters where no target has a space.

    Where no target has four words, four in a row can never be right: BLEU goes as far as the longest target
    then. What the answers are too short for, though targets are not, is left to the brevity penalty.

    Returns
    -------
    dict
        ``bleu``, and ``bleu_order`` where it is of fewer than four words in a row; empty without sacrebleu.

    References
    ----------
    Papineni et al. 2002; Post 2018, A call for clarity in reporting BLEU scores.
    """
    if importlib.util.find_spec("sacrebleu") is None:
        return {}
    from sacrebleu.metrics.bleu import BLEU

    cut = "13a" if any(" " in target.strip() for target in targets) else "char"
    possible = BLEU(tokenize=cut, force=True).corpus_score(list(targets), [list(targets)]).totals
    order = max(1, sum(total > 0 for total in possible))  # by the targets: the same for any answers
    measure = BLEU(tokenize=cut, force=True, max_ngram_order=order, effective_order=True)
    score = float(measure.corpus_score(list(answers), [list(targets)]).score)
    return {"bleu": score} if order == ORDER else {"bleu": score, "bleu_order": order}
