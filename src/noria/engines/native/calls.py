"""Calls of compiled functions whose arguments never change: written down once, made with one argument.

Turning Python's numbers into a dozen arguments takes longer than many a function runs.
"""

import ctypes
from collections.abc import Callable
from functools import cache, partial

import numpy as np
from llvmlite import ir

from noria.engines.native.code import INDEX, POINTER, Code, Numbers
from noria.engines.native.host import Library, compile_module

MOST = 11
"""Arguments that a prepared function may have."""


def prepared(function: int, *arguments: int) -> Callable[[], None]:
    """Give a call of the function at an address, with addresses and 64-bit integers as arguments.

    The caller keeps alive what the addresses point to. The interpreter's lock is not held during the call.
    """
    if len(arguments) > MOST:
        raise ValueError(f"expected at most {MOST} arguments, got {len(arguments)}.")
    block = (ctypes.c_int64 * (1 + len(arguments)))(function, *arguments)
    return partial(_call(len(arguments)), ctypes.byref(block))  # which keeps the block alive


@cache
def _call(count: int) -> Callable[[object], None]:
    function: Callable[[object], None] = _library().function(f"call_{count}", (ctypes.c_void_p,))
    return function


@cache
def _library() -> Library:
    module, numbers = ir.Module("calls"), Numbers(np.dtype(np.float32))
    for count in range(MOST + 1):
        code = Code(module, numbers, f"call_{count}", (("block", POINTER),))
        block = code.given["block"]
        kind = ir.FunctionType(ir.VoidType(), [INDEX] * count)
        arguments = [code.load_index(block, number + 1) for number in range(count)]
        code.call_at(code.load_pointer(block), kind, arguments)
        code.done()
    return compile_module(module)
