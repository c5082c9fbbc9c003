"""What operators see, as plain data: queues, workers, jobs, failures, schedule, stores, limits, and alarms.

Every part is read by itself, so that one that can't be read (Redis away, the database slow) says so and the others are
still shown. The number of statements does not depend on the number of rows, each has a time limit, and the whole is
kept for a moment per process: any number of viewers, health checks and scrapes costs one reading.
"""

from .alarms import Alarm, alarms_of
from .kept import Kept
from .reading import Overview, overview
from .shapes import Part

__all__ = ["Alarm", "Kept", "Overview", "Part", "alarms_of", "overview"]
