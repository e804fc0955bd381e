"""An app on a phone's home screen: its manifest, and the worker that has a page to show when there is no network."""

from pathlib import Path

import orjson
from starlette.requests import Request
from starlette.responses import Response

from engine.web.pages.frame import STATIC, environment, static_version
from engine.web.pages.visit import AppVisit

GROUND = "#f2f4f6"  # of app.css


def get_manifest(visit: AppVisit) -> Response:
    """The manifest of an app: its name in the reader's language, its icons, where it begins."""
    place = environment().globals["static"]
    assert callable(place)
    home = f"/{visit.app.name}/"
    label = visit.app.label[visit.language]
    icons = [
        {"src": place("icon-192.png"), "sizes": "192x192", "type": "image/png", "purpose": "any"},
        {"src": place("icon-512.png"), "sizes": "512x512", "type": "image/png", "purpose": "any"},
        {"src": place("icon-maskable-512.png"), "sizes": "512x512", "type": "image/png", "purpose": "maskable"},
    ]
    manifest = {
        "id": home,
        "name": label,
        "short_name": label[:12],
        "lang": "en" if visit.language == "en" else "zh-CN",
        "start_url": home,
        "scope": home,
        "display": "standalone",
        "background_color": GROUND,
        "theme_color": GROUND,
        "icons": icons,
    }
    return Response(orjson.dumps(manifest), media_type="application/manifest+json", headers={"vary": "Cookie"})


def get_offline(visit: AppVisit) -> Response:
    """The page that is shown without a network. It holds nothing of the app's data: browsers keep it."""
    return visit.draw("offline.html", shell=None, csrf="")


async def service_worker(request: Request) -> Response:
    """The worker stands at the root, so that every app is in its reach; the version makes browsers take a newer one."""
    text = _worker().replace("{version}", static_version())
    return Response(text, media_type="text/javascript", headers={"cache-control": "no-cache"})


def _worker(place: Path = STATIC) -> str:
    return (place / "worker.js").read_text(encoding="utf-8")
