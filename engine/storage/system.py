"""The engine's own tables, the same for every app: people, sessions, versions, journal, stages, files, queues.

All are prefixed `dg_`.  Ids are made by the engine; instants are microseconds UTC; JSON is text.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    text,
)

system = MetaData()


# INTEGER PRIMARY KEY is the row's own address on SQLite: a look-up by id touches one tree instead of two.
ID = BigInteger().with_variant(Integer, "sqlite")


def _id() -> Column[int]:
    return Column("id", ID, primary_key=True, autoincrement=False)


def _at(name: str = "at", **more: bool) -> Column[int]:
    return Column(name, BigInteger, nullable=more.get("nullable", False))


user = Table(
    "dg_user", system, _id(),
    Column("login", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("email", Text), Column("phone", Text),
    Column("password", Text),  # argon2 hash
    Column("team", BigInteger),
    Column("manager", BigInteger),  # kept: who leads the nearest team above that somebody else leads
    Column("active", Boolean, nullable=False, server_default=text("true")),
    Column("language", Text),
    Column("version", Integer, nullable=False, server_default="1"),
    _at("created_at"), _at("deleted_at", nullable=True),
    Index("dg_user_by_team", "team"),
)  # fmt: skip
team = Table(
    "dg_team", system, _id(),
    Column("key", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("parent", BigInteger, ForeignKey("dg_team.id")),
    Column("leader", BigInteger),
    Column("path", Text, nullable=False),  # /1/5/9/: the ids from the top down to itself
    _at("deleted_at", nullable=True),
)  # fmt: skip
user_role = Table(
    "dg_user_role", system,
    Column("user", BigInteger, ForeignKey("dg_user.id"), primary_key=True),
    Column("app", Text, primary_key=True),
    Column("role", Text, primary_key=True),
    sqlite_with_rowid=False,
)  # fmt: skip
session = Table(
    "dg_session", system,
    Column("token", Text, primary_key=True),  # sha256 of the cookie
    Column("user", BigInteger, ForeignKey("dg_user.id"), nullable=False),
    Column("csrf", Text, nullable=False),
    _at("created_at"), _at("seen_at"), _at("expires_at"),
    Index("dg_session_by_user", "user"),
    sqlite_with_rowid=False,
)  # fmt: skip
token = Table(
    "dg_token", system, _id(),
    Column("token", Text, nullable=False, unique=True),  # sha256 of the bearer token
    Column("user", BigInteger, ForeignKey("dg_user.id"), nullable=False),
    Column("name", Text, nullable=False),
    _at("created_at"), _at("expires_at", nullable=True), _at("used_at", nullable=True),
)  # fmt: skip
epoch = Table(
    # One row per thing that processes cache: `access`, or `app:<name>`. Its number rises when the thing changes.
    "dg_epoch", system,
    Column("name", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)  # fmt: skip
version = Table(
    "dg_version", system,
    Column("app", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("hash", Text, nullable=False),
    Column("files", Text, nullable=False),  # {path: text} of the package
    Column("data", Text),  # what the texts say together, so that no start has to parse them; empty in old rows
    Column("layout", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("note", Text),
    Column("by", BigInteger),
    _at("at"),
    sqlite_with_rowid=False,
)  # fmt: skip
app = Table(
    "dg_app", system,
    Column("name", Text, primary_key=True),
    Column("current", Integer, nullable=False),
    sqlite_with_rowid=False,
)  # fmt: skip
journal = Table(
    # History and event stream at once: one row for each change of a record.
    "dg_journal", system,
    Column("seq", ID, primary_key=True, autoincrement=True),
    Column("app", Text, nullable=False),
    Column("entity", Text, nullable=False),
    Column("record", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    _at(),
    Column("user", BigInteger),
    Column("action", Text, nullable=False),
    Column("changes", Text),  # {field: [old, new]} of stored values
    Column("cause", Text),  # which rule, import, conversion; None: the person's own doing
    Column("batch", BigInteger),  # changes made together: one command
    Index("dg_journal_of_record", "record", "seq"),
)  # fmt: skip
stage_log = Table(
    "dg_stage", system, _id(),
    Column("app", Text, nullable=False),
    Column("entity", Text, nullable=False),
    Column("record", BigInteger, nullable=False),
    Column("process", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("came_from", Text),
    Column("direction", Text, nullable=False),  # start, forward, return, skip
    Column("transition", Text),
    Column("reason", Text),
    Column("operator", BigInteger),
    _at("entered_at"), _at("left_at", nullable=True),
    Column("working", BigInteger),  # microseconds of working time, once left
    Index("dg_stage_of_record", "record", "entered_at"),
    Index("dg_stage_by_process", "app", "process", "stage"),
)  # fmt: skip
file = Table(
    "dg_file", system, _id(),
    Column("app", Text, nullable=False),
    Column("entity", Text), Column("record", BigInteger), Column("field", Text),  # None until attached
    Column("name", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("path", Text, nullable=False),  # random, below the file root
    Column("by", BigInteger), _at(),
    Column("deleted_at", BigInteger),
    Index("dg_file_of_record", "record"),
)  # fmt: skip
sequence = Table(
    "dg_sequence", system,
    Column("name", Text, primary_key=True),  # app.table.field
    Column("period", Text, primary_key=True),  # what the template's date parts say, such as 202603
    Column("last", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)  # fmt: skip
idempotency = Table(
    "dg_idempotency", system,
    Column("user", BigInteger, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request", Text, nullable=False),  # sha256 of method, path and body
    Column("status", SmallInteger), Column("answer", Text),
    _at(),
    sqlite_with_rowid=False,
)  # fmt: skip
rate = Table(
    "dg_rate", system,
    Column("name", Text, primary_key=True),
    Column("tokens", BigInteger, nullable=False),  # thousandths
    _at(),
    sqlite_with_rowid=False,
)  # fmt: skip
secret = Table(
    # What the installation signs with; made once, known to no definition and to nobody outside.
    "dg_secret", system,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    sqlite_with_rowid=False,
)  # fmt: skip
answered = Table(
    # How many answers a public form took by each way; "" is its own address.
    "dg_answered", system,
    Column("app", Text, primary_key=True),
    Column("form", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("answers", BigInteger, nullable=False),
    _at(),  # the last one
    sqlite_with_rowid=False,
)  # fmt: skip
duplicate = Table(
    "dg_duplicate", system, _id(),
    Column("app", Text, nullable=False),
    Column("entity", Text, nullable=False),
    Column("one", BigInteger, nullable=False), Column("other", BigInteger, nullable=False),  # one < other
    Column("score", SmallInteger, nullable=False),
    Column("detail", Text, nullable=False),  # {field: likeness 0…100}
    Column("state", Text, nullable=False),  # open, merged, distinct
    Column("by", BigInteger), _at(),
    Index("dg_duplicate_pair", "entity", "one", "other", unique=True),
    Index("dg_duplicate_other", "other"),
    Index("dg_duplicate_queue", "entity", "state", "score", "id"),
)  # fmt: skip
match_key = Table(
    # Blocking keys: records that share one are compared.
    "dg_match_key", system,
    Column("entity", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("record", BigInteger, primary_key=True),
    Index("dg_match_key_of_record", "record"),
    sqlite_with_rowid=False,
)  # fmt: skip
match_again = Table(
    # Records that were written while others with like keys were: they did not see each other, and are compared again.
    "dg_match_again", system,
    Column("entity", Text, primary_key=True),
    Column("record", BigInteger, primary_key=True),
    sqlite_with_rowid=False,
)  # fmt: skip
calendar_day = Table(
    "dg_calendar_day", system,
    Column("calendar", Text, primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("working", Boolean, nullable=False),
    Index("dg_calendar_position", "calendar", "working", "position"),
    sqlite_with_rowid=False,
)  # fmt: skip
calendar_stretch = Table(
    # Stretches of working time, in microseconds; `before` is the working time before one.
    "dg_calendar_stretch", system,
    Column("calendar", Text, primary_key=True),
    Column("since", BigInteger, primary_key=True),
    Column("until", BigInteger, nullable=False),
    Column("before", BigInteger, nullable=False),
    Index("dg_calendar_before", "calendar", "before", "since"),
    sqlite_with_rowid=False,
)  # fmt: skip
personal = Table(
    # What one person keeps for himself: stars, records lately seen, drafts of forms, settings. The person goes, so does it.
    "dg_personal", system,
    Column("user", BigInteger, primary_key=True),
    Column("app", Text, primary_key=True),
    Column("kind", Text, primary_key=True),  # star, seen, draft, setting …
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),  # JSON
    _at(),
    Index("dg_personal_latest", "user", "app", "kind", "at"),
    sqlite_with_rowid=False,
)  # fmt: skip
saved_view = Table(
    # A list as somebody wants to see it again: for himself, or for others of the app.
    "dg_saved_view", system, _id(),
    Column("app", Text, nullable=False),
    Column("entity", Text, nullable=False),
    Column("owner", BigInteger, nullable=False),
    Column("label", Text, nullable=False),
    Column("query", Text, nullable=False),  # JSON: the parameters of the page's address
    Column("shared", Text, nullable=False),  # none, team (his own and those below), all
    Column("team", BigInteger),  # the owner's team when it was shared
    Column("version", Integer, nullable=False, server_default="1"),
    _at(),
    Index("dg_saved_view_of_entity", "app", "entity"),
)  # fmt: skip
comment = Table(
    "dg_comment", system, _id(),
    Column("app", Text, nullable=False),
    Column("entity", Text, nullable=False),
    Column("record", BigInteger, nullable=False),
    Column("by", BigInteger),  # None: a rule wrote it
    Column("text", Text, nullable=False),  # plain text; people are mentioned as @[login]
    _at(), _at("edited_at", nullable=True), _at("deleted_at", nullable=True),
    Index("dg_comment_of_record", "record", "id"),
)  # fmt: skip
notice = Table(
    # What somebody is told in the app. It holds no value of a record: what it says is read with his eyes when he looks.
    "dg_notice", system, _id(),
    Column("user", BigInteger, nullable=False),
    Column("app", Text, nullable=False),
    Column("kind", Text, nullable=False),  # mention, assigned …
    Column("entity", Text), Column("record", BigInteger),
    Column("by", BigInteger),
    Column("detail", Text),  # JSON, as the kind needs
    _at(), _at("read_at", nullable=True),
    Index("dg_notice_of_user", "user", "app", "at"),
)  # fmt: skip


handover = Table(
    # A leaver's records on their way to others, batch by batch: what was planned and how far it has got.
    "dg_handover", system, _id(),
    Column("app", Text, nullable=False),
    Column("by", BigInteger),
    Column("leaver", BigInteger, nullable=False),
    Column("plan", Text, nullable=False),  # {entity: [who gets them, in turn]}
    Column("total", Integer, nullable=False),
    Column("given", Text, nullable=False),  # {entity: {who got them: how many}}
    Column("batches", Text, nullable=False),  # [batch …] as the journal names them, the latest last
    Column("left", Integer, nullable=False, server_default="0"),  # not taken back, for somebody changed them since
    Column("suspend", Boolean, nullable=False),
    Column("state", Text, nullable=False),  # running, done, returning, returned
    _at(), _at("done_at", nullable=True),
    Index("dg_handover_of_app", "app", "at"),
)  # fmt: skip


def publishing_lock(app: str) -> str:
    """The name of the lock that whoever publishes an app holds alone, and all who write its records share (PostgreSQL)."""
    return f"publish {app}"
