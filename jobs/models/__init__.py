"""What is kept of background work: the jobs, the processes that run them, the schedule, and webhooks both ways."""

from .job import BATCH_KIND, Job
from .process import Process
from .schedule import ScheduledRun, ScheduledTask
from .webhooks import ReceivedWebhook, WebhookDelivery, WebhookEndpoint

__all__ = [
    "BATCH_KIND",
    "Job",
    "Process",
    "ReceivedWebhook",
    "ScheduledRun",
    "ScheduledTask",
    "WebhookDelivery",
    "WebhookEndpoint",
]
