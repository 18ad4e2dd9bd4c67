"""A trading day of several accounts and strategies on the simulator, faster than the clock, with engines dying."""
