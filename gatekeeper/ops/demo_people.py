"""The people of the demo school. Nobody of them exists."""

from typing import Final

SCHOOL_NAME: Final = "Merrowfold Primary School"
PASSWORD: Final = "lantern-orchard-kettle"  # noqa: S105 - printed in the demo's box; opens invented data on this computer
PIN: Final = "739284"

#: name, address, role
STAFF: Final = (
    ("Colin Pryce", "admin@merrowfold.example", "administrator"),
    ("Ruth Adeyemi", "head@merrowfold.example", "headteacher"),
    ("Megan Parry", "deputy@merrowfold.example", "deputy"),
    ("Sunita Kapoor", "manager@merrowfold.example", "line_manager"),
    ("Tom Hargreaves", "teacher@merrowfold.example", "author"),
    ("Nadia Iqbal", "consent@merrowfold.example", "consent_lead"),
    ("Bronwen Ellis", "auditor@merrowfold.example", "auditor"),
)
HOW_TO_SIGN_IN: Final = (
    ("Teacher", "teacher@merrowfold.example"),
    ("Line manager", "manager@merrowfold.example"),
    ("Consent lead", "consent@merrowfold.example"),
    ("Headteacher", "head@merrowfold.example"),
    ("Deputy", "deputy@merrowfold.example"),
    ("Administrator", "admin@merrowfold.example"),
    ("Auditor", "auditor@merrowfold.example"),
)

SCHOOL: Final[dict[str, object]] = {
    "name": SCHOOL_NAME,
    "short_names": ["Merrowfold", "Merrowfold Primary"],
    "town": "Merrowfold",
    "address": "Weir Lane, Merrowfold ZZ9 4MF",
    "postcodes": ["ZZ9 4MF"],
    "phones": ["01632 960271"],
    "emails": ["office@merrowfold.example"],
    "domains": ["merrowfold.example"],
    "handles": ["MerrowfoldPri"],
    "houses": ["Alder", "Bracken", "Heron", "Otter"],
    "classes": {"Wren": "Reception", "Kingfisher": "Year 3", "Heron": "Year 6"},
}

YES, NO, WITHDRAWN, NONE = "yes", "no", "withdrawn", ""
#: first name, last name, known as, class, born on, answer for X and LinkedIn, answer for Facebook
PUPILS: Final = (
    ("Amina", "Rahman", "", "Wren", "2022-01-14", YES, YES),
    ("Archie", "Thistlewood", "", "Wren", "2021-11-02", YES, YES),
    ("Bethan", "Pugh-Morris", "", "Wren", "2022-04-23", NO, YES),
    ("Callum", "McAllister", "Cal", "Wren", "2021-10-09", YES, YES),
    ("Daisy", "Fairbrother", "", "Wren", "2022-06-30", NO, NO),
    ("Eesa", "Chaudhry", "", "Wren", "2022-03-17", YES, YES),
    ("Florence", "Wetherby", "Flo", "Wren", "2021-12-25", NONE, NONE),
    ("Gethin", "Llewellyn", "", "Wren", "2022-08-05", NO, YES),
    ("Harriet", "Osgood", "Hattie", "Kingfisher", "2018-10-19", YES, YES),
    ("Ibrahim", "Osei", "", "Kingfisher", "2019-02-11", YES, YES),
    ("Isla", "Drummond", "", "Kingfisher", "2018-12-04", WITHDRAWN, WITHDRAWN),
    ("Jakub", "Wojciechowski", "Kuba", "Kingfisher", "2019-05-28", YES, YES),
    ("Keziah", "Campbell", "", "Kingfisher", "2019-07-07", NO, YES),
    ("Leo", "Pemberton", "", "Kingfisher", "2018-09-30", YES, YES),
    ("Maeve", "O'Rourke", "", "Kingfisher", "2019-03-21", YES, YES),
    ("Nikhil", "Venkataraman", "Nik", "Kingfisher", "2019-06-16", NO, NO),
    ("Olivia", "Grantham", "Liv", "Heron", "2015-11-11", YES, YES),
    ("Poppy", "Ashdown", "", "Heron", "2016-01-27", YES, YES),
    ("Reuben", "Feldman", "", "Heron", "2016-04-02", NO, YES),
    ("Saoirse", "Kinsella", "", "Heron", "2015-10-22", YES, YES),
    ("Tariq", "Mahmood", "", "Heron", "2016-08-13", YES, WITHDRAWN),
    ("Uma", "Devaraj", "", "Heron", "2016-05-09", NONE, NONE),
    ("Wilfred", "Blenkinsop", "Wilf", "Heron", "2015-09-18", YES, YES),
    ("Yusra", "Abdi", "", "Heron", "2016-02-29", YES, YES),
)
#: the mark that beats every permission, although this family had said yes
NEVER: Final = ("Yusra", "Abdi", "The family asked the school never to show her, for her safety.")
