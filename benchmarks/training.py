"""An organisation's training in figures, over 100,000 calls with their grades and scores.

All calls are one organisation's and came in over 180 days: asking for 90 days reads every one of them, for the figures
and for the period before. Each has been graded by the rules and by a model, every fifth by a coach, by six criteria.
"""

from __future__ import annotations

import http.client
import json
import os
import statistics
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.ground import web
from benchmarks.report import Report

CALLS = int(os.environ.get("BENCH_CALLS") or 100_000)  # fewer only for trying the benchmark itself
PEOPLE = 400
DAYS = 180
TIMES = 60
P95_MS = 200.0
URL = "/api/analytics/organisation?period="
CRITERIA = [
    {"key": f"behaviour-{number}", "kind": "behaviour", "rule": {"measure": "questions"}} for number in range(3)
] + [{"key": f"quality-{number}", "kind": "quality"} for number in range(3)]

# A call as wide as real ones are: its words lie outside the row, what is measured and summed up in it.
LAY_DOWN_CALLS = """
INSERT INTO quiz_trainingsession (id, organisation_id, user_id, template_id, rubric_id, source, call_id, revision,
  title, learner_speaker, raw, raw_hash, clean, clean_hash, measures, summary, next_step, summarised_by, status, error,
  overall, started_at, submitted_for_review, closed_at, created_at, updated_at)
SELECT gen_random_uuid(), %(organisation)s, (%(people)s::uuid[])[1 + n %% %(persons)s], %(template)s, %(rubric)s,
  'voice', '', 1, '', '', '{}', md5(n::text), '[]', md5(n::text), %(measures)s::jsonb,
  repeat('Said. ', 50), '', 'rules',
  CASE WHEN n %% 50 = 0 THEN 'failed' ELSE 'done' END, '', 40 + n %% 60, t.at, false,
  CASE WHEN n %% 5 = 0 THEN t.at END, t.at, t.at
FROM generate_series(1, %(calls)s) AS n,
  LATERAL (SELECT now() - n * interval '1 day' * (%(days)s / (%(calls)s + 1)::float8) AS at) AS t
"""
LAY_DOWN_GRADES = """
INSERT INTO quiz_sessiongrade (id, session_id, rubric_id, grader, grader_version, transcript_hash, overall, feedback,
  is_reused, is_current, created_at)
SELECT gen_random_uuid(), s.id, s.rubric_id, g.grader, CASE g.grader WHEN 'human' THEN '' ELSE '1' END, s.clean_hash,
  CASE g.grader WHEN 'rule' THEN NULL ELSE s.overall END, '', false, true, s.created_at
FROM quiz_trainingsession s CROSS JOIN (VALUES ('rule'), ('model'), ('human')) AS g(grader)
WHERE g.grader <> 'human' OR s.closed_at IS NOT NULL
"""
LAY_DOWN_SCORES = """
INSERT INTO quiz_gradescore (grade_id, criterion_id, score, evidence, reason)
SELECT g.id, c.id,
  CASE WHEN g.grader = 'rule' AND c.kind = 'quality' THEN NULL ELSE 30 + abs(hashtext(g.id::text)) %% 60 END,
  '[]', ''
FROM quiz_sessiongrade g JOIN quiz_criterion c ON c.rubric_id = g.rubric_id
"""
# The reference: what a request costs that adds the scores up from their rows.
FROM_ROWS = """
SELECT key, avg(score), count(*) FROM (
  SELECT DISTINCT ON (s.id, c.key) c.key, x.score FROM quiz_trainingsession s
  JOIN quiz_sessiongrade g ON g.session_id = s.id AND g.is_current
  JOIN quiz_gradescore x ON x.grade_id = g.id AND x.score IS NOT NULL JOIN quiz_criterion c ON c.id = x.criterion_id
  WHERE s.organisation_id = %s AND s.created_at > now() - interval '90 days'
  ORDER BY s.id, c.key, CASE g.grader WHEN 'human' THEN 0 WHEN 'model' THEN 1 ELSE 2 END
) AS counted GROUP BY 1
"""


