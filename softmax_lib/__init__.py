"""Accurate and fast softmax, its logarithm, losses and gradients for NumPy arrays."""

from softmax_lib import activations, losses
from softmax_lib.activations import *
from softmax_lib.losses import *

__version__ = "0.1.0"

__all__ = []
__all__ += activations.__all__
__all__ += losses.__all__
