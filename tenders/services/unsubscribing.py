"""Ending the e-mails of saved searches from the e-mail itself, without signing in."""

from __future__ import annotations

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

from accounts.models import User

from ..exceptions import SearchMissing
from ..models import SavedSearch

SALT = "plumbline.tenders.unsubscribe"


def address_for(user: User) -> str:
    """For ever: an e-mail may be years old. It ends e-mails, and opens nothing."""
    token = Signer(salt=SALT).sign(user.pk.hex)
    return str(settings.SITE_URL).rstrip("/") + reverse("tenders:alerts-stop", args=[token])


def user_of(token: str) -> User:
    """Raises SearchMissing: the link is not ours, or its owner is gone."""
    try:
        found = User.objects.filter(pk=Signer(salt=SALT).unsign(token)).first()
    except BadSignature:
        found = None
    if found is None:
        raise SearchMissing("This link is not complete. Open it as it stands in the e-mail.")
    return found


def mailing_searches(user: User) -> list[str]:
    """Names of the searches that send e-mails."""
    return list(SavedSearch.objects.filter(owner=user, by_email=True).order_by("name").values_list("name", flat=True))


def stop_mails(user: User) -> int:
    """Of all searches of this person; they go on telling on the pages. How many did send some."""
    return SavedSearch.objects.filter(owner=user, by_email=True).update(by_email=False)
