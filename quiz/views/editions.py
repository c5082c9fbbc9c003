"""Editions of standards: compared, gone over to, and the list of flagged questions worked down to nothing."""

from __future__ import annotations

from itertools import pairwise
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.pages import PageRequest, page
from jobs.models import Job

from ..exceptions import EditionMissing, EditionRefused
from ..exchange.comparing import Comparison
from ..exchange.wording import Piece, word_diff
from ..models import Citation, Clause, Edition
from ..services import editions, editions_deciding, editions_pools

PAGE = 25
LEAST_SAME = 0.4  # of the letters, below which two texts are shown as different as a whole
MOST_NAMED = 12  # questions beside a clause
CLAUSE_STATES = {"changed": "Other words", "removed": "Gone", "added": "New"}


@page
@require_safe
def overview(request: PageRequest) -> HttpResponse:
    """What to compare, and how much is flagged."""
    pools = editions_pools.pools(actor=request.user)
    # What is most likely meant: the two latest editions of one bank.
    likely = [(one, two) for one, two in pairwise(pools) if one.pool.bank_id == two.pool.bank_id][-1:]
    context = {
        "flagged": editions.flagged_count(actor=request.user),
        "standards": editions.standards_with_editions(actor=request.user),
        "pools": pools,
        "likely": likely[0] if likely else (pools[0], pools[-1]) if pools else None,
    }
    return render(request, "quiz/editions.html", context)


@page
@require_http_methods(["GET", "POST"])
def clauses(request: PageRequest) -> HttpResponse:
    """Two editions of a standard. POST: questions are to cite the new one from now on."""
    ids = _ids(request.GET.get("old", ""), request.GET.get("new", ""))
    if request.method == "POST":
        going = editions.go_over(actor=request.user, old_id=ids[0], new_id=ids[1])
        messages.success(request, f"Questions cite the new edition now. {_flagged(going.flagged)}")
        return redirect("quiz:editions-flagged") if going.flagged else redirect(request.get_full_path())
    old, new = editions.pair_of(actor=request.user, old_id=ids[0], new_id=ids[1])
    before, after = editions.clauses_of(old), editions.clauses_of(new)
    state = request.GET.get("state", "")
    state = state if state in CLAUSE_STATES else "changed"
    found = editions.compared(before, after)
    keys = _keys(found)
    counts = editions.citing_counts(old)
    shown = Paginator(keys[state], PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "old": old,
        "new": new,
        "counts": {name: len(several) for name, several in keys.items()} | {"identical": len(found.identical)},
        "states": [(key, words, len(keys[key])) for key, words in CLAUSE_STATES.items()],
        "state": state,
        "page_obj": shown,
        "rows": _clause_rows(list(shown), before, after, counts, state),
        "touched": _touched(old, keys["changed"] + keys["removed"]),
        "affected": sum(counts.get(before[key].pk, 0) for key in keys["changed"] + keys["removed"]),
    }
    return render(request, "quiz/editions_clauses.html", context)


@page
@require_http_methods(["GET", "POST"])
def flagged(request: PageRequest) -> HttpResponse:
    """The work list. POST: decide on one question, on those that are ticked, or on all."""
    if request.method == "POST":
        job = _decide(request)
        return redirect("jobs:detail", job.pk) if job else redirect(request.get_full_path())
    rows = editions_deciding.flagged_questions(actor=request.user)
    shown = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    told = editions_deciding.told(shown)
    context = {"page_obj": shown, "rows": [{"told": each, "waiting": _waiting(each)} for each in told]}
    return render(request, "quiz/editions_flagged.html", context)


def _decide(request: PageRequest) -> Job | None:
    """`do` is what to do, with the id of the one question after a colon; without one, the ticked ones, or all."""
    what, _, only = request.POST.get("do", "").partition(":")
    rows = editions_deciding.flagged_questions(actor=request.user)
    if only:
        ids = _uuids([only])
    elif request.POST.get("whole"):
        if what == "move":
            return _move_all(request)
        ids = list(rows.values_list("pk", flat=True))
    else:
        ids = _uuids(request.POST.getlist("question"))
    if not ids:
        raise EditionRefused("Tick a question first.")
    if what == "move":
        told = _moved(request, ids)
    elif what == "right":
        count = editions_deciding.still_right(actor=request.user, question_ids=ids)
        told = f"{count:,} right still: back in exams."
    elif what == "retire":
        told = f"{editions_deciding.retire(actor=request.user, question_ids=ids):,} retired."
    else:
        raise EditionRefused("Choose what is to be done.")
    messages.success(request, told)
    return None


