"""One compiled release of all releases of a tender, as the standard merges them.

OCDS 1.1, "Merging": https://standard.open-contracting.org/1.1/en/schema/merging/. The rules per field come from its
release schema; ocdsmerge would fetch that from the network, so the few fields that are not merged by default are
listed here.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from .texts import moment_of

OMIT, WHOLE = "omitWhenMerged", "wholeListMerge"
_WHOLE_LISTS = [
    "awards.items.additionalClassifications",
    "contracts.items.additionalClassifications",
    "contracts.relatedProcesses.relationship",
    "parties.additionalIdentifiers",
    "parties.roles",
    "relatedProcesses.relationship",
    "tender.additionalProcurementCategories",
    "tender.items.additionalClassifications",
    "tender.submissionMethod",
    "awards.amendment.changes",
    "awards.amendments.changes",
    "awards.suppliers.additionalIdentifiers",
    "buyer.additionalIdentifiers",
    "contracts.amendment.changes",
    "contracts.amendments.changes",
    "contracts.implementation.transactions.payee.additionalIdentifiers",
    "contracts.implementation.transactions.payer.additionalIdentifiers",
    "tender.amendment.changes",
    "tender.amendments.changes",
    "tender.procuringEntity.additionalIdentifiers",
    "tender.tenderers.additionalIdentifiers",
]
RULES = {("id",): OMIT, ("date",): OMIT, ("tag",): OMIT} | {tuple(path.split(".")): WHOLE for path in _WHOLE_LISTS}


@lru_cache(maxsize=1)
def _merger() -> Any:
    """Imported when it is needed: it brings a client for HTTP along, which takes longer than a small file."""
    from ocdsmerge import Merger  # type: ignore[import-untyped]

    return Merger(merge_rules=RULES)


def compile_releases(releases: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The compiled release. Raises ValueError when the releases contradict each other in shape.

    Sorted by moment, not by text as the library does: "10:00+02:00" is before "09:00Z". A release without a date comes
    first: what is dated knows better.
    """
    if len(releases) == 1 and releases[0].get("tag") in (["compiled"], "compiled"):
        return releases[0]
    merged: dict[str, Any] | None = None
    dated = sorted(((_sortable(release), index) for index, release in enumerate(releases)))
    # The library sorts by this text once more, which is now the right order.
    in_order = [releases[index] | {"date": key} for key, index in dated]
    from ocdsmerge.exceptions import OCDSMergeError, OCDSMergeWarning  # type: ignore[import-untyped]

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", OCDSMergeWarning)  # two items of one id: the standard says the later holds
            merged = _merger().create_compiled_release(in_order)
    except OCDSMergeError as error:
        raise ValueError(f"The releases can't be merged: {error}") from error
    except (TypeError, AttributeError, KeyError) as error:
        raise ValueError(f"The releases can't be merged: a field has another shape ({error}).") from error
    last = releases[dated[-1][1]]
    merged["date"] = last.get("date")
    merged["id"] = f"{last.get('ocid')}-{last.get('date')}"
    return merged


def _sortable(release: dict[str, Any]) -> str:
    moment, _ = moment_of(release.get("date"))
    return moment.isoformat(timespec="microseconds") if moment else ""
