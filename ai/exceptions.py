"""What goes wrong when a model is asked. `Temporary`: it may work later, and jobs retry it; `Refused`: it will not."""

from __future__ import annotations

from accounts.exceptions import Refused, Temporary


class ProviderMissing(Refused):
    """No model is configured, and the caller has no way of its own."""

    status = 503
    code = "model_not_configured"


class ProviderRefused(Temporary):
    """The provider does not accept this key, account or model (401, 402, 403, 404). Nobody asks again before an
    operator resumes: a run waits rather than failing row by row."""

    code = "model_paused"


class BudgetSpent(Temporary):
    """Today's money is used up, calls in flight included; `retry_after_s` is until the next day (UTC)."""

    code = "model_budget_spent"


class ModelUnavailable(Temporary):
    """No answer within the attempts: overloaded, silent, cut off."""

    code = "model_unavailable"


class AnswerInvalid(Refused):
    """The answer did not fit the schema, and neither did its repair."""

    status = 502
    code = "model_answer_invalid"


class ModelDeclined(Refused):
    """The model would not answer this."""

    status = 502
    code = "model_declined"


class BatchUnderWay(Temporary):
    """The provider has not answered all of it yet; `retry_after_s` is when to look again."""

    code = "model_batch_under_way"


class BatchesMissing(Refused):
    """The configured provider takes no batches."""

    status = 409
    code = "model_takes_no_batches"


class RequestRejected(Refused):
    """The provider does not take this request (400, 413, 422): asking again unchanged is pointless."""

    status = 502
    code = "model_request_rejected"
