"""What an answer was asked with, and how often it was begun: enough to go on with it in another process."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("answers", sa.Column("options", sa.Text(), nullable=True))
    op.add_column("answers", sa.Column("starts", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("answers", "starts")
    op.drop_column("answers", "options")
