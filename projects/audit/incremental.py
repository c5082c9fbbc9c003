"""Auditing what an edit can have changed, and nothing else: the result equals that of auditing everything.

The rules declare what they read (`scopes`), facts of the whole budget are kept and updated (`facts`), and what was said
of a position stands until one of its groups changes. Where that can't be known, `NeedsFullAudit` says why: fail closed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from projects.audit.certificate import inputs_hash
from projects.audit.facts import Facts
from projects.audit.findings import (
    BUDGET,
    AuditFinding,
    Grade,
    Hit,
    NotChecked,
    PositionNotChecked,
    RuleNotRun,
    Verdict,
)
from projects.audit.gathering import Gatherer
from projects.audit.known import Given, Known, NeedsFullAudit, Reaudit, Source, decisions_json, rules_in_order
from projects.audit.orchestrator import Consolidator
from projects.audit.registry import Rule
from projects.audit.scopes import SCOPES, Key, Linked, Reach, Scope, Selector, undeclared
from projects.audit.stored import StoredFinding, detached, same_said
from projects.audit.thresholds import merged
from projects.audit.view import AuditPosition, BudgetView

MOST_CHANGED = 2_000  # positions; beyond, asking everything is hardly dearer
MOST_FETCHED = 40_000


def reaudit(*, known: Known, given: Given, source: Source) -> Reaudit:
    """Ask anew what can have changed since the audit that is `known`. Raises NeedsFullAudit."""
    rules = rules_in_order()
    if known.fingerprint != given.fingerprint(rules):
        raise NeedsFullAudit("rules, thresholds, precision, references or the budget's header changed")
    run = _Run(known, given, source, rules)
    run.update_facts()
    run.find_affected()
    return run.ask()


def in_order(positions: Iterable[AuditPosition]) -> list[AuditPosition]:
    """Each once, in the order of the budget."""
    return sorted({p.key: p for p in positions}.values(), key=place_of)


def place_of(position: AuditPosition) -> tuple[int, int]:
    return position.ordinal, int(position.key)


@dataclass(slots=True)
class _Run:
    known: Known
    given: Given
    source: Source
    rules: tuple[Rule, ...]
    facts: Facts = field(init=False)
    context: dict[str, Any] = field(init=False)
    lacking: dict[str, str] = field(init=False)
    thresholds: dict[str, Decimal] = field(init=False)
    left: list[AuditPosition] = field(init=False)
    came: list[AuditPosition] = field(init=False)
    affected: dict[str, AuditPosition] = field(default_factory=dict)
    said: dict[str, list[tuple[Rule, Hit]]] = field(default_factory=dict)  # by rules of reach group and whole
    touched: dict[str, set[Key]] = field(default_factory=dict)  # rule -> keys of the groups that changed
    of_budget: list[tuple[Rule, Hit]] = field(default_factory=list)
    whole: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.facts = self.known.facts
        self.thresholds = merged(self.given.thresholds)
        self.context = {**self.given.context, "is_priced": self.known.is_priced}
        probe = self.view(())
        self.lacking = {rule.id: why for rule in self.rules if rule.needs and (why := probe.lacks(rule.needs))}
        if why := undeclared(self.rules, probe, self.lacking):
            raise NeedsFullAudit(why)
        grouped = {rule_id for rule_id, scope in SCOPES.items() if scope.reach is Reach.GROUP}
        if any(rule_id in grouped for rule_id, _ in self.known.not_run):
            raise NeedsFullAudit("a rule that compares positions could not run the last time")
        self.left, self.came = self.source.changed()
        if len(self.left) + len(self.came) > MOST_CHANGED:
            raise NeedsFullAudit(f"{len(self.left) + len(self.came):,} positions changed")

    def view(self, positions: Iterable[AuditPosition], **more: Any) -> BudgetView:
        return BudgetView(in_order(positions), **{**self.context, **more}, facts=self.facts)

    def scoped(self, reach: Reach) -> list[tuple[Rule, Scope]]:
        found = [(rule, SCOPES[rule.id]) for rule in self.rules if rule.id in SCOPES and rule.id not in self.lacking]
        return [(rule, scope) for rule, scope in found if scope.reach is reach and rule.check_budget is not None]

    def update_facts(self) -> None:
        """Take out what left, count in what came, and note the groups of both."""
        if any(line.figure for p in (*self.left, *self.came) for line in p.measure):
            raise NeedsFullAudit("a measure sheet that defines figures for others changed")
        before = self.view(self.left)
        uses_urs, quantities = before.uses_urs, dict.fromkeys(self.facts.sections_with_quantities)
        self._note_groups(before, self.left)
        links = self._links()
        for index in range(len(before)):
            self.facts.add(before, index, -1)
        after = self.view(self.came)
        for index in range(len(after)):
            self.facts.add(after, index)
        after = self.view(self.came)
        if (self.facts.priced > 0) is not self.known.is_priced or after.uses_urs is not uses_urs:
            raise NeedsFullAudit("whether the budget is priced, or by which catalogue, changed")
        self._note_groups(after, self.came)
        self._note_linked(links)
        changed = set(quantities) ^ set(self.facts.sections_with_quantities)
        selectors = [Selector(object_code=of, section_path=path) for of, path in changed]
        self._affect(self.source.matching(selectors) if selectors else ())

    def _note_groups(self, view: BudgetView, positions: Sequence[AuditPosition]) -> None:
        for rule, scope in self.scoped(Reach.GROUP):
            assert scope.key is not None
            keys = self.touched.setdefault(rule.id, set())
            keys.update(key for i in range(len(view)) if (key := scope.key(view, i)) is not None)

    def _links(self) -> dict[str, Linked]:
        nothing = self.view(())
        linked = [(rule, scope.links) for rule, scope in self.scoped(Reach.GROUP) if scope.links is not None]
        return {rule.id: links(nothing, self.thresholds) for rule, links in linked}

    def _note_linked(self, earlier: Mapping[str, Linked]) -> None:
        """Of a link, all or none: those that the edit made, changed or undid, and those of the groups it touched."""
        for rule_id, now in self._links().items():
            before = earlier[rule_id]
            changed = {key for key in {*before, *now} if before.get(key) != now.get(key)} | self.touched[rule_id]
            links = [link.get(key, ()) for key in changed for link in (before, now)]
            self.touched[rule_id] = changed.union(key for link in links for key, _ in link)

    def _affect(self, positions: Iterable[AuditPosition]) -> None:
        self.affected.update((p.key, p) for p in positions)

    def find_affected(self) -> None:
        """Changed positions and the ones after them; decided on anew; and those of whom a comparison says something
        else than before."""
        self._affect(self.came)
        self._affect(self.source.after([*self.left, *self.came]))
        now = {tuple(row) for row in decisions_json(self.given.overrides)}
        decided = {row[2] for row in now ^ {tuple(row) for row in self.known.decisions}}
        if decided:
            self._affect(self.source.of_identities(sorted(one for one in decided if one)))
        self._compare_groups()
        self._compare_whole()

    def _compare_groups(self) -> None:
        rules = [(rule, scope) for rule, scope in self.scoped(Reach.GROUP) if self.touched.get(rule.id)]
        if not rules:
            return
        selectors = dict.fromkeys(
            selector
            for view in (self.view(self.left), self.view(self.came))
            for rule, scope in rules
            for i in range(len(view))
            if scope.key is not None and scope.key(view, i) is not None and scope.selectors is not None
            for selector in scope.selectors(view, i)
        )
        selectors |= dict.fromkeys(
            selector
            for rule, scope in rules
            if scope.of_key is not None
            for key in self.touched[rule.id]
            for selector in scope.of_key(key)
        )
        everyone = self.view([*self.source.matching(list(selectors)), *self.came])
        self._check_size(len(everyone))
        asked: dict[str, set[str]] = {}
        for rule, scope in rules:
            assert scope.key is not None
            members = [p for i, p in enumerate(everyone.positions) if scope.key(everyone, i) in self.touched[rule.id]]
            asked[rule.id] = {p.key for p in members}
            self._run_apart(rule, self.view(members))
        self._affect_where_different(asked, {p.key: p for p in everyone.positions})

    def _compare_whole(self) -> None:
        nothing = self.view(())
        asked: dict[str, set[str]] = {}
        chosen = [
            (rule, scope.chooses(nothing, self.thresholds))
            for rule, scope in self.scoped(Reach.WHOLE)
            if scope.chooses is not None
        ]
        selectors = list(dict.fromkeys(selector for _, each in chosen for selector in each))
        everyone = self.view(self.source.matching(selectors) if selectors else ())
        self._check_size(len(everyone))
        for rule, each in chosen:  # each chooses again itself, of those that any of them asked for
            hits = self._run_apart(rule, everyone if each else nothing)
            self.whole[rule.id] = list(dict.fromkeys(key for key, _ in hits))
            earlier = set(self.known.whole.get(rule.id, ())) - {p.key for p in self.left}
            asked[rule.id] = earlier | set(self.whole[rule.id])
        found = {p.key: p for p in everyone.positions}
        missing = {key for keys in asked.values() for key in keys} - set(found)
        found.update((p.key, p) for p in (self.source.of_keys(sorted(missing)) if missing else ()))
        self._affect_where_different(asked, found)

    def _check_size(self, count: int) -> None:
        if count > MOST_FETCHED:
            raise NeedsFullAudit(f"the edit is compared with {count:,} positions")

    def _run_apart(self, rule: Rule, view: BudgetView) -> list[tuple[str, Hit]]:
        """What a comparison says of the members of its groups, by key; of the budget, kept as it is."""
        assert rule.check_budget is not None
        try:
            said = list(rule.check_budget(view, self.thresholds))
        except Exception as error:
            raise NeedsFullAudit(f"rule {rule.id} failed with {type(error).__name__}: {error}") from error
        hits: list[tuple[str, Hit]] = []
        for one in said:
            if isinstance(one, NotChecked):
                raise NeedsFullAudit(f"rule {rule.id} could not run: {one.reason}")
            hit = detached(one, view)
            if one.index == BUDGET:
                self.of_budget.append((rule, hit))
                continue
            key = view.positions[one.index].key
            hits.append((key, hit))
            money = Consolidator(view, self.thresholds, {}, {}, "").finding(rule, one).money_at_stake
            self.said.setdefault(key, []).append((rule, replace(hit, money_at_stake=money)))
        return hits

    def _affect_where_different(self, asked: Mapping[str, set[str]], positions: Mapping[str, AuditPosition]) -> None:
        keys = {key for members in asked.values() for key in members} - set(self.affected)
        earlier: dict[tuple[str, str], list[StoredFinding]] = {}
        for finding in self.source.findings(keys, asked) if keys else ():
            earlier.setdefault((finding.key, finding.rule_id), []).append(finding)
        for rule_id, members in asked.items():
            for key in members & keys:
                now = [hit for rule, hit in self.said.get(key, ()) if rule.id == rule_id]
                if not same_said(now, earlier.get((key, rule_id), ())):
                    self._affect((positions[key],))

    def ask(self) -> Reaudit:
        """Ask the rules about the affected, with the ones before them at hand, and consolidate."""
        around = self.source.before(list(self.affected.values())) if self.affected else []
        positions = in_order([*self.affected.values(), *around])
        self._check_size(len(positions))
        prices = self.source.prices(positions)
        view = self.view(positions, **prices)
        gatherer = Gatherer(view, self.rules, self.thresholds, lacking=self.lacking)
        self._gather_known(gatherer)
        inputs = inputs_hash(view)
        consolidator = Consolidator(
            view,
            self.thresholds,
            dict(self.given.precision or {}),
            {(o.rule_id, o.content_hash, o.position_identity): o for o in self.given.overrides},
            inputs,
        )
        findings = [consolidator.finding(*pair) for pair in gatherer.hits.pop(BUDGET, [])]
        verdicts, gaps = [], []
        for index, position in enumerate(view.positions):
            if position.key not in self.affected:
                continue
            evidence = gatherer.gather(index)
            verdict, own = consolidator.consolidate(index, evidence)
            verdicts.append(verdict)
            findings += own
            gaps += [PositionNotChecked(index, g.rule.id, g.reason) for g in evidence.gaps if not g.is_whole]
        findings.sort(key=lambda f: (f.index, f.rule_id, f.subject))
        return self._result(view, verdicts, findings, gaps, gatherer, inputs)

    def _gather_known(self, gatherer: Gatherer) -> None:
        """Hand the gatherer what rules on the whole budget say: asked now, or as it was said before."""
        for reach in (Reach.OWN, Reach.NEIGHBOUR):
            for rule, _ in self.scoped(reach):
                gatherer.check_budget_by(rule)
        not_run = sorted([rule_id, gap.reason] for rule_id, gap in gatherer.not_run.items())
        if not_run != sorted(self.known.not_run):
            raise NeedsFullAudit("which rules can run for the whole budget changed")
        gatherer.hits.setdefault(BUDGET, []).extend(self.of_budget)
        standing = self._standing()
        for index, position in enumerate(gatherer.view.positions):
            if position.key in self.affected:
                gatherer.hits.setdefault(index, []).extend(
                    (rule, replace(hit, index=index))
                    for rule, hit in (*self.said.get(position.key, ()), *standing.get(position.key, ()))
                )
        for hits in gatherer.hits.values():
            hits.sort(key=lambda pair: pair[0].id)

    def _standing(self) -> dict[str, list[tuple[Rule, Hit]]]:
        """Of the affected: what comparisons with unchanged groups said the last time."""
        came = {p.key for p in self.came}
        compared = {rule.id: (rule, scope) for rule, scope in self.scoped(Reach.GROUP)}
        view = self.view(self.affected.values())
        touched = {
            (p.key, rule_id)
            for rule_id, (_, scope) in compared.items()
            for i, p in enumerate(view.positions)
            if scope.key is not None and scope.key(view, i) in self.touched.get(rule_id, ())
        }
        found: dict[str, list[tuple[Rule, Hit]]] = {}
        for one in self.source.findings(set(self.affected) - came, compared):
            if (one.key, one.rule_id) in touched:
                continue
            if one.grade == "not_checked":
                raise NeedsFullAudit(f"rule {one.rule_id} could not run for a position the last time")
            found.setdefault(one.key, []).append((compared[one.rule_id][0], one.as_hit()))
        return found

    def _result(
        self, view: BudgetView, verdicts: list[Verdict], findings: list[AuditFinding],
        gaps: list[PositionNotChecked], gatherer: Gatherer, inputs: str,
    ) -> Reaudit:  # fmt: skip
        hits = Counter(self.known.rule_hits)
        earlier = self.source.findings({*self.affected, *(p.key for p in self.left)})
        hits.subtract(one.rule_id for one in earlier if one.grade != Grade.NOT_CHECKED)
        hits.subtract(self.source.budget_findings())
        hits.update(finding.rule_id for finding in findings)
        if min(hits.values(), default=0) < 0:
            raise NeedsFullAudit("what is stored of the last audit is not what it said")
        applying = self._applying()
        reasons = {rule_id: gap.reason for rule_id, gap in gatherer.not_run.items()}
        reasons.update({rule_id: self.lacking[rule_id] for rule_id, count in applying.items() if count})
        titles = {rule.id: rule.title for rule in self.rules}
        known = replace(
            self.known,
            facts=self.facts,
            applying=applying,
            rule_hits={rule_id: count for rule_id, count in sorted(hits.items()) if count},
            decisions=decisions_json(self.given.overrides),
            whole=self.whole,
        )
        return Reaudit(
            view=view,
            verdicts=verdicts,
            findings=findings,
            not_checked=gaps,
            not_checked_rules=tuple(RuleNotRun(one, titles[one], reasons[one]) for one in sorted(reasons)),
            known=known,
            inputs_sha256=inputs,
            rules={rule.id: rule.version for rule in self.rules},
            thresholds=self.thresholds,
        )

    def _applying(self) -> dict[str, int]:
        counts = dict(self.known.applying)
        before, after = self.view(self.left), self.view(self.came)
        for rule in self.rules:
            if rule.id in self.lacking:
                left = sum(1 for i in range(len(before)) if rule.applies(before, i))
                came = sum(1 for i in range(len(after)) if rule.applies(after, i))
                counts[rule.id] = counts.get(rule.id, 0) - left + came
        return counts
