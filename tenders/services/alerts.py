"""Telling people of new tenders that fit their saved searches: each once."""

from __future__ import annotations

from uuid import UUID

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction

from accounts.exceptions import PlumblineError
from jobs.events import publish_on_commit
from jobs.services import enqueue
from jobs.webhooks import link_to

from ..models import SavedSearch
from ..webhooks import tell_matched
from .saved_searches import news_of, settled_until

MAIL = "tenders.mail_alert"
LISTED = 20  # tenders that an e-mail or an event names
log = structlog.get_logger(__name__)


def alert_all() -> int:
    """All saved searches that want it; how many had news. One that fails does not stop the others."""
    told = 0
    for pk in list(SavedSearch.objects.filter(is_alerting=True).values_list("pk", flat=True)):
        try:
            told += alert(pk) > 0
        except PlumblineError as error:
            log.warning("alert_not_possible", search=str(pk), error=str(error))
    return told


@transaction.atomic
def alert(search_id: UUID) -> int:
    """How many new tenders were told of. `seen_until` moves with what is queued: a tender is never told of twice, by
    two runs at once neither (the row is locked, the second run leaves it out)."""
    found = SavedSearch.objects.select_for_update(skip_locked=True, of=("self",)).select_related("owner")
    search = found.filter(pk=search_id, is_alerting=True).first()
    if search is None or not search.owner.is_active:
        return 0
    until = settled_until()
    if until <= search.seen_until:
        return 0
    news = news_of(search, user=search.owner, until=until)
    count = news.count()
    SavedSearch.objects.filter(pk=search.pk).update(seen_until=until)
    if count:
        rows = [
            (str(pk), title) for pk, title in news.order_by("-created_at", "-id").values_list("pk", "title")[:LISTED]
        ]
        _tell(search, count, rows)
    return count


def _tell(search: SavedSearch, count: int, rows: list[tuple[str, str]]) -> None:
    words = f"{count:,} new tender{'s' if count != 1 else ''} for “{search.name}”"
    link = link_to("tenders:saved-search", search.pk)
    publish_on_commit(f"user:{search.owner_id}", "notification", {"level": "info", "text": words, "url": link})
    tell_matched(search=search, count=count, tender_ids=[pk for pk, _ in rows], link=link)
    if search.by_email:
        params = {"search_id": str(search.pk), "words": words, "titles": [title for _, title in rows], "count": count}
        enqueue(kind=MAIL, params=params, actor=search.owner, organisation=search.organisation_id, about=search.name)


def mail(*, search_id: str, words: str, titles: list[str], count: int) -> bool:
    """False: the search is gone, or no longer wants mail. At least once, as jobs are: a worker killed between sending
    and saying so sends again."""
    search = SavedSearch.objects.select_related("owner").filter(pk=search_id, by_email=True).first()
    if search is None or not search.owner.is_active:
        return False
    lines = [f"– {' '.join(title.split())}" for title in titles]
    if count > len(titles):
        lines.append(f"and {count - len(titles):,} more")
    body = "\n".join([words, "", *lines, "", link_to("tenders:saved-search", search.pk)])
    subject = " ".join(f"Plumbline: {words}".split())  # a header takes no line breaks
    EmailMessage(subject, body, settings.DEFAULT_FROM_EMAIL, [search.owner.email]).send()
    return True
