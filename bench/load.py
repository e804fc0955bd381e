"""Load over real HTTP: some connections, each sending its next request when the last one is answered.

A *conversation* is what one connection says: a generator that yields the bytes of a request and is sent the `Answer`.
"""

import asyncio
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

Conversation = Generator[bytes, "Answer", None]


@dataclass(frozen=True, slots=True)
class Answer:
    """`headers` are lower-case names; `body` is undecoded."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Load:
    """What came of it: seconds in total, and of each request; answers by status."""

    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        return len(self.times) / self.seconds

    def quantile(self, share: float) -> float:
        """Seconds within which `share` (0 to 1) of the requests were answered."""
        return sorted(self.times)[min(len(self.times) - 1, int(len(self.times) * share))]


def request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """One HTTP/1.1 request that keeps its connection."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body:
        lines += ["Content-Type: application/json"]
    if body or method != "GET":
        lines += [f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def _answer(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int((await reader.readline()).split(b";")[0], 16):
            body += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
    else:
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Answer(int(head[0].split()[1]), headers, body)


async def _talk(port: int, conversation: Conversation, load: Load) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
    try:
        words = next(conversation)
        while True:
            began = time.perf_counter()
            writer.write(words)
            answer = await _answer(reader)
            load.times.append(time.perf_counter() - began)
            load.statuses[answer.status] = load.statuses.get(answer.status, 0) + 1
            words = conversation.send(answer)
    except StopIteration:
        pass
    finally:
        writer.close()


def drive(port: int, conversations: list[Conversation]) -> Load:
    """Hold all conversations at once, to their ends."""
    load = Load()

    async def all_of_them() -> None:
        await asyncio.gather(*(_talk(port, conversation, load) for conversation in conversations))

    began = time.perf_counter()
    asyncio.run(all_of_them())
    load.seconds = time.perf_counter() - began
    return load


def repeat(times: int, next_request: Callable[[int], bytes]) -> Conversation:
    """The conversation that asks `next_request(0)`, `next_request(1)`, ... whatever is answered."""
    for number in range(times):
        yield next_request(number)
