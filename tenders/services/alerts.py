"""Telling people of new tenders that fit their saved searches: each once, and one e-mail a person a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict
from uuid import UUID

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.urls import reverse

from accounts.models import User
from jobs.events import publish_on_commit
from jobs.services import enqueue
from jobs.webhooks import link_to

from ..exceptions import BadFilter
from ..models import SavedSearch
from ..webhooks import tell_matched
from . import unsubscribing
from .saved_searches import news_of, settled_until

if TYPE_CHECKING:
    from datetime import datetime

MAIL = "tenders.mail_alert"
LISTED = 20  # tenders that an e-mail or an event names, of one search
Report = Callable[[int, int, str], None]
log = structlog.get_logger(__name__)


class Part(TypedDict):
    """What an e-mail says of one search."""

    search_id: str
    words: str
    tenders: list[tuple[str, str]]  # id, title
    count: int


@dataclass(frozen=True, slots=True)
class _News:
    search: SavedSearch
    count: int
    tenders: list[tuple[str, str]]

    @property
    def words(self) -> str:
        return f"{self.count:,} new tender{'s' if self.count != 1 else ''} for “{self.search.name}”"


def alert_all(*, report: Report = lambda done, total, message: None) -> int:
    """Everybody who wants it; how many searches had news. Of a run that is cut short, the next one goes on: whoever has
    been told is told nothing again."""
    alerting = SavedSearch.objects.filter(is_alerting=True)
    owners = list(alerting.order_by("owner").values_list("owner", flat=True).distinct())
    told = 0
    for number, owner_id in enumerate(owners):
        report(number, len(owners), "Looking for new tenders")
        told += alert(owner_id)
    return told


@transaction.atomic
def alert(owner_id: UUID) -> int:
    """How many of a person's searches had news. `seen_until` of each moves with what is queued: a tender is never told
    of twice, by two runs at once neither (rows are locked, the second run leaves them out)."""
    owner = User.objects.filter(pk=owner_id).first()
    if owner is None or not owner.is_active:
        return 0
    mine = SavedSearch.objects.select_for_update(skip_locked=True).filter(owner=owner, is_alerting=True)
    until = settled_until()
    found = [news for search in mine.order_by("name") if (news := _news(search, owner, until))]
    for news in found:
        _tell(news, owner)
    mailed = [news for news in found if news.search.by_email]
    if mailed:
        parts = [_part(news) for news in mailed]
        about = ", ".join(news.search.name for news in mailed)
        enqueue(kind=MAIL, params={"owner_id": str(owner.pk), "parts": parts}, actor=owner, about=about)
    return len(found)


def _news(search: SavedSearch, owner: User, until: datetime) -> _News | None:
    """None: nothing has come, or the search can't be carried out; its page says why."""
    if until <= search.seen_until:
        return None
    try:
        news = news_of(search, user=owner, until=until)
    except BadFilter as error:
        log.warning("alert_not_possible", search=str(search.pk), error=str(error))
        return None
    newest = news.order_by("-created_at", "-id").values_list("pk", "title")[:LISTED]
    rows = [(str(pk), " ".join(title.split())) for pk, title in newest]
    SavedSearch.objects.filter(pk=search.pk).update(seen_until=until)
    return _News(search, news.count() if len(rows) == LISTED else len(rows), rows) if rows else None


def _tell(news: _News, owner: User) -> None:
    link = link_to("tenders:saved-search", news.search.pk)
    publish_on_commit(f"user:{owner.pk}", "notification", {"level": "info", "text": news.words, "url": link})
    ids = [pk for pk, _ in news.tenders]
    tell_matched(search=news.search, count=news.count, tender_ids=ids, link=link)


def _part(news: _News) -> Part:
    return {
        "search_id": str(news.search.pk),
        "words": news.words,
        "tenders": news.tenders,
        "count": news.count,
    }


def mail(*, owner_id: str, parts: list[Part], job_id: UUID) -> bool:
    """One message for all searches that still want it. False: none does, or their owner is gone.

    At least once, as jobs are: a worker killed between sending and saying so sends again, under the same Message-ID,
    by which mail servers know the second as the first.
    """
    owner = User.objects.filter(pk=owner_id).first()
    if owner is None or not owner.is_active:
        return False
    wanted = SavedSearch.objects.visible_to(owner).filter(is_alerting=True, by_email=True)
    ids = {str(pk) for pk in wanted.values_list("pk", flat=True)}
    parts = [part for part in parts if part["search_id"] in ids]
    if not parts:
        return False
    total = sum(part["count"] for part in parts)
    subject = parts[0]["words"] if len(parts) == 1 else f"{total:,} new tenders for {len(parts)} saved searches"
    stop = unsubscribing.address_for(owner)
    message = EmailMessage(
        " ".join(f"Plumbline: {subject}".split()),  # a header takes no line breaks
        _body(parts, stop),
        settings.DEFAULT_FROM_EMAIL,
        [owner.email],
        headers={
            "Message-ID": f"<tenders-{job_id}@{_host()}>",
            "List-Unsubscribe": f"<{stop}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",  # RFC 8058
            "Auto-Submitted": "auto-generated",
        },
    )
    message.send()
    return True


def _body(parts: list[Part], stop: str) -> str:
    lines: list[Any] = []
    for part in parts:
        lines += [part["words"], link_to("tenders:saved-search", UUID(part["search_id"])), ""]
        for pk, title in part["tenders"]:
            lines += [f"– {title}", f"  {link_to('tenders:detail', UUID(pk))}"]
        if part["count"] > len(part["tenders"]):
            lines.append(f"and {part['count'] - len(part['tenders']):,} more")
        lines.append("")
    searches = str(settings.SITE_URL).rstrip("/") + reverse("tenders:searches")
    return "\n".join([*lines, "--", f"Your saved searches: {searches}", f"No more of these e-mails: {stop}", ""])


def _host() -> str:
    return str(settings.SITE_URL).partition("://")[2].partition("/")[0].partition(":")[0] or "plumbline"
