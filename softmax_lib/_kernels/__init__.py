"""Jitted loops: no argument checks, no allocation, one idea a file."""
