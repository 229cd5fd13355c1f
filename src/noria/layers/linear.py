"""An affine map of every row."""

import contextlib
from collections.abc import Iterator

import numpy as np

from noria.arrays import Array
from noria.engines.dense import add_outer, add_sum, times
from noria.engines.one_hot import add_rows
from noria.engines.stepping import affine_step
from noria.equations import Initial
from noria.errors import DataError, ShapeError
from noria.layers.backward import Backward
from noria.layers.layer import TRACKED, Inputs, Layer, Mode
from noria.layers.onehot import check_few_ids, check_ids, is_ids
from noria.layers.parameters import Parameter
from noria.layers.state import State
from noria.layers.streaming import Given, RowStream, one_step
from noria.sequences import Ragged

OUTPUTS = "outputs"
"""The auxiliary input that says which outputs are wanted."""


class Linear(Layer):
    """``y = W x + b`` for every row.

    Called with the auxiliary input ``"outputs"``, increasing ids (S,), it gives only those values of each
    row, (N, S): the others cost nothing, and the gradients of their weights get nothing.

    Parameters
    ----------
    size : int
        Output size, F'.
    bias : bool, default True
    weight : Parameter of shape (F', F), optional
        Another layer's matrix to share, such as the table of an :class:`Embedding` whose symbols this layer
        scores; it is counted once and both layers add to its gradient (Press & Wolf 2017). By default a
        matrix of its own.
    initial : Initial, optional
        Law of the initial values of W; by default Xavier's (Glorot & Bengio 2010). The bias starts at zero.
    input_size : int, optional
        Fixes the input size now.
    """

    kind = "linear"

    def __init__(
        self,
        size: int,
        *,
        bias: bool = True,
        weight: Parameter | None = None,
        initial: Initial | None = None,
        input_size: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        if size < 1:
            raise ShapeError(f"{self.title}: expected an output size of at least 1, got {size}.")
        self.size = size
        self.W = weight
        self.b = Parameter("b", (size,), Initial("zero", ())) if bias else None
        self._initial = initial if initial is not None else Initial("xavier", ())
        if input_size is not None:
            self.configure(input_size)

    def _declare(self, input_size: int) -> int:
        shape = (self.size, input_size)
        if self.W is None:
            self.W = Parameter("W", shape, self._initial)
        elif self.W.shape != shape:
            raise ShapeError(f"{self.title}: expected a shared weight of shape {shape}, got {self.W.shape}.")
        return self.size

    def own_parameters(self) -> Iterator[Parameter]:
        """Give W, then b."""
        if self.W is not None:
            yield self.W
        if self.b is not None:
            yield self.b

    def __call__(
        self, x: Ragged, *, state: State = None, given: Inputs | None = None, mode: Mode = TRACKED
    ) -> tuple[Ragged, Backward]:
        """Map rows (N, F) to rows (N, F'); token ids stand for one-hot rows."""
        self._no_memory(state)
        self._check_given(given, (OUTPUTS,))
        _ = self.input_size
        W, b, rows = self.W, self.b, x.rows
        assert W is not None  # since it has sizes
        wanted = self._wanted(given)
        W_value = W.value if wanted is None else W.value[wanted]
        b_value = None if b is None else b.value if wanted is None else b.value[wanted]
        by_id = is_ids(rows)
        if by_id:
            check_ids(self.title, rows, self.input_size)
            y = W_value.T[rows]  # the column of W that a one-hot row picks
            if b_value is not None:
                y += b_value
        else:
            self._check_width(x)
            rows = rows.astype(W.value.dtype, copy=False)
            y = times(rows, W_value, transposed=True, b=b_value)

        def backward(d_y: Array, d_state: State) -> Array | None:
            if b is not None and not b.frozen:
                with _part_of(b.gradient, wanted) as d_b:
                    add_sum(d_y, d_b)
            if not W.frozen:
                with _part_of(W.gradient, wanted) as d_W:
                    if by_id:
                        add_rows(d_W.T, rows, d_y)
                    else:
                        add_outer(d_y, rows, d_W)  # sum over rows of d_y_n x_n^T
            return None if by_id else times(d_y, W_value, transposed=False)

        return x.with_rows(y), Backward(backward if mode.save else None, self.title)

    def _wanted(self, given: Inputs | None) -> Array | None:
        """Give the ids of the outputs that are wanted; None: all of them."""
        if not given or OUTPUTS not in given:
            return None
        ids = np.asarray(given[OUTPUTS])
        expected = f"{self.title}: expected the auxiliary input '{OUTPUTS}'"
        if ids.ndim != 1 or not len(ids):
            raise ShapeError(
                f"{expected} of shape (S,) with S of at least 1, got {ids.shape}.\n"
                "  Leave it out where all outputs are wanted."
            )
        if ids.dtype.kind not in "iu":
            raise DataError(f"{expected} to hold whole numbers, got {ids.dtype}.")
        wrong = (ids < 0) | (ids >= self.size)
        wrong[1:] |= ids[1:] <= ids[:-1]
        if wrong.any():
            place = int(wrong.argmax())
            raise DataError(
                f"{expected} to hold increasing ids in [0, {self.size}), got {ids[place]} at place {place}.\n"
                "  np.unique(ids) puts them in order."
            )
        return ids

    def stream(self, batch_size: int = 1) -> RowStream:
        """Map step by step, with W packed once."""
        shape = batch_size, self.input_size
        assert self.W is not None  # since it has sizes
        columns = np.array(self.W.value.T)
        bias = np.zeros(self.size, columns.dtype) if self.b is None else np.array(self.b.value)
        affine = affine_step(columns.T, bias, batch_size)

        def step(x: Array, given: Given) -> Array:
            if given:
                self._check_given(given)
            if x.shape == shape:
                return affine(x)
            if not is_ids(x):
                self._check_width(one_step(x))
            check_few_ids(self.title, x, len(columns))
            return np.asarray(columns[x] + bias)

        return RowStream(self, batch_size, step)


@contextlib.contextmanager
def _part_of(gradient: Array, wanted: Array | None) -> Iterator[Array]:
    """Give what is added to: the gradient itself, or a copy of its wanted rows, which are put back."""
    if wanted is None:
        yield gradient
        return
    rows = gradient[wanted]
    yield rows
    gradient[wanted] = rows
