"""Cross-entropy, its gradient, and the gradients of softmax and log-softmax."""

from softmax_lib import _losses_dispatch
from softmax_lib._njit import usable_in_njit

__all__ = ["cross_entropy", "cross_entropy_and_grad", "log_softmax_vjp", "softmax_vjp"]


@usable_in_njit("losses.type_cross_entropy")
def cross_entropy(
    logits,
    labels,
    /,
    axis=-1,
    *,
    reduction="mean",
    ignore_index=None,
    weight=None,
    label_smoothing=0.0,
):
    r"""Compute how surprised softmax is by the labels.

    With one label :math:`y` for each slice of logits :math:`x`, or with a share
    :math:`t_k` of the label for each class,

    .. math:: \ell = w_y \Bigl(\log\sum_j e^{x_j} - x_y\Bigr)
              \qquad\text{or}\qquad
              \ell = \sum_k w_k\,t_k \Bigl(\log\sum_j e^{x_j} - x_k\Bigr)

    Parameters
    ----------
    logits : array_like
        Scores of any shape with at least one axis: float32, float64, float16,
        bfloat16, integers or bool.
    labels : array_like
        Integers of any width, 0 to K - 1 for K classes, in the shape of `logits`
        without the axis of classes; or floats in the shape of `logits`, the shares
        of the label. Shares are taken as they are and need not sum to 1: rounded
        ones hardly ever do. They are converted to the dtype of `logits`.
    axis : int, default -1
        The axis of classes. torch's is 1, so say it for images.
    reduction : {"mean", "sum", "none"}, default "mean"
        The mean or the sum of the losses, or each of them. With integer labels
        the mean divides by the sum of the weights of the labels that count, with
        shares by the number of slices.
    ignore_index : int, optional
        A label that does not count: its loss is 0 whatever the logits are. torch
        leaves out -100 unasked; here nothing is left out unless it is said.
    weight : array_like, optional
        K weights from 0 on, one a class, converted to the dtype of `logits`. A label
        of weight 0 does not count, whatever the logits are.
    label_smoothing : float, default 0.0
        From 0 to 1: how much of each label is shared out evenly among all classes,
        :math:`t_k' = (1 - \varepsilon)\,t_k + \varepsilon / K`.

    Returns
    -------
    numpy.floating or numpy.ndarray
        The loss, in the dtype of `logits` (integers and bool give float64); for
        "none" in the shape of `logits` without the axis of classes. The mean over
        nothing that counts is 0. A slice that holds NaN or +inf, or nothing but
        -inf, has loss NaN; a class with score -inf has an infinite loss where it
        has a share of the label, and otherwise does no harm.

    Raises
    ------
    TypeError
        If an array is masked or of another dtype, labels are bool, or `axis`,
        `ignore_index` or `label_smoothing` is of the wrong type.
    ValueError
        If a label is out of range (the message has its place), a shape does not
        fit, a weight is negative, `reduction` or `label_smoothing` is not one of
        those allowed, or `ignore_index` comes with shares.
    numpy.exceptions.AxisError
        If `logits` has no such axis.

    See Also
    --------
    cross_entropy_and_grad : The loss and its gradient, at once.
    log_softmax : The logarithms that the loss is made of.
    torch.nn.functional.cross_entropy : Classes along axis 1, ignores -100.

    Notes
    -----
    Where the label has the highest score, the loss is the ``log1p`` of what the
    others have beside it, so a sure and right answer still has a loss above 0.
    With integer labels and no smoothing each loss is within 2 units in the last
    place of the exact value. Sums and means are compensated.

    Inside ``@njit`` it gives the same bits, on one thread, for arrays of float32,
    float64, integers and bool as `logits` and float32, float64 and integers as
    `labels`, which may be one integer for one slice. `reduction` has to be a
    literal, and `weight` an array.

    References
    ----------
    P. Blanchard, D. J. Higham, N. J. Higham, "Accurately computing the
    log-sum-exp and softmax functions", IMA J. Numer. Anal. 41 (2021).

    C. Szegedy et al., "Rethinking the Inception architecture for computer
    vision", CVPR (2016), section 7, for label smoothing.

    Examples
    --------
    >>> print(cross_entropy([2.0, 1.0, 0.0], 0).round(4))
    0.4076

    Two rows, and each loss by itself; the mean is over what counts.

    >>> logits = [[2.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    >>> cross_entropy(logits, [0, 2], reduction="none").round(4).tolist()
    [0.4076, 1.0986]
    >>> print(cross_entropy(logits, [0, -1], ignore_index=-1).round(4))
    0.4076

    A label may be shared between classes.

    >>> print(cross_entropy(logits[0], [0.5, 0.5, 0.0]).round(4))
    0.9076

    However sure the answer is, its doubt is kept.

    >>> print(f"{cross_entropy([40.0, 0.0], 0):.4g}")
    4.248e-18
    """
    return _losses_dispatch.cross_entropy(
        logits, labels, axis, reduction, ignore_index, weight, label_smoothing, False
    )


