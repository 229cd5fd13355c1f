"""Switches without a value in the words of ``noria compare``: ``--crf`` is ``--crf true`` there too."""

from collections.abc import Sequence

from noria.training.option import TRUTHS


def with_truths(words: Sequence[str]) -> list[str]:
    """Write out what the switches among some words mean that stand without a value.

    There every option of a task takes a value, and the task is not known before the words have been read.

    Parameters
    ----------
    words : sequence of str
        As they were typed.
    """
    followed = zip(words, [*words[1:], ""], strict=True)
    bare = {
        place
        for place, (word, value) in enumerate(followed)
        if word.startswith("--") and "=" not in word and value.lower() not in TRUTHS
    }
    switches = _switches() if bare else set()
    return [
        part
        for place, word in enumerate(words)
        for part in ((word, "true") if place in bare and word in switches else (word,))
    ]


def _switches() -> set[str]:
    """Give the flags of all options, of any task, that are on or off."""
    from noria.models.loading import MODELS, model_class
    from noria.training.options import options_of

    found = (info for task in MODELS for info in options_of(model_class(task)) if info.type is bool)
    return {flag for info in found for flag in info.flags}
