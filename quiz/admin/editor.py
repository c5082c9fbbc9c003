"""The question editor: every kind of question, with a preview as learners see it while it is written."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.views.decorators.clickjacking import xframe_options_sameorigin
from unfold.decorators import action

from accounts.exceptions import PlumblineError
from accounts.pages import actor_of
from config.security import PAGES

from ..exceptions import BankMissing, EditedMeanwhile, KeptElsewhere, NotAQuestion, QuestionMissing
from ..exchange.pictures import LARGEST, SCHEME, picture_of, problem_of
from ..models import Category, Question
from ..practice.markup import PICTURES
from ..services import editing, pictures
from ..services.previewing import preview_of
from .editor_forms import BLANK, KINDS, OF_KIND, Editor, NewQuestionForm, QuestionForm

FRAMED = PAGES.replace("frame-ancestors 'none'", "frame-ancestors 'self'")
GROUPS = {
    "choices": ("Choices", "The order counts where choices name each other; learners see them shuffled otherwise."),
    "accepted": ("Answers that are taken", "A star stands for anything; write \\* for a star."),
    "ranges": ("Numbers that are taken", "Each with how far off it may be."),
    "pairs": ("Pairs", "What has an empty left side is one more to choose from, and belongs to nothing."),
    "sequence": ("Steps in the right order", "Learners see them shuffled."),
}


class EditorPages:
    """Of the admin of questions. Each asks for its permission by itself: these are pages beside Django's own."""

    admin_site: admin.AdminSite
    model: type[Question]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("preview/", view(self.preview), name="quiz_question_preview"),
            path("preview/frame/", view(self.preview_frame), name="quiz_question_preview_frame"),
            path("picture/", view(self.add_picture), name="quiz_question_picture"),
        ]
        found: list[URLPattern] = super().get_urls()  # type: ignore[misc]
        return [*own, *found]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("quiz.add_question")

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        actor = actor_of(request)
        banks = editing.editable_banks(actor)
        editor = Editor(form=NewQuestionForm, data=request.POST or None, banks=banks)
        editor.form.initial["bank"] = request.GET.get("bank")
        if request.method == "POST" and editor.is_valid():
            values = editor.form.cleaned_data
            try:
                question = editing.write_question(
                    actor=actor,
                    bank_id=values["bank"].pk,
                    item=editor.item(),
                    category=values["category"],
                    edition=values["edition"],
                )
            except PlumblineError as error:
                editor.add_problem(error.extra.get("field", "bank"), str(error))
            else:
                messages.success(request, f"{question} is asked from now on.")
                return redirect("admin:quiz_question_change", question.pk)
        context = {"title": "Write a question", "back": reverse("admin:quiz_question_changelist")}
        return self._page(request, editor, context)

    @action(description="Edit", url_path="edit", permissions=["keep"])
    def edit(self, request: HttpRequest, object_id: str) -> HttpResponse:
        try:
            question = editing.changeable_question(question_id=UUID(str(object_id)), user=actor_of(request))
            editing.require_editable(question)
        except QuestionMissing:
            return redirect("admin:quiz_question_changelist")
        except KeptElsewhere as error:
            messages.warning(request, str(error))
            return redirect("admin:quiz_question_change", object_id)
        item = editing.item_now(question)
        editor = Editor(
            form=QuestionForm,
            data=request.POST or None,
            item=item,
            category=question.category.name,
            seen=question.source_hash,
        )
        back = reverse("admin:quiz_question_change", args=[object_id])
        context: dict[str, Any] = {"title": f"Edit {question}", "question": question, "back": back}
        if request.method == "POST" and editor.is_valid():
            try:
                return self._saved(request, question, editor)
            except EditedMeanwhile as error:
                question = editing.changeable_question(question_id=question.pk, user=actor_of(request))
                context |= {"conflict": str(error), "parts": editing.differences(question, editor.item())}
                editor.form.data = sent = request.POST.copy()
                sent["seen"] = error.extra["seen"]
            except NotAQuestion as error:
                editor.add_problem(error.extra["field"], str(error))
        return self._page(request, editor, context)

    def _saved(self, request: HttpRequest, question: Question, editor: Editor) -> HttpResponse:
        """Raises EditedMeanwhile, NotAQuestion."""
        values = editor.form.cleaned_data
        is_changed = editing.edit_question(
            actor=actor_of(request),
            question_id=question.pk,
            seen=values["seen"],
            item=editor.item(),
            category=values["category"],
        )
        messages.success(request, "Saved: it is asked like this from now on." if is_changed else "Nothing was changed.")
        return redirect("admin:quiz_question_change", question.pk)

    @action(description="Wordings", url_path="wordings", permissions=["view"])
    def wordings(self, request: HttpRequest, object_id: str) -> HttpResponse:
        question: Question | None = self.get_object(request, object_id)  # type: ignore[attr-defined]
        if question is None:
            return redirect("admin:quiz_question_changelist")
        context = {
            **self.admin_site.each_context(request),
            "title": f"Wordings of {question}",
            "question": question,
            "wordings": editing.wordings_of(question),
            "most": editing.MOST_WORDINGS,
            "back": reverse("admin:quiz_question_change", args=[object_id]),
            "opts": self.model._meta,
        }
        return render(request, "admin/quiz/wordings.html", context)

    def preview(self, request: HttpRequest) -> JsonResponse:
        """What was typed so far as learners see it, and what keeps it from being asked, by field. Writes nothing."""
        self._require_keeping(request)
        if request.method != "POST":
            return JsonResponse({"detail": "Send the form."}, status=405)
        editor = Editor(form=QuestionForm, data=request.POST)
        if not editor.is_valid():
            return JsonResponse({"problems": editor.errors(), "shown": None})
        item = editor.item()
        try:
            editing.checked(item)
        except NotAQuestion as error:
            editor.add_problem(error.extra["field"], str(error))
        shown = preview_of(item, is_sound=not editor.errors())
        return JsonResponse({"problems": editor.errors(), "shown": shown})

    @xframe_options_sameorigin
    def preview_frame(self, request: HttpRequest) -> HttpResponse:
        self._require_keeping(request)
        response = render(request, "admin/quiz/preview_frame.html")
        response["Content-Security-Policy"] = FRAMED
        return response

    def add_picture(self, request: HttpRequest) -> JsonResponse:
        """Keep a picture for a bank; how texts name it."""
        self._require_keeping(request)
        file = request.FILES.get("picture")
        try:
            bank = editing.editable_bank(bank_id=UUID(request.POST.get("bank", "")), user=actor_of(request))
        except (ValueError, BankMissing, KeptElsewhere):
            return JsonResponse({"detail": "Choose the bank first: the picture is kept with it."}, status=422)
        if request.method != "POST" or file is None:
            return JsonResponse({"detail": "Choose a picture."}, status=422)
        content = file.read(LARGEST + 1)
        picture = picture_of(content, file.name or "")
        if picture is None:
            return JsonResponse({"detail": f"{file.name} {problem_of(content)}."}, status=422)
        pictures.keep(bank=bank, pictures=[picture])
        told = {"address": f"{SCHEME}{picture.digest}", "url": f"{PICTURES}{picture.digest}", "name": picture.name}
        return JsonResponse(told, status=201)

    def _require_keeping(self, request: HttpRequest) -> None:
        if not (request.user.has_perm("quiz.change_question") or request.user.has_perm("quiz.add_question")):
            raise PermissionDenied

    def _page(self, request: HttpRequest, editor: Editor, context: dict[str, Any]) -> HttpResponse:
        names = Category.objects.order_by("name").values_list("name", flat=True).distinct()[:500]
        context |= {
            **self.admin_site.each_context(request),
            "editor": editor,
            "groups": [
                {"name": name, "label": label, "help": text, "rows": editor.rows[name], "kinds": _kinds_of(name)}
                for name, (label, text) in GROUPS.items()
            ],
            "kinds": {kind.value: label for kind, label in KINDS.items()},
            "blank": BLANK,
            "categories": list(names),
            "opts": self.model._meta,
            "is_fullwidth": True,
        }
        is_refused = request.method == "POST"
        return render(request, "admin/quiz/editor.html", context, status=422 if is_refused else 200)


def _kinds_of(name: str) -> str:
    return " ".join(kind.value for kind, rows in OF_KIND.items() if rows == name)
