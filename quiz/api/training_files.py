"""Transcripts and recordings in; recordings, reports and transcripts out, by links that last some minutes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponseBase, HttpResponseRedirect
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.schema import problems
from accounts.pages import actor_of
from accounts.querysets import acting_organisation_id
from config.api.parsers import BoundedJSONParser
from config.api.throttles import throttle_scope
from jobs.models import Job
from jobs.services import estimate_seconds

from ..models import SessionFile, TrainingSession
from ..services.training import files, files_recordings, intake, reports
from ..training_exceptions import FileTooLarge, SessionMissing
from .training_sending import sent

GONE = {404: "There is none, or it is not yours to see."}
NO_TRANSCRIPT = {400: "`not_a_transcript`, `invalid`.", 413: "`file_too_large`: 2 MB at most."}
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
SESSION_ID = OpenApiParameter("session_id", UUID, OpenApiParameter.PATH)
FILE_ID = OpenApiParameter("file_id", UUID, OpenApiParameter.PATH)


class TrainingJobSerializer(serializers.Serializer[Any]):
    """What a client needs to follow a job."""

    job_id = serializers.UUIDField()
    status = serializers.CharField()
    estimated_seconds = serializers.FloatField(allow_null=True)


def started(job: Job) -> dict[str, Any]:
    return {"job_id": str(job.pk), "status": job.status, "estimated_seconds": estimate_seconds(job.kind, None)}


class CallSerializer(serializers.Serializer[Any]):
    """Whose call it is, and of what."""

    organisation = serializers.UUIDField(required=False, help_text="The one that you act for unless told.")
    template = serializers.UUIDField(required=False, allow_null=True)
    assignment = serializers.UUIDField(
        required=False, allow_null=True, help_text="Says template and learner by itself."
    )
    user = serializers.UUIDField(required=False, allow_null=True, help_text="The learner; you unless a coach says who.")
    learner_speaker = serializers.CharField(required=False, allow_blank=True, max_length=80)
    started_at = serializers.DateTimeField(required=False, allow_null=True)

    def validate_started_at(self, moment: datetime | None) -> datetime | None:
        if moment is not None and not EARLIEST <= moment <= timezone.now() + timedelta(days=1):
            raise serializers.ValidationError("This call can't have been then.")
        return moment


class TranscriptUploadSerializer(CallSerializer):
    file = serializers.FileField(help_text="JSON, plain text with names, WebVTT or SubRip; 2 MB at most.")


class TranscriptTurnsSerializer(CallSerializer):
    name = serializers.CharField(required=False, allow_blank=True, max_length=200, default="")
    turns = serializers.JSONField(help_text="`[{speaker, text, start_s, end_s}]`; seconds from the start, or none.")

    def validate_turns(self, turns: Any) -> Any:
        if not isinstance(turns, list):
            raise serializers.ValidationError("A list of turns is wanted.")
        return turns


class TakenInSerializer(TrainingJobSerializer):
    id = serializers.UUIDField(help_text="Of the call.")


class TranscriptsView(APIView):
    parser_classes = (MultiPartParser, BoundedJSONParser)

    @extend_schema(
        summary="Upload a call's transcript: a file, or its turns",
        request={"multipart/form-data": TranscriptUploadSerializer, "application/json": TranscriptTurnsSerializer},
        responses={
            201: TakenInSerializer,
            **problems(NO_TRANSCRIPT | {403: "`coaches_only`, `read_only`."} | GONE | {409: "`assignment_over`."}),
        },
    )
    @throttle_scope("expensive")
    def post(self, request: Request) -> Response:
        """A job works on it; its page and `training:{id}` on the socket say how far it is. The same call again is
        another session, which takes over what was worked out of the same words."""
        is_file = request.content_type.startswith("multipart/")
        form = (TranscriptUploadSerializer if is_file else TranscriptTurnsSerializer)(data=request.data)
        form.is_valid(raise_exception=True)
        told, actor = form.validated_data, actor_of(request)
        organisation_id = told.get("organisation") or acting_organisation_id(actor)
        if organisation_id is None:
            raise SessionMissing("You are a member of no organisation.", code="organisation_not_found")
        name, data = _file(told["file"]) if is_file else (told["name"] or "turns.json", orjson.dumps(told["turns"]))
        session = intake.upload_transcript(
            actor=actor,
            organisation_id=organisation_id,
            data=data,
            name=name,
            template_id=told.get("template"),
            assignment_id=told.get("assignment"),
            user_id=told.get("user"),
            learner_speaker=told.get("learner_speaker", ""),
            started_at=told.get("started_at"),
            source=TrainingSession.Source.UPLOAD if is_file else TrainingSession.Source.API,
        )
        return Response({"id": str(session.pk), **started(intake.job_of(session))}, status=201)


def _file(file: UploadedFile[bytes]) -> tuple[str, bytes]:
    if (file.size or 0) > settings.TRANSCRIPT_LIMIT_BYTES:
        limit = settings.TRANSCRIPT_LIMIT_BYTES
        raise FileTooLarge(f"A transcript has at most {filesizeformat(limit)}.", extra={"limit_bytes": limit})
    return file.name or "transcript.txt", file.read()


class FileSerializer(serializers.Serializer[Any]):
    """`url` opens it until `expires_at`, for whoever has it and still sees the call."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=SessionFile.Kind.choices)
    name = serializers.CharField()
    content_type = serializers.CharField()
    size = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    url = serializers.CharField(read_only=True)
    expires_at = serializers.DateTimeField(read_only=True)


