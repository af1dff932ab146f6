"""Packs an evidence bundle so that the same content always gives the same bytes, with a page that says what is what."""

import io
import zipfile
from collections.abc import Mapping
from typing import Final

from gatekeeper.workflow.evidence_case import Case
from gatekeeper.workflow.evidence_ledger import Slice

_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)  # the first moment a zip can tell: the real ones stand in the files

_README: Final = """\
EVIDENCE: POST {post}, VERSION {version}

What is here
  evidence.pdf      to be read: what was decided about, by whom, in which words
  content.json      exactly what was decided about; its digest is
                    SHA-256 of "gatekeeper version 1", a line feed, and these bytes
  images/           the pictures, byte for byte; each is named by its SHA-256
  decision.json     the question, the decision, every word with its salt
  findings.json     what the checks found, and the reasons given
  consents.json     who is in the pictures, by row number of the register (left
                    out for the author of the post)
  names.json        the names behind it; only where asked for with a reason
  attempts.json     where it was published, and every attempt
  ledger.jsonl      entries {first} to {last} of the school's ledger, and those before
                    them that tell of keys, roles and appointments. Entries about
                    other posts hold ids, digests and hashes, no word and no name
  public_key.json   the keys that signed the ledger
  manifest.json     SHA-256 of every file; manifest.sig is its signature
  verify.py         checks all of it

How to check it
  On a computer with Python 3.9 or newer, without a network:
    python3 -m pip install cryptography      (once)
    python3 verify.py
  It reads this folder or the zip, writes nothing, and ends with a verdict.

  What it cannot know by itself: whether this ledger is the school's. Ask the
  school, or somebody who got its e-mails, for the fingerprint of its key and for
  a hash of the ledger from after {decided}:
    python3 verify.py --key FINGERPRINT --anchor HASH
  Whoever distrusts this copy of verify.py takes one from another bundle, or from
  Gatekeeper itself: they are the same program.

What it proves
  The signatures prove that this installation wrote down this decision, then and
  in these words. Where a passkey signed, its signature over the digest proves that
  the person's own device did. Row numbers of permissions and the findings are what
  the installation said when the bundle was made; the manifest's signature seals
  them, the ledger does not hold them.
"""


def readme(case: Case, ledger: Slice) -> str:
    """What is in the bundle, and how to check it."""
    return _README.format(
        post=case.post.id,
        version=case.version.number,
        first=ledger.first,
        last=ledger.last,
        decided=f"{case.decision.decided_at:%Y-%m-%d}",
    )


def packed(files: Mapping[str, bytes]) -> bytes:
    """One zip, the files in the order of their names, with no time and no trace of this computer in it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as bundle:
        for name, data in sorted(files.items()):
            member = zipfile.ZipInfo(name, date_time=_LONG_AGO)
            member.create_system, member.external_attr = 3, 0o100644 << 16
            member.compress_type = zipfile.ZIP_STORED if name.endswith(".jpg") else zipfile.ZIP_DEFLATED
            bundle.writestr(member, data)
    return out.getvalue()
