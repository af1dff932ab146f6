"""The import of a roster or of permissions: looked at first, then written as shown, all of it or nothing."""

from gatekeeper.errors import BadInput, Conflict
from gatekeeper.people.register_import import Kind, Outcome, Plan, compare, read
from gatekeeper.people.staff import record
from gatekeeper.workflow import consents
from gatekeeper.workflow.consent_review import lock_for
from gatekeeper.workflow.services import Services


def dry_run(services: Services, kind: Kind, data: bytes, *, by: int) -> Plan:
    """What the file would do. Nothing is written.

    Raises:
        BadInput: the file as a whole cannot be read.
    """
    table = read(kind, data)
    with services.db.read() as session:
        return compare(session, kind, table, by=by, now=services.clock.now())[0]


def apply(services: Services, kind: Kind, data: bytes, *, shown: str, by: int) -> Plan:
    """Write exactly what the dry run with the digest `shown` showed.

    Raises:
        BadInput: a line is refused, so nothing is written.
        Conflict: the register changed since the dry run.
    """
    table = read(kind, data)
    with services.step() as session:
        now = services.clock.now()
        plan, writes, touched = compare(session, kind, table, by=by, now=now)
        if plan.digest != shown:
            raise Conflict("The register changed since you looked at this file. Please look at the table again.")
        if plan.counts[Outcome.REFUSED]:
            raise BadInput("Nothing was imported: some lines are refused. Mend them in the file and upload it again.")
        for write in writes:
            write()
        session.flush()
        told = {pupil_id: consents.told_now(session, pupil_id, now=now) for pupil_id in sorted(set(touched))}
        lock_for(session, [pupil_id for pupil_id, kinds in told.items() if kinds])
        for pupil_id, kinds in told.items():
            consents.changed(session, pupil_id, kinds=kinds, cause="refused", by=by, now=now)
        counts = {str(outcome): count for outcome, count in plan.counts.items()}
        detail = {"file": table.sha256, **counts}
        record(session, at=now, staff_id=by, action=f"import.{kind}", subject="register", detail=detail)
    return plan
