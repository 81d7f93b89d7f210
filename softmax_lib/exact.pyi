from typing import Any, Literal, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from softmax_lib.activations import log_softmax as log_softmax
from softmax_lib.activations import sigmoid as sigmoid
from softmax_lib.activations import softmax as softmax

__all__ = ["log_softmax", "logsumexp", "sigmoid", "softmax"]

_F = TypeVar("_F", np.float16, np.float32, np.float64)
_Out = TypeVar("_Out", bound=NDArray[Any])
_Axis = int | tuple[int, ...] | None
_Where = ArrayLike | None

@overload
def logsumexp(
    x: float,
    /,
    axis: _Axis = -1,
    *,
    where: _Where = None,
    keepdims: bool = False,
    out: None = None,
) -> np.float64: ...
@overload
def logsumexp(
    x: NDArray[_F],
    /,
    axis: None,
    *,
    where: _Where = None,
    keepdims: Literal[False] = False,
    out: None = None,
) -> _F: ...
@overload
def logsumexp(
    x: NDArray[_F],
    /,
    axis: _Axis = -1,
    *,
    where: _Where = None,
    keepdims: Literal[True],
    out: None = None,
) -> NDArray[_F]: ...
@overload
def logsumexp(
    x: NDArray[_F],
    /,
    axis: _Axis = -1,
    *,
    where: _Where = None,
    keepdims: bool = False,
    out: None = None,
) -> Any: ...
@overload
def logsumexp(
    x: ArrayLike,
    /,
    axis: _Axis = -1,
    *,
    where: _Where = None,
    keepdims: bool = False,
    out: None = None,
) -> Any: ...
@overload
def logsumexp(
    x: ArrayLike,
    /,
    axis: _Axis = -1,
    *,
    where: _Where = None,
    keepdims: bool = False,
    out: _Out,
) -> _Out: ...
