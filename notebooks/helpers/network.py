"""A small convolutional network and its training, written as loops.

The network has three layers: filters that slide over the picture, max pooling
over 2 by 2 cells, and scores, which are weighted sums of the pooled maps.
Softmax turns the scores into shares.

    picture (8, 8) -> maps (F, 6, 6) -> pooled (F, 3, 3) -> scores (K,)

Each layer has a forward function and a backward function. The latter takes the
gradient of the loss with respect to the layer's output and returns the
gradients with respect to its input and its weights. The name of a gradient
starts with grad_. All arrays are float64, and pictures are processed one at a
time.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from softmax_lib import cross_entropy, cross_entropy_and_grad

# Compiled code is cached on disk, together with the library functions that it
# calls; `make clean` removes it.
layer = njit(cache=True, error_model="numpy", fastmath=False)


class Layers(NamedTuple):
    """The weights of the network, or their gradients, layer by layer."""

    filters: np.ndarray  # (F, 3, 3)
    thresholds: np.ndarray  # (F,)
    weights: np.ndarray  # (K, F, 3, 3)
    biases: np.ndarray  # (K,)


def random_network(classes, rng, filters=16):
    """Return random weights of a new network in one array, with biases of 0.

    The standard deviation is sqrt(2 / inputs) before a relu and sqrt(1 / inputs)
    before softmax, which keeps the size of the signals about constant.
    """
    net = np.zeros(10 * filters + (9 * filters + 1) * classes)
    layers = split(net, classes)
    inputs = 9 * filters
    layers.filters[:] = rng.normal(
        0, np.sqrt(2 / 9), layers.filters.shape
    )
    layers.weights[:] = rng.normal(
        0, np.sqrt(1 / inputs), layers.weights.shape
    )
    return net


@layer
def split(net, classes):
    """Return the layers as views of the array of all weights."""
    f = (net.size - classes) // (10 + 9 * classes)
    return Layers(
        net[: 9 * f].reshape((f, 3, 3)),
        net[9 * f : 10 * f],
        net[10 * f : net.size - classes].reshape((classes, f, 3, 3)),
        net[net.size - classes :],
    )


@layer
def convolve(picture, filters, thresholds):
    """Slide each 3 by 3 filter over the picture and set negative sums to zero."""
    count = filters.shape[0]
    height, width = picture.shape[0] - 2, picture.shape[1] - 2
    maps = np.empty((count, height, width))
    for f in range(count):
        for i in range(height):
            for j in range(width):
                total = thresholds[f]
                for a in range(3):
                    for b in range(3):
                        total += (
                            filters[f, a, b] * picture[i + a, j + b]
                        )
                maps[f, i, j] = max(total, 0.0)
    return maps


@layer
def convolve_backwards(picture, maps, grad_maps):
    """Return the gradients of the filters and of their thresholds."""
    count, height, width = maps.shape
    grad_filters = np.zeros((count, 3, 3))
    grad_thresholds = np.zeros(count)
    for f in range(count):
        for i in range(height):
            for j in range(width):
                if maps[f, i, j] > 0.0:
                    slope = grad_maps[f, i, j]
                    grad_thresholds[f] += slope
                    for a in range(3):
                        for b in range(3):
                            grad_filters[f, a, b] += (
                                slope * picture[i + a, j + b]
                            )
    return grad_filters, grad_thresholds


@layer
def pool(maps):
    """Take the maximum of every 2 by 2 cells."""
    count, height, width = maps.shape
    pooled = np.empty((count, height // 2, width // 2))
    for f in range(count):
        for i in range(height // 2):
            for j in range(width // 2):
                upper = max(
                    maps[f, 2 * i, 2 * j], maps[f, 2 * i, 2 * j + 1]
                )
                lower = max(
                    maps[f, 2 * i + 1, 2 * j],
                    maps[f, 2 * i + 1, 2 * j + 1],
                )
                pooled[f, i, j] = max(upper, lower)
    return pooled


@layer
def pool_backwards(maps, pooled, grad_pooled):
    """Pass each gradient to the cell of the maximum, the first one if tied."""
    grad_maps = np.zeros_like(maps)
    count, height, width = pooled.shape
    for f in range(count):
        for i in range(height):
            for j in range(width):
                for place in range(4):
                    a, b = 2 * i + place // 2, 2 * j + place % 2
                    if maps[f, a, b] == pooled[f, i, j]:
                        grad_maps[f, a, b] = grad_pooled[f, i, j]
                        break
    return grad_maps


@layer
def score(pooled, weights, biases):
    """Return one weighted sum for each class."""
    scores = biases.copy()
    for k in range(scores.size):
        for f in range(pooled.shape[0]):
            for i in range(pooled.shape[1]):
                for j in range(pooled.shape[2]):
                    scores[k] += weights[k, f, i, j] * pooled[f, i, j]
    return scores


@layer
def score_backwards(pooled, weights, grad_scores):
    """Return the gradients of the layer's input and of its weights."""
    grad_pooled = np.zeros_like(pooled)
    grad_weights = np.empty_like(weights)
    for k in range(grad_scores.size):
        for f in range(pooled.shape[0]):
            for i in range(pooled.shape[1]):
                for j in range(pooled.shape[2]):
                    grad_weights[k, f, i, j] = (
                        grad_scores[k] * pooled[f, i, j]
                    )
                    grad_pooled[f, i, j] += (
                        grad_scores[k] * weights[k, f, i, j]
                    )
    return grad_pooled, grad_weights


