"""Dealing labelled sequences out to parts in which every label has its share."""

from collections.abc import Hashable, Sequence

import numpy as np

from noria.arrays import Array, Int
from noria.data.split import TEST, VALIDATION, SequenceSplit, cut_places


def split_stratified(
    labels: Sequence[Hashable],
    rng: np.random.Generator,
    validation: float = VALIDATION,
    test: float = TEST,
) -> SequenceSplit:
    """Deal sequences out to training, validation and test, each label by the same shares.

    Whole sequences being what they are, a part has one of a label more or less than its share; each label has
    at least one in the training part.

    Parameters
    ----------
    labels : sequence
        The label of each sequence.
    rng : numpy.random.Generator
    validation, test : float
        Shares; as of :func:`~noria.data.split.split_sequences`.
    """
    first, second = cut_places(len(labels), validation, test, "sequences")
    groups: dict[Hashable, list[int]] = {}
    for index, label in enumerate(labels):
        groups.setdefault(label, []).append(index)
    members = [rng.permutation(group) for group in groups.values()]
    sizes = np.array([len(group) for group in members])
    tested = _quotas(sizes, len(labels) - second)
    chosen = _quotas(sizes - tested, second - first)
    parts: tuple[list[Array], list[Array], list[Array]] = ([], [], [])
    for group, of_test, of_validation in zip(members, tested, chosen, strict=True):
        cuts = np.split(group, [len(group) - of_test - of_validation, len(group) - of_test])
        for part, cut in zip(parts, cuts, strict=True):
            part.append(cut)
    return SequenceSplit(*(rng.permutation(np.concatenate(part)) for part in parts))


def _quotas(sizes: Int[Array, " G"], total: int) -> Int[Array, " G"]:
    """Share `total` out by size, whole, by the largest remainders; one of each stays behind."""
    most = np.maximum(sizes - 1, 0)
    exact = sizes * (total / max(int(sizes.sum()), 1))
    quotas = np.minimum(np.floor(exact).astype(np.int64), most)
    while (missing := min(total, int(most.sum())) - int(quotas.sum())) > 0:
        wanted = np.where(quotas < most, exact - quotas, -np.inf)
        quotas[np.argsort(-wanted, kind="stable")[: min(missing, int((quotas < most).sum()))]] += 1
    return np.asarray(quotas)
