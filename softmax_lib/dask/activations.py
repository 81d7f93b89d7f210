"""Softmax, log-softmax, log-sum-exp and the sigmoids of Dask arrays."""

import functools
import math

import dask.array as da
import numpy as np

from softmax_lib import _arguments
from softmax_lib.dask import _arrays, _blocks

__all__ = ["log_sigmoid", "log_softmax", "logsumexp", "sigmoid", "softmax"]


def softmax(x, /, axis=-1, *, where=None):
    r"""Turn the scores of a Dask array into positive shares that sum to 1.

    .. math:: \operatorname{softmax}(x)_i = \frac{e^{x_i}}{\sum_j e^{x_j}}

    Parameters
    ----------
    x : dask.array.Array
        Scores, of a dtype as for `softmax_lib.softmax`, in chunks of known sizes along
        any axis.
    axis : int, tuple of int or None, default -1
        The axis or axes along which the shares sum to 1.
    where : array_like of bool, optional
        Mask, of NumPy's or Dask's, broadcast against `x`. Entries where it is False are
        masked.

    Returns
    -------
    dask.array.Array
        Shares in the shape, dtype and chunks of `x`; special values and masked entries
        as from `softmax_lib.softmax`.

    Raises
    ------
    TypeError
        If `x` is no Dask array, and as for `softmax_lib.softmax`.
    ValueError
        If chunks have unknown sizes, and as for `softmax_lib.softmax`.

    See Also
    --------
    softmax_lib.softmax : The same for NumPy arrays.
    softmax_lib.LogSumExp : What is kept of a chunk.

    Notes
    -----
    A chunk is read again for its shares once all chunks of its slices have been read.
    So the chunks of some slices have to fit in memory together, or are put on disk by
    the workers of a cluster: keep chunks short along the other axes. There is no `out`,
    since a result has no memory before it is computed: ``dask.array.store`` writes it
    where it belongs.

    Results have the same bits however `x` is chunked: those of a `LogSumExp`, and so of
    `softmax_lib.softmax`, except of slices whose maximum is huge.

    Examples
    --------
    >>> import dask.array as da
    >>> x = da.from_array([0.7, 1.5, 4.8], chunks=2)
    >>> softmax(x).compute().round(4).tolist()
    [0.0157, 0.035, 0.9493]
    """
    return _map(x, axis, where, 0.0, "softmax")


def log_softmax(x, /, axis=-1, *, where=None):
    r"""Compute the logarithm of softmax without cancellation.

    .. math:: \log\operatorname{softmax}(x)_i = x_i - \log\sum_j e^{x_j}

    Parameters
    ----------
    x, axis, where
        As for `softmax`.

    Returns
    -------
    dask.array.Array
        Logarithms, as from `softmax_lib.log_softmax`, in the chunks of `x`.

    Raises
    ------
    TypeError
        Or ValueError, as for `softmax`.

    See Also
    --------
    softmax_lib.log_softmax : The same for NumPy arrays.

    Examples
    --------
    >>> import dask.array as da
    >>> print(*(f"{v:.4g}" for v in log_softmax(da.from_array([0.0, -40.0])).compute()))
    -4.248e-18 -40
    """
    return _map(x, axis, where, -math.inf, "log_softmax")


def _map(x, axis, where, masked_value, name):
    x, dtype, kept = _arrays.to_scores(x, where=where)
    axes = _arguments.normalize_axes(axis, x.ndim)
    kind = {"dtype": dtype, "meta": _arrays.meta(x.ndim, dtype)}
    if _arrays.is_in_one_chunk(x, axes):
        result = da.map_blocks(_blocks.whole_slices, x, axes, name, **kind)
    else:
        totals = _arrays.totals(x, axes)
        result = da.map_blocks(_blocks.shares_of_block, x, totals, axes, name, **kind)
    return result if kept is None else da.where(kept, result, dtype.type(masked_value))


def logsumexp(x, /, axis=-1, *, b=None, where=None, keepdims=False, return_sign=False):
    r"""Compute the logarithm of a sum of exponentials without overflow.

    .. math:: \operatorname{logsumexp}(x) = \log\sum_j b_j e^{x_j}

    Parameters
    ----------
    x, axis, where
        As for `softmax`.
    b : array_like, optional
        Factors of the terms, of NumPy's or Dask's, as for `softmax_lib.logsumexp`.
    keepdims : bool, default False
        Keep the reduced axes, with length 1.
    return_sign : bool, default False
        Return the logarithm of the sum's absolute value, and the sign of the sum.

    Returns
    -------
    dask.array.Array
        As from `softmax_lib.logsumexp`.
    sign : dask.array.Array
        With `return_sign` only.

    Raises
    ------
    TypeError
        Or ValueError, as for `softmax` and `softmax_lib.logsumexp`.

    See Also
    --------
    softmax_lib.logsumexp : The same for NumPy arrays.

    Notes
    -----
    Each chunk is read once, and can be forgotten then. With `b` terms may cancel, which
    no partial sum can foresee: slices are joined into one chunk each.

    Examples
    --------
    >>> import dask.array as da
    >>> x = da.from_array([1000.0, 1000.0], chunks=1)
    >>> print(logsumexp(x).compute().round(4))
    1000.6931
    """
    keepdims = _arguments.as_bool(keepdims, "keepdims")
    return_sign = _arguments.as_bool(return_sign, "return_sign")
    if b is None:
        values, axes, ndim = _logsumexp(x, axis, where)
        signs = da.where(da.isnan(values), values, values > -math.inf)
        signs = (signs if x.size else signs - 1.0).astype(values.dtype)
    else:
        values, signs, axes, ndim = _signed_logsumexp(x, axis, b, where)
        if not return_sign:
            values = da.where(signs < 0.0, values.dtype.type(math.nan), values)
    if keepdims:
        whole = tuple(None if d in axes else slice(None) for d in range(ndim))
        values, signs = values[whole], signs[whole]
    return (values, signs) if return_sign else values


