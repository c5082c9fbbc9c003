"""Pictures attached to records in Airtable: fetched once, shown under their questions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from quiz.airtable.exceptions import AirtableAway
from quiz.models import Bank, Picture, Question, QuestionVersion, SyncRun
from quiz.services import banks, syncing
from tests.factories.pictures import SVG, gif, png
from tests.standins import airtable_questions as office
from tests.standins.airtable import serving
from tests.standins.airtable_base import Airtable, Bucket

pytestmark = pytest.mark.django_db(transaction=True)
PICTURE = "fldPICTURE0000001"


@pytest.fixture
def airtable(settings: Any, tmp_path: Path) -> Iterator[Airtable]:
    standin = office.welding_base(3)
    standin.bucket = Bucket(per_s=50.0, lockout_s=0.5)
    standin.tables[office.TABLE].fields[PICTURE] = {"id": PICTURE, "name": "Picture", "type": "multipleAttachments"}
    settings.MEDIA_ROOT = tmp_path
    settings.AIRTABLE_REQUESTS_PER_S = 45.0
    settings.OUTBOUND_ALLOW_HTTP, settings.OUTBOUND_ALLOWED_NETWORKS = True, ["127.0.0.0/8"]
    with serving(standin):
        settings.AIRTABLE_URL, settings.AIRTABLE_TOKEN = standin.url, standin.token
        yield standin


@pytest.fixture
def bank(airtable: Airtable) -> Bank:
    return banks.bank_at(base_id=airtable.base_id, table_id=office.TABLE)


def give(airtable: Airtable, number: int, *cells: Any) -> None:
    airtable.put(airtable.tables[office.TABLE], office.record_id(number), **{PICTURE: list(cells)})


def synced(bank: Bank, **more: Any) -> SyncRun:
    return syncing.sync_bank(bank_id=bank.pk, **more)


def wording(number: int) -> QuestionVersion:
    found = Question.objects.select_related("current").get(external_id=office.record_id(number)).current
    assert found is not None
    return found


def fetched(airtable: Airtable) -> list[str]:
    return [path for _, path in airtable.asked if path.startswith("/files/")]


def test_a_records_pictures_are_shown_under_its_question(airtable: Airtable, bank: Bank) -> None:
    give(airtable, 1, airtable.attach("weld [1].png", png()), airtable.attach("toe.gif", gif(), "image/gif"))
    run = synced(bank)
    assert (run.created, run.remarks) == (3, [])
    weld, toe = Picture.objects.order_by("media_type").reverse()
    assert wording(1).stem.endswith(f"\n\n![weld 1](picture:{weld.digest})\n\n![toe](picture:{toe.digest})")
    assert wording(1).markup == "markdown", "Airtable's rich text"
    assert "picture:" not in wording(2).stem


def test_plain_text_becomes_html_with_its_picture(airtable: Airtable, bank: Bank) -> None:
    table = airtable.tables[office.TABLE]
    airtable.change_field(table, office.STEM, type="multilineText")
    airtable.put(table, office.record_id(2), **{office.STEM: "How <hot>\nis it?"})
    give(airtable, 2, airtable.attach("weld.png", png()))
    synced(bank)
    assert wording(2).markup == "html"
    assert wording(2).stem.startswith('How &lt;hot&gt;<br>is it?<p><img src="picture:')
    assert wording(3).markup == "plain"


def test_a_second_sync_fetches_nothing_and_writes_no_row(airtable: Airtable, bank: Bank) -> None:
    for number in (1, 2):  # the same content in two records
        cell = airtable.attach("weld.png", png())
        give(airtable, number, cell | {"id": f"att{number}"})
    synced(bank)
    assert len(fetched(airtable)) == 2
    again = synced(bank)
    assert (again.unchanged, again.updated) == (3, 0)
    assert len(fetched(airtable)) == 2
    assert {each.digest for each in Picture.objects.all()} == {Picture.objects.all()[0].digest}
    give(airtable, 1, airtable.attach("new.png", png(9, 9)))
    assert synced(bank).updated == 1
    assert len(fetched(airtable)) == 3


def test_what_can_not_be_taken_is_told_and_the_question_is_asked_all_the_same(airtable: Airtable, bank: Bank) -> None:
    lost = airtable.attach("lost.png", png())
    del airtable.files["lost.png"]
    lying = airtable.attach("lying.png", SVG)
    large = airtable.attach("large.png", png()) | {"size": 50_000_000}
    manual = airtable.attach("manual.pdf", b"%PDF", "application/pdf")
    inside = airtable.attach("inside.png", png()) | {"url": "http://169.254.169.254/inside.png"}
    give(airtable, 1, lost, lying, large, manual, inside)
    run = synced(bank)
    assert (run.created, run.rejected) == (3, 0)
    named = ["lost.png", "lying.png", "large.png", "manual.pdf", "inside.png"]
    assert [f"figure:{name}" for name in named] == wording(1).tags[1:]
    assert len(run.remarks) == len(named) + 1
    assert sorted(fetched(airtable)) == ["/files/lost.png", "/files/lying.png"]
    assert not Picture.objects.exists()


def test_a_picture_that_is_away_for_now_makes_the_run_wait_and_changes_nothing(airtable: Airtable, bank: Bank) -> None:
    synced(bank)
    give(airtable, 1, airtable.attach("weld.png", b""))
    with pytest.raises(AirtableAway, match="weld"):
        synced(bank)
    assert QuestionVersion.objects.count() == 3
    airtable.files["weld.png"] = png()
    assert synced(bank).updated == 1


def test_a_dry_run_keeps_no_picture(airtable: Airtable, bank: Bank) -> None:
    give(airtable, 1, airtable.attach("weld.png", png()))
    assert synced(bank, is_dry=True).created == 3
    assert not Picture.objects.exists()


def test_a_cell_that_holds_no_attachments_is_rejected(airtable: Airtable, bank: Bank) -> None:
    bank.mapping = {"stem": office.STEM, "choices": office.CHOICES, "correct": office.CORRECT, "pictures": office.NOTES}
    bank.save()
    run = synced(bank)
    assert (run.created, run.rejected) == (0, 3)
    assert run.rejections.first().code == "wrong_type"  # type: ignore[union-attr]
