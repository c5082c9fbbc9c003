"""What is refused of webhooks."""

from __future__ import annotations

from accounts.exceptions import Conflict, Missing, Refused


class EndpointMissing(Missing):
    code = "webhook_endpoint_not_found"


class DeliveryMissing(Missing):
    code = "webhook_delivery_not_found"


class EndpointRefused(Refused):
    code = "webhook_endpoint_refused"


class EndpointOff(Conflict):
    code = "webhook_endpoint_off"


class StillTrying(Conflict):
    code = "webhook_still_trying"


class NotAccepted(Refused):
    """The receiver answered, but not with success."""

    code = "webhook_not_accepted"


class UnknownReceiver(Missing):
    code = "webhook_receiver_not_found"


class WrongSignature(Refused):
    status = 401
    code = "webhook_signature_wrong"
