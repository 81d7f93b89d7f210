"""Settings for all tests."""

from hypothesis import settings

# The first call of a function compiles it, which takes as long as it takes.
settings.register_profile("compiling", deadline=None)
settings.load_profile("compiling")
