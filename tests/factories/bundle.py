"""Evidence bundles for tests: a post with everything in it, taken out as a zip, and the tools of somebody who forges."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import select

from approvals.columns import utc_text
from approvals.signing import Ed25519Signer, Signer
from approvals.statements import Mark
from approvals.tables import Verdict
from gatekeeper.posts.model import Attempt, Finding, Post, Publication
from gatekeeper.posts.status import FindingState, PublicationState
from gatekeeper.workflow import decide
from gatekeeper.workflow.evidence import Wish, export
from gatekeeper.workflow.outcome import record_published
from tests.factories.school import PIN, School

STRANGER = Ed25519Signer.read("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=")
"""Somebody with a key of their own, and with everything else that is written down."""


def decided(school: School, post_id: int, verdict: Verdict = Verdict.APPROVE, **more: Any) -> None:
    """The headteacher decides about it, every override answered."""
    secret = school.ask(post_id, override=True)
    proof = decide.prove(school.services, secret, PIN)
    with school.services.db.read() as session:
        version_id = session.get_one(Post, post_id).version_id or 0
        asked = decide.required_findings(session, version_id)
    form = decide.DecisionForm(
        verdict=verdict,
        digest_shown=school.digest(post_id),
        typed_name="Head Quarry",
        statement="I have read this and decide so, since it shows our harvest.",
        answers=dict.fromkeys(asked, "The governors know of it and agreed in writing."),
        **more,
    )
    outcome = decide.decide(school.services, proof.view_secret or secret, form)
    assert outcome.decision is not None, outcome.sentence


ALLOWED: Final = ("ranking-claim", "block", FindingState.OVERRIDE, "best school")
EXPLAINED: Final = ("number-claim", "justify", FindingState.ANSWERED, "thank you")
NAMED: Final = ("pupil-name-full", "block", FindingState.OVERRIDE, "Wren Applethwaite")


def with_findings(school: School, post_id: int, *findings: tuple[str, str, FindingState, str]) -> None:
    """The checks found these things: rule, severity, what became of it, and the words."""
    with school.services.db.begin() as session:
        version_id = session.get_one(Post, post_id).version_id or 0
        for rule, severity, state, quote in findings:
            finding = Finding(
                version_id=version_id,
                rule=rule,
                clause="3.3c",
                severity=severity,
                field="text",
                start=0,
                end=4,
                quote=quote,
                message=f"“{quote}” needs a look.",
                state=state,
                reason="Everybody was asked about it.",
                resolved_by=school.author,
                resolved_at=school.services.clock.now(),
            )
            session.add(finding)


def published(school: School, post_id: int) -> None:
    """It went out on every channel."""
    with school.services.db.begin() as session:
        version_id = session.get_one(Post, post_id).version_id
        due = session.get_one(Post, post_id).due_at
        assert due is not None
        rows = session.scalars(select(Publication).where(Publication.version_id == version_id)).all()
        for one in rows:
            one.state, one.fence, one.sent_at = PublicationState.SENDING, 1, due
            session.add(Attempt(publication_id=one.id, fence=1, started_at=due, digest=one.digest, outcome="published"))
            address = f"https://platform.example/{post_id}/{one.id}"
            later = due + timedelta(seconds=3)
            record_published(session, one, remote_id=f"9{post_id}{one.id}", permalink=address, how="answer", now=later)


def whole(school: School) -> int:
    """A post with two pictures, two pupils and findings, approved and published on both channels."""
    post_id = school.post(text="Harvest 🎉 at the best school — thank you!", photos=2, pupils=("Wren", "Jonty"))
    with_findings(school, post_id, ALLOWED, EXPLAINED)
    decided(school, post_id)
    published(school, post_id)
    return post_id


def changes_asked(school: School) -> int:
    """A post about which the headteacher asked for changes, with a mark."""
    post_id = school.post()
    decided(school, post_id, Verdict.CHANGES, marks=(Mark("text:0-11", "Please name the feast by its name."),))
    return post_id


def taken_out(school: School, post_id: int, **wish: Any) -> bytes:
    """The zip, as by command."""
    return export(school.services, post_id, Wish(**wish), by=None, account="office").data


def unpacked(data: bytes) -> dict[str, bytes]:
    """Its files."""
    with zipfile.ZipFile(io.BytesIO(data)) as bundle:
        return {name: bundle.read(name) for name in bundle.namelist()}


def repacked(files: Mapping[str, bytes], *, resealed_by: Signer | None = None) -> bytes:
    """A zip of these files whose manifest names exactly them; the seal is the old one, or a forger's."""
    files = dict(files)
    manifest = json.loads(files["manifest.json"])
    kept = {name: data for name, data in files.items() if not name.startswith("manifest.")}
    manifest["files"] = {name: hashlib.sha256(data).hexdigest() for name, data in kept.items()}
    files["manifest.json"] = json.dumps(manifest, sort_keys=True, indent=1, ensure_ascii=False).encode() + b"\n"
    if resealed_by is not None:
        seal = resealed_by.seal(hashlib.sha256(files["manifest.json"]).hexdigest())
        files["manifest.sig"] = json.dumps(
            {"key": resealed_by.key_id, "public": resealed_by.public, "signature": seal}
        ).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, data in files.items():
            bundle.writestr(name, data)
    return out.getvalue()


def edited(files: Mapping[str, bytes], name: str, change: Callable[[Any], None]) -> dict[str, bytes]:
    """The files with one JSON file changed."""
    value = json.loads(files[name])
    change(value)
    return {**files, name: json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False).encode()}


def relined(files: Mapping[str, bytes], change: Callable[[list[dict[str, Any]]], None]) -> dict[str, bytes]:
    """The files with the ledger's lines changed."""
    entries = [json.loads(line) for line in files["ledger.jsonl"].decode().splitlines()]
    change(entries)
    return {**files, "ledger.jsonl": "".join(json.dumps(entry) + "\n" for entry in entries).encode()}


def rechained(entries: list[dict[str, Any]], signer: Signer) -> None:
    """Hash and sign every entry anew, as somebody does who rewrites history with a key of their own."""
    before = entries[0]["prev_hash"]
    for number, entry in enumerate(entries):
        if number and entries[number - 1]["seq"] == entry["seq"] - 1:
            entry["prev_hash"] = before
        content = {name: entry[name] for name in ("seq", "at", "kind", "body")}
        spelt = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        entry["hash"] = hashlib.sha256(
            b"gatekeeper/ledger/1\x00" + entry["prev_hash"].encode() + spelt.encode()
        ).hexdigest()
        entry["key_id"], entry["signature"] = signer.key_id, signer.sign(entry["hash"])
        before = entry["hash"]


def moment(school: School) -> str:
    """Now, as the ledger spells it."""
    return utc_text(school.services.clock.now())
