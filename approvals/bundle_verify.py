"""Checks an evidence bundle of Gatekeeper, on any computer, without Gatekeeper and without a network.

    python3 verify.py [FOLDER or FILE.zip] [--key FINGERPRINT] [--anchor HASH]

Python 3.9 or newer and the package "cryptography" are enough. Nothing is written, unpacked or fetched. Each line says
what was looked at; the last one is the verdict, and only a bundle in which everything agrees ends with 0.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from approvals.bundle_ledger import CAN_SIGN, Ledger, is_signed
from approvals.bundle_passkey import check_passkey
from approvals.bundle_read import Report, Unreadable, read_folder, read_json, read_zip, sha
from approvals.bundle_right import check_right

CONTENT, TEXT, BUNDLE = b"gatekeeper version 1\n", b"gatekeeper/text/1\x00", b"gatekeeper/bundle/1\x00"
UNSEALED = ("manifest.json", "manifest.sig")
VERDICTS = {"approve": "approved", "refuse": "refused", "changes": "sent back with changes asked for"}
PROOFS = {"pin": "a PIN", "passkey": "a passkey"}
FACTS = (
    "decision", "request", "subject", "version", "digest", "verdict", "approver", "proof", "policy", "appointment",
    "assertion",
)  # fmt: skip


def check_files(files: dict[str, bytes], manifest: Any, report: Report) -> None:
    """Every file is the one that the manifest names, none is missing and none is added."""
    faults = report.wrong_ones
    listed = manifest["files"]
    for name in sorted(set(listed) | set(files) - set(UNSEALED)):
        if name not in files:
            report.wrong(f"{name} is missing: the manifest names it.")
        elif name not in listed:
            report.wrong(f"{name} is not part of the bundle: the manifest does not name it.")
        elif sha(files[name]) != listed[name]:
            report.wrong(f"{name} was changed: its bytes are not those that the manifest names.")
    if report.wrong_ones == faults:
        report.ok(f"All {len(listed)} files are those that the manifest names.")


def check_seal(files: dict[str, bytes], ledger: Ledger, report: Report) -> None:
    """The manifest was signed with the ledger's key when the bundle was made."""
    seal = read_json(files, "manifest.sig")
    known = {**ledger.keys, **({} if ledger.keys else {seal["key"]: seal["public"]})}  # a ledger not signed yet
    if not CAN_SIGN:
        report.unchecked("The signature of the manifest.")
    elif seal["key"] not in known or not is_signed(
        BUNDLE, sha(files["manifest.json"]), seal["signature"], known[seal["key"]]
    ):
        report.wrong("manifest.json was changed after the school made this bundle: it does not bear the ledger's key.")
    else:
        report.ok("The manifest is signed with the ledger's key.")


def check_content(files: dict[str, bytes], manifest: Any, decision: Any, report: Report) -> None:
    """The content has the digest that was decided about, and the pictures are its pictures."""
    digest = sha(CONTENT, files.get("content.json", b""))
    if digest != decision["digest"] or digest != manifest["digest"]:
        report.wrong("content.json is not what was decided about: its digest is another one.")
        return
    report.ok(f"content.json has the digest that was decided about, {digest}.")
    wanted = [photo["sha256"] for photo in read_json(files, "content.json")["photos"]]
    for number, name in enumerate(wanted, start=1):
        picture = files.get(f"images/{name}.jpg")
        if picture is None:
            report.wrong(f"Picture {number} is missing, so nobody can say here what it showed.")
        elif sha(picture) != name:
            report.wrong(f"Picture {number} was changed: its bytes are not those that were decided about.")
        else:
            report.ok(f"Picture {number} is, byte for byte, the one that was decided about.")
    if any(name.startswith("images/") and name[7:-4] not in wanted for name in files):
        report.wrong("The bundle holds a picture that does not belong to the content.")


def text_hash(salt: str, words: str) -> str:
    """What the ledger holds of somebody's words."""
    return sha(TEXT, bytes.fromhex(salt), words.encode())


def check_decision(decision: Any, ledger: Ledger, report: Report) -> dict[str, Any] | None:
    """The decision is the one in the ledger, answers the question asked there, and was taken by who might."""
    facts, seq = decision["decision"], decision["ledger_seq"]
    body = ledger.body(seq, "decision.recorded")
    if body is None:
        return None
    unlike = [name for name in FACTS if body.get(name) != facts[name]]
    if ledger.by_seq[seq]["at"] != decision["decided_at"]:
        unlike.append("time")
    if facts["digest"] != decision["digest"]:
        unlike.append("digest")
    if unlike:
        report.wrong(f"decision.json does not agree with ledger entry {seq}: {', '.join(sorted(set(unlike)))}.")
        return None
    report.ok(f"decision.json agrees with ledger entry {seq}, written {decision['decided_at']}.")
    asked = ledger.body(decision["request"]["opened_seq"], "request.opened")
    if asked is not None:
        if any(asked[name] != facts[name] for name in ("request", "subject", "version", "digest")):
            report.wrong("The question in the ledger was about something else than this decision.")
        elif asked["author"] == facts["approver"]:
            report.wrong("The author of the post decided about it themselves.")
        else:
            report.ok(
                f"It answers the question in ledger entry {decision['request']['opened_seq']}; person "
                f"{facts['approver']} decided, and person {asked['author']} had written the post."
            )
    check_right(decision, ledger, report)
    return body


