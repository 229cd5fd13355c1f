"""Looking inside: whether a gradient is right, and what a cell does."""

from noria.inspection.gradient_check import GradientReport, GradientRow, check_gradients

__all__ = ["GradientReport", "GradientRow", "check_gradients"]
