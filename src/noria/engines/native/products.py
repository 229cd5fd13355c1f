"""The matrix products of the native engine: compiled once, for generated code and for NumPy arrays."""

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from noria.engines.native.code import Numbers
from noria.engines.native.memory import aligned, recycled
from noria.engines.native.product_library import ProductLibrary, build
from noria.errors import ShapeError

__all__ = ["Packed", "ProductLibrary", "add_outer", "build", "library", "multiply", "pack"]


def library(dtype: "np.dtype[Any] | type") -> ProductLibrary:
    """Give the products in float32 or float64, compiled once in a process."""
    return _library(np.dtype(dtype))


@cache
def _library(dtype: "np.dtype[Any]") -> ProductLibrary:
    _check_dtype("products", dtype)
    return build(Numbers(dtype))


@dataclass(frozen=True, eq=False)
class Packed:
    """A matrix of K rows and so many columns, packed.

    Attributes
    ----------
    data : array of shape (K * vectors * lanes,)
    K, columns, vectors : int
        ``vectors`` hold the columns, padded with zeros.
    """

    data: np.ndarray
    K: int
    columns: int
    vectors: int
    library: ProductLibrary = field(repr=False)

    @property
    def padded(self) -> int:
        """Columns with their padding."""
        return self.vectors * self.library.numbers.lanes

    @property
    def panels(self) -> int:
        """Panels, the last of which may be narrower."""
        return -(-self.vectors // self.library.panel)


def pack(w: np.ndarray, transposed: bool = False, *, products: ProductLibrary | None = None) -> Packed:
    """Pack a matrix for :func:`multiply`.

    Parameters
    ----------
    w : array of shape (K, columns), or (columns, K) if ``transposed``
        float32 or float64.
    transposed : bool
        Pack ``w.T``.
    products : ProductLibrary, optional
        By default that of the dtype.

    Raises
    ------
    ShapeError
        If ``w`` is no matrix of floating-point numbers.
    """
    source = _matrix("pack", "w", w)
    products = products or library(source.dtype)
    _check_dtype("pack", source.dtype, products)
    K, columns = source.shape[::-1] if transposed else source.shape
    vectors = products.numbers.padded(columns) // products.numbers.lanes
    data = aligned(products.packed_size(K, vectors), source.dtype)
    stride = _stride(source)
    if transposed:
        products.functions["pack_transposed"](
            source.ctypes.data, stride, columns, K, data.ctypes.data, 0, vectors
        )
    else:
        products.functions["pack_straight"](
            source.ctypes.data, stride, K, columns, data.ctypes.data, 0, K, K, vectors
        )
    return Packed(data, K, columns, vectors, products)


def multiply(a: np.ndarray, packed: Packed, out: np.ndarray | None = None) -> np.ndarray:
    """Multiply rows with a packed matrix.

    Threads may share the rows: give each its slice of ``a`` and of ``out``.

    Parameters
    ----------
    a : array of shape (rows, K)
    packed : Packed
    out : array of shape (rows, columns) or (rows, padded), optional
        Where to write. With the padding there is one copy less, and zeros are written behind the columns.

    Returns
    -------
    array of shape (rows, columns)
        ``out``, or new, or a view of the columns of a padded ``out``.

    Raises
    ------
    ShapeError
        If shapes, dtypes or memory do not fit.
    """
    source = _matrix("multiply", "a", a)
    _check_dtype("multiply", source.dtype, packed.library)
    rows, K = source.shape
    if K != packed.K:
        raise ShapeError(
            f"multiply: expected rows of {packed.K} numbers, got {K}.\n"
            "  The packed matrix has so many rows. Pack it transposed, or transpose the other one."
        )
    if out is not None and out.shape not in ((rows, packed.columns), (rows, packed.padded)):
        raise ShapeError(
            f"multiply: expected out of shape {(rows, packed.columns)} or, with its padding, "
            f"{(rows, packed.padded)}, got {out.shape}. Leave it out to get a new array."
        )
    _check_out("multiply", out, source.dtype)
    direct = (
        out is not None and out.shape[1] == packed.padded and _is_plain(out) and not _overlap(out, source)
    )
    target = out if out is not None and direct else recycled((rows, packed.padded), source.dtype)
    packed.library.functions["multiply"](
        source.ctypes.data, _stride(source), rows, K, packed.data.ctypes.data, 0, packed.panels,
        packed.vectors, target.ctypes.data, _stride(target), 0,
    )  # fmt: skip
    if out is None:
        return target[:, : packed.columns]
    if not direct:
        out[...] = target[:, : out.shape[1]]
    return out[:, : packed.columns]


def add_outer(
    d: np.ndarray,
    x: np.ndarray,
    out: np.ndarray,
    index: np.ndarray | None = None,
    *,
    products: ProductLibrary | None = None,
) -> None:
    """Add sums of outer products: ``out += d.T @ x[index]``.

    Threads may share the rows of ``out``: give each its slice of them and of the columns of ``d``.

    Parameters
    ----------
    d : array of shape (rows, M)
    x : array of shape (rows, N), or with ``index`` any number of rows
    out : array of shape (M, N)
    index : int64 array of shape (rows,), optional
        Row of ``x`` that belongs to each row of ``d``.
    products : ProductLibrary, optional
        By default that of the dtype.

    Raises
    ------
    ShapeError
        If shapes, dtypes or memory do not fit, or an index is out of range.
    """
    left, right = _matrix("add_outer", "d", d), _matrix("add_outer", "x", x)
    products = products or library(left.dtype)
    for array in (left, right):
        _check_dtype("add_outer", array.dtype, products)
    rows, M = left.shape
    N = right.shape[1]
    places = None if index is None else _index(index, rows, len(right))
    if places is None and len(right) != rows:
        raise ShapeError(
            f"add_outer: expected x of {rows} rows, as many as d, got {len(right)}.\n"
            "  Pass an index if they differ."
        )
    if out.shape != (M, N):
        raise ShapeError(f"add_outer: expected out of shape {(M, N)}, got {out.shape}.")
    _check_out("add_outer", out, left.dtype)
    direct = _is_plain(out) and not _overlap(out, left) and not _overlap(out, right)
    target = out if direct else np.zeros((M, N), left.dtype)
    work = recycled(products.work_size(N), left.dtype)
    products.functions["outer"](
        left.ctypes.data, _stride(left), max(M, 1), max(M, 1), 0, M,
        right.ctypes.data, _stride(right), N, rows, None if places is None else places.ctypes.data,
        target.ctypes.data, _stride(target), work.ctypes.data,
    )  # fmt: skip
    if not direct:
        out += target


def _check_dtype(who: str, dtype: "np.dtype[Any]", products: ProductLibrary | None = None) -> None:
    expected = "float32 or float64" if products is None else str(products.numbers.dtype)
    if dtype not in ((np.float32, np.float64) if products is None else (products.numbers.dtype,)):
        raise ShapeError(f"{who}: expected numbers of {expected}, got {dtype}. Convert them with astype.")


def _check_out(who: str, out: np.ndarray | None, dtype: "np.dtype[Any]") -> None:
    if out is not None and out.dtype != dtype:
        raise ShapeError(f"{who}: expected out of {dtype}, got {out.dtype}. Convert one of them with astype.")
    if out is not None and not out.flags.writeable:
        raise ShapeError(f"{who}: expected out that can be written to, got a read-only array. Copy it first.")


def _is_plain(array: np.ndarray) -> bool:
    """Tell whether rows are contiguous and lie whole numbers apart."""
    size = array.itemsize
    return bool(
        array.flags.aligned
        and array.strides[0] % size == 0
        and (array.strides[1] == size or array.shape[1] <= 1)
    )


def _overlap(first: np.ndarray, second: np.ndarray) -> bool:
    return bool(np.may_share_memory(first, second))


def _matrix(who: str, name: str, array: np.ndarray) -> np.ndarray:
    if array.ndim != 2:
        raise ShapeError(f"{who}: expected {name} to be a matrix, got an array of shape {array.shape}.")
    _check_dtype(who, array.dtype)
    return array if _is_plain(array) else np.ascontiguousarray(array)


def _stride(array: np.ndarray) -> int:
    return array.strides[0] // array.itemsize


def _index(index: np.ndarray, rows: int, limit: int) -> np.ndarray:
    if index.shape != (rows,) or index.dtype != np.int64:
        raise ShapeError(
            f"add_outer: expected an int64 index of shape {(rows,)}, got {index.dtype} of {index.shape}."
        )
    if rows and not 0 <= int(index.min()) <= int(index.max()) < limit:
        raise ShapeError(
            f"add_outer: expected indices from 0 to {limit - 1}, got {index.min()} to {index.max()}."
        )
    return np.ascontiguousarray(index)
