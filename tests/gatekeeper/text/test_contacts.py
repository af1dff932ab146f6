"""Contact details, links, swearing and missing descriptions: what is found and what is left alone."""

from collections.abc import Callable

import pytest

from gatekeeper.text.checker import Hit

Check = Callable[..., list[Hit]]


def _found(hits: list[Hit]) -> set[tuple[str, str]]:
    return {(hit.rule, hit.quote or "") for hit in hits}


@pytest.mark.parametrize(
    ("text", "rule", "quote"),
    [
        ("Text 07700 900123 now", "contact-phone", "07700 900123"),
        ("Text +44 7700 900 123 now", "contact-phone", "+44 7700 900 123"),
        ("Text o77oo 9oo123 now", "contact-phone", "o77oo 9oo123"),
        ("Text (01632) 960 999 now", "contact-phone", "(01632) 960 999"),
        ("Write to kit.vale@webmail.example.", "contact-email", "kit.vale@webmail.example"),
        ("Write to kit.vale@webmail.example. We read it on Monday.", "contact-email", "kit.vale@webmail.example"),
        ("Write to kit@webmail. com soon", "contact-email", "kit@webmail. com"),
        ("Write to kit@webmail . example", "contact-email", "kit@webmail . example"),
        ("Write to kit (at) webmail (dot) example", "contact-email", "kit (at) webmail (dot) example"),
        ("Drop it at ZZ4 9QT please", "contact-postcode", "ZZ4 9QT"),
        ("Collect from 27 Tallow Street", "contact-address", "27 Tallow Street"),
        ("Jago, born 2 February 2022, started", "contact-dob", "born 2 February 2022"),
        ("Find me at @kit_vale_99 and say hi", "contact-handle", "@kit_vale_99"),
        ("I'm now @real_mr_venn on TikTok", "contact-handle", "@real_mr_venn"),
        ("Form: bit.ly/elm-form", "link-shortener", "bit.ly/elm-form"),
        ("Pay: http://192.0.2.44/pay", "link-unsafe", "http://192.0.2.44/pay"),
        ("Get https://files.example/game.exe now", "link-unsafe", "https://files.example/game.exe"),
        (
            "Log in: https://elmtree.example.verify-parents.xyz/a",
            "link-unsafe",
            "https://elmtree.example.verify-parents.xyz/a",
        ),
        ("Log in: https://elmtr33.example/a", "link-unsafe", "https://elmtr33.example/a"),
        ("Log in: https://еlmtree.example/a", "link-unsafe", "https://еlmtree.example/a"),
        ("What utter b*ll*cks", "profanity", "b*ll*cks"),
        ("Oh sh!t", "profanity", "sh!t"),
        ("This is fuuuucking late", "profanity", "fuuuucking"),
        ("You b@stards", "profanity", "b@stards"),
        ("What the hell", "profanity", "What the hell"),
    ],
)
def test_finds(check: Check, text: str, rule: str, quote: str) -> None:
    assert (rule, quote) in _found(check(text))


@pytest.mark.parametrize(
    "text",
    [
        "Ring 01632 960000 or +44 1632 960000.",
        "Ring Childline on 0800 1111 or 0808 800 5000.",
        "Raffle: 0711, 0846, 0902.",
        "Open 04.01.2027 8.40 to 10.30.",
        "Mail office@elmtree.example or info@theatre.example.",
        "We are at Rook Lane, Ashby ZZ1 1AA.",
        "KS2 2nd place, Y3 1st place.",
        "We walked 3 miles along Larch Road.",
        "Kick off at 3 and 21 May High Street fair.",
        "The bell was cast on 14.06.1911.",
        "Follow @ElmTreePri and thank @AshbyMuseum for the trip.",
        "Apply at https://www.gov.uk/apply-for-primary-school-place",
        "Read https://www.elmtree.example/news.",
        "Great tits and blue tits came to the feeder.",
        "Dick Whittington opens on Friday. Cock-a-doodle-doo!",
        "He who cares, shares: a class in Scunthorpe.",
    ],
)
def test_leaves_alone(check: Check, text: str) -> None:
    assert not [hit for hit in check(text) if hit.rule.startswith(("contact", "link", "profanity"))]


def test_plain_http_to_a_known_site_is_only_advice(check: Check) -> None:
    assert [(hit.rule, hit.severity) for hit in check("See http://www.elmtree.example/a")] == [
        ("link-unsafe", "advice")
    ]
    assert [(hit.rule, hit.severity) for hit in check("See http://toys.example/a")] == [("link-unsafe", "justify")]


@pytest.mark.parametrize("alt", [None, "", "  ", "image", "IMG_2031.jpg", "photo of", "a.jpg", "alt text", "📷"])
def test_a_picture_without_description_is_told(check: Check, alt: str | None) -> None:
    assert [hit.rule for hit in check("Hello", ("a.jpg", alt))] == ["alt-text-missing"]


@pytest.mark.parametrize("alt", ["Photo of a red kite over the hall", "Sunflowers", "A tower of bricks"])
def test_a_described_picture_is_fine(check: Check, alt: str) -> None:
    assert check("Hello", ("a.jpg", alt)) == []
