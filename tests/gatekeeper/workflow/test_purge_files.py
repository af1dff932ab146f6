"""Files go after their rows, and only when nobody refers to them any more; erased words leave the database's file."""

import os
from pathlib import Path

import pytest
from sqlalchemy import select

from gatekeeper.db.session import Database
from gatekeeper.people.school import change_setting
from gatekeeper.posts.model import Photo
from gatekeeper.workflow import purge, purge_files
from tests.conftest import ToldClock
from tests.factories.aged import aged_post, files_of, open_case, published_post
from tests.factories.school import School, make_services
from tests.gatekeeper.workflow.test_purge import age_files, post, purged


@pytest.fixture
def school(database: Database, tmp_path: Path, clock: ToldClock) -> School:
    """On both databases."""
    return School(make_services(database, tmp_path, clock))


@pytest.fixture
def one_school(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> School:
    """Where the kind of database does not matter."""
    return School(make_services(sqlite_database, tmp_path, clock))


def test_originals_go_a_month_after_publishing_and_the_published_picture_stays(
    school: School, clock: ToldClock
) -> None:
    old, young = (published_post(school, days=days, photos=1) for days in (31, 29))
    shas = {}
    with school.services.db.begin() as session:
        for number in (old, young):
            photo = session.scalars(select(Photo).where(Photo.post_id == number)).one()
            photo.original_sha256 = school.services.media.put(f"original {number}".encode(), ".jpg")
            photo.preview_sha256 = school.services.media.put(f"preview {number}".encode(), ".jpg")
            shas[number] = (photo.original_sha256, photo.preview_sha256, photo.rendition_sha256)
    age_files(school)
    assert purged(school) == {"originals": 1, "files": 2}
    there = {path.stem for path in school.services.media.root.glob("??/??/*.jpg")}
    assert there == {*shas[young], shas[old][2]}
    assert post(school, old).erased_at is None
    with school.services.db.read() as session:
        ages = {row[0]: row[1] for row in session.execute(select(Photo.post_id, Photo.original_gone_at))}
    assert ages == {old: clock.now(), young: None}


def test_a_picture_that_another_post_uses_stays_until_that_one_goes_too(school: School, clock: ToldClock) -> None:
    old = aged_post(school, days=31, photos=1)
    young = aged_post(school, days=2, photos=1)
    with school.services.db.begin() as session:
        first, second = session.scalars(select(Photo).order_by(Photo.id))
        second.rendition_sha256 = first.rendition_sha256
        session.flush()
    (shared,) = files_of(school, old)
    age_files(school)
    purged(school)
    assert post(school, old).erased_at is not None
    assert school.services.media.read(shared)
    clock.advance(days=30)
    age_files(school)
    purged(school)
    assert post(school, young).erased_at is not None
    assert not list(school.services.media.root.glob(f"??/??/{shared}.*"))


def test_a_picture_of_an_incident_a_mark_or_the_crest_stays(one_school: School, clock: ToldClock) -> None:
    from gatekeeper.cases.model import CaseAttachment
    from gatekeeper.posts.model import Mark
    from gatekeeper.posts.public import Incident

    put = one_school.services.media.put
    incident, mark, crest, attached, nobody = (put(name, ".jpg") for name in (b"a", b"b", b"c", b"d", b"e"))
    head, now = one_school.head, clock.now()
    with one_school.services.db.begin() as session:
        session.add(Mark(name="Rose", owner="other", sha256=mark, registered_by=head, registered_at=now))
        session.add(
            Incident(
                account_id=one_school.accounts["x"], kind="ungated", remote_id="9", pictures=[incident], seen_at=now
            )
        )
        change_setting(session, "crest", crest, by=None, now=now)
    case_id = open_case(one_school)
    with one_school.services.db.begin() as session:
        session.add(CaseAttachment(case_id=case_id, sha256=attached, added_by=head, added_at=now))
    age_files(one_school)
    assert purged(one_school) == {"files": 1}
    for sha in (incident, mark, crest, attached):
        assert one_school.services.media.read(sha)
    assert not list(one_school.services.media.root.rglob(f"{nobody}*"))


def test_every_column_that_names_a_stored_picture_is_asked_before_a_file_goes() -> None:
    """Somebody who adds another one has to add it to `purge_files.wanted` too."""
    from gatekeeper.db.base import Base

    exempt = {
        "photo.scanned_sha256",  # a digest to compare with, of the photo's own original
        "photo_scan.sha256",
        "picture_reading.sha256",  # what was found, which goes with the picture
        "enrolment.media_sha256",  # in a store of its own
    }
    named = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if "sha256" in column.name or "picture" in column.name
    }
    assert named - exempt == purge_files.REFERRING


def test_a_file_that_was_put_today_stays_although_nobody_refers_to_it_yet(one_school: School) -> None:
    sha = one_school.services.media.put(b"just uploaded", ".jpg")
    age_files(one_school)
    one_school.services.media.put(b"just uploaded", ".jpg")  # again, and again without a row
    path = one_school.services.media.path(sha)
    os.utime(path, (one_school.services.clock.now().timestamp(),) * 2)
    purged(one_school)
    assert path.is_file()


def test_a_crash_between_the_row_and_its_file_leaves_nothing_behind(
    one_school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = [aged_post(one_school, days=31, photos=1, text=f"Number {n}") for n in range(3)]
    age_files(one_school)

    def crash(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(purge_files, "remove_unwanted", crash)
    with pytest.raises(KeyboardInterrupt):
        purge.run(one_school.services)
    assert all(post(one_school, one).erased_at for one in gone)
    assert list(one_school.services.media.root.glob("??/??/*"))
    monkeypatch.undo()
    assert purged(one_school)["rejected"] == 3  # what went before the crash is counted, once
    assert not list(one_school.services.media.root.glob("??/??/*"))


def test_erased_words_leave_the_file_of_the_database(one_school: School, tmp_path: Path) -> None:
    marrow = "Zebedee's marrow " * 400
    aged_post(one_school, days=31, text=marrow)
    purged(one_school)
    bytes_left = b"".join(path.read_bytes() for path in tmp_path.glob("gatekeeper.db*"))
    assert b"Zebedee" not in bytes_left