@usable_in_njit("losses.type_cross_entropy")
def cross_entropy_and_grad(
    logits,
    labels,
    /,
    axis=-1,
    *,
    reduction="mean",
    ignore_index=None,
    weight=None,
    label_smoothing=0.0,
):
    r"""Compute the cross-entropy and its gradient with respect to the logits.

    .. math:: \frac{\partial\ell}{\partial x_k} = w_y \bigl(p_k - [k = y]\bigr)
              \qquad\text{or}\qquad
              C\,p_k - w_k t_k, \quad C = \sum_j w_j t_j,

    with the shares :math:`p = \operatorname{softmax}(x)`. Each slice is worked on
    once: no table of logarithms is made on the way.

    Parameters
    ----------
    logits : array_like
        Scores, as for `cross_entropy`.
    labels : array_like
        Class numbers or shares of the label, as for `cross_entropy`.
    axis : int, default -1
        The axis of classes.
    reduction : {"mean", "sum", "none"}, default "mean"
        What becomes of the losses. The gradient is that of the mean or of the
        sum; for "none" each slice has the gradient of its own loss.
    ignore_index : int, optional
        A label that does not count: its slice has gradient 0.
    weight : array_like, optional
        K weights, one a class.
    label_smoothing : float, default 0.0
        From 0 to 1, as for `cross_entropy`.

    Returns
    -------
    loss : numpy.floating or numpy.ndarray
        What `cross_entropy` returns.
    grad : numpy.ndarray
        The gradient, in the shape of `logits` and the dtype of the loss. Where
        nothing counts it is 0; a slice whose loss is NaN is NaN.

    Raises
    ------
    TypeError
        As `cross_entropy` does.
    ValueError
        As `cross_entropy` does.
    numpy.exceptions.AxisError
        If `logits` has no such axis.

    See Also
    --------
    cross_entropy : The loss alone.
    softmax_vjp : The gradient of anything else that is made of shares.
    torch.nn.functional.cross_entropy : Its gradient comes from ``backward``.

    Notes
    -----
    At the label the gradient is -(the sum of the other shares) and not the
    difference between a share of almost 1 and 1. With integer labels and no
    smoothing each entry is within 3 units in the last place of the exact value. In
    general it is computed as :math:`(C - c_k)\,p_k - c_k\,(1 - p_k)` with
    :math:`c_k = w_k t_k`, and 1 less the largest share is taken as the sum of the
    others.

    Inside ``@njit`` it gives the same bits, on one thread, for what `cross_entropy`
    takes there.

    References
    ----------
    P. Blanchard, D. J. Higham, N. J. Higham, "Accurately computing the
    log-sum-exp and softmax functions", IMA J. Numer. Anal. 41 (2021).

    Examples
    --------
    >>> loss, grad = cross_entropy_and_grad([2.0, 1.0, 0.0], 0)
    >>> print(loss.round(4), grad.round(4).tolist())
    0.4076 [-0.3348, 0.2447, 0.09]

    A sure and right answer still says in which direction to go.

    >>> _, grad = cross_entropy_and_grad([40.0, 0.0], 0)
    >>> print(*(f"{v:.4g}" for v in grad))
    -4.248e-18 4.248e-18
    """
    return _losses_dispatch.cross_entropy(
        logits, labels, axis, reduction, ignore_index, weight, label_smoothing, True
    )