def _moved(request: PageRequest, ids: list[UUID]) -> str:
    """To what is chosen in the form, citation by citation."""
    waiting = Citation.objects.filter(question__in=ids, is_waiting=True).values_list("pk", flat=True)
    chosen = {pk: request.POST.get(f"target-{pk}", "") for pk in waiting}
    targets = {pk: _uuids([text])[0] for pk, text in chosen.items() if text}
    if not targets:
        raise EditionRefused("Nothing is chosen that a citation could move to. Decide “Still right”, or retire it.")
    moved = editions_deciding.move_citations(actor=request.user, targets=targets)
    return f"{moved:,} citation{'' if moved == 1 else 's'} moved."


def _move_all(request: PageRequest) -> Job | None:
    done = editions_deciding.start_moving(actor=request.user)
    if isinstance(done, Job):
        return done
    moved, left = done
    messages.success(request, f"{moved:,} citations moved to what was proposed first. {_flagged(left)}")
    return None


def _waiting(told: editions_deciding.Flagged) -> list[dict[str, Any]]:
    """Beside each citation the old words and the new ones: of its number, else of the best that is proposed."""
    found = []
    for each in told.waiting:
        beside = each.new or (each.targets[0].clause if each.targets else None)
        pieces = side_by_side(_words(each.citation.clause), _words(beside)) if beside else []
        label = f"{each.current.name if each.current else ''}: {beside.number}" if beside else ""
        found.append({"it": each, "label": label, "pieces": pieces, "old_words": _words(each.citation.clause)})
    return found


def side_by_side(old: str, new: str) -> list[Piece]:
    """Word by word where the texts are alike; else each as a whole: a word they happen to share says nothing."""
    pieces = list(word_diff(old, new))
    same = sum(len(piece.text) for piece in pieces if piece.change == "same")
    if same >= LEAST_SAME * max(len(old), len(new)):
        return pieces
    return [piece for piece in (Piece("gone", old), Piece("new", new)) if piece.text]


def _clause_rows(
    keys: list[str], before: dict[str, Clause], after: dict[str, Clause], counts: dict[UUID, int], state: str
) -> list[dict[str, Any]]:
    """What is shown of each clause of a page; only for these, successors are looked for."""
    told = editions.compared(before, after, successors_of=set(keys)) if state == "removed" else None
    successors = {gone.key: gone.successors for gone in told.removed} if told else {}
    cited = _cited([before[key] for key in keys if key in before])
    rows = []
    for key in keys:
        old, new = before.get(key), after.get(key)
        row: dict[str, Any] = {"number": key, "words": _words(old or new) if not (old and new) else ""}
        row["pieces"] = side_by_side(_words(old), _words(new)) if old and new else []
        row["successors"] = [(after[each.key], each.score) for each in successors.get(key, ())]
        row["questions"] = cited.get(old.pk, [])[:MOST_NAMED] if old else []
        row["cited"] = counts.get(old.pk, 0) if old else 0
        rows.append(row)
    return rows


def _cited(clauses: list[Clause]) -> dict[UUID, list[Citation]]:
    rows = Citation.objects.filter(clause__in=clauses, question__retired_at__isnull=True)
    found: dict[UUID, list[Citation]] = {}
    for row in rows.select_related("question__current").order_by("question__external_id", "pk"):
        found.setdefault(row.clause_id, []).append(row)
    return found


def _touched(old: Edition, numbers: list[str]) -> int:
    """Questions that would be flagged by going over: each once, however many of its clauses changed."""
    cited = Citation.objects.filter(clause__edition=old, clause__number__in=numbers, is_waiting=False)
    return cited.filter(question__retired_at__isnull=True).values("question").distinct().count()


def _keys(found: Comparison) -> dict[str, list[str]]:
    return {
        "changed": [each.key for each in found.changed],
        "removed": [each.key for each in found.removed],
        "added": list(found.added),
    }


def _words(clause: Clause | None) -> str:
    return f"{clause.title}\n{clause.text}".strip() if clause else ""


def _flagged(number: int) -> str:
    if not number:
        return "No question is flagged."
    return f"{number:,} question{' is' if number == 1 else 's are'} flagged and kept out of exams."


def _ids(*texts: str) -> list[UUID]:
    try:
        return [UUID(text) for text in texts]
    except ValueError:
        raise EditionMissing("There is no such edition.") from None


def _uuids(texts: list[str]) -> list[UUID]:
    try:
        return [UUID(text) for text in texts]
    except ValueError:
        raise EditionRefused("That is no question of this page. Load it again.") from None
