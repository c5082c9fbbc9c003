"""One port, two stacks: HTTP in a pool of WSGI threads, WebSockets through Channels.

Threads keep their database connection (`CONN_MAX_AGE`), which Django's own ASGI handler can't:
measured 3-4 times less CPU per request.
"""

from __future__ import annotations

import os
from typing import Any, cast

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.development")
wsgi = get_wsgi_application()

from a2wsgi import WSGIMiddleware  # noqa: E402
from channels.routing import ProtocolTypeRouter  # noqa: E402
from django.conf import settings  # noqa: E402

from config.bodies import with_whole_bodies  # noqa: E402
from config.checks import refuse_half_configured  # noqa: E402
from config.collecting import calm_collector  # noqa: E402
from config.intake import without_disguised_headers  # noqa: E402
from jobs.sockets.routing import socket_application  # noqa: E402
from quiz.front import QuizFront  # noqa: E402

refuse_half_configured()
pages = with_whole_bodies(without_disguised_headers(WSGIMiddleware(cast(Any, wsgi), workers=settings.WEB_THREADS)))
application = QuizFront(ProtocolTypeRouter({"http": pages, "websocket": socket_application}))
calm_collector()