@layer
def scores_of(net, pictures, classes):
    """Run the network forwards: scores for every picture."""
    layers = split(net, classes)
    scores = np.empty((pictures.shape[0], classes))
    for n in range(pictures.shape[0]):
        maps = convolve(pictures[n], layers.filters, layers.thresholds)
        scores[n] = score(pool(maps), layers.weights, layers.biases)
    return scores


@layer
def gradient(net, picture, label, classes):
    """Run one picture forwards and backwards: its loss, and the gradient."""
    layers = split(net, classes)
    maps = convolve(picture, layers.filters, layers.thresholds)
    pooled = pool(maps)
    scores = score(pooled, layers.weights, layers.biases)

    slopes = np.empty_like(net)
    grad = split(slopes, classes)
    loss, grad_scores = cross_entropy_and_grad(scores, label)
    grad.biases[:] = grad_scores
    grad_pooled, grad.weights[:] = score_backwards(
        pooled, layers.weights, grad_scores
    )
    grad_maps = pool_backwards(maps, pooled, grad_pooled)
    grad.filters[:], grad.thresholds[:] = convolve_backwards(
        picture, maps, grad_maps
    )
    return loss, slopes


@layer
def descend(net, speed, pictures, labels, classes, order, rate, batch):
    """Go through the pictures once, a step after each batch; return the mean loss.

    `net` and `speed` change in place. A step keeps nine tenths of the speed of
    the one before: this is the momentum of the descent.
    """
    total = 0.0
    for start in range(0, order.size, batch):
        chosen = order[start : start + batch]
        speed *= 0.9
        for n in chosen:
            loss, slopes = gradient(
                net, pictures[n], labels[n], classes
            )
            speed -= rate / chosen.size * slopes
            total += loss
        net += speed
    return total / order.size


def mean_loss(net, pictures, labels, classes):
    """Return the mean loss over pictures; the network does not change."""
    return cross_entropy(scores_of(net, pictures, classes), labels)


def train(
    pictures,
    labels,
    classes,
    *,
    rounds,
    watch=None,
    seed=0,
    rate=0.05,
    batch=16,
):
    """Train a network with random initial weights for some rounds.

    Returns the weights and the mean losses of each round. The first row has the
    losses of the training pictures during the round. If `watch` is a pair of
    other pictures and labels, a second row has their losses after the round.
    """
    rng = np.random.default_rng(seed)
    net = random_network(classes, rng)
    speed = np.zeros_like(net)
    losses = []
    for _ in range(rounds):
        order = rng.permutation(len(pictures))
        seen = descend(
            net, speed, pictures, labels, classes, order, rate, batch
        )
        unseen = [mean_loss(net, *watch, classes)] if watch else []
        losses.append([seen, *unseen])
    return net, np.array(losses).T
