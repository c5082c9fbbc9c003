"""Processes that ask for work, and some that die while they ask.

python -m tests.faults.asking WHAT …      prints its answer as JSON in its last line
"""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import django

django.setup()

from django.db import transaction  # noqa: E402

from accounts.models import Membership  # noqa: E402
from jobs.models import Job  # noqa: E402
from jobs.runner import run_here  # noqa: E402
from jobs.services import cancel, enqueue, enqueue_batch  # noqa: E402
from jobs.worker import Drain  # noqa: E402
from tests.factories.people import make_organisation, make_user  # noqa: E402


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def batch(kind: str, params: str) -> Any:
    return str(enqueue_batch(kind=kind, params=json.loads(params)).pk)


def jobs(given: str) -> Any:
    with transaction.atomic():
        return [str(enqueue(kind=kind, params=params).pk) for kind, params in json.loads(given)]


def cancel_job(job_id: str) -> Any:
    return cancel(job_id).status


def die_before_commit(kind: str, params: str) -> Any:
    with transaction.atomic():
        enqueue_batch(kind=kind, params=json.loads(params))
        _die()


def die_before_doorbell(kind: str, params: str) -> Any:
    """Hooks run in the order in which they were asked for: this one dies after the commit and before the doorbell."""
    with transaction.atomic():
        transaction.on_commit(_die)
        enqueue_batch(kind=kind, params=json.loads(params))


def person() -> Any:
    user = make_user("estimator", organisation=make_organisation(), role=Membership.Role.OWNER)
    return user.email


def tenders(count: str) -> Any:
    """The batch that reads so many new tenders for one firm."""
    from tenders.models import CompanyProfile
    from tenders.services import runs, sources
    from tests.factories.notices import given_release, lines_of

    firm = make_organisation("Road builder")
    CompanyProfile.objects.create(organisation=firm, cpv_codes=["45233"], keywords=["road", "resurfacing"])
    source = sources.source_named(name="Published")
    lines = lines_of(*(given_release(number) for number in range(int(count))))
    sources.import_file(source=source, stream=io.BytesIO(lines), filename="notices.jsonl")
    return str(runs.start(organisation=firm)["batch_id"])


def training(count: str) -> Any:
    """So many calls that nothing has been done with, each by somebody who is to be told, of a firm whose endpoint
    listens; ids of calls and people."""
    from jobs.models import WebhookEndpoint
    from jobs.webhooks.signing import new_secret
    from tests.factories.training import make_session, make_template

    firm = make_organisation("Steel builder")
    template = make_template(firm)
    WebhookEndpoint.objects.create(
        organisation=firm, url="https://127.0.0.1/", event_types=["training.graded"], secret=new_secret()
    )
    made = []
    for number in range(int(count)):
        learner = make_user(f"learner{number}", organisation=firm)
        turns = [("Client", f"This is call number {number}."), ("Learner", "I will send it by Friday.")]
        session = make_session(firm, learner, template=template, turns=turns, status="received")
        made.append((str(session.pk), str(learner.pk)))
    return made


def race_for_ids(may_go_on: str, ids: str) -> Any:
    """Run these very jobs, as soon as that file is there: whoever else was given the same ids does so too."""
    given = [UUID(each) for each in json.loads(ids)]
    _wait_for(may_go_on)
    for job_id in given:
        run_here(job_id=job_id)
    return len(given)


def race_for_claims(may_go_on: str, queue: str) -> Any:
    """Claim from the queue until it is empty, as soon as that file is there."""
    _wait_for(may_go_on)
    drain = Drain()
    count = drain.all_of([queue])
    drain.heart.stop()
    return count


def _wait_for(may_go_on: str) -> None:
    Job.objects.count()  # connected already
    _say("ready")
    while not Path(may_go_on).exists():
        time.sleep(0.001)


PARTS = (
    batch,
    jobs,
    cancel_job,
    die_before_commit,
    die_before_doorbell,
    person,
    tenders,
    training,
    race_for_ids,
    race_for_claims,
)


def main(arguments: list[str]) -> None:
    part = {part.__name__: part for part in PARTS}[arguments[0]]
    _say(json.dumps(part(*arguments[1:])))


if __name__ == "__main__":
    main(sys.argv[1:])