def _logsumexp(x, axis, where):
    """Return the values, the axes and the dimensions that they refer to."""
    x, dtype, _ = _arrays.to_scores(x, where=where)
    axes = _arguments.normalize_axes(axis, x.ndim)
    if _arrays.is_in_one_chunk(x, axes):
        kind = {"dtype": dtype, "meta": _arrays.meta(x.ndim - len(axes), dtype)}
        whole = _blocks.whole_slices, x, axes, "logsumexp"
        return da.map_blocks(*whole, drop_axis=axes, **kind), axes, x.ndim
    finish = functools.partial(_blocks.value_of_totals, dtype=dtype)
    totals = _blocks.total_of_block, _blocks.merge_totals, finish
    return _arrays.reduce(x, axes, *totals, keepdims=False), axes, x.ndim


def _signed_logsumexp(x, axis, b, where):
    """Return the same with factors, and the signs of the sums after the values."""
    x, dtype, _ = _arrays.to_scores(x)
    factors = da.asarray(b)
    _arrays.check_chunks(factors, "b")
    # A float of Python's leaves the dtype as it is.
    like = b if type(b) is float else factors._meta
    *_, dtype = _arguments.weights(like, np.empty(()), dtype)
    try:
        np.broadcast_shapes(x.shape, factors.shape)
    except ValueError:
        got = f"got b of shape {factors.shape}"
        raise ValueError(f"{got}; it has to broadcast with x, {x.shape}") from None
    x, factors = da.broadcast_arrays(x, factors)
    if where is not None:
        factors = da.where(_arrays.to_mask(where, x), factors, 0)
    axes = _arguments.normalize_axes(axis, x.ndim)
    x = x.rechunk(dict.fromkeys(axes, -1))
    ndim, rest = x.ndim, tuple(d for d in range(x.ndim) if d not in axes)
    every = tuple(range(ndim))
    both = da.blockwise(
        _blocks.signed_logsumexp, (ndim, *rest),
        x, every, factors.rechunk(x.chunks), every, axis=axes, result_dtype=dtype,
        concatenate=True, new_axes={ndim: 2}, dtype=dtype,
        meta=_arrays.meta(1 + len(rest), dtype),
    )  # fmt: skip
    return both[0], both[1], axes, ndim


def sigmoid(x, /):
    r"""Compute the logistic sigmoid, softmax's share of `x` against a score of 0.

    .. math:: \sigma(x) = \frac{1}{1 + e^{-x}}

    Parameters
    ----------
    x : dask.array.Array
        As for `softmax`.

    Returns
    -------
    dask.array.Array
        Shares, as from `softmax_lib.sigmoid`, in the chunks of `x`.

    Raises
    ------
    TypeError
        Or ValueError, as for `softmax`.

    See Also
    --------
    softmax_lib.sigmoid : The same for NumPy arrays.

    Examples
    --------
    >>> import dask.array as da
    >>> sigmoid(da.from_array([-2.0, 0.0, 2.0])).compute().round(4).tolist()
    [0.1192, 0.5, 0.8808]
    """
    return _by_entry(x, "sigmoid")


def log_sigmoid(x, /):
    r"""Compute the logarithm of the sigmoid, accurate at both ends.

    .. math:: \log\sigma(x) = -\log(1 + e^{-x})

    Parameters
    ----------
    x : dask.array.Array
        As for `softmax`.

    Returns
    -------
    dask.array.Array
        Logarithms, as from `softmax_lib.log_sigmoid`, in the chunks of `x`.

    Raises
    ------
    TypeError
        Or ValueError, as for `softmax`.

    See Also
    --------
    softmax_lib.log_sigmoid : The same for NumPy arrays.

    Examples
    --------
    >>> import dask.array as da
    >>> log_sigmoid(da.from_array([0.0, -1000.0])).compute().round(4).tolist()
    [-0.6931, -1000.0]
    """
    return _by_entry(x, "log_sigmoid")


def _by_entry(x, name):
    x, dtype, _ = _arrays.to_scores(x)
    meta = _arrays.meta(x.ndim, dtype)
    return da.map_blocks(_blocks.entries, x, name, dtype=dtype, meta=meta)
