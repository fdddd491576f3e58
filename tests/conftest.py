"""Settings that every test runs under."""

import os

# Test processes share the cores: threads of one that wait for another would spin. One each is
# faster in sum, and sums come out in the same order on every machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")
