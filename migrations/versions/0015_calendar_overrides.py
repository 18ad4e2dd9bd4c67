"""What admins say of an exchange on a date, whatever a gateway's calendar says

Revision: 0015, after 0014
"""

import sqlalchemy as sa
from alembic import op

from app.persistence.types import Instant

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "calendar_overrides",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("exchange", sa.String(16), nullable=False),
        sa.Column("opens_minute", sa.Integer(), nullable=True),
        sa.Column("closes_minute", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("at", Instant(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(opens_minute is null) = (closes_minute is null)", name=op.f("ck_calendar_overrides_hours")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_calendar_overrides_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_overrides")),
        sa.UniqueConstraint("day", "exchange", name=op.f("uq_calendar_overrides_day_exchange")),
    )


def downgrade() -> None:
    op.drop_table("calendar_overrides")
