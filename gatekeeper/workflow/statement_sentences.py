"""The sentences of a statement. Each follows from the facts it is given, and says what is missing where something is."""

from collections.abc import Iterable
from datetime import date
from typing import Final

from approvals.wall_clock import when
from gatekeeper.workflow.statement_facts import Account, Facts, Period

TO_FILL: Final = "For the school to fill in: "
_YEAR: Final = 365
ICO: Final = "the Information Commissioner's Office (ico.org.uk)"


def where_to(facts: Facts) -> str:
    """On which accounts the school publishes."""
    if not facts.open_accounts:
        return "The school has no account connected through which anything could be published at the moment."
    return (
        f"The school publishes on {accounts_listed(facts.open_accounts)}, and on no other account through this check."
    )


def checked() -> str:
    """What is looked at."""
    return (
        "Before a post goes out, every photograph in it is searched for faces, a member of staff says who each person "
        "is, and the school's list of permissions is asked about each child. The words are searched for children's "
        "names and for what the school's policy does not allow. A face that nobody has cleared stops the post."
    )


def who(facts: Facts) -> str:
    """Who decides at this moment."""
    if not facts.heads:
        return "No headteacher is recorded, so nothing can be approved and nothing is published."
    head = " or ".join(facts.heads)
    here = f"Nothing is published without the written approval of the headteacher, {head}, of exactly that post."
    if not facts.deputy or facts.deputy_until is None:
        return f"{here} Nobody decides in the headteacher's place at the moment."
    return f"{here} Until {when(facts.deputy_until)} {facts.deputy} decides in the headteacher's place."


def faces(facts: Facts) -> tuple[str, ...]:
    """Whether faces are matched."""
    if facts.matching is None:
        return (
            (
                "The program finds where faces are in a photograph, so that none is overlooked. It does not compare any "
                "face with another: a member of staff says who each child is. No biometric data about any child is made "
                "or kept."
            ),
        )
    one = facts.matching
    return (
        (
            f"The matching of faces is switched on, after a data protection impact assessment ({one.reference}, signed "
            f"off on {day_words(one.day)}, officer asked: {one.officer})."
        ),
        (
            "Children are compared only with children whose parent consented in writing, while nobody objects and the "
            f"child does not refuse: {count(one.enrolled, 'child is', 'children are')} enrolled. A match is a suggestion; a "
            "member of staff says who it is."
        ),
        (
            "To compare, the other faces in such a photograph that nobody has answered for are measured for a moment "
            "too, and nothing of that is kept."
        ),
        "Consent to it can be withdrawn at any time in writing. What faces are matched by is deleted at that moment.",
    )


def kept(facts: Facts) -> tuple[str, ...]:
    """Where everything stays."""
    where = (
        f"in a {facts.database} database on another computer, {facts.database_host}"
        if facts.database_host
        else f"in a {facts.database} database on the computer that Gatekeeper runs on"
    )
    apart = (
        "Backups are made each night into a folder that the school chose."
        if facts.backups_apart
        else "Backups are made each night on the same computer."
    )
    return (
        (
            f"The words, the list of permissions and the record of decisions are kept {where}; the photographs in a folder "
            "beside Gatekeeper. Photographs are looked at there and are sent to no service for it."
        ),
        f"{apart} Every photograph that is published has lost what was hidden in its file, such as the place.",
        _transport(facts),
    )


def kept_short(facts: Facts) -> tuple[str, ...]:
    """The periods that matter to a family."""
    return tuple(
        f"{one.name}: {days_words(one)}, counted since {one.since}."
        for one in (facts.period(name) for name in ("originals", "published", "leavers"))
    )


def withdrawing(facts: Facts) -> tuple[str, ...]:
    """How a permission is withdrawn, and what happens then."""
    how = facts.contacts.withdraw or facts.contacts.email
    to = f"Tell the school: {how}." if how else f"{TO_FILL}how a family tells the school."
    return (
        f"A permission can be withdrawn at any time, without a reason. {to}",
        (
            "From that moment nothing with your child in it is approved or published. What waits is stopped, and what is "
            "public already is put on a list to be taken down. Nobody can call back what others copied."
        ),
    )


def complaining(facts: Facts) -> tuple[str, ...]:
    """Where a complaint goes."""
    contacts = facts.contacts
    where = contacts.complain or contacts.email
    to = f"Complaints about data go to {where}." if where else f"{TO_FILL}where complaints about data go."
    privacy = (f"The school's privacy notice: {contacts.privacy_link}.",) if contacts.privacy_link else ()
    return (
        f"{to} The school acknowledges a complaint within 30 days.",
        f"You may also complain to {ICO}.",
        *privacy,
    )


def officer(facts: Facts) -> tuple[str, ...]:
    """The data protection officer and the registration."""
    one = facts.contacts
    reached = ", ".join(part for part in (one.email, one.phone) if part)
    named = f"Data protection officer: {one.officer}{f' ({reached})' if reached else ''}."
    return (
        f"The controller is {facts.school}.",
        named if one.officer else f"{TO_FILL}the data protection officer.",
        f"Registered with the Information Commissioner as {one.register_number}."
        if one.register_number
        else f"{TO_FILL}the number in the Information Commissioner's register.",
        f"Impact assessment of Gatekeeper: {one.dpia}."
        if one.dpia
        else f"{TO_FILL}the impact assessment of Gatekeeper.",
    )


def processed(facts: Facts) -> tuple[str, ...]:
    """The classes of data and whose they are."""
    return (
        (
            f"Of {count(facts.pupils, 'pupil', 'pupils')}: name, class, birthday, permissions for each channel with their "
            "basis, whether a child is never to be shown, and in which posts a child was cleared, tagged or named."
        ),
        (
            f"Of {count(facts.staff, 'member', 'members')} of staff: name, e-mail address, role, what they wrote, answered and "
            "decided, and what they did and looked at here."
        ),
        f"{count(facts.published, 'post is', 'posts are')} published so far.",
        "No device, mailbox, private account or message of anybody is read.",
    )


