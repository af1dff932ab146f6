"""The clauses of the policy in ordinary sentences, and the ordinary posts that must pass in silence."""

from collections.abc import Callable

import pytest

from gatekeeper.text.checker import Hit

Check = Callable[..., list[Hit]]


@pytest.mark.parametrize(
    ("account", "text", "rule"),
    [
        ("staff", "My lot were feral today, roll on Friday.", "pupil-comment"),
        ("school", "Our bottom group will stay in at lunch.", "pupil-comment"),
        ("staff", "One of mine asked whether worms have birthdays.", "pupil-singled-out"),
        ("staff", "Kids, my inbox is always open.", "pupil-dm-invite"),
        ("staff", "Leavers, add me on Snapchat now.", "pupil-friend-request"),
        ("staff", "All the trip pictures are on my own Instagram.", "pupil-photo-offsite"),
        ("school", "Plover are on the coach and stuck on the motorway.", "pupil-live-location"),
        ("school", "On Monday our choir will sing in the town square at 10.30am.", "pupil-planned-location"),
        ("school", "Trip on Friday at 9.30 from the school gate", "pupil-planned-location"),
        ("school", "Year 5 trip tomorrow! Meet at the gate at 8.15am.", "pupil-planned-location"),
        ("school", "We're all at Drayton Manor until 4, come and say hi!", "pupil-live-location"),
        ("school", "Ofsted rated us Good in every area.", "topic-performance"),
        ("school", "Two families came to blows at the gate.", "topic-dispute"),
        ("school", "A pupil has been excluded for a week.", "topic-exclusion"),
        ("staff", "Rang social services about a child in my class.", "topic-safeguarding"),
        ("school", "Our autistic pupil loved the trains.", "topic-send"),
        ("school", "Our dyslexic readers are getting extra help.", "topic-send"),
        ("school", "The Year 2 child who had a seizure is home again.", "topic-medical"),
        ("staff", "The code for the staff door is 1066.", "confidential-info"),
        ("staff", "Our head couldn't run a bath.", "disparagement"),
        ("staff", "Nobody talk to the new cook until she quits.", "harassment-discrimination"),
        ("school", "We are the best school in England.", "misleading-claim"),
        ("staff", "I'm posting as the chair of governors today.", "impersonation"),
        ("school", "Vote Labour on Thursday.", "political-party"),
        ("school", "As a school we oppose the bypass.", "school-opinion"),
        ("school", "Feel free to put our logo on your posters.", "logo-trademark"),
        ("staff", "Happy to give him a glowing reference.", "staff-reference"),
        ("staff", "I gave the reporter an interview about the head.", "media-enquiry"),
        ("school", "We scanned the whole book so nobody needs to buy it.", "copyright-material"),
        ("staff", "Taught phonics with a hangover.", "unprofessional-image"),
        ("staff", "Another staff meeting that could have been an e-mail.", "own-account-about-school"),
    ],
)
def test_a_breach_of_each_clause_is_told(check: Check, account: str, text: str, rule: str) -> None:
    assert rule in {hit.rule for hit in check(text, account=account)}


@pytest.mark.parametrize(
    "text",
    [
        "Sports day is on Friday. Please bring a hat and a water bottle.",
        "Thank you to everyone who came to the fair. We raised £1,204 for new books!",
        "Year 2 explored the Great Fire of London and built a street of cardboard houses.",
        "Head lice have been reported, please check hair.",
        "It is anti-bullying week: wear odd socks on Tuesday.",
        "School is closed for the May bank holiday.",
        "The hall is a polling station on Thursday, please use the side gate.",
        "Heron won the attendance cup with 98.9%. Well done!",
        "Our school council elections are this week. Who will be chair?",
        "We are recruiting a teaching assistant. Closing date: 12 June.",
        "Mrs Hartnoll is retiring after thirty years. Thank you for everything!",
        "Nut allergies: please avoid nuts in packed lunches.",
        "SEND coffee morning for parents on Wednesday at 9am.",
        "The flu vaccination team visits on 3 November; please return the form.",
        "Our Year 6 pupils have worked so hard. Good luck in your tests!",
        "A suspension bridge made of straws held six books.",
        "Everyone is welcome at the summer fair. Fun and mud guaranteed!",
        "Uniform with the school badge can be ordered online.",
        "The hall looks like a fjord, with longships of willow and card.",
        "Reverend Sue told us the story of Martha and Mary.",
        "Come and say hello at our coffee morning on Tuesday.",
        "We're open at Elm Tree until 4.",
        "Trip letters went home on Friday. Please return slips by Monday 9am.",
    ],
)
def test_an_ordinary_post_passes_in_silence(check: Check, text: str) -> None:
    assert check(text) == []


def test_the_strictest_finding_comes_first_and_overlaps_are_one(check: Check) -> None:
    hits = check("Imelda Brackwater is in Plover. Ring 07700 900123.", ("a.jpg", None))
    assert [hit.severity for hit in hits] == sorted(
        (hit.severity for hit in hits), key=["block", "justify", "advice"].index
    )
    assert len([hit for hit in hits if hit.rule.startswith("pupil-name")]) == 1


def test_the_same_draft_always_gives_the_same_hits(check: Check) -> None:
    text = "Rose and Imelda (Plover): ring 07700 900123. Our head is useless. Vote Labour!"
    assert len({tuple(check(text)) for _ in range(3)}) == 1
