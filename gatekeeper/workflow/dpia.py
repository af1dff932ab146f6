"""The skeleton of a data protection impact assessment, filled with what is true here. The judgement is the school's.

It names the risks, and for each the measures that are really on at this moment; those that are off are named as such.
How likely and how grave a risk is, whether it is accepted, who was asked and who signs: that is left open, and marked.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from approvals.wall_clock import when
from gatekeeper.workflow import statement_sentences as told
from gatekeeper.workflow.statement import Document, Section
from gatekeeper.workflow.statement_facts import Facts

_TO_FILL: Final = told.TO_FILL


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One thing that lowers a risk, and whether it is on."""

    words: str
    is_on: Callable[[Facts], bool] = lambda _: True


@dataclass(frozen=True, kw_only=True)
class Risk:
    """What could happen to whom, and what stands against it."""

    title: str
    harm: str
    measures: tuple[Measure, ...]


def _all_read(facts: Facts) -> bool:
    return bool(facts.accounts) and all(one.watched for one in facts.accounts)


#: in the order in which a school would ask
RISKS: Final = (
    Risk(
        title="A child is shown or named without permission",
        harm="The child can be found by somebody they must be kept from; the family loses its trust in the school.",
        measures=(
            Measure(words="every face has to be cleared by a person before a post can go to the headteacher"),
            Measure(
                words="the register is asked when a post is sent, when it is approved and right before it goes out"
            ),
            Measure(words="a child marked as never to be shown beats every permission"),
            Measure(words="names in words, descriptions, file names and legible in photographs are searched for"),
            Measure(words="the headteacher approves exactly what goes out, in writing", is_on=lambda f: bool(f.heads)),
            Measure(words="the rules of the check stand as they came", is_on=lambda f: not f.softened),
        ),
    ),
    Risk(
        title="A post goes out past the check",
        harm="What nobody looked at is public in the school's name.",
        measures=(
            Measure(words="the keys of the platforms are sealed; no page and no person reads them back"),
            Measure(words="every account is read for posts that did not come through here", is_on=_all_read),
            Measure(words="nothing edited after the approval is sent: the digest of the content is asked for last"),
        ),
    ),
    Risk(
        title="A permission is withdrawn and the child stays visible",
        harm="The family's decision has no effect.",
        measures=(
            Measure(words="from the moment of the withdrawal nothing with the child is approved or sent"),
            Measure(
                words="public posts with the child are listed for removal, and a removal is confirmed by reading back"
            ),
        ),
    ),
    Risk(
        title="The list of permissions becomes known",
        harm="Which children are not photographed tells others which families need protection.",
        measures=(
            Measure(words="pupils' data are on no page without sign-in, in no e-mail, address, log or ledger"),
            Measure(words="every look at a pupil is written down with who and when"),
            Measure(words="the connection is encrypted", is_on=lambda f: f.https),
            Measure(words="whoever decides can prove it with a passkey", is_on=lambda f: f.passkeys > 0),
        ),
    ),
    Risk(
        title="Children's faces are turned into biometric data",
        harm="Special category data of children, hard to undo, with confusions among the youngest.",
        measures=(
            Measure(words="faces are not compared at all: matching is off", is_on=lambda f: f.matching is None),
            Measure(
                words="an assessment with its reference, officer and day is on record before anything is compared",
                is_on=lambda f: f.matching is not None,
            ),
            Measure(
                words="only children with a parent's written consent and no objection are enrolled, and a person decides",
                is_on=lambda f: f.matching is not None,
            ),
        ),
    ),
    Risk(
        title="More is kept, or for longer, than is needed",
        harm="What is no longer needed can still be lost.",
        measures=(
            Measure(words="each class of data has a period and is deleted each night when it is over"),
            Measure(words="what is hidden in a photograph's file is taken out before it is published"),
            Measure(
                words="no class of data is kept without an end",
                is_on=lambda f: all(p.days is not None for p in f.periods),
            ),
        ),
    ),
    Risk(
        title="Staff are watched instead of accounts",
        harm="A chilling effect on staff, and processing that nobody was told of.",
        measures=(
            Measure(words="only the school's own accounts are read; no device, mailbox or private account"),
            Measure(words="nobody is scored; a case about a person is open to few and ends"),
            Measure(
                words="staff have confirmed the edition of the policy that tells them of it",
                is_on=lambda f: f.policy is not None and f.policy.read == f.policy.readers,
            ),
        ),
    ),
    Risk(
        title="Data are lost or changed unseen",
        harm="The school cannot show any more what was approved.",
        measures=(
            Measure(words="the record of decisions is a signed chain"),
            Measure(words="its seal leaves the house each day to a governor too", is_on=lambda f: bool(f.governor)),
            Measure(words="backups lie in a folder that the school chose", is_on=lambda f: f.backups_apart),
        ),
    ),
)