def check_words(decision: Any, body: dict[str, Any], report: Report) -> None:
    """What was written is what the ledger holds the salted hashes of. Words that were erased are said to be."""
    words, salt = decision["words"], decision["words"]["salt"]
    for name, told in (("typed_name", "The typed name"), ("statement", "The statement")):
        if words[name] is None:
            report.note(f"{told}: the words were erased. The ledger still holds that they were written.")
        elif salt is None or text_hash(salt, words[name]) != body[name]:
            report.wrong(f"{told} is not what the ledger holds: the words or their salt were changed.")
        else:
            report.ok(f"{told} is, letter by letter, what was written.")
    lists = (("answers", "finding", "id", "sentence", "An answer"), ("marks", "where", "where", "words", "A mark"))
    for name, in_ledger, here, text, told in lists:
        held = body.get(name) or []
        if words[name] is None:
            if held:
                report.note(f"The {name}: the words were erased. The ledger still holds that there were {len(held)}.")
            continue
        given = [(one[here], text_hash(salt or "", one[text])) for one in words[name]]
        if given != [(one[in_ledger], one["words"]) for one in held]:
            report.wrong(f"{told} is not what the ledger holds: the words or their salt were changed.")
        elif held:
            report.ok(f"The {name} are, letter by letter, what was written.")


def check_findings(files: dict[str, bytes], body: dict[str, Any], report: Report) -> None:
    """Every answer in the ledger is about a finding that is there, under the same rule."""
    found = {str(one["id"]): one["rule"] for one in read_json(files, "findings.json")["findings"]}
    for answer in body.get("answers") or []:
        if found.get(answer["finding"]) != answer["rule"]:
            report.wrong(f"Finding {answer['finding']} was changed or left out: the decision answers it.")
    report.line("looked at", f"{len(found)} findings of the checks are listed in findings.json.")


def check_publications(files: dict[str, bytes], decision: Any, ledger: Ledger, report: Report) -> None:
    """What was published stands in the ledger, and was published on this approval while it was in force."""
    facts = decision["decision"]
    told = {one["id"]: one for one in read_json(files, "attempts.json")["publications"]}
    held = {b["publication"]: (n, b) for n, b in ledger.of_kind("published") if b["decision"] == facts["decision"]}
    ended = [n for n, b in ledger.of_kind("approval.withdrawn") if b["decision"] == facts["decision"]]
    if facts["verdict"] != "approve" and held:
        report.wrong("It was published although it was not approved.")
    for number, one in sorted(told.items()):
        if one["state"] == "published" and one["decision"] == facts["decision"] and number not in held:
            report.wrong(f"Publication {number} is said to be public, and the ledger does not hold it.")
    for number, (at, body) in sorted(held.items()):
        one = told.get(number)
        if one is None or (one["remote_id"], one["account"]["id"]) != (body["remote_id"], body["account"]):
            report.wrong(f"Publication {number} in attempts.json is not the one that the ledger holds.")
        elif body["digest"] != decision["digest"] or at < decision["ledger_seq"]:
            report.wrong(f"Publication {number} was of something else, or before the decision.")
        elif any(end < at for end in ended):
            report.wrong(f"Publication {number} went out after the approval had been withdrawn.")
        else:
            report.ok(f"Published on {one['account']['kind']} as {body['remote_id']}, ledger entry {at}.")
    check_withdrawal(decision["withdrawal"], ended, ledger, report)


def check_withdrawal(withdrawal: Any, ended: list[int], ledger: Ledger, report: Report) -> None:
    """The bundle and the ledger agree whether the approval was withdrawn, and in which words."""
    if bool(withdrawal) != bool(ended):
        report.wrong("decision.json and the ledger do not agree whether the approval was withdrawn.")
    elif withdrawal:
        body = ledger.body(ended[0], "approval.withdrawn") or {}
        report.note(f"The approval was withdrawn, ledger entry {ended[0]}, {ledger.by_seq[ended[0]]['at']}.")
        if withdrawal["reason"] is not None and text_hash(withdrawal["salt"], withdrawal["reason"]) != body["reason"]:
            report.wrong("The reason of the withdrawal is not what the ledger holds.")


