"""Earlier names of two functions in `schedules`."""

from .schedules import log_logistic_density as logistic  # noqa: F401
from .schedules import log_normal_density as normal  # noqa: F401
