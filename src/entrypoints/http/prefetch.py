"""Whether a browser fetches a page before anybody has asked for it."""

from __future__ import annotations

from typing import Final

from litestar import HttpMethod

from entrypoints.http.page import AnyRequest

_SAYS: Final = frozenset({b"sec-purpose", b"purpose", b"x-moz", b"x-purpose"})


def is_opening(request: AnyRequest) -> bool:
    """Whether a person may see the answer: a GET that is not a prefetch.

    `Sec-Purpose: prefetch` (https://fetch.spec.whatwg.org/#sec-purpose-header), also with `;prerender`; older browsers
    say it in other headers.
    """
    if request.method == HttpMethod.HEAD:
        return False
    headers = request.scope["headers"]
    return not any(
        name in _SAYS and value.lower().startswith((b"prefetch", b"preview")) for name, value in headers
    )
