"""Accuracy and speed of the library and its peers, and the origin of its constants."""
