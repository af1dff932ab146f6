"""Reports of undelivered mail, in the shapes that real mail servers give them. Every name in them is invented."""


def postfix(message_id: str, *, action: str = "failed", status: str = "5.1.1") -> bytes:
    """Postfix: the whole original comes back as message/rfc822."""
    return f"""From MAILER-DAEMON  Mon Nov 23 09:00:00 2026
Return-Path: <>
From: MAILER-DAEMON@mail.school.example (Mail Delivery System)
To: gatekeeper@school.example
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="8B2A1C0D.1763888400/mail.school.example"
Message-Id: <20261123090000.8B2A1C0D@mail.school.example>

This is a MIME-encapsulated message.

--8B2A1C0D.1763888400/mail.school.example
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--8B2A1C0D.1763888400/mail.school.example
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.school.example
X-Postfix-Queue-ID: 8B2A1C0D
Arrival-Date: Mon, 23 Nov 2026 09:00:00 +0000 (GMT)

Final-Recipient: rfc822; headteacher@quarrybank.example
Original-Recipient: rfc822;headteacher@quarrybank.example
Action: {action}
Status: {status}
Remote-MTA: dns; mx.quarrybank.example
Diagnostic-Code: smtp; 550 {status} <headteacher@quarrybank.example>: unknown

--8B2A1C0D.1763888400/mail.school.example
Content-Description: Undelivered Message
Content-Type: message/rfc822

Return-Path: <gatekeeper@school.example>
Subject: A post is waiting for your decision
From: Gatekeeper <gatekeeper@school.example>
To: headteacher@quarrybank.example
Message-ID: {message_id}
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="inner"

--inner
Content-Type: text/plain

A post is waiting.
--inner--

--8B2A1C0D.1763888400/mail.school.example--
""".replace("\n", "\r\n").encode()


def exim(message_id: str, *, action: str = "failed", status: str = "5.0.0") -> bytes:
    """Exim: only the headers come back, and a second recipient was reached."""
    return f"""Return-path: <>
From: Mail Delivery System <Mailer-Daemon@relay.example>
To: gatekeeper@school.example
References: {message_id}
Content-Type: multipart/report; report-type=delivery-status; boundary=1763888400-eximdsn-1
MIME-Version: 1.0
Subject: Mail delivery failed: returning message to sender

--1763888400-eximdsn-1
Content-type: text/plain; charset=us-ascii

A message that you sent could not be delivered.

--1763888400-eximdsn-1
Content-type: message/delivery-status

Reporting-MTA: dns; relay.example

Action: delivered
Final-Recipient: rfc822;office@quarrybank.example
Status: 2.0.0

Action: {action}
Final-Recipient: rfc822;headteacher@quarrybank.example
Status: {status}

--1763888400-eximdsn-1
Content-type: text/rfc822-headers

Received: from gatekeeper by relay.example
Message-Id: {message_id}
Subject: A post is waiting

--1763888400-eximdsn-1--
""".encode()


def outlook(message_id: str) -> bytes:
    """A hosted server: parts encoded, the original's headers folded, and no copy of its id but there."""
    return f"""From: Microsoft Outlook <postmaster@hosted.example>
To: <gatekeeper@school.example>
Content-Type: multipart/report; report-type=delivery-status;
 boundary="_000_abc_"
In-Reply-To: {message_id}
Subject: =?utf-8?B?VW56dXN0ZWxsYmFy?=

--_000_abc_
Content-Type: text/html; charset="x-no-such-charset"
Content-Transfer-Encoding: base64

PGh0bWw+PC9odG1sPg==

--_000_abc_
Content-Type: message/delivery-status
Content-Transfer-Encoding: quoted-printable

Reporting-MTA: dns;hosted.example

Final-Recipient: rfc822;headteacher@quarrybank.example
Action: failed
Status: 5.1.10
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; not=20found

--_000_abc_--
""".encode()
