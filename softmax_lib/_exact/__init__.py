"""Correct rounding: three paths, each slower and closer than the one before."""
