"""Chain, runs and books."""
