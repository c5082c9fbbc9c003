"""What staff see of background work. Importing the modules registers them."""

from .jobs import JobAdmin
from .schedule import ScheduledTaskAdmin
from .webhooks import ReceivedWebhookAdmin, WebhookDeliveryAdmin, WebhookEndpointAdmin

__all__ = ["JobAdmin", "ReceivedWebhookAdmin", "ScheduledTaskAdmin", "WebhookDeliveryAdmin", "WebhookEndpointAdmin"]
