"""A pretend OpenAlgo: an options market and several broker accounts in one deterministic process."""
