"""Looking inside: whether a gradient is right, and what a cell does."""

from noria.inspection.gradient_check import GradientReport, GradientRow, check_gradients
from noria.inspection.own_check import OwnReport, OwnRow, check_own_code

__all__ = ["GradientReport", "GradientRow", "OwnReport", "OwnRow", "check_gradients", "check_own_code"]
