"""Puts a version's words through the text engine and writes the findings down.

An author's reason survives a later version only where the very same rule found the very same words in the same place
of the post; anything else is asked anew.
"""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from gatekeeper.posts.model import ChannelAccount, Finding, Post, Version
from gatekeeper.posts.status import FindingState
from gatekeeper.text.draft import Draft, Picture
from gatekeeper.workflow.school_checker import checker_for


def check_words(session: Session, post: Post, version: Version, accounts: Sequence[ChannelAccount]) -> None:
    """Write down what the engine has to say about the version's text, descriptions and file names."""
    earlier = _earlier_reasons(session, post, version)
    session.execute(delete(Finding).where(Finding.version_id == version.id))
    draft = Draft(
        text=post.text,
        pictures=tuple(Picture(file=photo.file_name, alt=photo.alt) for photo in post.photos),
        platform=accounts[0].kind if accounts else "",
        account="school",
    )
    for hit in checker_for(session).check(draft):
        kept = earlier.get((hit.rule, hit.field, hit.quote or ""))
        session.add(
            Finding(
                version_id=version.id,
                rule=hit.rule,
                clause=hit.clause,
                severity=hit.severity,
                field=hit.field,
                start=hit.start,
                end=hit.end,
                quote=hit.quote or "",
                message=hit.message,
                state=kept.state if kept else FindingState.OPEN,
                reason=kept.reason if kept else "",
                resolved_by=kept.resolved_by if kept else None,
                resolved_at=kept.resolved_at if kept else None,
            )
        )
    session.flush()


def _earlier_reasons(session: Session, post: Post, version: Version) -> dict[tuple[str, str, str], Finding]:
    answered = session.scalars(
        select(Finding)
        .join(Version, Version.id == Finding.version_id)
        .where(Version.post_id == post.id, Version.number <= version.number, Finding.state != FindingState.OPEN)
        .order_by(Version.number)
    )
    return {(finding.rule, finding.field, finding.quote): finding for finding in answered}
