"""The scores that the site's reliability diagram divides by a temperature."""

import numpy as np

from softmax_lib import softmax
from tools import digit_scores


def test_stored_scores_are_those_of_the_chapter():
    behind, right = digit_scores.read()
    computed, computed_right = digit_scores.computed()
    assert behind.shape == computed.shape
    # Training repeats what it rounds, and processors round differently.
    assert np.mean(right == computed_right) > 0.99
    shown, of_chapter = (softmax(-b / 100).max(axis=1) for b in (behind, computed))
    assert abs(shown.mean() - of_chapter.mean()) < 0.005
    assert np.abs(shown - of_chapter).mean() < 0.005
