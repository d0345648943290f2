"""Pages that are only looked at: by guests, by browsers that have them already, and by owners."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

import httpx

from bench.speed.figures import Figure, Goal, alternating
from bench.speed.load import rate_of
from bench.speed.stage import Stage
from testkit.servers import BOOK, ROOT, Process, Shopper, clean_environment, free_port

_BROWSERS_TAKE = "gzip, deflate, br, zstd"


def guests(stage: Stage) -> Iterator[Figure]:
    """The storefront, as the peer's is asked for; as browsers ask for it; and as they ask for it again."""
    url, peer, seconds = f"{stage.shop.shop.url}/", f"{stage.peer.url}/", stage.wish.seconds
    with _bare_handler(stage, httpx.get(url, headers={"accept-encoding": "identity"}).content) as bare:
        plain, peers, bares = alternating(
            stage.wish.runs,
            lambda: rate_of(url, seconds=seconds),
            lambda: rate_of(peer, seconds=seconds),
            lambda: rate_of(bare, seconds=seconds),
        )
    yield _against_peer("guest", "storefront, guest", plain, peers)
    yield Figure(
        "guest-bare", "the same, of a bare handler", "/s", plain, bares, against="a bare handler, same bytes", goal=0.8,
        judged=Goal.TIMES,
    )  # fmt: skip
    etag = httpx.get(url, headers={"accept-encoding": _BROWSERS_TAKE}).headers["etag"]
    coded, again = alternating(
        stage.wish.runs,
        lambda: rate_of(url, accept=_BROWSERS_TAKE, seconds=seconds),
        lambda: rate_of(url, accept=_BROWSERS_TAKE, etag=etag, seconds=seconds),
    )
    yield Figure("guest-coded", "storefront, guest, compressed", "/s", coded)
    yield Figure("guest-again", "storefront, guest, not modified (304)", "/s", again)


def owners(stage: Stage) -> Iterator[Figure]:
    """What somebody sees who bought something: of the peer, its storefront and its page of content."""
    shop, peer, seconds = stage.shop.shop, stage.peer.url, stage.wish.seconds
    shopper = Shopper(shop)
    shopper.buy_and_pay("owner@example.com")
    cookie = f"session={shopper.http.cookies['session']}"
    found = re.search(r'href="(/orders/[^"]+)"', shopper.get("/library").text)
    assert found is not None
    theirs = stage.peer.owner_cookie()

    def ours(path: str) -> float:
        return rate_of(f"{shop.url}{path}", cookie=cookie, seconds=seconds)

    def peers(path: str) -> float:
        # Some of its answers are errors (its database is locked now and then); they count, too.
        return rate_of(f"{peer}{path}", cookie=theirs, seconds=seconds, strict=False)

    home, library, peer_home = alternating(
        stage.wish.runs, lambda: ours("/"), lambda: ours("/library"), lambda: peers("/")
    )
    yield _against_peer("owner", "storefront, owner", home, peer_home)
    yield _against_peer("library", "library, owner", library, peer_home)
    view, receipt, peer_view = alternating(
        stage.wish.runs, lambda: ours(f"/view/{BOOK}"), lambda: ours(found[1]), lambda: peers("/view/p1")
    )
    yield Figure("view", "what was bought, owner", "/s", view, peer_view, against="the peer")
    yield Figure("receipt", "receipt, owner", "/s", receipt)


def _against_peer(name: str, what: str, ours: list[float], peers: list[float]) -> Figure:
    return Figure(name, what, "/s", ours, peers, against="the peer", goal=15, judged=Goal.TIMES)


@contextlib.contextmanager
def _bare_handler(stage: Stage, body: bytes) -> Iterator[str]:
    page = stage.folder / "page.html"
    page.write_bytes(body)
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    command = [stage.python, "-m", "bench.speed.bare", str(port), str(page)]
    environment = clean_environment(PYTHONPATH=f"{ROOT}:{ROOT / 'src'}")
    bare = Process(command, stage.folder, environment, stage.folder / "bare.log")
    bare.start(url)
    try:
        yield url
    finally:
        bare.kill()
