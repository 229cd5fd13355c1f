"""Switches without a value in the words of ``noria compare``: ``--crf`` is ``--crf true`` there too."""

from collections.abc import Iterable, Sequence

from noria.training.option import TRUTHS


def with_truths(words: Sequence[str]) -> list[str]:
    """Write out what the switches among some words mean that stand without a value.

    There every option of a task takes a value, and this verb does not know the task before it has read them.

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
    switches = _switches(words) if bare else set()
    return [
        part
        for place, word in enumerate(words)
        for part in ((word, "true") if place in bare and word in switches else (word,))
    ]


def _switches(words: Iterable[str]) -> set[str]:
    """Give the flags of options that are on or off, of the tasks that are named, or else of all."""
    from noria.models.loading import MODELS, model_class
    from noria.training.options import options_of

    tasks = [word for word in words if word in MODELS] or list(MODELS)
    found = (info for task in tasks for info in options_of(model_class(task)) if info.type is bool)
    return {flag for info in found for flag in info.flags}
