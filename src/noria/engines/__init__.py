"""Programs become callables here. One seam, several engines: whatever runs a program is reached through :func:`bind`."""

from noria.engines.binding import Kernel, Run, bind

__all__ = ["Kernel", "Run", "bind"]
