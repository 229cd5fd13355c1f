"""Programs become callables here: one seam, several engines, and :func:`bind` to reach whatever runs them."""

from noria.engines.binding import ENGINES, bind, why_not_native
from noria.engines.seam import Kernel, Run

__all__ = ["ENGINES", "Kernel", "Run", "bind", "why_not_native"]
