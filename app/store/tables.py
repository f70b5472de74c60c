"""The schema, once; the migrations build the same and a test compares them."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

HEAD = "0003"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

collections = Table(
    "collections",
    metadata,
    Column("collection_id", String(64), primary_key=True),
    Column("created_at", String(32), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("index_digest", String(64), nullable=False),
)


def _collection_column(*, primary_key: bool = False) -> Column[str]:
    reference = ForeignKey("collections.collection_id", ondelete="CASCADE")
    return Column("collection_id", String(64), reference, primary_key=primary_key, nullable=False)


# A document has at most one row per state: the `ready` one stays until its successor (`embedding`) is published.
documents = Table(
    "documents",
    metadata,
    Column("document_key", Integer, primary_key=True),
    _collection_column(),
    Column("doc_id", Text, nullable=False),
    Column("version", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("error", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("uri", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("published_start", Date),
    Column("published_end", Date),
    Column("published_granularity", String(16)),
    Column("published_approximate", Boolean),
    Column("ingested_at", String(32), nullable=False),
    Column("superseded_by", Text),
    Column("metadata", JSON, nullable=False),
    UniqueConstraint("collection_id", "doc_id", "state"),
    Index(None, "collection_id", "state"),
    Index(None, "collection_id", "uri"),
    Index(None, "collection_id", "source"),
)

passages = Table(
    "passages",
    metadata,
    Column("document_key", Integer, ForeignKey("documents.document_key", ondelete="CASCADE"), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("passage_id", Text, nullable=False, index=True),
    Column("text", Text, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("page", Integer),
    Column("section", Text),
    Column("mentions", Text),
    Column("holds", Text),
)

files = Table(
    "files",
    metadata,
    _collection_column(primary_key=True),
    Column("uri", Text, primary_key=True),
    Column("digest", String(64), nullable=False),
)

conversations = Table(
    "conversations",
    metadata,
    Column("conversation_id", String(64), primary_key=True),
    Column("created_at", String(32), nullable=False, index=True),
)

# `conversation_id` refers to `conversations` without a constraint: SQLite adds none to a table that is there
answers = Table(
    "answers",
    metadata,
    Column("answer_id", String(64), primary_key=True),
    Column("collection_id", String(64), nullable=False),
    Column("question", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("result", Text),
    Column("cancel_requested", Boolean, nullable=False),
    Column("created_at", String(32), nullable=False, index=True),
    Column("conversation_id", String(64)),
    Column("options", Text),
    Column("starts", Integer, nullable=False, server_default="0"),
    Index(None, "conversation_id", "created_at"),
)

answer_events = Table(
    "answer_events",
    metadata,
    Column("answer_id", String(64), ForeignKey("answers.answer_id", ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("name", String(32), nullable=False),
    Column("data", Text, nullable=False),
)