def check_against_outside(ledger: Ledger, decision: Any, head: Any, *, key: str, anchor: str, report: Report) -> None:
    """The ledger is the one that the mail or receipt spoke of, and that the key known from elsewhere signed."""
    seq = decision["ledger_seq"]
    lone = ledger.by_seq.get(head["seq"])
    if lone is None or lone["hash"] != head["hash"]:
        report.wrong("The newest entry of the ledger, which the manifest names, is not in the bundle.")
    if anchor:
        found = [entry for entry in ledger.entries if entry["hash"] == anchor]
        if not found:
            report.wrong(
                f"No entry from {ledger.first} to {ledger.last} has the hash you gave. Either the ledger was rewritten, "
                "or that mail or receipt is from another time than this bundle covers."
            )
        elif not seq <= found[0]["seq"] <= ledger.last:
            report.wrong(f"The hash you gave is of entry {found[0]['seq']}, which does not seal the decision.")
        else:
            report.ok(f"The hash you gave is of entry {found[0]['seq']}: it seals the decision and all before it.")
    else:
        report.note(
            "Compare with a hash from a mail or a receipt: --anchor HASH. It shows a ledger that was rewritten."
        )
    if CAN_SIGN and key and ledger.trusted and not ledger.signed_after(seq, only=ledger.trusted):
        report.wrong("The decision is not sealed by the key you gave, nor by one that followed it.")
    if CAN_SIGN and not ledger.signed_after(seq):
        report.note("No signature seals the decision: the school's ledger was not signed yet.")


def check_bundle(files: dict[str, bytes], *, key: str, anchor: str, report: Report) -> str:
    """Everything, one after the other; returns what was decided, in words."""
    manifest, decision = read_json(files, "manifest.json"), read_json(files, "decision.json")
    if manifest["format"] != "gatekeeper evidence 1":
        raise Unreadable("This is an evidence bundle of another kind than this program knows.")
    report.line("bundle", f"Post {manifest['post']}, version {manifest['version']}.")
    check_files(files, manifest, report)
    ledger = Ledger(files, manifest["ledger"], report)
    ledger.check(key)
    check_seal(files, ledger, report)
    check_content(files, manifest, decision, report)
    body = check_decision(decision, ledger, report)
    if body is not None:
        check_words(decision, body, report)
        check_findings(files, body, report)
        check_passkey(decision, ledger, report)
        check_publications(files, decision, ledger, report)
    check_against_outside(ledger, decision, manifest["ledger"]["head"], key=key, anchor=anchor, report=report)
    facts = decision["decision"]
    return (
        f"this content was {VERDICTS.get(facts['verdict'], 'decided about')} on {decision['decided_at']}; "
        f"it was proved by {PROOFS.get(facts['proof'], facts['proof'])} who decided"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Check what was named, and say by the exit code whether everything agrees."""
    parser = argparse.ArgumentParser(description="Checks an evidence bundle of Gatekeeper; writes and fetches nothing.")
    parser.add_argument("bundle", nargs="?", type=Path, default=Path(__file__).resolve().parent)
    parser.add_argument("--key", default="", help="fingerprint of the school's ledger key, known from elsewhere")
    parser.add_argument("--anchor", default="", help="hash of the ledger's head, from a mail or a receipt")
    asked = parser.parse_args(arguments)
    key, anchor = (re.sub(r"[^0-9a-f]", "", given.lower()) for given in (asked.key, asked.anchor))
    if (asked.key and len(key) not in (16, 64)) or (asked.anchor and len(anchor) != 64):  # noqa: PLR2004 - SHA-256
        parser.error("a fingerprint has 16 or 64 hexadecimal digits, a hash of the ledger's head has 64")
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    report = Report(_say)
    try:
        files = read_zip(asked.bundle) if asked.bundle.is_file() else read_folder(asked.bundle)
        decided = check_bundle(files, key=key, anchor=anchor, report=report)
    except Unreadable as err:
        report.wrong(str(err))
        decided = ""
    except Exception as err:  # noqa: BLE001 - whatever a hostile or broken bundle does, it is never called verified
        report.wrong(f"The bundle cannot be read as Gatekeeper writes one ({type(err).__name__}).")
        decided = ""
    if report.wrong_ones:
        report.line("VERDICT", f"NOT VERIFIED: {report.wrong_ones} thing(s) do not agree. Do not rely on this bundle.")
    elif report.unchecked_ones:
        report.line("VERDICT", "INCOMPLETE: what was looked at agrees, but not everything could be checked here.")
    else:
        report.line("VERDICT", f"VERIFIED: {decided}.")
    return 1 if report.wrong_ones or report.unchecked_ones else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
