"""Looking inside: is a gradient right, and what does a cell do?"""

from noria.inspection.gradient_check import GradientReport, GradientRow, check_gradients

__all__ = ["GradientReport", "GradientRow", "check_gradients"]
