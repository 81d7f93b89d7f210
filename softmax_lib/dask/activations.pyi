from typing import Literal, overload

from dask.array import Array
from numpy.typing import ArrayLike

__all__ = ["log_sigmoid", "log_softmax", "logsumexp", "sigmoid", "softmax"]

_Axis = int | tuple[int, ...] | None
_Arrays = ArrayLike | Array

def softmax(
    x: Array, /, axis: _Axis = -1, *, where: _Arrays | None = None
) -> Array: ...
def log_softmax(
    x: Array, /, axis: _Axis = -1, *, where: _Arrays | None = None
) -> Array: ...
@overload
def logsumexp(
    x: Array,
    /,
    axis: _Axis = -1,
    *,
    b: _Arrays | None = None,
    where: _Arrays | None = None,
    keepdims: bool = False,
    return_sign: Literal[False] = False,
) -> Array: ...
@overload
def logsumexp(
    x: Array,
    /,
    axis: _Axis = -1,
    *,
    b: _Arrays | None = None,
    where: _Arrays | None = None,
    keepdims: bool = False,
    return_sign: Literal[True],
) -> tuple[Array, Array]: ...
def sigmoid(x: Array, /) -> Array: ...
def log_sigmoid(x: Array, /) -> Array: ...
