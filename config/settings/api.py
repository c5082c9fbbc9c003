"""The API's framework, and what its OpenAPI document says of it."""

from __future__ import annotations

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["config.api.parsers.BoundedJSONParser"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "config.api.pagination.Pages",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": ["config.api.throttles.CallsThrottle"],
    "EXCEPTION_HANDLER": "config.api.problems.problem_details",
    "COERCE_DECIMAL_TO_STRING": True,
    "PAGE_SIZE": 50,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Plumbline API",
    "DESCRIPTION": "Bills of quantities in, audited projects out; durable jobs with live progress.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": r"/api",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "ProjectStatus": "projects.models.Project.Status",
        "DocumentKind": "projects.models.Document.Kind",
        "PositionKind": "projects.models.Position.Kind",
        "ChatRole": "projects.models.chat.ChatMessage.Role",
        "ChatStatus": "projects.models.chat.ChatMessage.Status",
        "JobState": "jobs.models.Job.Status",
        "UserStatus": "accounts.models.User.Status",
        "TenderFileStatus": "tenders.models.Import.Status",
        "TrainingCallStatus": "quiz.models.TrainingSession.Status",
        "CriterionKind": "quiz.models.Criterion.Kind",
        "ExportKind": "projects.models.ProjectExport.Kind",
        "TrainingFileKind": "quiz.models.SessionFile.Kind",
        "Grader": "quiz.models.SessionGrade.Grader",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.api.throttles.document_throttles",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}
