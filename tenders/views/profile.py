"""What the firm looks for, for its people to say."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.pages import PageRequest, page

from .. import cpv
from ..exceptions import BadProfile
from ..forms import ProfileForm
from ..services.access import acting_organisation, may_write
from ..services.profiles import change_profile, profile_of


@page
@require_http_methods(["GET", "POST"])
def profile(request: PageRequest) -> HttpResponse:
    organisation = acting_organisation(request.user)
    present = profile_of(organisation)
    form = ProfileForm.of(present, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            _, has_changed = change_profile(actor=request.user, values=form.cleaned_data)
        except BadProfile as error:
            form.add_error(None, str(error))
        else:
            told = "Saved. Assessments made before are marked as outdated." if has_changed else "Nothing was changed."
            messages.success(request, told)
            return redirect("tenders:profile")
    context = {
        "form": form,
        "profile": present,
        "organisation": organisation,
        "may_write": may_write(request.user, organisation),
        "cpv_choices": cpv.choices(),
    }
    return render(request, "tenders/profile.html", context, status=422 if form.is_bound else 200)
