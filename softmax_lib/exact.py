"""The same functions with every result correctly rounded, opt-in: slower, but final.

A correctly rounded result is the floating-point number nearest to the exact value of
the formula for the given scores. It is defined by mathematics alone. So it has the same
bits along every axis, in every batch, on any number of threads and on every processor.

After A. Ziv, each result is computed with a bound on its error. If all numbers within
the bound round to one result, it is the right one; else the next path computes more
digits: first float64 (with pairs of float64 where scores are float64 themselves), then
pairs, then decimal arithmetic, whose precision grows until the result is certain. That
it ever is follows from the theorem of Lindemann and Weierstrass: apart from slices of
equal scores, no result is a rational number, and so none lies on the border between
two roundings. The import is one of its own: ``import softmax_lib.exact``.
"""

import math

from softmax_lib._exact import arrays, paths

__all__ = ["log_softmax", "logsumexp", "sigmoid", "softmax"]


def softmax(x, /, axis=-1, *, where=None, out=None):
    r"""Turn scores into positive shares that sum to 1, each correctly rounded.

    .. math:: \operatorname{softmax}(x)_i = \frac{e^{x_i}}{\sum_j e^{x_j}}

    Parameters
    ----------
    x : array_like
        Scores of any shape: float16, bfloat16, float32, float64, integers or bool.
    axis : int, tuple of int or None, default -1
        The axis or axes along which the shares sum to 1. None means the whole array.
    where : array_like of bool, optional
        Mask, broadcast against `x`. Entries where it is False are masked: they take no
        part and may hold anything.
    out : numpy.ndarray, optional
        Array for the result, of its shape and dtype, with any strides; it may be `x` or
        overlap it.

    Returns
    -------
    numpy.ndarray or numpy.floating
        Shares in the shape and dtype of `x`. Integers are converted to float64 first;
        half precision is computed in float32 and rounded again. A slice that contains
        NaN or +inf, or only -inf, is NaN. Masked entries get 0, even in fully masked
        slices.

    Raises
    ------
    TypeError
        If `x` is a masked array or has another dtype, `axis` has the wrong type,
        `where` is not boolean, or `out` is not an array of the result's dtype.
    ValueError
        If `out` has another shape or is read-only, `axis` repeats an axis, or `where`
        does not broadcast to the shape of `x`.
    numpy.exceptions.AxisError
        If `x` has no such axis.

    See Also
    --------
    softmax_lib.softmax : Faster, and within 2.9 units in the last place.
    scipy.special.softmax : Its `axis` defaults to None.

    Notes
    -----
    Each share is the float32 or float64 nearest to the exact value (an error of at most
    half a unit in the last place), subnormal ones included; of two that are equally
    near, the even one. The sum of rounded shares may differ from 1.

    References
    ----------
    A. Ziv, "Fast evaluation of elementary mathematical functions with correctly rounded
    last bit", ACM Transactions on Mathematical Software 17 (1991).

    Examples
    --------
    >>> softmax([0.7, 1.5, 4.8]).round(4).tolist()
    [0.0157, 0.035, 0.9493]
    >>> softmax([0.0, -1e30]).tolist()
    [1.0, 0.0]
    >>> softmax([7.0, 7.0, 7.0])[0] == 1 / 3
    np.True_
    """
    return arrays.along_axis(paths.softmax, 0.0, x, axis, where, out)


def log_softmax(x, /, axis=-1, *, where=None, out=None):
    r"""Compute the logarithm of softmax, correctly rounded.

    .. math:: \log\operatorname{softmax}(x)_i = x_i - \log\sum_j e^{x_j}

    Parameters
    ----------
    x, axis, where, out
        As for `softmax`.

    Returns
    -------
    numpy.ndarray or numpy.floating
        Logarithms, at most 0, in the shape of `x`; dtype and special values as for
        `softmax`, except that -inf and masked entries get -inf. The logarithm of the
        only finite score is 0; any other one that rounds to 0 is -0.

    Raises
    ------
    TypeError
        Or ValueError or AxisError, as for `softmax`.

    See Also
    --------
    softmax : The shares themselves.
    softmax_lib.log_softmax : Faster, and within 2 units in the last place.
    scipy.special.log_softmax : Its `axis` defaults to None.

    Notes
    -----
    Correctly rounded, as `softmax` is, and not the logarithm of a rounded share.

    References
    ----------
    Ziv (1991), as for `softmax`.

    Examples
    --------
    >>> print(*(f"{v:.4g}" for v in log_softmax([0.0, -40.0])))
    -4.248e-18 -40
    """
    return arrays.along_axis(paths.log_softmax, -math.inf, x, axis, where, out)


def logsumexp(x, /, axis=-1, *, where=None, keepdims=False, out=None):
    r"""Compute the logarithm of a sum of exponentials, correctly rounded.

    .. math:: \operatorname{logsumexp}(x) = \log\sum_j e^{x_j}

    Parameters
    ----------
    x, where, out
        As for `softmax`.
    axis : int, tuple of int or None, default -1
        The axis or axes to sum over. None means the whole array.
    keepdims : bool, default False
        Keep the reduced axes, with length 1.

    Returns
    -------
    numpy.ndarray or numpy.floating
        Dtype as for `softmax`. An empty sum, or a slice of only -inf, gives -inf; +inf
        gives +inf, and NaN gives NaN.

    Raises
    ------
    TypeError
        Or ValueError or AxisError, as for `softmax`; also if `keepdims` is not boolean.

    See Also
    --------
    softmax_lib.logsumexp : Faster, within 2 units in the last place, and with factors.
    scipy.special.logsumexp : Its `axis` defaults to None.
    numpy.logaddexp : The same for two numbers.

    Notes
    -----
    Correctly rounded, as `softmax` is, also where the largest score and the logarithm
    cancel. Then more digits are needed than usual: for logarithms of shares it takes
    some ten times as long in float32, and milliseconds a slice in float64.

    References
    ----------
    Ziv (1991), as for `softmax`.

    Examples
    --------
    >>> print(logsumexp([1000.0, 1000.0]).round(4))
    1000.6931
    >>> half = -0.6931471805599453  # log(1/2), rounded
    >>> print(f"{logsumexp([half, half]):.4g}")
    2.319e-17
    """
    return arrays.reduced(paths.logsumexp, x, axis, where, keepdims, out)


def sigmoid(x, /, *, out=None):
    r"""Compute the logistic sigmoid, correctly rounded.

    .. math:: \sigma(x) = \frac{1}{1 + e^{-x}}

    Parameters
    ----------
    x, out
        As for `softmax`.

    Returns
    -------
    numpy.ndarray or numpy.floating
        Shares in the shape of `x`; dtype as for `softmax`. NaN stays NaN.

    Raises
    ------
    TypeError
        Or ValueError, as for `softmax`.

    See Also
    --------
    softmax : The same for any number of classes.
    softmax_lib.sigmoid : Faster, and within 2 units in the last place.
    scipy.special.expit : The same, as a ufunc.

    Notes
    -----
    Correctly rounded, as `softmax` is.

    References
    ----------
    Ziv (1991), as for `softmax`.

    Examples
    --------
    >>> sigmoid([-2.0, 0.0, 2.0]).round(4).tolist()
    [0.1192, 0.5, 0.8808]
    >>> print(f"{sigmoid(-740.0):.3g}")
    4.2e-322
    """
    return arrays.elementwise(paths.sigmoid, x, out)
