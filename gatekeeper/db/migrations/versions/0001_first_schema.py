"""The first schema of both rooms."""

from alembic import op

import gatekeeper.jobs
import gatekeeper.mail.model
import gatekeeper.people.consent
import gatekeeper.people.pupils
import gatekeeper.people.school
import gatekeeper.people.staff
import gatekeeper.posts.model  # noqa: F401
from approvals import tables
from gatekeeper.db import guards
from gatekeeper.db.base import Base

revision = "0001"
down_revision = None


def upgrade() -> None:
    bind = op.get_bind()
    tables.ApprovalBase.metadata.create_all(bind)
    Base.metadata.create_all(bind)
    for statement in [*tables.triggers(bind.dialect.name), *guards.triggers(bind.dialect.name)]:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError
