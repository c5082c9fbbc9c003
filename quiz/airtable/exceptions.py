"""What can go wrong with Airtable: for good, or for now."""

from __future__ import annotations

from accounts.exceptions import Refused, Temporary


class AirtableRefused(Refused):
    """Airtable answered that it will not: the token, the base, the table or the plan is not right."""

    status = 502
    code = "airtable_refused"


class AirtableAway(Temporary):
    """Airtable did not answer, or not in words that could be read, in as many attempts as are made at once."""

    status = 502
    code = "airtable_away"