def skeleton(facts: Facts) -> Document:
    """The assessment as far as the facts can fill it."""
    return Document(
        title=f"Data protection impact assessment of Gatekeeper: {facts.school}",
        lead=f"A skeleton, filled with what was true on {when(facts.at)} (Gatekeeper version {facts.version}). "
        f"What is marked “{_TO_FILL.strip(': ')}” is the school's to judge, and the data protection officer's to advise on.",
        sections=tuple(_sections(facts)),
    )


def open_points(document: Document) -> int:
    """How many points are left for the school to fill in."""
    words = [sentence for section in document.sections for sentence in section.sentences]
    words += [cell for section in document.sections for row in section.table for cell in row]
    return sum(one.count(_TO_FILL) for one in words)


def _sections(facts: Facts) -> Iterable[Section]:
    yield Section(
        title="1. Controller, officer, dates",
        sentences=(*told.officer(facts), f"{_TO_FILL}the date of this assessment, and when it is looked at again."),
    )
    yield Section(
        title="2. Nature of the processing",
        sentences=(told.checked(), told.where_to(facts), *told.kept(facts), *told.faces(facts)),
    )
    yield Section(
        title="3. Scope",
        sentences=(*told.processed(facts), *told.recipients(facts), *told.kept_long()),
        table=told.periods(facts),
    )
    yield Section(title="4. Context", sentences=_context(facts))
    yield Section(title="5. Purposes", sentences=_purposes())
    yield Section(title="6. Necessity and proportionality", sentences=_necessity(facts))
    yield Section(title="7. Who was consulted", sentences=_consulted())
    yield Section(title="8. Risks and measures", sentences=_how_to_read(), table=_risks(facts))
    yield Section(title="9. Measures that are not on", sentences=_off(facts))
    yield Section(title="10. Outcome and signatures", sentences=_outcome())


def _context(facts: Facts) -> tuple[str, ...]:
    return (
        (
            "The persons concerned are children of primary school age, their families, and staff. Children are owed "
            "particular care, and the school is stronger than the family that is asked."
        ),
        *told.policy(facts),
        *told.watched_in_full(facts),
        f"{_TO_FILL}children with particular risks (looked after, adopted, a parent to be kept away), and how they are marked.",
    )


def _purposes() -> tuple[str, ...]:
    return (
        (
            "To show the school's life to families and the public without showing or naming a child who must not be; to keep "
            "proof of who approved what; to take down what may no longer be public."
        ),
        f"{_TO_FILL}the lawful basis for publishing (public task or consent, article 6), for each kind of picture.",
        f"{_TO_FILL}the condition for special category data, if any is published or matched (article 9).",
    )


def _necessity(facts: Facts) -> tuple[str, ...]:
    matching = (
        "The aim is reached without comparing faces: a person says who each child is."
        if facts.matching is None
        else f"{_TO_FILL}why the aim cannot be reached without comparing faces, since it works without."
    )
    return (
        (
            "Permission lists checked by one person alone have failed schools before; therefore each face is cleared one by "
            "one, and unknown means no."
        ),
        matching,
        "Originals are kept apart from what is published, for a shorter time, and never leave the school.",
        *told.withdrawing(facts),
        f"{_TO_FILL}whether a picture from behind, from afar or without children would do as well.",
    )


def _consulted() -> tuple[str, ...]:
    return (
        f"{_TO_FILL}what parents and carers were asked, and what they said.",
        f"{_TO_FILL}what pupils were asked, in words for their age.",
        f"{_TO_FILL}what staff and their representatives said, also about the reading of accounts.",
        f"{_TO_FILL}the advice of the data protection officer.",
    )


def _how_to_read() -> tuple[str, ...]:
    return ("The measures named here are on at this moment. How likely and how grave each risk is, is for the school.",)


def _risks(facts: Facts) -> tuple[tuple[str, ...], ...]:
    rows = (
        (
            risk.title,
            risk.harm,
            "; ".join(one.words for one in risk.measures if one.is_on(facts)),
            f"{_TO_FILL}likelihood, severity, and whether the rest is accepted.",
        )
        for risk in RISKS
    )
    return (("Risk", "What it does", "Measures that are on", "What remains"), *rows)


def _off(facts: Facts) -> tuple[str, ...]:
    off = tuple(
        f"{risk.title}: {one.words}: this is not so at the moment."
        for risk in RISKS
        for one in risk.measures
        if not one.is_on(facts) and risk.title != "Children's faces are turned into biometric data"
    )
    return off or ("Every measure that Gatekeeper knows is on.",)


def _outcome() -> tuple[str, ...]:
    return (
        f"{_TO_FILL}whether what remains is acceptable, and whether the Information Commissioner has to be asked first (article 36).",
        f"{_TO_FILL}name, office, date and signature of whoever approves it.",
    )
