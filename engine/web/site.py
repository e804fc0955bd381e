"""What a running server holds, made once: the database, the people, the live apps, the one write path.

Requests find it as `request.app.state.site`.
"""

from dataclasses import dataclass, field

from anyio import CapacityLimiter

from engine.access.directory import Directory
from engine.access.guests import Guests
from engine.access.notices import Notices
from engine.access.people import People
from engine.access.personal import Personal
from engine.app import App
from engine.clock import Clock, SystemClock
from engine.problems import Problem, Refused
from engine.publishing.live import Live
from engine.reading import Reading
from engine.runtime import Runtime
from engine.runtime.handovers import Handovers
from engine.storage.database import Database
from engine.storage.files import Files
from engine.web.attachments import Attachments
from engine.web.group_commit import GroupCommit
from engine.web.idempotency import Keys
from engine.web.live import Streams
from engine.web.observe import Metrics
from engine.web.rates import Bucket, Rates
from engine.web.room import Room
from engine.web.settings import Settings

# Scans, uploads and password hashes run here. Each thread keeps a connection, so there are few.
THREADS = 8


@dataclass
class Site:
    settings: Settings
    db: Database
    clock: Clock
    people: People
    personal: Personal
    directory: Directory
    handovers: Handovers
    live: Live
    files: Files
    attachments: Attachments
    runtime: Runtime
    rates: Rates
    keys: Keys
    metrics: Metrics
    bucket: Bucket
    limiter: CapacityLimiter
    writes: GroupCommit
    guests: Guests
    guest_room: Room = field(default_factory=Room)
    streams: Streams = field(init=False)
    draining: bool = False
    documents: dict[tuple[str, str], tuple[App, bytes]] = field(default_factory=dict)  # OpenAPI, by app and language
    late: dict[int, float] = field(default_factory=dict)  # marks of questions that took long, until when they count so

    def __post_init__(self) -> None:
        self.streams = Streams(self)

    @classmethod
    def open(cls, settings: Settings, clock: Clock | None = None) -> "Site":
        """Opens the database and makes the system tables that it lacks. Raises Unavailable if it does not answer."""
        clock = clock or SystemClock()
        db = Database.open(settings.database_url)
        db.prepare()
        files = Files(settings.files)
        people = People(db, clock)
        runtime = Runtime(db, clock, people)
        limiter = CapacityLimiter(THREADS)
        return cls(
            settings, db, clock, people, Personal(db, clock), Directory(db), Handovers(runtime), Live(db), files, Attachments(db, clock, files), runtime, Rates(db, clock), Keys(db, clock), Metrics(),
            Bucket(settings.rate, settings.burst), limiter, GroupCommit(db, limiter), Guests(db, clock),
        )  # fmt: skip

    @property
    def notices(self) -> Notices:
        """What people are told; the write path tells them."""
        return self.runtime.notices

    def reading(self, app: App) -> Reading:
        """What reading needs of this version of the app; made once."""
        return self.runtime.prepared(app)[0]

    def app(self, name: str) -> App:
        """The live version of an app. Raises Refused (404) if there is none of that name."""
        found = self.live.app(name)
        if found is None:
            raise Refused(Problem("not-found"), 404)
        return found

    def stop(self) -> None:
        """Take no more work and end what would go on for ever. In the event loop."""
        self.draining = True
        self.streams.close()

    def close(self) -> None:
        self.live.close()
        self.db.close()
