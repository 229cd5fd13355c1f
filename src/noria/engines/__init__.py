"""Programs become callables here. One seam, several engines: whatever runs a program is reached through :func:`bind`."""

from noria.engines.binding import ENGINES, bind
from noria.engines.seam import Kernel, Run

__all__ = ["ENGINES", "Kernel", "Run", "bind"]