@usable_in_njit("losses.type_vjp")
def softmax_vjp(p, g, /, axis=-1):
    r"""Pass a gradient back through softmax.

    .. math:: \frac{\partial L}{\partial x_k} = p_k \Bigl(g_k - \sum_j p_j g_j\Bigr),
              \qquad g_k = \frac{\partial L}{\partial p_k}

    Parameters
    ----------
    p : array_like
        Shares, the result of `softmax`: float32, float64, float16 or bfloat16.
    g : array_like
        The gradient with respect to the shares, of the same shape.
    axis : int, tuple of int or None, default -1
        The axis or axes along which the shares sum to 1; None means the whole
        array.

    Returns
    -------
    numpy.ndarray or numpy.floating
        The gradient with respect to the scores, in the shape of `p` and the dtype
        of both; float64 if one of them is, float32 if two narrower ones differ.
        Where a share is 0 it is 0, whatever `g` is there.

    Raises
    ------
    TypeError
        If an array is masked or of another dtype, or `axis` is no int.
    ValueError
        If the shapes differ.
    numpy.exceptions.AxisError
        If there is no such axis.

    See Also
    --------
    softmax : What this is the gradient of.
    log_softmax_vjp : The same for its logarithm.
    torch.autograd.functional.vjp : The same for any function.

    Notes
    -----
    The sum of products is compensated, and the difference is rounded once in
    float32; that of float64 is relative to the larger of its parts.

    Inside ``@njit`` it gives the same bits, on one thread, for arrays.

    References
    ----------
    A. Griewank, A. Walther, "Evaluating Derivatives", 2nd edition, SIAM (2008),
    chapter 3, for products with a Jacobian from the left.

    Examples
    --------
    >>> p = [0.5, 0.25, 0.25]
    >>> softmax_vjp(p, [1.0, 0.0, 0.0]).tolist()
    [0.25, -0.125, -0.125]

    A gradient that is the same for all shares has no effect: they sum to 1.

    >>> softmax_vjp(p, [3.0, 3.0, 3.0]).tolist()
    [0.0, 0.0, 0.0]
    """
    return _losses_dispatch.softmax_vjp(p, g, axis)


@usable_in_njit("losses.type_vjp")
def log_softmax_vjp(logp, g, /, axis=-1):
    r"""Pass a gradient back through log-softmax.

    .. math:: \frac{\partial L}{\partial x_k} = g_k - e^{\ell_k} \sum_j g_j,
              \qquad g_k = \frac{\partial L}{\partial\ell_k}

    Parameters
    ----------
    logp : array_like
        Logarithms of shares, the result of `log_softmax`: float32, float64,
        float16 or bfloat16.
    g : array_like
        The gradient with respect to the logarithms, of the same shape.
    axis : int, tuple of int or None, default -1
        The axis or axes along which the shares sum to 1; None means the whole
        array.

    Returns
    -------
    numpy.ndarray or numpy.floating
        The gradient with respect to the scores, in the shape of `logp` and the
        dtype of both; float64 if one of them is, float32 if two narrower ones
        differ. Where a share is 0 it is `g`.

    Raises
    ------
    TypeError
        If an array is masked or of another dtype, or `axis` is no int.
    ValueError
        If the shapes differ.
    numpy.exceptions.AxisError
        If there is no such axis.

    See Also
    --------
    log_softmax : What this is the gradient of.
    softmax_vjp : The same for the shares themselves.
    cross_entropy_and_grad : Both at once, without the loss at sure answers.
    torch.autograd.functional.vjp : The same for any function.

    Notes
    -----
    The sum is compensated. Where `g` is -1 at the only label, the gradient there is
    exp(logp) - 1 and is lost for a share of almost 1: `cross_entropy_and_grad`
    keeps it.

    Inside ``@njit`` it gives the same bits, on one thread, for arrays.

    References
    ----------
    A. Griewank, A. Walther, "Evaluating Derivatives", 2nd edition, SIAM (2008),
    chapter 3, for products with a Jacobian from the left.

    Examples
    --------
    >>> from softmax_lib import log_softmax
    >>> logp = log_softmax([0.0, 0.0, 0.0, 0.0])
    >>> log_softmax_vjp(logp, [-1.0, 0.0, 0.0, 0.0]).round(6).tolist()
    [-0.75, 0.25, 0.25, 0.25]
    """
    return _losses_dispatch.log_softmax_vjp(logp, g, axis)
