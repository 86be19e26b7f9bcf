"""A portal that runs: a real server on a unix socket, real keys, a real database."""

import datetime as dt
import tempfile  # noqa: TID251 - only to make sure that nobody gets one
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from amana.clock import FixedClock, today
from amana.events import EventLog
from amana.settings import PortalSettings, Settings
from amana.store.engine import open_database
from amana.store.migrate import upgrade
from amana.web.server import listen, server
from amana.wire.card import Audience, CardStatus, KeyCard
from amana.wire.ids import RecipientText
from amana.wire.vocabulary import Deployment
from crypto.opening import HybridIdentity
from crypto.sign import NoteSigner
from portal.app import build_app
from portal.custody import PortalKeys
from portal.limits import UPLOADS, Limits, UploadLimits
from portal.places import Places
from portal.records.tables import PORTAL

NOON = dt.datetime(2026, 10, 2, 12, tzinfo=dt.UTC)
TODAY = NOON.date()
LIMITS = Limits(spare_bytes=0, idle_seconds=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A data directory that is ready to be served, and the keys that nobody would hold together."""

    settings: Settings
    clock: FixedClock
    keys: PortalKeys
    directory: tuple[NoteSigner, ...] = field(repr=False)
    identity: HybridIdentity = field(repr=False)
    log: list[str]

    @property
    def places(self) -> Places:
        return Places(data_directory=self.settings.data_directory)

    @property
    def card_path(self) -> Path:
        return self.settings.data_directory / self.settings.portal.witness_card

    def card(self, first: dt.date = TODAY) -> KeyCard:
        """The witnesses' card of a month that begins on this day."""
        return KeyCard(
            audience=Audience.WITNESS_MONTH,
            account=None,
            deployment=Deployment.TRAINING,
            recipient=RecipientText(self.identity.recipient.to_text()),
            valid_from=first,
            valid_to=first + dt.timedelta(days=40),
            status=CardStatus.ACTIVE,
            sequence=1,
            previous=None,
        )

    def write_card(self, card: KeyCard, signers: int = 2) -> None:
        first, *others = self.directory[:signers]
        note = first.sign(card.to_bytes().decode())
        for signer in others:
            note = signer.cosign(note)
        self.card_path.write_bytes(note.to_bytes())

    @property
    def left(self) -> set[str]:
        """Every file below the portal's folders but its keys, its lock and the phrases' root."""
        home = self.places.home
        files = {path for path in home.rglob("*") if path.is_file()}
        files -= {self.places.keys, self.places.lock, self.places.phrase_root}
        return {str(path.relative_to(home)) for path in files}


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A portal that is being served, and a visitor in front of it."""

    house: House
    client: httpx.Client
    end: Callable[[], None]

    def token(self, language: str = "en") -> str:
        page = self.client.get(f"/{language}/give").text
        return page.partition('name="token" value="')[2].partition('"')[0]


@pytest.fixture(autouse=True)
def _no_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tmp_path.is_dir()  # pytest makes its own folder before
    monkeypatch.setattr(tempfile, "tempdir", "/nonexistent")


@pytest.fixture(scope="session")
def identity() -> HybridIdentity:
    return HybridIdentity.generate()


@pytest.fixture(scope="session")
def directory() -> tuple[NoteSigner, ...]:
    return tuple(NoteSigner.generate(f"training.invalid/directory-{n}") for n in (1, 2, 3))


@pytest.fixture
async def house(
    tmp_path: Path, identity: HybridIdentity, directory: tuple[NoteSigner, ...]
) -> House:
    settings = Settings(
        data_directory=tmp_path,
        portal=PortalSettings(
            database_url=f"sqlite+aiosqlite:///{tmp_path}/portal.db", listen="unix:portal.sock"
        ),
    )
    clock = FixedClock(NOON)
    keys = PortalKeys.generate("training.invalid/portal/receipts")
    made = House(
        settings=settings,
        clock=clock,
        keys=keys,
        directory=directory,
        identity=identity,
        log=[],
    )
    made.places.make()
    keys.save(made.places.keys)
    lines = [line for signer in directory for line in signer.key.to_texts()]
    (tmp_path / settings.portal.directory_keys).write_text("\n".join(lines) + "\n")
    made.write_card(made.card())
    database = open_database(settings.portal.database_url)
    await upgrade(database, PORTAL, Deployment.TRAINING, today(clock))
    await database.close()
    return made


@pytest.fixture
def serve(house: House) -> Iterator[Callable[..., Site]]:
    """Start the portal, with other limits if they are named; every start is ended with the test."""
    ends: list[Callable[[], None]] = []

    def start(
        limits: Limits = LIMITS,
        upload_limits: UploadLimits = UPLOADS,
        address: str = house.settings.portal.listen,
    ) -> Site:
        log = EventLog(house.log.append, house.clock)
        app = build_app(house.settings, house.clock, log, limits, upload_limits)
        listener = listen(address, house.settings.data_directory)
        running = server(app)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
        thread.start()
        name = listener.getsockname()
        if isinstance(name, tuple):
            client = httpx.Client(base_url=f"http://{name[0]}:{name[1]}", timeout=60)
        else:
            transport = httpx.HTTPTransport(uds=name)
            client = httpx.Client(transport=transport, base_url="http://portal", timeout=60)

        def end() -> None:
            ends.remove(end)
            client.close()
            running.should_exit = True
            thread.join()
            listener.close()

        ends.append(end)
        return Site(house=house, client=client, end=end)

    yield start
    while ends:
        ends[-1]()


@pytest.fixture
def site(serve: Callable[..., Site]) -> Site:
    return serve()