def _told(file: SessionFile, request: Request) -> dict[str, Any]:
    link = files.link_to(file, user=actor_of(request))
    url = link.url if "://" in link.url else request.build_absolute_uri(link.url)
    return dict(FileSerializer(file).data) | {"url": url, "expires_at": link.expires_at}


class RecordingUploadSerializer(serializers.Serializer[Any]):
    file = serializers.FileField(help_text="WAV, MP3, M4A, Ogg, FLAC or WebM.")


@extend_schema(parameters=[SESSION_ID])
class RecordingView(APIView):
    parser_classes = (MultiPartParser,)

    @extend_schema(
        summary="Upload a call's recording",
        request={"multipart/form-data": RecordingUploadSerializer},
        responses={
            201: FileSerializer,
            **problems({400: "`not_a_recording`.", 403: "`read_only`.", 413: "`file_too_large`."} | GONE),
        },
    )
    @throttle_scope("expensive")
    def post(self, request: Request, session_id: str) -> Response:
        form = RecordingUploadSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        file = form.validated_data["file"]
        row = files_recordings.upload_recording(
            session_id=UUID(session_id), actor=actor_of(request), file=file, name=file.name or "recording"
        )
        return Response(_told(row, request), status=201)


@extend_schema(parameters=[SESSION_ID])
class ReportView(APIView):
    @extend_schema(
        summary="Write the call's report (PDF)",
        request=None,
        responses={202: TrainingJobSerializer, **problems(GONE | {409: "`not_processed`."})},
    )
    @throttle_scope("expensive")
    def post(self, request: Request, session_id: str) -> Response:
        """A job sets it, in the place of the one before; then it is among the call's files."""
        job = reports.start_report(session_id=UUID(session_id), actor=actor_of(request))
        return Response(started(job), status=202)


@extend_schema(parameters=[FILE_ID])
class FileView(APIView):
    @extend_schema(summary="A file of a call, with a link to it", responses={200: FileSerializer, **problems(GONE)})
    def get(self, request: Request, file_id: str) -> Response:
        return Response(_told(files.visible_file(file_id=UUID(file_id), user=actor_of(request)), request))


@extend_schema(parameters=[FILE_ID])
class FileOpenView(APIView):
    @extend_schema(summary="To the file itself: a redirect to a link", responses={302: None, **problems(GONE)})
    def get(self, request: Request, file_id: str) -> HttpResponseBase:
        """What pages link to, and players play from."""
        user = actor_of(request)
        file = files.visible_file(file_id=UUID(file_id), user=user)
        response = HttpResponseRedirect(files.link_to(file, user=user).url)
        response["Cache-Control"] = "no-store"
        return response


@extend_schema(parameters=[FILE_ID, OpenApiParameter("token", str, required=True)])
class FileContentView(APIView):
    """Where links to the local storage lead. The token says who it was given to; whether they still see the call is
    looked up. Not counted: players ask for one piece after the other."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = ()

    @extend_schema(
        summary="The file's content; `Range` is honoured",
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            (206, "application/octet-stream"): OpenApiTypes.BINARY,
            **problems({403: "`link_expired`."} | GONE | {416: "`range_not_satisfiable`."}),
        },
    )
    def get(self, request: Request, file_id: str) -> HttpResponseBase:
        file = files.linked_file(file_id=UUID(file_id), token=request.query_params.get("token", ""))
        return sent(file, request)
