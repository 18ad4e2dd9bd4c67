"""AlgoMirror: a self-hosted desk for trading Indian index options in many accounts at once."""
