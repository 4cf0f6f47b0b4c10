"""Exact mathematics; knows nothing of networks."""
