"""What success looks like on a project's pages: with htmx, as JSON, and without any script."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

from accounts.pages import PageRequest, wants_json

CHANGED = "project-changed"  # the browser's event on which regions of the page fetch themselves anew


def done(request: PageRequest, message: str, url: str, *, level: str = "success") -> HttpResponse:
    """It worked: htmx gets a toast and has the page refresh its regions, JSON the address, others a redirect."""
    if wants_json(request):
        return JsonResponse({"message": message, "url": url})
    if request.htmx:
        return told(HttpResponse(status=204), message, level=level)
    getattr(messages, level)(request, message)
    return redirect(url)


def told(response: HttpResponse, message: str, *, level: str = "success") -> HttpResponse:
    """Adds a toast and the call to refresh to an answer for htmx."""
    trigger_client_event(response, "toast", {"message": message, "level": level})
    return trigger_client_event(response, CHANGED, {})


def go(request: PageRequest, message: str, url: str) -> HttpResponse:
    """To another page, where the message is shown."""
    messages.success(request, message)
    return HttpResponseClientRedirect(url) if request.htmx else redirect(url)
