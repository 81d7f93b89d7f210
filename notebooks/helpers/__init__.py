"""Modules that the chapters share: figures, tables, exact answers and data."""
