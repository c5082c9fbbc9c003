"""Two editions of a bank's questions: what is the same, what changed, and what succeeds what."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.pages import PageRequest, page
from jobs.models import Job

from ..exceptions import EditionRefused
from ..exchange import Item
from ..models import Bank
from ..practice.markup import bare_text
from ..services import editions_pools as pools
from ..services import storing
from ..services.editions import check_keeper
from .editions import side_by_side

PAGE = 25
STATES = {"changed": "Changed", "removed": "Gone", "added": "New", "identical": "Identical"}
RETIRED = "A later edition takes its place."


@page
@require_http_methods(["GET", "POST"])
def questions(request: PageRequest) -> HttpResponse:
    """`old` and `new`: "<bank>:<edition>". POST: accept successors, take them back, or retire what is ticked."""
    check_keeper(request.user)
    old, new = pools.pool_of(request.GET.get("old", "")), pools.pool_of(request.GET.get("new", ""))
    if request.method == "POST":
        job = _decide(request, old, new)
        return redirect("jobs:detail", job.pk) if job else redirect(request.get_full_path())
    state = request.GET.get("state", "")
    state = state if state in STATES else "changed"
    told = pools.compare(actor=request.user, old=old, new=new)
    keys = {name: told.keys_of(name) for name in STATES}
    shown = Paginator(keys[state], PAGE).get_page(request.GET.get("page"))
    banks = Bank.objects.in_bulk([old.bank_id, new.bank_id])
    context: dict[str, Any] = {
        "old": {"bank": banks[old.bank_id], "edition": old.edition, "count": len(told.old.items)},
        "new": {"bank": banks[new.bank_id], "edition": new.edition, "count": len(told.new.items)},
        "shared": len(keys["identical"]) + len(keys["changed"]),
        "counts": {name: len(several) for name, several in keys.items()},
        "states": [(name, words, len(keys[name])) for name, words in STATES.items()],
        "state": state,
        "open": sum(1 for each in told.old.questions.values() if each.successor_id is None),
        "open_here": sum(1 for key in keys[state] if state != "added" and _is_open(told, key)),
        "page_obj": shown,
        "rows": _rows(told, list(shown), state),
    }
    return render(request, "quiz/editions_questions.html", context)


def _rows(told: pools.Compared, keys: list[str], state: str) -> list[dict[str, Any]]:
    proposed = pools.compare_some(told, set(keys)) if state != "added" else {}
    keys_of = {question.pk: key for key, question in told.new.questions.items()}
    return [_row(told, key, proposed.get(key, []), keys_of, is_same=state == "identical") for key in keys]


def _row(
    told: pools.Compared, key: str, proposed: list[tuple[str, float]], keys_of: dict[UUID, str], *, is_same: bool
) -> dict[str, Any]:
    """A question with what may succeed it, beside the new words: what was accepted, else its key, else what is proposed
    first."""
    question, old, new = told.old.questions.get(key), told.old.items.get(key), told.new.items
    accepted = keys_of.get(question.successor_id) if question and question.successor_id else None
    beside = accepted or (key if key in new else proposed[0][0] if proposed else "")
    return {
        "key": key,
        "question": question,
        "options": [(told.new.questions[each], score) for each, score in proposed],
        "accepted": accepted,
        "is_elsewhere": bool(question and question.successor_id and not accepted),
        "pieces": side_by_side(_words(old), _words(new[beside])) if old and beside and not is_same else [],
        "beside": beside,
        "words": _words(old or new[key]),
    }


def _decide(request: PageRequest, old: pools.Pool, new: pools.Pool) -> Job | None:
    """`do`: what to do, with the id of the one question after a colon; without one, the ticked ones; "best" is for all
    of a state."""
    what, _, only = request.POST.get("do", "").partition(":")
    if what == "best":
        done = pools.start_accepting(actor=request.user, old=old, new=new, states=[only])
        if isinstance(done, Job):
            return done
        messages.success(request, f"{done:,} successors accepted.")
        return None
    ids = _uuids([only] if only else request.POST.getlist("question"))
    if not ids:
        raise EditionRefused("Tick a question first.")
    if what == "accept":
        texts = {each: request.POST.get(f"successor-{each}", "") for each in ids}
        chosen: dict[UUID, UUID | None] = {each: _uuids([text])[0] for each, text in texts.items() if text}
        count = pools.accept(actor=request.user, old=old, new=new, chosen=chosen)
        messages.success(request, f"{count:,} accepted.")
    elif what == "drop":
        count = pools.accept(actor=request.user, old=old, new=new, chosen=dict.fromkeys(ids))
        messages.success(request, f"{count:,} taken back.")
    elif what == "retire":
        count = storing.retire(question_ids=pools.of(actor=request.user, pool=old, ids=ids), reason=RETIRED)
        messages.success(request, f"{count:,} retired: they are asked no more, and what was answered stays.")
    else:
        raise EditionRefused("Choose what is to be done.")
    return None


def _is_open(told: pools.Compared, key: str) -> bool:
    return told.old.questions[key].successor_id is None


def _words(item: Item) -> str:
    """The question as it is compared: its stem, and its answers with a sign at what is right."""
    markup = item.markup.value
    lines = [bare_text(item.stem, markup)]
    lines += [f"{'✓' if each.share > 0 else '·'} {bare_text(each.text, markup)}" for each in item.choices]
    lines += [f"✓ {each.text}" for each in item.accepted if each.share > 0]
    lines += [f"✓ {each.low} to {each.high}" for each in item.ranges if each.share > 0]
    lines += [f"{bare_text(pair.left, markup)} – {bare_text(pair.right, markup)}" for pair in item.pairs]
    return "\n".join(
        [*lines, *(f"{number}. {bare_text(part, markup)}" for number, part in enumerate(item.sequence, 1))]
    )


def _uuids(texts: list[str]) -> list[UUID]:
    try:
        return [UUID(text) for text in texts]
    except ValueError:
        raise EditionRefused("That is no question of this page. Load it again.") from None
