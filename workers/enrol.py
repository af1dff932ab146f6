"""Makes templates of the photos taken for enrolment, and seals the templates anew when their key was replaced."""

from gatekeeper.jobs import ENROL, RESEAL
from gatekeeper.workflow import enrol
from workers.perform import perform


def run(enrolment_id: int) -> None:
    """Look at the photo if it waits for that."""
    perform(ENROL, enrolment_id, step=enrol.enrol, give_up=enrol.give_up)


def reseal(subject: int) -> None:
    """Seal anew what an older key sealed, if that was ordered."""
    perform(RESEAL, subject, step=enrol.seal_anew)
