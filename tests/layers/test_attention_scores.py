"""Scores of many sequences are made piece by piece, on several threads: nothing may depend on how."""

import numpy as np
import pytest
from layer_checks import built

from noria.engines import workers
from noria.engines.threads import use_threads
from noria.layers import DecoderAttention, attention_scores

SEQUENCES, QUERIES, KEYS, F, A = 7, 3, 5, 4, 6


def scored(
    numbers: int, threads: int, monkeypatch: pytest.MonkeyPatch, dtype: type = np.float64
) -> list[np.ndarray]:
    """Score with so many numbers in a piece; give the scores and every gradient."""
    monkeypatch.setattr(attention_scores, "CACHED", numbers)
    rng = np.random.default_rng(3)
    score = built(DecoderAttention(A, score="additive"), F, dtype=dtype)[0].score
    queries, attended, d_scores = (
        rng.standard_normal(shape).astype(dtype)
        for shape in ((SEQUENCES, QUERIES, F), (SEQUENCES, KEYS, A), (SEQUENCES, QUERIES, KEYS))
    )
    with use_threads(threads):
        keys = score.keys(attended)
        scores = score.scores(queries, keys)
        d_queries, d_keys = score.back(queries, keys, d_scores)
        d_attended = score.keys_back(attended, d_keys)
    return [scores, d_queries, d_keys, d_attended, *(p.gradient for p in score.parameters())]


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("sequences", [1, 2, 3])
def test_pieces_add_up_to_the_whole(sequences: int, threads: int, monkeypatch: pytest.MonkeyPatch):
    whole = scored(1 << 20, 1, monkeypatch)
    pieces = scored(sequences * QUERIES * KEYS * F, threads, monkeypatch)
    for found, expected in zip(pieces, whole, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_the_number_of_threads_changes_no_bit(dtype: type, monkeypatch: pytest.MonkeyPatch):
    tasks: list[int] = []
    run = workers.run
    monkeypatch.setattr(workers, "run", lambda calls: (tasks.append(len(calls)), run(calls)))
    alone = scored(QUERIES * KEYS * F, 1, monkeypatch, dtype)
    assert not tasks
    for threads in (2, 3, 8):
        found = scored(QUERIES * KEYS * F, threads, monkeypatch, dtype)
        assert tasks == [min(threads, SEQUENCES)] * 2, "forward and backward"
        tasks.clear()
        for array, expected in zip(found, alone, strict=True):
            np.testing.assert_array_equal(array, expected)
