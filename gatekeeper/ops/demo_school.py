"""Founds the demo school: people, consents, channels and sample files, all by the steps that the site itself takes.

A process of its own (`python -m gatekeeper.ops.demo_school`), because it alone needs the keys of the website and those
of the platforms at once. Done before, it only brings the database to the present schema.
"""

import csv
import io
import shutil
import subprocess
import sys
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import select

from gatekeeper.bootstrap import build_services
from gatekeeper.channels.base import Credentials
from gatekeeper.clock import SystemClock, london
from gatekeeper.errors import GatekeeperError
from gatekeeper.log import configure_logging
from gatekeeper.ops import demo_cases, demo_policy
from gatekeeper.ops import demo_people as people
from gatekeeper.ops.demo_pictures import draw_flower_bed, draw_poster
from gatekeeper.ops.release import release
from gatekeeper.people.consent import Purpose
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.register_import import Kind
from gatekeeper.people.staff import Category, Role
from gatekeeper.posts.model import ChannelAccount
from gatekeeper.settings import load_settings
from gatekeeper.workflow import accounts, connect, consents, key_check, roll, school, second_proofs
from gatekeeper.workflow import staff as workflow_staff
from gatekeeper.workflow.second_proofs import Given
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.staff import Details
from gatekeeper.workflow.step_up import Proof

_CHANNEL_NAMES = {
    "x": "Merrowfold on X",
    "facebook": "Merrowfold's Facebook Page",
    "linkedin": "Merrowfold on LinkedIn",
}


def found(data: Path) -> None:
    """Make the school, unless it stands already."""
    settings = load_settings("web")
    release(settings, clock=SystemClock(), tell=print)
    done = data / "founded"
    if done.exists():
        return
    services = build_services(settings)
    staff = _staff(services)
    school.change_school(services, people.SCHOOL, by=staff["administrator"])
    demo_policy.adopt(services, staff)
    demo_cases.open_all(services, staff)
    _pupils(services, data / "sample-lists", by=staff["consent_lead"])
    _channels(services, administrator=staff["administrator"], head=staff["headteacher"])
    _sample_photos(data / "sample-photos")
    done.touch()


def _staff(services: Services) -> dict[str, int]:
    ids = {
        role: accounts.add_user(services, name=name, email=email, role=Role(role), password=people.PASSWORD)
        for name, email, role in people.STAFF
    }
    teacher = next(name for name, _, role in people.STAFF if role == "author")
    told = Details(name=teacher, role=Role.AUTHOR, category=Category.EMPLOYEE, line_manager_id=ids[Role.LINE_MANAGER])
    workflow_staff.edit(services, ids[Role.AUTHOR], told, reason="", by=ids[Role.ADMINISTRATOR])
    for role in ("headteacher", "deputy"):
        second_proofs.set_pin(services, ids[role], people.PIN, Given(password=people.PASSWORD))
    return ids


def _pupils(services: Services, folder: Path, *, by: int) -> None:
    """The roll and the answers come in as files, which are kept as samples for trying the import page."""
    folder.mkdir(parents=True, exist_ok=True)
    today = london(services.clock.now()).date()
    given = today - timedelta(days=75)
    roster, answers = [], []
    for number, (first, last, known, form, born, x, facebook) in enumerate(people.PUPILS, start=1):
        reference = f"MF{number:04d}"
        year = dict(people.SCHOOL["classes"])[form]  # type: ignore[call-overload]  # a table of texts
        roster.append((reference, first, last, known, year, form, born))
        for channel, answer in (("x", x), ("facebook", facebook), ("linkedin", x)):
            if answer:
                allowed = "no" if answer == people.NO else "yes"
                answers.append((reference, channel, allowed, "consent", given.isoformat(), "", "autumn form"))
    for kind, name, columns, rows in (
        (Kind.ROSTER, "roster.csv", "pupil_id,first_name,last_name,known_as,year,class,dob", roster),
        (Kind.CONSENTS, "consents.csv", "pupil_id,channel,allowed,basis,given_on,expires_on,note", answers),
    ):
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([columns.split(","), *rows])
        data = text.getvalue().encode()
        (folder / name).write_bytes(data)
        roll.apply(services, kind, data, shown=roll.dry_run(services, kind, data, by=by).digest, by=by)
    with services.db.read() as session:
        ids = {(pupil.first_name, pupil.last_name): pupil.id for pupil in session.scalars(select(Pupil))}
    for first, last, _, _, _, x, facebook in people.PUPILS:
        if x == facebook == people.WITHDRAWN:
            consents.withdraw_everywhere(services, ids[first, last], by=by)
        elif facebook == people.WITHDRAWN:
            consents.withdraw_consent(services, ids[first, last], "facebook", Purpose.SOCIAL_MEDIA, by=by)
    first, last, reason = people.NEVER
    consents.mark_never(services, ids[first, last], reason=reason, by=by)


def _channels(services: Services, *, administrator: int, head: int) -> None:
    """Register, check and open the accounts of the simulated platforms."""
    holder = build_services(load_settings("platform"))  # the only process that may open the sealed keys
    printed = subprocess.run(
        [sys.executable, "-m", "gatekeeper.simulator", "--credentials"], capture_output=True, text=True, check=True
    ).stdout
    for line in printed.splitlines():
        keys = Credentials.from_json(line)
        typed = connect.Registration(
            kind=keys.kind, name=_CHANNEL_NAMES[keys.kind], remote_id=keys.account_id, secrets=keys.secrets
        )
        account_id = connect.register(services, typed, by=administrator)
        key_check.check(holder, account_id)
        connect.open_channel(services, account_id, by=head, proof=Proof(pin=people.PIN), declared_own=True)
        with services.db.read() as session:
            account = session.get_one(ChannelAccount, account_id)
            if account.status != "open":
                raise GatekeeperError(f"The {keys.kind} account did not open: {account.check_result}")


def _sample_photos(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    draw_poster(folder / "summer-fair-poster.png")
    draw_flower_bed(folder / "flower-bed.jpg")
    spec = find_spec("matplotlib")
    portrait = Path(spec.origin).parent / "mpl-data/sample_data/grace_hopper.jpg" if spec and spec.origin else None
    if portrait and portrait.is_file():
        shutil.copyfile(portrait, folder / "grace-hopper.jpg")
    (folder / "README.txt").write_text(
        "Photos to try in the demo. The poster and the flower bed are drawn and show nobody.\n"
        "grace-hopper.jpg shows Rear Admiral Grace Hopper, an adult; the photo is in the public domain\n"
        "(U.S. Navy, 1984) and comes with the matplotlib package.\n"
    )


def main() -> int:
    """Found the school of the data folder in the settings."""
    configure_logging("founding")
    try:
        found(load_settings("web").data)
    except GatekeeperError as err:
        print(err, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
