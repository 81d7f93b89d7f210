"""Compiled loops and their formulas: no argument checks, one idea a file."""
