"""What is said of labels and tags that a model was not trained on."""

from collections.abc import Mapping

SHOWN = 8


def unknown_said(counts: Mapping[str, int], count: int, what: str, *, others: bool) -> str:
    """Say how many of so many things are unknown, which, and what to do.

    Parameters
    ----------
    counts : mapping
        How often each label comes that is unknown.
    count : int
        How many labels there are.
    what : str
        ``"sequences have labels"``.
    others : bool
        Whether there are sequences without any that are unknown.
    """
    listed = ", ".join(f"{label!r} ({number:,})" for label, number in list(counts.items())[:SHOWN])
    more = ", ..." if len(counts) > SHOWN else ""
    advice = (
        "Correct them, or measure on the others: --leave-out-unknown (leave_out_unknown=True)."
        if others
        else "No sequence is left without them: is it the right column?"
    )
    return f"  {sum(counts.values()):,} of {count:,} {what} that are unknown: {listed}{more}.\n  {advice}"
