"""Regions of two dimensions as a picture: what part of the plane each one is, and a deterministic SVG."""
