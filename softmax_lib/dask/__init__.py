"""The nine functions for Dask arrays: lazy, and in chunks along any axis.

Where the axis itself is in chunks, each chunk has a `softmax_lib.LogSumExp`, and these
are merged along a tree. So no chunk is joined with another, and no result shows how an
array is chunked. It needs Dask: ``pip install "softmax_lib[dask]"``.
"""

from softmax_lib.dask import activations, losses
from softmax_lib.dask.activations import *
from softmax_lib.dask.losses import *

__all__ = []
__all__ += activations.__all__
__all__ += losses.__all__
