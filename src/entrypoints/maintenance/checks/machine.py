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
    open_problems = await container.store().read(lambda tx: tx.problems.open())
    noted = next((one for one in open_problems if one.kind is ProblemKind.LIMITS_SHARED), None)
    try:
        async with httpx.AsyncClient(timeout=_TIMEOUT) as client:
            answer = await client.get(f"{settings.base_url}/healthz")
            page = await client.get(f"{settings.base_url}/robots.txt")
    except httpx.HTTPError as error:
        said = [] if noted is None else [_shared(noted.subject, noted)]
        return [_no_answer(settings, error), *said]
    return [_answers(settings, answer, page), *_tells_apart(answer, noted)]


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


def _tells_apart(answer: httpx.Response, noted: Problem | None) -> list[Finding]:
    """A finding if our request, which came the way of a visitor's, would share the limits of all others."""
    why = answer.headers.get(SHARED_HEADER.decode(), "")
    return [_shared(why, noted)] if why in set(SharedLimits) else []


def _shared(why: str, noted: Problem | None) -> Finding:
    """`noted`: what the shop saw of its visitors, with the address of the proxy."""
    address = noted.detail if noted is not None and noted.subject == why else ""
    return Finding("proxy", False, shared_words(why, address))


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
