"""Two different inputs with one output: where to look for them, how they become exact, and far from one another."""
