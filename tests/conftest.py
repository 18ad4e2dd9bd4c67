"""What every test may use: real databases and Redis, and how hard the property tests try."""

import os

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.databases", "tests.simulator_process"]

# A shared machine can be slow: time limits belong to pytest, not to single examples.
settings.register_profile("usual", max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("proof", settings.get_profile("usual"), max_examples=5_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "usual"))
