"""The functions of the product library, and what they are given."""

from llvmlite import ir

from noria.engines.native.code import INDEX, POINTER

SIGNATURES = {
    "multiply": "A* lda rows K P* first_panel last_panel vectors C* ldc add",
    "multiply_ahead": "A* lda rows K P* first_panel last_panel vectors C* ldc add ahead* wanted",
    "pack_transposed": "W* ldw outs K P* first_vector vectors",
    "pack_straight": "W* ldw rows columns P* k_offset k_padded K_total vectors",
    "transpose": "W* ldw rows columns T* ldt",
    "outer": "A* lda group stride m0 m1 B* ldb columns rows index* C* ldc work*",
    "add_rows": "T* ldt ids* count R* ldr c0 c1",
    "sum_rows": "R* ldr rows columns sums*",
    "add_transposed": "W* ldw rows columns T* ldt",
}
"""What generated code calls as ``noria_NAME_f32`` or ``noria_NAME_f64``; ``*`` marks addresses.

All else are 64-bit integers; strides count numbers, not bytes. ``index`` and ``ids`` are 64-bit integers too.

multiply
    C = A B for the columns of some panels; B is packed, C gets whole vectors. To it is added C itself where
    ``add`` is 1, and to every row the row at the address ``add``, of whole vectors, where it is neither 0
    nor 1.
multiply_ahead
    The same, asking meanwhile for the ``wanted`` numbers at ``ahead``, which somebody will read next.
pack_transposed
    W^T becomes the columns of a packed matrix from ``first_vector`` on, padded with zeros to whole vectors.
pack_straight
    W becomes the rows of a packed matrix from ``k_offset`` on, padded with zeros to ``k_padded`` rows.
transpose
    T = W^T, each row of T padded with zeros to whole vectors.
outer
    C[m] += sum_k A[k, m / group * stride + m % group] B[index[k]] for m from m0 up to m1. An index of null is
    k itself. ``work`` is as large as ``ProductLibrary.work_size`` says.
add_rows
    T[ids[i], c] += R[i, c] for c from c0 up to c1, in whole vectors.
sum_rows
    sums[c] += sum_r R[r, c], row after row.
add_transposed
    T += W^T.
"""


def symbol(name: str, size: int) -> str:
    """Give the name by which generated code calls a function, for numbers of so many bytes."""
    return f"noria_{name}_f{8 * size}"


def arguments(text: str) -> list[tuple[str, ir.Type]]:
    """Read names separated by blanks; a star behind a name makes it an address."""
    return [(word.rstrip("*"), POINTER if word.endswith("*") else INDEX) for word in text.split()]
