"""People and organisations, for staff. What is more than a field goes through the services."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.account.models import EmailAddress, EmailConfirmation
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from . import services
from .exceptions import PlumblineError
from .models import Membership, Organisation, User

for pointless in (EmailAddress, EmailConfirmation, BlacklistedToken, OutstandingToken, Group):
    if admin.site.is_registered(pointless):
        admin.site.unregister(pointless)

STATUS_COLOURS = {
    User.Status.ACTIVE: "success",
    User.Status.PENDING: "warning",
    User.Status.SUSPENDED: "danger",
}


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):  # type: ignore[misc]
    """Django's, in our look: named sets of permissions for staff who are not superusers."""


class ChecksEmail:
    """The model's own constraint can't see second addresses."""

    instance: User
    cleaned_data: dict[str, Any]

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).strip().lower()
        if services.is_email_taken(email=email, by_other_than=self.instance.pk):
            raise ValidationError("Somebody else signs in with this address.")
        return email


class NewUserForm(ChecksEmail, UserCreationForm):  # type: ignore[misc]
    class Meta:
        model = User
        fields = ("email", "full_name")


class ChangeUserForm(ChecksEmail, UserChangeForm):  # type: ignore[misc]
    class Meta:
        model = User
        fields = "__all__"


class MembershipsOfUser(TabularInline):  # type: ignore[misc]
    model = Membership
    extra = 0
    autocomplete_fields = ("organisation",)
    readonly_fields = ("created_at",)


class MembershipsOfOrganisation(TabularInline):  # type: ignore[misc]
    model = Membership
    extra = 0
    autocomplete_fields = ("user",)
    readonly_fields = ("created_at",)


class AddressesOfUser(TabularInline):  # type: ignore[misc]
    model = EmailAddress
    extra = 0
    can_delete = False
    fields = readonly_fields = ("email", "verified", "primary")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class AnnouncesRemovals(ModelAdmin):  # type: ignore[misc]
    """Members removed in an inline lose their access like those removed elsewhere, and sockets hear of it."""

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        for gone in formset.deleted_objects:
            if isinstance(gone, Membership):
                services.announce_withdrawal(
                    services.Withdrawal(user_id=gone.user_id, organisation_id=gone.organisation_id)
                )


@admin.register(User)
class UserAdmin(DjangoUserAdmin, AnnouncesRemovals):  # type: ignore[type-arg]
    form = ChangeUserForm
    add_form = NewUserForm
    change_password_form = AdminPasswordChangeForm
    inlines = (MembershipsOfUser, AddressesOfUser)
    actions = ("suspend", "reactivate")
    ordering = ("email",)
    list_display = ("email", "full_name", "shown_status", "role", "email_verified", "is_staff", "last_login")
    list_filter = ("status", "role", "is_staff", "email_verified", "memberships__role")
    search_fields = ("email", "full_name", "memberships__organisation__name")
    readonly_fields = ("status", "email_verified", "last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("email", "full_name", "password")}),
        ("Standing", {"fields": ("status", "email_verified", "role", "last_login", "date_joined")}),
        ("Staff", {"fields": ("is_staff", "is_superuser", "groups", "user_permissions"), "classes": ("collapse",)}),
        ("Metadata", {"fields": ("metadata",), "classes": ("collapse",)}),
    )
    add_fieldsets = ((None, {"fields": ("email", "full_name", "usable_password", "password1", "password2")}),)

    @display(description="Status", ordering="status", label=STATUS_COLOURS)
    def shown_status(self, user: User) -> tuple[str, str]:
        return user.status, user.get_status_display()

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Only superusers hand out rights: a member of staff could else make themselves one."""
        fields = tuple(super().get_readonly_fields(request, obj))
        if request.user.is_superuser:
            return fields
        return (*fields, "is_staff", "is_superuser", "groups", "user_permissions")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Nor do they change a superuser, whose password they could set."""
        allowed = bool(super().has_change_permission(request, obj))
        return allowed and (obj is None or request.user.is_superuser or not obj.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Suspending is the way: what a person made must keep its author."""
        return bool(request.user.is_superuser) and bool(super().has_delete_permission(request, obj))

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        withdrawal = services.Withdrawal(user_id=obj.pk)
        super().delete_model(request, obj)
        services.announce_withdrawal(withdrawal)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        gone = [services.Withdrawal(user_id=user.pk) for user in queryset]
        super().delete_queryset(request, queryset)
        for withdrawal in gone:
            services.announce_withdrawal(withdrawal)

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm[User], change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not change or "email" in form.changed_data:
            services.change_email(user_id=obj.pk, email=obj.email, actor=_actor(request))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        services.ensure_organisation(user=form.instance)

    @admin.action(description="Suspend: out at once, everywhere", permissions=["change"])
    def suspend(self, request: HttpRequest, users: QuerySet[User]) -> None:
        actor = _actor(request)
        self._each(request, users, lambda user: services.suspend(user_id=user.pk, actor=actor), "suspended")

    @admin.action(description="Reactivate", permissions=["change"])
    def reactivate(self, request: HttpRequest, users: QuerySet[User]) -> None:
        actor = _actor(request)
        self._each(request, users, lambda user: services.reactivate(user_id=user.pk, actor=actor), "reactivated")

    def _each(self, request: HttpRequest, users: QuerySet[User], act: Callable[[User], User], participle: str) -> None:
        done = 0
        for user in users:
            try:
                act(user)
                done += 1
            except PlumblineError as error:
                self.message_user(request, f"{user.email}: {error}", messages.ERROR)
        if done:
            self.message_user(request, f"{done} {'person' if done == 1 else 'people'} {participle}.", messages.SUCCESS)


@admin.register(Organisation)
class OrganisationAdmin(AnnouncesRemovals):
    inlines = (MembershipsOfOrganisation,)
    list_display = ("name", "members", "created_at")
    list_filter = ("created_at",)
    search_fields = ("name", "memberships__user__email")
    readonly_fields = ("created_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organisation]:
        queryset: QuerySet[Organisation] = super().get_queryset(request)
        return queryset.annotate(member_count=Count("memberships"))

    @display(description="Members", ordering="member_count")
    def members(self, organisation: Any) -> int:
        return int(organisation.member_count)


@admin.register(Membership)
class MembershipAdmin(ModelAdmin):  # type: ignore[misc]
    list_display = ("user", "organisation", "role", "created_at")
    list_filter = ("role",)
    list_select_related = ("user", "organisation")
    search_fields = ("user__email", "user__full_name", "organisation__name")
    autocomplete_fields = ("user", "organisation")
    readonly_fields = ("created_at",)

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        withdrawal = services.Withdrawal(user_id=obj.user_id, organisation_id=obj.organisation_id)
        super().delete_model(request, obj)
        services.announce_withdrawal(withdrawal)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        gone = [services.Withdrawal(user_id=m.user_id, organisation_id=m.organisation_id) for m in queryset]
        super().delete_queryset(request, queryset)
        for withdrawal in gone:
            services.announce_withdrawal(withdrawal)


def _actor(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
