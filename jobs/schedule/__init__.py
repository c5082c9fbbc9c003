"""The schedule: what a task is, when it is due, and the process that starts it. Writes are `services.scheduling`'s."""

from .tasks import Task, listed

__all__ = ["Task", "listed"]
