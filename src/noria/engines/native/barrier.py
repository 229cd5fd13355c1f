"""Where threads meet: a barrier in compiled code, without the interpreter."""

import ctypes
import platform
import sys

from llvmlite import ir

from noria.engines.native.code import INDEX, POINTER, Code, Numbers

SPINS = 4096
"""How often a thread looks at the barrier before it lets others have the core."""

GIVE_WAY = "noria_give_way"


def give_way() -> dict[str, int]:
    """Find the system's call that lets another thread have the core, as a symbol for the compiled code."""
    if sys.platform == "win32":
        function = ctypes.windll.kernel32.SwitchToThread
    else:
        function = ctypes.CDLL(None).sched_yield
    return {GIVE_WAY: ctypes.cast(function, ctypes.c_void_p).value or 0}


def write_barrier(module: ir.Module, numbers: Numbers) -> None:
    """Write ``meet(barrier, parts)``: the last thread to come opens the barrier for the others.

    The barrier is two integers in different cache lines: how many have come, and how often it was opened.
    """
    code = Code(module, numbers, "meet", (("barrier", POINTER), ("parts", INDEX)), internal=True)
    code.function.attributes.add("noinline")
    b, barrier, parts = code.b, code.given["barrier"], code.given["parts"]
    with b.if_then(b.icmp_signed("<=", parts, code.index(1))):
        b.ret_void()
    opened = b.gep(barrier, [code.index(8)], source_etype=INDEX)
    before = b.load_atomic(opened, "acquire", 8, typ=INDEX)
    come = b.atomic_rmw("add", barrier, code.index(1), "acq_rel")
    is_last = b.icmp_signed("==", b.add(come, code.index(1)), parts)
    last, wait, look, rest, out = (
        code.function.append_basic_block(name) for name in ("last", "wait", "look", "rest", "out")
    )
    b.cbranch(is_last, last, wait)
    b.position_at_end(last)
    b.atomic_rmw("xchg", barrier, code.index(0), "monotonic")
    b.atomic_rmw("xchg", opened, b.add(before, code.index(1)), "release")
    b.branch(out)
    b.position_at_end(wait)
    b.branch(look)
    b.position_at_end(look)
    spins = b.phi(INDEX)
    spins.add_incoming(code.index(0), wait)
    now = b.load_atomic(opened, "acquire", 8, typ=INDEX)
    b.cbranch(b.icmp_signed("==", now, before), rest, out)
    b.position_at_end(rest)
    more = b.add(spins, code.index(1))
    if platform.machine().lower() in ("x86_64", "amd64", "i686"):
        code.call("llvm.x86.sse2.pause", ())
    with b.if_then(b.icmp_signed(">", more, code.index(SPINS))):
        code.call(GIVE_WAY, (), ir.IntType(32))
    spins.add_incoming(more, b.block)
    b.branch(look)
    b.position_at_end(out)
    b.ret_void()
