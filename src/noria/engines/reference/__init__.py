"""The program in plain NumPy, step by step: the twin of every fast engine, and fast enough to train with."""

from noria.engines.reference.kernel import ReferenceKernel

__all__ = ["ReferenceKernel"]
