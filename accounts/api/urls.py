from __future__ import annotations

from django.urls import path

from . import views

VIEWS = {
    "login": views.SignInView,
    "refresh": views.RefreshView,
    "logout": views.SignOutView,
    "me": views.MeView,
}
# Clients write these with and without the slash: both are answered, since a redirect would lose a POST's body.
urlpatterns = [
    *(path(f"auth/{name}", view.as_view(), name=f"auth-{name}") for name, view in VIEWS.items()),
    *(path(f"auth/{name}/", view.as_view(schema=None)) for name, view in VIEWS.items()),
]
