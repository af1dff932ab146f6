"""One group of schedules at the same time on the same processes, until every post has come to its end."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from gatekeeper.ops.drill.board import GO_ON, PAUSE, PAUSED, Board, freeze_at, kill_at
from gatekeeper.ops.drill.oracle import Oracle
from gatekeeper.ops.drill.pace import QUICK
from gatekeeper.ops.drill.processes import Processes
from gatekeeper.ops.drill.restored import AfterRestore
from gatekeeper.ops.drill.schedule import Ordeal
from gatekeeper.ops.drill.school import DrillSchool, Sent, marked
from gatekeeper.posts.status import ENDED, PublicationState
from gatekeeper.settings import Timings

_PATIENCE: Final = 12  # last looks in which nothing moves any more
_PATIENCE_IN_ALL: Final = 60  # last looks after the last post was approved; a crowded computer needs them
_UNREST: Final = 3  # leases after the last post was approved in which somebody may still die anywhere
_TICK, _SLOW_TICK = 0.02, 0.1
_LOOK_EACH: Final = 0.3


@dataclass
class Findings:
    """What a drill saw, added up over its groups."""

    sent: int = 0
    published: int = 0
    duplicates: int = 0
    unapproved: int = 0
    lost: int = 0
    misrecorded: int = 0
    needs_person: int = 0
    needless_person: int = 0
    unfinished: int = 0
    restored: AfterRestore | None = None
    queue_upsets: int = 0
    factor: float = 1.0
    wrong: list[str] = field(default_factory=list)  # a line for each, for whoever has to find out why

    @property
    def violated(self) -> bool:
        """Whether one of the promises was broken."""
        return bool(
            self.duplicates
            or self.unapproved
            or self.lost
            or self.misrecorded
            or self.needless_person
            or self.unfinished
            or (self.restored and (self.restored.sent_again or not self.restored.finished))
        )


@dataclass(kw_only=True)
class Group:
    """The work of one group; made for it and thrown away."""

    school: DrillSchool
    processes: Processes
    board: Board
    oracle: Oracle
    chance: random.Random
    pace: Timings
    kill_each: float  # seconds between two kills at a random moment, about
    known: dict[int, Sent]  # every post of this drill so far, by its number
    forbidden: set[int]  # those that must not be seen any more
    amid: Callable[[], None] = lambda: None
    sent: dict[int, Sent] = field(default_factory=dict)
    waiting: dict[int, Sent] = field(default_factory=dict)  # to be changed between claim and intent
    _calm_from: float = float("inf")  # from then on nobody is killed who has not his order to die
    _killed_at: float = 0.0
    _upset_at: float = 0.0
    _looked_at: float = 0.0
    _thawed_at: float = 0.0

    def run(self, ordeals: list[Ordeal], findings: Findings) -> None:
        """Send every post through its ordeal; what was seen is added to `findings`. Stops at the first violation."""
        for ordeal in ordeals:
            self._begin(ordeal)
            if self._turn(findings):
                break
        self.amid()
        last_look = self.pace.reads[-1].total_seconds()
        deadline = time.monotonic() + _PATIENCE_IN_ALL * last_look
        still_since, before = time.monotonic(), dict[int, PublicationState]()
        self._calm_from = time.monotonic() + _UNREST * self.pace.lease.total_seconds()
        while not findings.violated and (states := self._open()) and time.monotonic() < deadline:
            if states != before:
                still_since, before = time.monotonic(), states
            elif time.monotonic() - still_since > _PATIENCE * last_look:
                break
            self._turn(findings)
            time.sleep(_TICK if self.waiting else _SLOW_TICK)
        self._judge(findings, last=True)

    def _begin(self, ordeal: Ordeal) -> None:
        if ordeal.fault:
            self.processes.spoil(ordeal.kind, marked(ordeal.number), ordeal.fault)
        sent = self.school.send(ordeal)
        if sent is None:
            return
        self.sent[ordeal.number] = self.known[ordeal.number] = sent
        if ordeal.kill:
            self.board.order(sent.publication, kill_at(ordeal.kill))
        elif ordeal.freeze:
            self.board.order(sent.publication, freeze_at(ordeal.freeze))
        elif ordeal.change and ordeal.claimed:
            self.board.order(sent.publication, PAUSE)
            self.waiting[ordeal.number] = sent
        elif ordeal.change and self.school.change(sent):
            self.forbidden.add(ordeal.number)

    def _turn(self, findings: Findings) -> bool:
        """Whatever is due at this moment; says whether to stop."""
        now = time.monotonic()
        self._change_claimed()
        if now < self._calm_from:
            self._disturb(findings, now)
        if now >= self._thawed_at:  # whoever stands still has stood for a whole lease by now, and one more
            self.processes.thaw()
            self._thawed_at = now + 2 * self.pace.lease.total_seconds()
        if now >= self._looked_at:
            self._looked_at = now + _LOOK_EACH
            self._answer(findings)
            self._judge(findings)
        return findings.violated

    def _change_claimed(self) -> None:
        """Change what a publisher has claimed and not sent: it stands still until that is done."""
        for number, sent in list(self.waiting.items()):
            if self.board.order_for(sent.publication) == PAUSED:
                if self.school.change(sent):
                    self.forbidden.add(number)
                self.board.order(sent.publication, GO_ON)
                del self.waiting[number]

    def _disturb(self, findings: Findings, now: float) -> None:
        """Kill somebody, somewhere; kill or empty the queue."""
        if now >= self._killed_at:
            if self._killed_at:
                self.processes.kill_a_publisher(self.chance)
            slower = max(1.0, self.school.took / QUICK)  # or nobody lives long enough to come to any point
            self._killed_at = now + self.kill_each * slower * self.chance.uniform(0.3, 1.7)
        if now >= self._upset_at:
            if self._upset_at and self.processes.upset_queue(self.chance):
                findings.queue_upsets += 1
            self._upset_at = now + self.chance.uniform(1.0, 3.0)
            self.board.kill_next_at(self.chance.choice(("C0", "R0")))

    def _open(self) -> dict[int, PublicationState]:
        return {publication: state for publication, state in self._states().items() if state not in ENDED}

    def _states(self) -> dict[int, PublicationState]:
        return self.school.states([sent.publication for sent in self.sent.values()])

    def _answer(self, findings: Findings) -> None:
        """Be the person who is asked: look at the page, and say what is there."""
        states = self._states()
        asked = [s for s in self.sent.values() if states[s.publication] == PublicationState.NEEDS_PERSON]
        if not asked:
            return
        self.oracle.look()
        for sent in asked:
            seen = self.oracle.of(sent.ordeal.number)
            findings.needs_person += 1
            shown = any(not one.never_listed for one in seen)
            undisturbed = not sent.ordeal.fault and not self.board.was_touched(sent.publication)
            if shown or undisturbed:
                findings.needless_person += 1
                findings.wrong.append(
                    f"a person was asked about {sent.ordeal} although {'it was listed' if shown else 'nothing was done to it'}"
                )
            self.school.answer(sent.publication, seen=seen[0].id if seen else None)

    def _judge(self, findings: Findings, *, last: bool = False) -> None:
        self.oracle.look()
        verdict = self.oracle.judge(self.known, self.forbidden)
        findings.duplicates, findings.unapproved = len(verdict.duplicates), len(verdict.unapproved)
        if last:
            findings.wrong += [f"twice: {self.known.get(number)}" for number in verdict.duplicates]
            findings.wrong += [f"unapproved: {self.known.get(number)}" for number in verdict.unapproved]
        if last:
            self._count(findings)

    def _count(self, findings: Findings) -> None:
        """Compare what became of every post with what the public sees."""
        states, recorded = self._states(), self.school.remote_ids()
        stopped = bool(findings.duplicates or findings.unapproved or findings.needless_person)
        for number, sent in self.sent.items():
            seen, state = self.oracle.of(number), states[sent.publication]
            findings.sent += 1
            findings.published += bool(seen)
            if stopped:
                continue  # the group was broken off there, so it says nothing about what was still on its way
            if state not in ENDED:
                findings.unfinished += 1
                findings.wrong.append(f"unfinished ({state}): {sent}")
            elif not seen and number not in self.forbidden:
                findings.lost += 1
                findings.wrong.append(f"lost ({state}): {sent}")
            elif (state == PublicationState.PUBLISHED) != bool(seen) or (
                seen and recorded.get(sent.publication) != seen[0].id
            ):
                findings.misrecorded += 1
                findings.wrong.append(f"recorded as {state}: {sent}, and to be seen: {seen}")
