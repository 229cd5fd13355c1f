"""The matrix products of the native engine: compiled once, for generated code and for NumPy arrays."""

from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

import numpy as np

from noria.engines.native.code import Numbers
from noria.engines.native.memory import address, recycled
from noria.engines.native.product_library import ProductLibrary, build
from noria.engines.pieces import split, together
from noria.errors import ShapeError

__all__ = ["Packed", "ProductLibrary", "add_outer", "build", "library", "multiply", "pack", "sum_rows"]

KINDS = (np.dtype(np.float32), np.dtype(np.float64))
"""Numbers that products are compiled for."""


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
    data = recycled(products.packed_size(K, vectors), source.dtype)
    begin, stride, target = address(source), _stride(source), address(data)
    if transposed:
        products.functions["pack_transposed"](begin, stride, columns, K, target, 0, vectors)
    else:
        products.functions["pack_straight"](begin, stride, K, columns, target, 0, K, K, vectors)
    return Packed(data, K, columns, vectors, products)


def multiply(
    a: np.ndarray,
    packed: Packed,
    out: np.ndarray | None = None,
    *,
    row: np.ndarray | None = None,
    parts: int = 1,
) -> np.ndarray:
    """Multiply rows with a packed matrix.

    Parameters
    ----------
    a : array of shape (rows, K)
    packed : Packed
    out : array of shape (rows, columns) or (rows, padded), optional
        Where to write. With the padding there is one copy less, and zeros are written behind the columns.
    row : array of shape (columns,), optional
        Is added to every row of the product.
    parts : int
        Threads that share the rows.

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
    before = None if row is None else _padded(row, packed)
    begin, end = address(source), address(target)
    function, size = packed.library.functions["multiply"], source.itemsize
    step, panels, weights = _stride(source), packed.panels, address(packed.data)
    together(
        [
            partial(
                function, begin + part.start * step * size, step, part.stop - part.start, K, weights, 0,
                panels, packed.vectors, end + part.start * target.strides[0], _stride(target),
                0 if before is None else address(before),
            )
            for part in split(rows, parts)
        ]
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
    parts: int = 1,
) -> None:
    """Add sums of outer products: ``out += d.T @ x[index]``.

    Parameters
    ----------
    d : array of shape (rows, M)
    x : array of shape (rows, N), or with ``index`` any number of rows
    out : array of shape (M, N)
    index : int64 array of shape (rows,), optional
        Row of ``x`` that belongs to each row of ``d``.
    products : ProductLibrary, optional
        By default that of the dtype.
    parts : int
        Threads that share the rows of ``out``.

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
    shares = split(M, parts)
    works = [recycled(products.work_size(N), left.dtype) for _ in shares]
    together(
        [
            partial(
                products.functions["outer"], address(left), _stride(left), M, M, share.start, share.stop,
                address(right), _stride(right), N, rows, None if places is None else address(places),
                address(target), _stride(target), address(work),
            )
            for share, work in zip(shares, works, strict=True)
        ]
    )  # fmt: skip
    if not direct:
        out += target


def sum_rows(rows: np.ndarray, out: np.ndarray) -> None:
    """Add the sum of all rows: ``out += rows.sum(axis=0)``.

    Parameters
    ----------
    rows : array of shape (rows, columns)
    out : array of shape (columns,)

    Raises
    ------
    ShapeError
        If shapes, dtypes or memory do not fit.
    """
    source = _matrix("sum_rows", "rows", rows)
    if out.shape != source.shape[1:] or not out.flags.c_contiguous:
        raise ShapeError(f"sum_rows: expected out of shape {source.shape[1:]} without gaps, got {out.shape}.")
    _check_out("sum_rows", out, source.dtype)
    library(source.dtype).functions["sum_rows"](address(source), _stride(source), *source.shape, address(out))


def _padded(row: np.ndarray, packed: Packed) -> np.ndarray:
    if row.shape != (packed.columns,):
        raise ShapeError(f"multiply: expected a row of {packed.columns} numbers to add, got {row.shape}.")
    padded = np.zeros(packed.padded, packed.library.numbers.dtype)
    padded[: packed.columns] = row
    return padded


def _check_dtype(who: str, dtype: "np.dtype[Any]", products: ProductLibrary | None = None) -> None:
    if dtype not in (KINDS if products is None else (products.numbers.dtype,)):
        expected = "float32 or float64" if products is None else str(products.numbers.dtype)
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
