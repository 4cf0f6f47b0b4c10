"""Floats with proved bounds: which signs at which vertices they may decide."""
