"""A thousand looks, by scanners and by people, before and after the proof: not one row of one table is different."""

import random
from itertools import product

from flask import Flask

from gatekeeper.people.staff import Role
from gatekeeper.web.limits import limiter
from tests.factories.school import School
from tests.gatekeeper.web.decide.asking import Browser, appoint_deputy, everything, link_to, proved, the_request

LOOKS = 1_000
SAFE = ("GET", "HEAD", "OPTIONS")


def addresses(site: Flask, request_id: str) -> list[str]:
    """Every address of these pages that there is, whatever it usually takes."""
    found = []
    for rule in site.url_map.iter_rules():
        if rule.rule.startswith(("/a/", "/decide", "/decisions", "/deputies")):
            values = {"token": "x" * 43, "request_id": request_id, "sha256": "0" * 64, "appointment_id": "0" * 32}
            known = {name: values.get(name, 1) for name in rule.arguments}
            with site.test_request_context():
                found.append(rule.build(known, append_unknown=False)[1])  # type: ignore[index]
    return sorted(set(found))


def test_a_thousand_looks_change_nothing(site: Flask, as_role: Browser, school: School) -> None:
    limiter.enabled = False
    try:
        appoint_deputy(school)
        link = link_to(school, school.post(photos=1))
        phone, scanner = as_role(None), as_role(None)
        proved(phone, link)
        readers = [phone, scanner, as_role(Role.HEADTEACHER), as_role(Role.DEPUTY)]
        paths = [link, *addresses(site, the_request(school).id)]
        assert len(paths) > 6
        everywhere = list(product(readers, paths, SAFE))
        for reader in readers:
            reader.get("/deputies")  # a signed-in browser's first form makes its secret, which belongs to the session
        dice = random.Random(5)
        before = everything(school)
        for reader, path, method in dice.choices(everywhere, k=LOOKS):
            assert reader.open(path, method=method).status_code < 500
        assert everything(school) == before
    finally:
        limiter.enabled = True
