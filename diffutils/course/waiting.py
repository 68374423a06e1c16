"""How threads of a computation wait for each other: spinning for a moment, then asleep.

By default they spin for long: the fastest on a machine that does nothing else, and several times
slower beside other work, which then waits for threads that do nothing.
"""

import os
from collections.abc import MutableMapping

# What each OpenMP runtime calls it: libgomp (turns of a loop; Linux), libomp and libiomp
# (milliseconds; macOS, Windows).  `tests/helpers/waiting.py` measures it.
SETTINGS = {"GOMP_SPINCOUNT": "20000", "KMP_BLOCKTIME": "1"}
OWN = ("OMP_WAIT_POLICY", *SETTINGS)  # who set one of these has chosen


def briefly(environment: MutableMapping[str, str] = os.environ) -> None:
    """Let this process, and those that it starts, wait so, unless somebody chose otherwise.

    The runtime asks when it is loaded: call this before torch is imported.
    """
    if not any(name in environment for name in OWN):
        environment |= SETTINGS
