"""Settings that every test runs under."""

import os
import signal

from hypothesis import HealthCheck, settings

# Test processes share the cores: threads of one that wait for another would spin. One each is
# faster in sum, and sums come out in the same order on every machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Seeds are fixed, and a loaded machine is no failure.
settings.register_profile(
    "recform", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("recform")

# A shell starts background jobs with Ctrl-C ignored, which they hand on: tests of Ctrl-C must not
# depend on how they are started.
signal.signal(signal.SIGINT, signal.default_int_handler)
