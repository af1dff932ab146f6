"""What each line of the audit says in plain words, after the person's name: "Jo Marsh signed in"."""

from typing import Any, Final

#: every action that the program writes down -> the words
WORDS: Final = {
    "approval.handed_over": "was asked in somebody else's place",
    "approval.stopped": "took an approval back",
    "audit.exported": "took the audit out as a table",
    "case.clock_met": "kept a day that a case had to be dealt with by",
    "case.closed": "closed a case",
    "case.exported": "took a case out",
    "case.handed_over": "handed a case over",
    "case.opened": "opened a case",
    "case.read": "read a case",
    "case.reopened": "opened a case again",
    "change.answered": "answered a change that was asked for",
    "channel.check_ordered": "had a channel's keys checked",
    "channel.checked": "checked a channel's keys",
    "channel.closed": "closed a channel",
    "channel.held": "held a channel",
    "channel.keys_renewed": "put in new keys for a channel",
    "channel.opened": "opened a channel",
    "channel.registered": "registered a channel",
    "channel.seen_logged_out": "looked at a channel without being signed in there",
    "consent.dates_checked": "looked for permissions that ran out",
    "consent.recorded": "recorded a permission",
    "consent.withdrawn": "recorded that a permission was withdrawn",
    "decide.proved": "proved who they are, to decide",
    "decision.approve": "approved in writing",
    "decision.changes": "asked for changes",
    "decision.refuse": "refused",
    "deputy.ended": "ended a deputy's time early",
    "deputy.named": "named a deputy",
    "emergency.lifted": "lifted the emergency stop",
    "emergency.pressed": "pressed the emergency stop",
    "enrolment.asked": "asked for a pupil to be enrolled for matching",
    "evidence.exported": "took out the evidence about a post",
    "face.answered": "said who a face is",
    "face.box_removed": "took out a frame they had drawn",
    "face.drawn": "drew a frame around a face",
    "finding.answered": "gave a reason for what was found",
    "finding.open": "opened a finding again",
    "finding.override": "asked the headteacher to allow what was found",
    "hold.ended": "ended a legal hold",
    "hold.placed": "placed a legal hold",
    "holding.approved": "approved the holding text for enquiries",
    "import.consents": "brought in permissions from a file",
    "import.roster": "brought in the roll from a file",
    "incident.closed": "closed what was found on an account",
    "incident.seen": "looked at what was found on an account",
    "mail.put_away": "put an undelivered e-mail away",
    "mail.reported": "learnt that an e-mail was not delivered",
    "mail.tried_again": "had an e-mail sent again",
    "mark.registered": "put a logo on the list",
    "mark.retired": "took a logo off the list",
    "never.cleared": "took back that a pupil is never shown",
    "never.marked": "recorded that a pupil is never shown",
    "passkey.added": "added a passkey",
    "passkey.ended": "ended a passkey",
    "passkey.renamed": "renamed a passkey",
    "password.changed": "changed their password",
    "password.link_asked": "asked for a link to set a password",
    "password.link_refused": "was refused a link to set a password",
    "password.set": "set a password",
    "patch.placed": "covered a part of a photo",
    "patch.removed": "uncovered a part of a photo",
    "photo.changed_on_disk": "found that a stored photo was changed",
    "photo.classes": "said which classes are in a photo",
    "photo.cropped": "cropped a photo",
    "photo.kept_sharp": "kept a photo in full size",
    "photo.made_smaller": "made a photo smaller",
    "photo.removed": "took a photo out",
    "pin.locked": "typed a wrong PIN until it was locked",
    "pin.removed": "removed their PIN",
    "pin.set": "chose a PIN",
    "pin.unlocked": "unlocked a PIN",
    "policy.acknowledged": "confirmed to have read the policy",
    "policy.adopted": "adopted an edition of the policy",
    "policy.reminded": "reminded people to read the policy",
    "post.asked_first": "asked first whether a post may be written so",
    "post.moved": "gave a post another time",
    "post.reopened": "took a post back to change it",
    "post.sent_to_head": "sent a post to the headteacher",
    "post.stopped": "stopped an approved post",
    "post.submitted": "sent a post to be checked",
    "post.withdrawn": "withdrew a post",
    "publication.answered": "said what became of a post on a platform",
    "pupil.added": "added a pupil",
    "pupil.edited": "changed a pupil's entry",
    "pupil.found": "looked for the posts with a pupil",
    "pupil.leaves": "recorded that a pupil leaves",
    "pupil.seen": "looked at a pupil's page",
    "pupil.stays": "took back that a pupil leaves",
    "recognition.dpia_recorded": "switched the matching of faces on",
    "recognition.dpia_removed": "switched the matching of faces off",
    "recovery.asked": "asked for a new passkey or PIN without the old one",
    "recovery.stopped": "stopped a new passkey or PIN",
    "register.asked": "asked the register about a pupil",
    "register.class_listed": "listed the pupils of a class",
    "reply.sent": "marked a reply as sent",
    "restore.begun": "put the database back from a backup",
    "restore.finished": "finished a restore from a backup",
    "retention.changed": "changed how long something is kept",
    "retention.finished": "finished the nightly deletion",
    "retention.purged": "deleted what had been kept long enough",
    "review.closed": "finished a review of consent",
    "review.kept": "kept a post in a review of consent",
    "review.letter": "wrote the letter of a review of consent",
    "review.letter_seen": "read the letter of a review of consent",
    "review.opened": "opened a review of consent",
    "review.seen": "looked at a review of consent",
    "review.taken_down": "had the posts of a review of consent taken down",
    "role.asked": "asked for a change of who decides",
    "role.changed": "changed a role",
    "role.left": "gave the headteacher's role away",
    "role.stopped": "stopped a change of who decides",
    "rules.changed": "changed the school's rules",
    "school.changed": "changed the school's settings",
    "second_look.answered": "answered a second look",
    "second_look.asked": "asked for a second look at a face",
    "second_look.taken_back": "took a question for a second look back",
    "signin": "signed in",
    "signin.refused": "was refused at the sign-in",
    "signout": "signed out",
    "signout.elsewhere": "signed out every other browser",
    "signout.other": "signed out one other browser",
    "staff.added": "was added by command",
    "staff.deactivated": "closed an account",
    "staff.edited": "changed an account",
    "staff.invited": "invited somebody",
    "staff.invited_again": "sent an invitation again",
    "staff.reactivated": "opened an account again",
    "subject_access.exported": "took out what is kept about a pupil",
    "takedown.again": "had a removal tried again",
    "takedown.asked": "asked for a post to be taken down",
    "takedown.by_hand": "took a post down by hand",
    "takedown.ordered": "had a post taken down",
    "takedown.reopened": "found a post public that was said to be gone",
    "template.made": "enrolled a pupil for matching",
    "templates.deleted": "deleted what faces were matched by",
    "watch.set": "changed how the accounts are watched",
    "words.asked": "asked the consent lead about words",
    "words.pupil": "said that words are a pupil",
    "words.retired": "took a taught phrase back",
    "words.taught": "taught the check a phrase",
}

