"""What operators see: JSON lines of what went wrong or took long, and counters of all requests for Prometheus.

Lines name the route, never the query string or a body, so neither filters nor secrets get into logs.  Several worker
processes share their counters through files when PROMETHEUS_MULTIPROC_DIR is set, as `dougong serve --workers` does.
"""

import logging
import os
import traceback
from typing import Any

import orjson
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from engine.clock import SystemClock
from engine.columns import moment

__all__ = ["CONTENT_TYPE_LATEST", "Metrics", "begin_logging", "forward_libraries", "log"]

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class Log:
    """Writes events as JSON lines. Each line is one system call, so that the lines of several processes do not mix."""

    def __init__(self) -> None:
        self._least = logging.INFO
        self._clock = SystemClock()

    def begin(self, level: str) -> None:
        self._least = _number(level)

    def debug(self, event: str, **facts: Any) -> None:
        if self._least <= logging.DEBUG:
            self._write("debug", event, facts)

    def info(self, event: str, **facts: Any) -> None:
        if self._least <= logging.INFO:
            self._write("info", event, facts)

    def warning(self, event: str, **facts: Any) -> None:
        if self._least <= logging.WARNING:
            self._write("warning", event, facts)

    def error(self, event: str, error: BaseException | None = None, **facts: Any) -> None:
        """With an exception, its traceback too: places and messages, never the values of variables."""
        if error is not None:
            facts["traceback"] = "".join(traceback.format_exception(error))
        self._write("error", event, facts)

    def _write(self, level: str, event: str, facts: dict[str, Any]) -> None:
        at = moment(self._clock.now()).isoformat(timespec="milliseconds")
        line = orjson.dumps({"at": at, "level": level, "event": event, **facts}, default=str)
        try:
            os.write(2, line + b"\n")
        except OSError:
            pass  # nobody listens any more; that is no reason to fail a request


log = Log()


def begin_logging(level: str) -> None:
    """From which level on lines are written. Raises ValueError for an unknown one."""
    log.begin(level)


def forward_libraries(level: str) -> None:
    """What libraries log goes the same way, from warnings on."""
    logging.basicConfig(handlers=[_Forward()], level=max(_number(level), logging.WARNING), force=True)


def _number(level: str) -> int:
    try:
        return LEVELS[level]
    except KeyError:
        raise ValueError(f"DOUGONG_LOG={level!r}: expected {', '.join(LEVELS)}") from None


class _Forward(logging.Handler):
    """Hands what libraries log to our log."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if record.levelno >= logging.ERROR:
            log.error(record.getMessage(), error, logger=record.name)
        else:
            log.warning(record.getMessage(), logger=record.name)


class Metrics:
    """Counts requests by route, method and status, and how long they took."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        names = ["route", "method", "status"]
        self._requests = Counter("dougong_requests", "Requests answered.", names, registry=self._registry)
        self._seconds = Histogram(
            "dougong_request_seconds",
            "Time from the first byte of a request to the last of its answer.",
            ["route", "method"],
            registry=self._registry,
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
        )
        self._open = Gauge(
            "dougong_requests_open", "Requests being answered.", registry=self._registry, multiprocess_mode="livesum"
        )
        self._counters: dict[tuple[str, str, int], Any] = {}
        self._timers: dict[tuple[str, str], Any] = {}

    def began(self) -> None:
        self._open.inc()

    def ended(self, route: str, method: str, status: int, seconds: float) -> None:
        self._open.dec()
        counter = self._counters.get((route, method, status))
        if counter is None:
            counter = self._counters[route, method, status] = self._requests.labels(route, method, str(status))
        timer = self._timers.get((route, method))
        if timer is None:
            timer = self._timers[route, method] = self._seconds.labels(route, method)
        counter.inc()
        timer.observe(seconds)

    def text(self) -> bytes:
        """The exposition format of Prometheus; of all worker processes together where there are several."""
        registry = self._registry
        if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            from prometheus_client.multiprocess import MultiProcessCollector

            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
