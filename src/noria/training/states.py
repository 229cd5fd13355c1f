"""The check before a saved state is gone on from."""

from collections.abc import Mapping

from noria.arrays import Array, Shaped
from noria.errors import RunError


def check_state(
    owner: str, mine: Mapping[str, Shaped[Array, "..."]], given: Mapping[str, Shaped[Array, "..."]], use: str
) -> None:
    """Refuse a state whose names or shapes are not those of whoever is to take it.

    Parameters
    ----------
    owner : str
        Who that is.
    mine, given : dict of str to array
        The state as it would be written, and as it came.
    use : str
        What to go on with instead.

    Raises
    ------
    RunError
        Says what was expected, and what came, where the two differ.
    """
    expected = {name: array.shape for name, array in mine.items()}
    got = {name: array.shape for name, array in given.items()}
    if expected != got:
        common = {name for name in expected if expected[name] == got.get(name)}
        expected, got = (
            {name: shape for name, shape in shapes.items() if name not in common}
            for shapes in (expected, got)
        )
        raise RunError(
            f"The saved state is not that of {owner} for this model: expected {expected or 'nothing else'}, "
            f"got {got or 'nothing of it'}.\n  Go on with the {use} that the run was made with."
        )
