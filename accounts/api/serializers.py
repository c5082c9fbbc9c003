"""What goes over the wire about people and tokens."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from ..models import Membership, User


class MembershipSerializer(serializers.ModelSerializer[Membership]):
    id = serializers.UUIDField(source="organisation_id", read_only=True)
    name = serializers.CharField(source="organisation.name", read_only=True)

    class Meta:
        model = Membership
        fields = ("id", "name", "role")
        read_only_fields = fields


class UserSerializer(serializers.ModelSerializer[User]):
    organisations = MembershipSerializer(source="memberships", many=True, read_only=True)

    class Meta:
        model = User
        fields = ("id", "email", "full_name", "role", "status", "email_verified", "is_staff", "organisations")
        read_only_fields = fields


class CredentialsSerializer(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(
        write_only=True, max_length=512, trim_whitespace=False, style={"input_type": "password"}
    )


class RefreshSerializer(serializers.Serializer[Any]):
    refresh = serializers.CharField(max_length=4096, help_text="The refresh token: it works once.")


class TokensSerializer(serializers.Serializer[Any]):
    access = serializers.CharField(help_text="Send it as `Authorization: Bearer …`.")
    access_expires_at = serializers.DateTimeField()
    refresh = serializers.CharField(help_text="Keep it; it buys the next pair, once.")
    user = UserSerializer()


class ProblemSerializer(serializers.Serializer[Any]):
    """RFC 9457 problem details."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField(help_text="Stable, for clients.")
    errors = serializers.DictField(  # type: ignore[assignment]  # a field, as declared; not the property
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="By field, when the input is not valid.",
    )
