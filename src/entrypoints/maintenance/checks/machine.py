"""Disk, goods and the shop's public URL."""

from __future__ import annotations

import asyncio
import shutil
import ssl
from pathlib import Path
from typing import Final

import httpx

from domain.ports import Blob, Goods, GoodsUnavailable
from domain.records import Problem, ProblemKind
from entrypoints.container import Container
from entrypoints.maintenance.checks.finding import Finding, broken
from entrypoints.maintenance.progress import progress
from entrypoints.run.peer_address import SHARED_HEADER, SharedLimits, shared_words
from entrypoints.settings import Settings

_TIMEOUT: Final = 8.0
_TOO_LITTLE: Final = 200_000_000
_LITTLE: Final = 2_000_000_000
_SHOWN: Final = 3
_UNTIL_NOTED: Final = 2.0
"""Seconds after which a running shop has noted what a request showed."""


async def goods_finding(container: Container) -> Finding:
    """Whether the goods are present and intact: every byte is read where that is possible."""
    goods, custom = container.goods(), container.settings().goods
    try:
        words = await goods.check()
        if goods.elsewhere:
            return Finding("goods", True, words)
        damaged = await asyncio.to_thread(_damaged, goods)
    except GoodsUnavailable as error:
        return Finding("goods", False, f"{error}. Check {custom or 'GOODS_URL and the AWS_… settings'}")
    except OSError as error:
        return Finding("goods", False, f"they cannot be read: {error.strerror}. Check the disk")
    except Exception as error:
        return broken("goods", custom, error)
    if not damaged:
        return Finding("goods", True, f"{words}, each with the SHA-256 that it had")
    paths = ", ".join(str(blob.path) for blob in damaged[:_SHOWN])
    words = f"{len(damaged)} damaged: delete {paths}; they are copied from the catalogue again when asked for"
    return Finding("goods", False, words)


def _damaged(goods: Goods) -> list[Blob]:
    blobs = list(goods.blobs())
    with progress("Reading the goods", length=sum(blob.size for blob in blobs)) as done:
        return list(goods.verify(done=done))


def disk_finding(folder: Path) -> Finding:
    """Whether there is disk space for future sales."""
    free = shutil.disk_usage(folder).free
    room = f"{free / 1_000_000_000:.1f} GB are free where {folder} is"
    if free < _TOO_LITTLE:
        return Finding("disk", False, f"{room}: make room before a sale finds none")
    return Finding("disk", True, f"{room}: make room soon" if free < _LITTLE else room, warns=free < _LITTLE)


async def street_findings(container: Container, settings: Settings) -> list[Finding]:
    """Whether the shop answers at its public URL, and tells visitors apart; no answer yet is not an error."""
    try:
        async with httpx.AsyncClient(timeout=_TIMEOUT) as client:
            answer = await client.get(f"{settings.base_url}/healthz")
            page = await client.get(f"{settings.base_url}/robots.txt")
    except httpx.HTTPError as error:
        return [_no_answer(settings, error), *_tells_apart("", await _noted(container))]
    why = answer.headers.get(SHARED_HEADER.decode(), "")
    noted = await _noted(container)
    if noted is not None and not why:  # perhaps our own request has just shown that visitors are told apart
        await asyncio.sleep(_UNTIL_NOTED)
        noted = await _noted(container)
    return [_answers(settings, answer, page), *_tells_apart(why, noted)]


async def _noted(container: Container) -> Problem | None:
    """What the shop saw of its visitors: that they share one address."""
    found = await container.store().read(lambda tx: tx.problems.open())
    return next((one for one in found if one.kind is ProblemKind.LIMITS_SHARED), None)


def _no_answer(settings: Settings, error: httpx.HTTPError) -> Finding:
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    if cause is None:
        words = f"nothing answers there yet ({type(error).__name__}): start it with `coatcheck serve`"
        return Finding(settings.base_url, True, words)
    words = (
        f"its certificate is not accepted ({cause.verify_message}), so browsers and Stripe refuse it, too: renew "
        "or replace it. If its authority is your own, name a file with that authority's certificate in SSL_CERT_FILE"
    )
    return Finding(settings.base_url, False, words)


def _tells_apart(why: str, noted: Problem | None) -> list[Finding]:
    """A finding if our request, which came the way of a visitor's, shares the limits of all others, or they all do.

    `why`: what the shop said to our request. `noted`: what it saw of its visitors, with the address of the proxy.
    """
    if why in set(SharedLimits):
        address = noted.detail if noted is not None and noted.subject == why else ""
        return [Finding("proxy", False, shared_words(why, address))]
    return [] if noted is None else [Finding("proxy", False, shared_words(noted.subject, noted.detail))]


def _answers(settings: Settings, answer: httpx.Response, page: httpx.Response) -> Finding:
    if answer.status_code == httpx.codes.OK and answer.text == "up\n":
        if page.status_code == httpx.codes.BAD_REQUEST:
            words = (
                "the shop answers, but refuses every page: requests reach it with a Host header other than "
                f"{settings.host}. Have your proxy pass it on (nginx: proxy_set_header Host $host), and restart "
                "`coatcheck serve` if BASE_URL was changed"
            )
            return Finding(settings.base_url, False, words)
        return Finding(settings.base_url, True, "the shop answers")
    words = f"something else answers there ({answer.status_code}): see your proxy"
    return Finding(settings.base_url, False, words)
