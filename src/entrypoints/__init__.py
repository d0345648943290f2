"""The entry points of the shop: settings, composition, HTTP, command line."""

import sys

# httpx imports its own command line, with rich and pygments, where these are installed, and works
# without where they are not: 3 MB and 60 ms of every start. None says "not installed"
# (https://docs.python.org/3/reference/import.html#the-module-cache).
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # typeshed does not know that it may be None
