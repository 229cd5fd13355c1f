"""The way back of one call of a layer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from noria.arrays import Array, Num
from noria.errors import BackwardError
from noria.layers.state import State


@dataclass(frozen=True)
class Gradients:
    """What a layer's backward gives where the gradient of the rows alone does not do.

    Attributes
    ----------
    rows : array of shape (N, F), or None
        Gradient of the input rows; None for token ids.
    state : State
        Gradient of the initial state.
    given : dict of arrays
        Gradients of differentiable second inputs.
    """

    rows: Array | None
    state: State = None
    given: dict[str, Array] = field(default_factory=dict)


BackwardFunction = Callable[[Array, State], Gradients | Array | None]


def _nothing() -> None:
    return None


class Backward:
    """The way back of one call. It owns what the forward saved, and gives it up when it is called or dropped.

    Parameters
    ----------
    function : callable or None
        ``(d_y, d_state) -> d_x``, or :class:`Gradients`. None where nothing was saved.
    owner : str
        The layer, for messages.
    state : State
        The final state of the call.
    kept : mapping
        Values that the layer was asked to record, by name. Names of gradients appear once the backward has
        run.
    release : callable
        Gives buffers back; called exactly once.

    Attributes
    ----------
    d_state : State
        After the call: the gradient of the initial state.
    d_given : dict
        After the call: gradients of differentiable second inputs.
    """

    def __init__(
        self,
        function: BackwardFunction | None,
        owner: str,
        *,
        state: State = None,
        kept: Mapping[str, Array] | None = None,
        release: Callable[[], None] = _nothing,
    ) -> None:
        self._function = function
        self._release = release
        self._owner = owner
        self._spent = False
        self.state = state
        self.kept: Mapping[str, Array] = {} if kept is None else kept
        self.d_state: State = None
        self.d_given: dict[str, Array] = {}
        if function is None:
            self._let_go()

    def __call__(self, d_y: Num[Array, "N ..."], d_state: State = None) -> Array | None:
        """Give the gradient of the input rows, and add to the gradients of the parameters.

        Parameters
        ----------
        d_y : array of shape (N, F')
            Gradient of the output rows.
        d_state : State, optional
            Gradient of the final state, with the structure of `state`; parts left out (None) count as zero.

        Returns
        -------
        array of shape (N, F), or None
            None where the input was token ids, which have no gradient.

        Raises
        ------
        BackwardError
            If it was called before, or the forward saved nothing.
        """
        function, spent = self._function, self._spent
        if spent:
            raise BackwardError(
                f"{self._owner}: this backward was called before; what it needed is gone.\n"
                "  Run the layer forward again for another backward."
            )
        if function is None:
            raise BackwardError(
                f"{self._owner}: the forward saved nothing for a backward.\n"
                "  Call the layer with Mode(save=True), which is the default."
            )
        self._function, self._spent = None, True
        try:
            result = function(d_y, d_state)
        finally:
            self._let_go()
        if not isinstance(result, Gradients):
            return result
        self.d_state, self.d_given = result.state, result.given
        return result.rows

    def release(self) -> None:
        """Give up what the forward saved, as dropping the last reference does; calling is an error then."""
        self._spent = self._spent or self._function is not None
        self._function = None
        self._let_go()

    def _let_go(self) -> None:
        release, self._release = self._release, _nothing
        release()

    def __del__(self) -> None:
        if hasattr(self, "_release"):  # absent where __init__ itself failed
            self._let_go()