#: the actions by which somebody sees what is kept about pupils
READS: Final = frozenset(
    {
        "decide.proved",
        "enrolment.asked",
        "evidence.exported",
        "pupil.found",
        "pupil.seen",
        "register.asked",
        "register.class_listed",
        "review.letter_seen",
        "review.seen",
        "subject_access.exported",
    }
)


def words_for(action: str) -> str:
    """An action in words; one of an earlier release that is written down no more, as near as its name tells."""
    return WORDS.get(action) or action.replace(".", " ").replace("_", " ")


def about(subject: str, names: dict[int, str]) -> str:
    """What a line is about: staff by name, everything else by its number. No pupil is named."""
    kind, _, number = subject.partition(":")
    if kind == "staff" and number.isdigit():
        return names.get(int(number), subject)
    return f"{kind} {number}".strip().replace("_", " ")


def detail(facts: dict[str, Any]) -> str:
    """What a line adds, as "name: value" one after the other; what says nothing, or the person again, is left out."""
    told = {name.replace("_", " "): _told(value) for name, value in facts.items() if name != "by"}
    return "; ".join(f"{name}: {words}" for name, words in told.items() if words)


def _told(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{str(name).replace('_', ' ')} {_told(one)}" for name, one in value.items())
    if isinstance(value, list):
        return ", ".join(_told(one) for one in value)
    return "" if value is None else str(value)
