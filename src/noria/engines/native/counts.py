"""Counting in generated code: smaller, larger, and things split into parts."""

from llvmlite import ir

from noria.engines.native.code import INDEX, Code


def least(code: Code, first: ir.Value, second: ir.Value) -> ir.Value:
    """Give the smaller of two 64-bit integers."""
    return code.b.select(code.b.icmp_signed("<", first, second), first, second)


def greatest(code: Code, first: ir.Value, second: ir.Value) -> ir.Value:
    """Give the larger of two 64-bit integers."""
    return code.b.select(code.b.icmp_signed(">", first, second), first, second)


def part_of(code: Code, i: ir.Value, total: ir.Value, parts: ir.Value) -> tuple[ir.Value, ir.Value]:
    """Split things into parts as equal as can be: give where part i begins, and its size."""
    b = code.b
    each, more = b.sdiv(total, parts), b.srem(total, parts)
    size = b.add(each, b.zext(b.icmp_signed("<", i, more), INDEX))
    return b.add(b.mul(i, each), least(code, i, more)), size


def pieces(code: Code, total: ir.Value, most: "int | ir.Value") -> ir.Value:
    """Give into how many parts things must be split so that none is larger than ``most``."""
    b, size = code.b, code.index(most)
    return b.sdiv(b.add(total, b.sub(size, code.index(1))), size)
