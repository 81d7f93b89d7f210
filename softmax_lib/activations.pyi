from typing import Any, Literal, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["log_sigmoid", "log_softmax", "logsumexp", "sigmoid", "softmax"]

_F = TypeVar("_F", np.float16, np.float32, np.float64)
_Out = TypeVar("_Out", bound=NDArray[Any])
_Axis = int | tuple[int, ...] | None
_Where = ArrayLike | None
_Ints = NDArray[np.integer[Any]] | NDArray[np.bool_]
# Factors that leave the dtype as it is.
_Whole = int | _Ints | None

@overload
def softmax(
    x: float, /, axis: _Axis = -1, *, where: _Where = None, out: None = None
) -> np.float64: ...
@overload
def softmax(
    x: NDArray[_F], /, axis: _Axis = -1, *, where: _Where = None, out: None = None
) -> NDArray[_F]: ...
@overload
def softmax(
    x: _Ints, /, axis: _Axis = -1, *, where: _Where = None, out: None = None
) -> NDArray[np.float64]: ...
@overload
def softmax(
    x: ArrayLike, /, axis: _Axis = -1, *, where: _Where = None, out: None = None
) -> Any: ...
@overload
def softmax(
    x: ArrayLike, /, axis: _Axis = -1, *, where: _Where = None, out: _Out
) -> _Out: ...
@overload
def log_softmax(
    x: float, /, axis: _Axis = -1, *, where: _Where = None, out: None = None
) -> np.float64: ...
@overload
def log_softmax(
    x: NDArray[_F], /, axis: _Axis = -1, *, where: _Where = None, out: None = None
) -> NDArray[_F]: ...
@overload
def log_softmax(
    x: _Ints, /, axis: _Axis = -1, *, where: _Where = None, out: None = None
) -> NDArray[np.float64]: ...
@overload
def log_softmax(
    x: ArrayLike, /, axis: _Axis = -1, *, where: _Where = None, out: None = None
) -> Any: ...
@overload
def log_softmax(
    x: ArrayLike, /, axis: _Axis = -1, *, where: _Where = None, out: _Out
) -> _Out: ...
@overload
def logsumexp(
    x: float,
    /,
    axis: _Axis = -1,
    *,
    b: float | None = None,
    where: _Where = None,
    keepdims: bool = False,
    return_sign: Literal[False] = False,
    out: None = None,
) -> np.float64: ...
@overload
def logsumexp(
    x: NDArray[_F],
    /,
    axis: None,
    *,
    b: _Whole = None,
    where: _Where = None,
    keepdims: Literal[False] = False,
    return_sign: Literal[False] = False,
    out: None = None,
) -> _F: ...
@overload
def logsumexp(
    x: NDArray[_F],
    /,
    axis: _Axis = -1,
    *,
    b: _Whole = None,
    where: _Where = None,
    keepdims: Literal[True],
    return_sign: Literal[False] = False,
    out: None = None,
) -> NDArray[_F]: ...
@overload
def logsumexp(
    x: ArrayLike,
    /,
    axis: _Axis = -1,
    *,
    b: ArrayLike | None = None,
    where: _Where = None,
    keepdims: bool = False,
    return_sign: Literal[False] = False,
    out: None = None,
) -> Any: ...
@overload
def logsumexp(
    x: ArrayLike,
    /,
    axis: _Axis = -1,
    *,
    b: ArrayLike | None = None,
    where: _Where = None,
    keepdims: bool = False,
    return_sign: Literal[False] = False,
    out: _Out,
) -> _Out: ...
@overload
def logsumexp(
    x: float,
    /,
    axis: _Axis = -1,
    *,
    b: float | None = None,
    where: _Where = None,
    keepdims: bool = False,
    return_sign: Literal[True],
    out: None = None,
) -> tuple[np.float64, np.float64]: ...
@overload
def logsumexp(
    x: NDArray[_F],
    /,
    axis: None,
    *,
    b: _Whole = None,
    where: _Where = None,
    keepdims: Literal[False] = False,
    return_sign: Literal[True],
    out: None = None,
) -> tuple[_F, _F]: ...
@overload
def logsumexp(
    x: NDArray[_F],
    /,
    axis: _Axis = -1,
    *,
    b: _Whole = None,
    where: _Where = None,
    keepdims: Literal[True],
    return_sign: Literal[True],
    out: None = None,
) -> tuple[NDArray[_F], NDArray[_F]]: ...
@overload
def logsumexp(
    x: ArrayLike,
    /,
    axis: _Axis = -1,
    *,
    b: ArrayLike | None = None,
    where: _Where = None,
    keepdims: bool = False,
    return_sign: Literal[True],
    out: None = None,
) -> tuple[Any, Any]: ...
@overload
def logsumexp(
    x: ArrayLike,
    /,
    axis: _Axis = -1,
    *,
    b: ArrayLike | None = None,
    where: _Where = None,
    keepdims: bool = False,
    return_sign: Literal[True],
    out: _Out,
) -> tuple[_Out, Any]: ...
@overload
def logsumexp(
    x: ArrayLike,
    /,
    axis: _Axis = -1,
    *,
    b: ArrayLike | None = None,
    where: _Where = None,
    keepdims: bool = False,
    return_sign: bool,
    out: NDArray[Any] | None = None,
) -> Any: ...
@overload
def sigmoid(x: float, /, *, out: None = None) -> np.float64: ...
@overload
def sigmoid(x: NDArray[_F], /, *, out: None = None) -> NDArray[_F]: ...
@overload
def sigmoid(x: _Ints, /, *, out: None = None) -> NDArray[np.float64]: ...
@overload
def sigmoid(x: ArrayLike, /, *, out: None = None) -> Any: ...
@overload
def sigmoid(x: ArrayLike, /, *, out: _Out) -> _Out: ...
@overload
def log_sigmoid(x: float, /, *, out: None = None) -> np.float64: ...
@overload
def log_sigmoid(x: NDArray[_F], /, *, out: None = None) -> NDArray[_F]: ...
@overload
def log_sigmoid(x: _Ints, /, *, out: None = None) -> NDArray[np.float64]: ...
@overload
def log_sigmoid(x: ArrayLike, /, *, out: None = None) -> Any: ...
@overload
def log_sigmoid(x: ArrayLike, /, *, out: _Out) -> _Out: ...
