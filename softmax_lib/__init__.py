"""Accurate and fast softmax, its logarithm, losses and gradients for NumPy arrays."""

from softmax_lib import activations, losses, running_total
from softmax_lib.activations import *
from softmax_lib.losses import *
from softmax_lib.running_total import *

__version__ = "0.1.0"

__all__ = []
__all__ += activations.__all__
__all__ += losses.__all__
__all__ += running_total.__all__