def measure() -> Iterator[Report]:
    from quiz.services.training.organisation_figures import catch_up

    report = Report(f"Organisation analytics over {CALLS:,} training calls")
    began = time.perf_counter()
    coach, organisation = lay_down()
    report.figure("calls, grades and scores laid down", f"{time.perf_counter() - began:.0f} s")
    vacuum()
    began = time.perf_counter()
    catch_up(organisation_id=organisation.pk)
    report.figure("all days added up, as after a move of old calls", f"{time.perf_counter() - began:.1f} s")
    vacuum()
    rows_ms = from_rows(organisation)
    client = signed_in(coach)
    with web() as port:
        asker = Asker(port, client)
        for period in ("90d", "30d", "7d"):
            taken, told = asker.times(organisation, period)
            reference = f"{told['sessions']:,} calls, {told['before']['sessions']:,} before; median {middle(taken)}"
            if period == "90d":
                reference += f"; scores alone from their rows {rows_ms:.0f} ms"
            report.claim(f"uncached, {period}: p95 over HTTP", p95(taken), "ms", P95_MS, reference=reference)
        taken, _ = asker.times(organisation, "90d", is_graded=True)
        report.claim(
            "90d, a call graded before each: p95", p95(taken), "ms", P95_MS, reference=f"median {middle(taken)}"
        )
        taken, _ = asker.times(organisation, "90d", is_kept=True)
        report.figure("90d, figures kept, people read anew", f"median {middle(taken)}, p95 {p95(taken):.0f} ms")
    many, few = queries(client, organisation, 200), queries(client, organisation, 2)
    report.claim("queries with 200 people told, less those with 2", many - few, "", 0, reference=f"{many} in all")
    yield report


def lay_down() -> tuple[Any, Any]:
    from django.db import connection

    from accounts.models import Membership, User
    from tests.factories.people import make_organisation, make_user
    from tests.factories.training import make_template, newest_rubric

    organisation = make_organisation("Bench")
    coach = make_user("training-coach", organisation=organisation, role=Membership.Role.COACH)
    people = User.objects.bulk_create(User(email=f"t{number}@example.com") for number in range(PEOPLE))
    Membership.objects.bulk_create(Membership(organisation=organisation, user=user) for user in people)
    template = make_template(organisation, "Bench", criteria=CRITERIA)
    parameters = {
        "organisation": organisation.pk,
        "people": [user.pk for user in people],
        "persons": PEOPLE,
        "template": template.pk,
        "rubric": newest_rubric(template).pk,
        "measures": json.dumps({f"measure {number}": {"value": number, "basis": "by words"} for number in range(12)}),
        "calls": CALLS,
        "days": DAYS,
    }
    with connection.cursor() as cursor:
        for sql in (LAY_DOWN_CALLS, LAY_DOWN_GRADES, LAY_DOWN_SCORES):
            cursor.execute(sql, parameters)
    return coach, organisation


def vacuum() -> None:
    """What autovacuum does within a minute of so many rows."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def from_rows(organisation: Any) -> float:
    from django.db import connection

    taken = []
    with connection.cursor() as cursor:
        for _ in range(3):
            began = time.perf_counter()
            cursor.execute(FROM_ROWS, [organisation.pk])
            cursor.fetchall()
            taken.append((time.perf_counter() - began) * 1000)
    return min(taken)


def grade_one(organisation: Any) -> None:
    """A coach's score of today's, yesterday's, … call."""
    from quiz.models import TrainingSession
    from tests.factories.training import make_grade

    latest = TrainingSession.objects.filter(organisation=organisation).order_by("-created_at")
    session = latest[len(graded) * 97 % CALLS]
    graded.append(make_grade(session, "human", scores={"quality-1": len(graded) % 100}).pk)


graded: list[Any] = []


class Asker:
    """One client on one connection."""

    def __init__(self, port: int, client: Any) -> None:
        from django.conf import settings

        name = settings.SESSION_COOKIE_NAME
        self.headers = {"Cookie": f"{name}={client.cookies[name].value}", "Accept": "application/json"}
        self.server = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def times(
        self, organisation: Any, period: str, *, is_graded: bool = False, is_kept: bool = False
    ) -> tuple[list[float], dict[str, Any]]:
        """Milliseconds of each request, the first three (plans) left out; and the last answer."""
        from quiz.services.training.organisation import invalidate

        taken, told = [], {}
        for _ in range(TIMES + 3):
            if is_graded:
                grade_one(organisation)
            if not is_kept:
                invalidate(organisation.pk)
            began = time.perf_counter()
            self.server.request("GET", URL + period, headers=self.headers)
            response = self.server.getresponse()
            body = response.read()
            taken.append((time.perf_counter() - began) * 1000)
            assert response.status == 200, body[:300]
            told = json.loads(body)
        assert told["sessions"] and told["criteria"] and told["users"]["results"]
        return taken[3:], told


def signed_in(user: Any) -> Any:
    from django.test import Client

    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def queries(client: Any, organisation: Any, limit: int) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from quiz.services.training.organisation import invalidate
    from quiz.services.training.organisation_figures import catch_up

    invalidate(organisation.pk)
    catch_up(organisation_id=organisation.pk)
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(f"{URL}30d&limit={limit}")
    assert answer.status_code == 200 and len(answer.json()["users"]["results"]) == limit
    return len(captured)


def p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def middle(values: list[float]) -> str:
    return f"{statistics.median(values):.0f} ms"
