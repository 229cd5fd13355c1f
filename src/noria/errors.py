"""Everything that Noria raises on purpose: who speaks, what was expected, what came, what to do next.

The command line prints the message of a :class:`NoriaError` and nothing else; any other exception is a bug
of ours. Each class is also the built-in error that a Python programmer would expect in its place.
"""


class NoriaError(Exception):
    """The base of all errors that Noria raises on purpose."""


class EquationError(NoriaError, ValueError):
    """The text of a cell does not say what a cell must say: carries line, column and the line itself."""


class UnknownNameError(NoriaError, KeyError):
    """A cell, optimiser, schedule or other thing chosen by name does not exist; names the nearest one."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class EngineError(NoriaError):
    """An engine cannot run here; says why."""


class ProgramError(NoriaError, ValueError):
    """A derived program is not legal: a fault in a rewrite of the program, never in the user's cell."""


class ShapeError(NoriaError, ValueError):
    """An array has another shape than the one that was fixed earlier."""


class OptionError(NoriaError, ValueError):
    """An option is outside its range, or two options contradict each other."""


class DataError(NoriaError, ValueError):
    """A file, a text or a set of sequences cannot be used as it is."""


class TargetError(NoriaError, ValueError):
    """A target is not one of the classes: says which row and which id."""


class BackwardError(NoriaError, RuntimeError):
    """A backward was called twice, or belongs to a forward that saved nothing."""


class DivergenceError(NoriaError, ArithmeticError):
    """Training met the first loss or gradient that is not finite."""


class RunError(NoriaError, OSError):
    """A run folder cannot be made, read or written."""


class NotFittedError(NoriaError, AttributeError, ValueError):
    """A model was asked for something that only a fitted model knows."""


class MissingExtraError(NoriaError, ImportError):
    """An optional library is not installed; the message is its install line."""
