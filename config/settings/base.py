"""What every environment shares. Values come from the environment; secrets also from a file named by `NAME_FILE`."""

from __future__ import annotations

import os
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import environ
from redis.backoff import NoBackoff
from redis.retry import Retry

from .api import REST_FRAMEWORK, SPECTACULAR_SETTINGS  # noqa: F401 - settings, too

BASE_DIR = Path(__file__).resolve().parent.parent.parent
env = environ.FileAwareEnv()

DEBUG = False
SECRET_KEY = env.str("SECRET_KEY", default="")
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=[])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])
SITE_URL = env.str("SITE_URL", default="http://127.0.0.1:8000")

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "channels",
    "django_filters",
    "django_htmx",
    "django_rq",
    "django_structlog",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "import_export",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
    "accounts",
    "jobs",
    "ai",
    "analytics",
    "projects",
    "tenders",
    "quiz",
    "config",
]

MIDDLEWARE = [
    "config.api.cron_secret.CronSecretMiddleware",
    "config.tracing.RequestIdMiddleware",
    "config.metrics.middleware.MetricsMiddleware",
    "config.intake.IntakeMiddleware",
    "config.api.throttles.RateLimitHeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.security.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "tenders.middleware.ActingOrganisationMiddleware",
    "config.tracing.RequestLogMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
WSGI_APPLICATION = "config.wsgi.application"
WEB_THREADS = env.int("WEB_THREADS", default=8)

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- data -----------------------------------------------------------------------------------------------------------
# With WSGI threads a kept connection per thread is right and no pool is needed; shared across fork() it would be wrong.
DATABASES = {"default": env.db("DATABASE_URL", default="postgresql://postgres@/plumbline")}
# A worker whose host vanishes in the middle of a transaction must not keep its rows locked for the hours that TCP waits
# by itself. A PgBouncer in between wants `ignore_startup_parameters = options`, or this to be empty.
VANISHED_CLIENTS = (
    "-c idle_in_transaction_session_timeout=5min -c tcp_keepalives_idle=30 "
    "-c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"
)
DATABASES["default"].setdefault("OPTIONS", {})
DATABASES["default"]["OPTIONS"].setdefault("options", env.str("DATABASE_OPTIONS", default=VANISHED_CLIENTS))
DATABASES["default"].update(
    CONN_MAX_AGE=env.int("CONN_MAX_AGE", default=60),
    CONN_HEALTH_CHECKS=True,
    ATOMIC_REQUESTS=False,
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
REDIS_CACHE_URL = env.str("REDIS_CACHE_URL", default=REDIS_URL)
REDIS_QUEUE_URL = env.str("REDIS_QUEUE_URL", default=REDIS_URL)
REDIS_EVENTS_URL = env.str("REDIS_EVENTS_URL", default=REDIS_URL)
# Pub/sub ignores the database number, so whatever shares a server needs a prefix of its own.
REDIS_KEY_PREFIX = env.str("REDIS_KEY_PREFIX", default="plumbline")

CACHES = {
    "default": {
        "BACKEND": "config.cache.ForgivingRedisCache",
        "LOCATION": REDIS_CACHE_URL,
        "KEY_PREFIX": REDIS_KEY_PREFIX,
        "OPTIONS": {
            "CLIENT_CLASS": "django_redis.client.DefaultClient",
            "SOCKET_CONNECT_TIMEOUT": 0.5,
            "SOCKET_TIMEOUT": 1,
            "REDIS_CLIENT_CLASS": "config.cache.backend.GatedRedis",
            "CONNECTION_POOL_KWARGS": {"retry": Retry(NoBackoff(), 0)},
            # A page without its cache is slow; a page that fails because of its cache is broken.
            "IGNORE_EXCEPTIONS": True,
        },
    }
}
CACHES_ENABLED = env.bool("CACHES_ENABLED", default=True)  # config/cache/policy.py; sessions are not meant
QUIZ_CACHE_TTL = env.int("QUIZ_CACHE_TTL", default=300)  # seconds for which a pool of questions is fresh
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_COOKIE_AGE = int(timedelta(days=14).total_seconds())
SESSION_COOKIE_SAMESITE = "Lax"

RQ_QUEUES = {name: {"URL": REDIS_QUEUE_URL, "DEFAULT_TIMEOUT": 3600} for name in ("high", "default", "low")}
RQ = {"SERIALIZER": "rq.serializers.JSONSerializer"}
RQ_SHOW_ADMIN_LINK = False  # jobs are rows of ours; its dashboard would show queues without them

# local: a folder of this machine. s3: a bucket of anything that speaks S3, for many machines (docs/operations.md).
STORAGE = env.str("STORAGE", default="local")
S3 = {
    "bucket_name": env.str("S3_BUCKET", default=""),
    "endpoint_url": env.str("S3_ENDPOINT_URL", default="") or None,  # AWS' own unless told
    "region_name": env.str("S3_REGION", default="") or None,
    "access_key": env.str("S3_ACCESS_KEY", default="") or None,  # none: as the machine's role says
    "secret_key": env.str("S3_SECRET_KEY", default="") or None,
    "addressing_style": env.str("S3_ADDRESSING_STYLE", default="auto"),  # path: for servers without names of buckets
    "signature_version": "s3v4",
    "default_acl": None,  # the bucket's own, which is to be private
    "file_overwrite": False,
    "querystring_auth": True,
}
# Where browsers fetch recordings from, if that is not this site: pages may play them from there.
MEDIA_ORIGINS: list[str] = env.list("S3_MEDIA_ORIGINS", default=[S3["endpoint_url"]] if S3["endpoint_url"] else [])
_files: dict[str, object] = (
    {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": S3}
    if STORAGE == "s3"
    else {"BACKEND": "django.core.files.storage.FileSystemStorage"}
)
STORAGES = {
    "default": _files,
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", default=str(BASE_DIR / "var" / "media")))
MEDIA_URL = "media/"  # nothing is served from it: documents go out through views that check access
STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]

# --- people ---------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "projects:list"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = env.str("ACCOUNT_EMAIL_VERIFICATION", default="mandatory")
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_SIGNUP_FORM_CLASS = "accounts.forms.SignUpDetails"
ACCOUNT_EMAIL_SUBJECT_PREFIX = "Plumbline: "
# How often, for the pages (sign-in attempts that fail are counted by config/throttling instead).
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "",
    "signup": "20/m/ip",
    "reset_password": "20/m/ip,5/m/key",
    "reset_password_from_key": "20/m/ip",
    "change_password": "5/m/user",
    "manage_email": "10/m/user",
    "confirm_email": "1/180s/key",
}
# Behind proxies calls and attempts are counted by the caller's address, which only a trusted proxy may state.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)
SILENCED_SYSTEM_CHECKS = ["auth.W004"]  # User.email is unique without regard to case, by a constraint it can't see
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Plumbline <noreply@localhost>")

# --- API ------------------------------------------------------------------------------------------------------------
# How often: config/throttling/policy.py says what each counts. Several windows: "120/minute; 1000/15 minutes".
THROTTLES_ENABLED = env.bool("THROTTLES_ENABLED", default=True)
THROTTLES = {
    "anonymous": env.str("THROTTLE_ANONYMOUS", default="100/15 minutes"),
    "user": env.str("THROTTLE_USER", default="240/minute; 2000/15 minutes"),
    "organisation": env.str("THROTTLE_ORGANISATION", default="10000/15 minutes"),
    "expensive": env.str("THROTTLE_EXPENSIVE", default="10/15 minutes"),
    "by_hand": env.str("THROTTLE_BY_HAND", default="60/15 minutes"),
    "quiz": env.str("THROTTLE_QUIZ", default="1200/15 minutes"),
    "voice_address": env.str("THROTTLE_VOICE_ADDRESS", default="60/minute"),
    "voice": env.str("THROTTLE_VOICE", default="1200/minute"),
    "tokens": env.str("THROTTLE_TOKENS", default="60/minute"),
    "sign_in_address": env.str("THROTTLE_SIGN_IN_ADDRESS", default="10/minute"),
    "sign_in_pair": env.str("THROTTLE_SIGN_IN_PAIR", default="5/5 minutes"),
    "sign_in_email": env.str("THROTTLE_SIGN_IN_EMAIL", default="50/hour"),
}
SIMPLE_JWT = {  # the rest, rotation and revocation too, is accounts.services.tokens
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=14),
    "USER_ID_CLAIM": "sub",
}

# --- uploads --------------------------------------------------------------------------------------------------------
UPLOAD_LIMIT_BYTES = env.int("UPLOAD_LIMIT_BYTES", default=100 * 1024 * 1024)
# One form may carry several files; beyond this it is refused unread, before it fills the disk.
REQUEST_LIMIT_BYTES = env.int("REQUEST_LIMIT_BYTES", default=3 * UPLOAD_LIMIT_BYTES)
# A sender of whom nothing comes for so long is given up.
REQUEST_BODY_SILENT_S = env.float("REQUEST_BODY_SILENT_S", default=30.0)
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

MIGRATION_MODE = env.str("MIGRATION_MODE", default="postgres_only")  # files_only | dual_write: docs/file-store.md
MIGRATION_READ_FROM = env.str("MIGRATION_READ_FROM", default="postgres")  # files | postgres
FILE_PROJECTS_DIR = env.str("FILE_PROJECTS_DIR", default="")
# Staff import and export what they may change and see; without these every member of staff may.
IMPORT_EXPORT_IMPORT_PERMISSION_CODE = "change"
IMPORT_EXPORT_EXPORT_PERMISSION_CODE = "view"

# --- jobs -----------------------------------------------------------------------------------------------------------
JOBS_WHEN_REDIS_IS_DOWN = env.str("JOBS_WHEN_REDIS_IS_DOWN", default="hold")  # hold | inline
JOBS_SCHEDULE = "config.schedule.SCHEDULE"
# For POST /api/cron/{task}, by which a clock outside starts a task; empty: there is no such endpoint.
CRON_SECRET = env.str("CRON_SECRET", default="")
# Days for which what has ended is kept (jobs/trimming.py).
JOBS_KEPT_DAYS = env.int("JOBS_KEPT_DAYS", default=30)
WEBHOOKS_KEPT_DAYS = env.int("WEBHOOKS_KEPT_DAYS", default=30)
SCHEDULED_RUNS_KEPT_DAYS = env.int("SCHEDULED_RUNS_KEPT_DAYS", default=90)
PROJECT_EXPORTS_KEPT_DAYS = env.int("PROJECT_EXPORTS_KEPT_DAYS", default=30)
TENDER_EXPORTS_KEPT_DAYS = env.int("TENDER_EXPORTS_KEPT_DAYS", default=7)
TENDER_UPLOADS_KEPT_DAYS = env.int("TENDER_UPLOADS_KEPT_DAYS", default=90)  # files of notices that have been read
# A worker that has not been heard of for this long has lost its jobs. Long against the clocks of hosts that differ.
JOBS_LEASE_S = env.float("JOBS_LEASE_S", default=30.0)

# --- requests to addresses that people typed in, webhooks -----------------------------------------------------------
OUTBOUND_ALLOW_HTTP = env.bool("OUTBOUND_ALLOW_HTTP", default=False)
# Networks that are private and may be reached nonetheless: an office's own receivers. Such as 10.20.0.0/16.
OUTBOUND_ALLOWED_NETWORKS: list[str] = env.list("OUTBOUND_ALLOWED_NETWORKS", default=[])
OUTBOUND_CA_FILE = env.str("OUTBOUND_CA_FILE", default="")  # certificates to trust beside the public ones
# Who may send to /api/webhooks/in/{name}: {"name": "whsec_…"}; two secrets, separated by a blank, while one is changed.
INCOMING_WEBHOOKS: dict[str, str] = env.json("INCOMING_WEBHOOKS", default={})
INCOMING_WEBHOOK_LIMIT_BYTES = env.int("INCOMING_WEBHOOK_LIMIT_BYTES", default=1024 * 1024)

# --- training calls: docs/training.md -------------------------------------------------------------------------------
TRANSCRIPT_LIMIT_BYTES = env.int("TRANSCRIPT_LIMIT_BYTES", default=2 * 1024 * 1024)  # reports and uploads
RECORDING_LIMIT_BYTES = env.int("RECORDING_LIMIT_BYTES", default=UPLOAD_LIMIT_BYTES)
FILE_LINKS_LAST_S = env.int("FILE_LINKS_LAST_S", default=300)  # links to recordings and reports
# Where a body may come in pieces, without a stated length, and how long it may be then. Elsewhere it is not read.
UNSTATED_LENGTH_LIMITS = {"/api/hooks/": TRANSCRIPT_LIMIT_BYTES}

# --- what operators see ---------------------------------------------------------------------------------------------
RELEASE = env.str("RELEASE", default="")  # what is deployed, told by processes and to Sentry
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")  # opens /metrics and the detailed health checks
SLOW_QUERY_MS = env.float("SLOW_QUERY_MS", default=250.0)  # 0: no slow-query log
SENTRY_DSN = env.str("SENTRY_DSN", default="")  # empty: off
SENTRY_ENVIRONMENT = env.str("SENTRY_ENVIRONMENT", default="production")
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = True  # config.tracing has checked it
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = 10  # DEBUG: one line per request, when it has been answered
DJANGO_STRUCTLOG_STATUS_4XX_LOG_LEVEL = 20  # INFO: people mistype

# --- language models: docs/ai.md ------------------------------------------------------------------------------------
# offline: nobody is asked, every feature reads by rules. anthropic. openai: any server with its chat completions.
AI_PROVIDER = env.str("AI_PROVIDER", default="offline")
AI_MODEL = env.str("AI_MODEL", default="")
AI_API_KEY = env.str("AI_API_KEY", default="")
AI_BASE_URL = env.str("AI_BASE_URL", default="")  # the provider's own unless told
AI_PROXY_URL = env.str("AI_PROXY_URL", default="")  # for requests to the provider; no other proxy is used
AI_TIMEOUT_S = env.float("AI_TIMEOUT_S", default=60.0)  # of one request
AI_CONNECT_TIMEOUT_S = env.float("AI_CONNECT_TIMEOUT_S", default=5.0)
AI_WAIT_S = env.float("AI_WAIT_S", default=120.0)  # for a place among the calls in flight
AI_ATTEMPTS = env.int("AI_ATTEMPTS", default=3)
AI_BACKOFF_S = (4.0, 60.0)  # shortest and longest wait between attempts
# Reading that nobody waits for goes in batches, at half the price and within a day, where the provider takes them.
AI_BATCHES = env.bool("AI_BATCHES", default=False)
AI_BATCH_LOOK_S = env.float("AI_BATCH_LOOK_S", default=60.0)  # between two looks whether a batch is answered
AI_CALLS_KEPT_DAYS = env.int("AI_CALLS_KEPT_DAYS", default=90)
# For all organisations together, a day of UTC; "none": as much as it takes.
_budget = env.str("AI_DAILY_BUDGET_USD", default="20")
AI_DAILY_BUDGET_USD: Decimal | None = None if _budget.lower() == "none" else Decimal(_budget)
# US dollars per million tokens, in and out, as published on the date. Add yours: AI_PRICES={"my-model": ["0", "0"]}.
AI_PRICES_AS_OF = env.str("AI_PRICES_AS_OF", default="2026-03-21")
AI_PRICES: dict[str, tuple[str, str]] = {
    "claude-haiku-4-5": ("1", "5"),
    "claude-sonnet-4-5": ("3", "15"),
    "claude-sonnet-4-6": ("3", "15"),
    "claude-opus-4-5": ("5", "25"),
    "claude-opus-4-6": ("5", "25"),
    **env.json("AI_PRICES", default={}),
}
AI_UNKNOWN_PRICE = ("15", "75")  # of models that the list does not have: rather too dear than unnoticed

# Shared by all workers on all hosts: docs/limits.md. Set them as the provider states them for your account.
_model = "anthropic" if AI_PROVIDER == "offline" else AI_PROVIDER
JOBS_LIMITS = {
    f"model:{_model}": {
        "size": env.int("MODEL_CALLS_AT_ONCE", default=20),
        "lease_s": 2 * AI_TIMEOUT_S,  # a lease always has half its time left: a request ends with it
        "reserved": {"high": env.int("MODEL_CALLS_RESERVED", default=4)},
    },
    f"model:{_model}:tokens": {"per_minute": env.int("MODEL_TOKENS_PER_MINUTE", default=400_000)},
    f"model:{_model}:requests": {"per_minute": env.int("MODEL_REQUESTS_PER_MINUTE", default=1000)},
}

# --- questions from Airtable: docs/quiz.md --------------------------------------------------------------------------
SYNC_MODE = env.str("SYNC_MODE", default="airtable_to_db")  # airtable_to_db | off
AIRTABLE_TOKEN = env.str("AIRTABLE_TOKEN", default="")
AIRTABLE_URL = env.str("AIRTABLE_URL", default="https://api.airtable.com")
# Airtable answers 5 a second of a base, whatever the plan, and locks the base out after one more.
AIRTABLE_REQUESTS_PER_S = env.float("AIRTABLE_REQUESTS_PER_S", default=4.5)
AIRTABLE_TIMEOUT_S = env.float("AIRTABLE_TIMEOUT_S", default=30.0)  # of a silence; an answer may take twice as long
AIRTABLE_LOCKOUT_S = env.float("AIRTABLE_LOCKOUT_S", default=30.0)  # how long Airtable refuses everything after a 429
AIRTABLE_BACKOFF_S = env.float("AIRTABLE_BACKOFF_S", default=1.0)  # before asking again; doubled each time

# --- demand: docs/analytics.md ---------------------------------------------------------------------------------------
DEMAND_HALF_LIFE_DAYS = env.float("DEMAND_HALF_LIFE_DAYS", default=14.0)  # in which a question loses half its weight
DEMAND_SPIKE_NOTICES = env.bool("DEMAND_SPIKE_NOTICES", default=True)  # who it concerns is told of spikes
ANSWER_WITHIN_S = env.float("ANSWER_WITHIN_S", default=20.0)  # a model's answer; after that the passages stand alone
# Meaning of texts: "svd", fitted on the own corpus, or a sentence model of yours as "package.module:factory".
EMBEDDING_MODEL = env.str("EMBEDDING_MODEL", default="svd")

# --- language, time -------------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en-gb"
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_I18N = False
USE_TZ = True

# --- security -------------------------------------------------------------------------------------------------------
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
CSRF_COOKIE_SAMESITE = "Lax"

UNFOLD = {
    "SITE_TITLE": "Plumbline",
    "SITE_HEADER": "Plumbline",
    "SITE_SUBHEADER": "The bidding office, kept true",
    "SITE_SYMBOL": "straighten",
    "SITE_URL": "/",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "/static/plumbline/logo.svg"}],
    "SHOW_HISTORY": True,
    "COLORS": {  # the accent of static/plumbline/tokens.css
        "primary": {
            "50": "#eef4fd",
            "100": "#dce8fa",
            "200": "#bdd4f5",
            "300": "#90b7ee",
            "400": "#82b4ff",
            "500": "#2b6ccf",
            "600": "#1a5ab5",
            "700": "#144a97",
            "800": "#123d7b",
            "900": "#12345f",
            "950": "#0c2240",
        }
    },
    "SIDEBAR": {"show_search": True, "navigation": "config.sidebar.navigation"},
}

LOG_LEVEL = os.environ.get("LOG_LEVEL", "INFO")
