"""A text that needs no file: the English of Python's own reference, which ships with every Python."""

from noria.data.text import Text


def builtin_text() -> Text:
    """Give the topics of ``pydoc_data.topics``, joined by blank lines in the order of their names.

    About 465,000 characters in Python 3.11; other versions of Python hold other amounts.
    """
    from pydoc_data import topics

    text = "\n\n".join(topics.topics[name] for name in sorted(topics.topics))
    return Text(text, "Python language reference (pydoc_data.topics)", "UTF-8")