def recipients(facts: Facts) -> tuple[str, ...]:
    """Who gets anything."""
    platforms = sorted({one.platform for one in facts.open_accounts})
    to = (
        f"The approved post, and nothing else, goes to {listed(platforms)}, which are controllers of their own."
        if platforms
        else "Nothing goes to any platform at the moment, because no account is open."
    )
    return (
        to,
        (
            "E-mails to staff go through the school's mail server. They hold no photograph, no pupil's name and no "
            "permission."
        ),
        "Gatekeeper's makers receive nothing.",
    )


def watching(facts: Facts) -> tuple[str, ...]:
    """Which accounts are read, and what is not."""
    if facts.watched:
        read = f"The timelines of the school's own accounts are read for posts that did not come through the check: {accounts_listed(facts.watched)}."
    else:
        read = "No account's timeline is read at the moment."
    unread = [one for one in facts.accounts if not one.watched]
    missed = (f"Not read: {accounts_listed(unread)}.",) if facts.watched and unread else ()
    return (
        read,
        *missed,
        "Nobody's own account, no private message and no device is read.",
    )


def watched_in_full(facts: Facts) -> tuple[str, ...]:
    """Each account, what is looked for there, what is not, and what a platform leaves out."""
    one = facts.watch
    return (
        *(one.accounts or ("No account's timeline is read at the moment.",)),
        *(f"Looked for: {sentence[0].lower()}{sentence[1:]}" for sentence in one.looked_for),
        *(f"Not looked at: {sentence[0].lower()}{sentence[1:]}" for sentence in one.not_watched),
        *one.left_out,
        not_built(),
    )


def not_built() -> str:
    """What the policy speaks of, and Gatekeeper does not do."""
    return "The interception and the monitoring of staff that section 6.1 of the policy reserves are no part of Gatekeeper."


def deciding(facts: Facts) -> tuple[str, ...]:
    """How a decision is proved."""
    keys = (
        f"{count(facts.passkeys, 'person', 'people')} can prove a decision with a passkey."
        if facts.passkeys
        else "Nobody has a passkey yet: decisions are proved by a PIN."
    )
    return (keys, "Nobody decides about a post of their own.")


def policy(facts: Facts) -> tuple[str, ...]:
    """The edition that counts."""
    one = facts.policy
    if one is None:
        return ("No edition of the social media policy is adopted in Gatekeeper.",)
    review = (
        f"It was to be looked at again by {day_words(one.review_on.isoformat())}, and that is overdue."
        if one.review_on and one.overdue
        else f"It is to be looked at again by {day_words(one.review_on.isoformat())}."
        if one.review_on
        else "No day is set for looking at it again."
    )
    return (
        f"The edition {one.label} of the social media policy counts. {review}",
        f"Personal use of social media at work (section 2): {one.section_two[0].lower() + one.section_two[1:]}."
        if one.section_two
        else "Personal use of social media at work (section 2) is not decided.",
        f"{one.read} of {count(one.readers, 'member', 'members')} of staff have confirmed to have read it.",
        f"The school has softened {count(facts.softened, 'rule', 'rules')} of the check."
        if facts.softened
        else "The school has softened no rule of the check.",
        f"The eSafety and data security policy: {facts.contacts.esafety_link}."
        if facts.contacts.esafety_link
        else f"{TO_FILL}where the eSafety and data security policy is (6.2).",
    )


def record(facts: Facts) -> tuple[str, ...]:
    """What is open, and how it is shown later that nothing was changed."""
    governor = (
        f"{facts.governor} gets the seal of the record by e-mail each day, beside the headteacher."
        if facts.governor
        else "No governor is named who gets the seal of the record each day."
    )
    return (
        "Every question and every decision is an entry of a signed ledger, which holds no pupil's name.",
        governor,
        f"{count(facts.incidents, 'incident is', 'incidents are')} open on the school's accounts."
        if facts.incidents
        else "No incident is open on the school's accounts.",
    )


def kept_long() -> tuple[str, ...]:
    """What the table means."""
    return (
        "Each night what has had its time is deleted, unless a legal hold keeps it. The ledger stays, without names.",
    )


def periods(facts: Facts) -> tuple[tuple[str, ...], ...]:
    """Every class of data with its period."""
    rows = (
        (
            one.name,
            f"{days_words(one)}, counted since {one.since}",
            "the school's choice" if one.chosen else "as it came",
        )
        for one in facts.periods
    )
    return (("What", "How long", "Set by"), *rows)


def _transport(facts: Facts) -> str:
    if facts.https:
        return "Staff reach Gatekeeper over an encrypted connection."
    return "Staff reach Gatekeeper over a connection that is not encrypted."


def days_words(one: Period) -> str:
    """How long one class of data is kept."""
    if one.days is None:
        return "without an end"
    years, rest = divmod(one.days, _YEAR)
    return count(one.days, "day", "days") if rest or not years else count(years, "year", "years")


def count(number: int, singular: str, plural: str) -> str:
    """A number with its word."""
    return f"{number:,} {singular if number == 1 else plural}"


def accounts_listed(accounts: Iterable[Account]) -> str:
    """Accounts by platform and name."""
    return listed([f"{one.platform} ({one.name})" for one in accounts])


def listed(words: list[str]) -> str:
    """Some words, the last after "and"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def day_words(iso: str) -> str:
    """A day as people write it."""
    day = date.fromisoformat(iso)
    return f"{day.day} {day:%B %Y}"
