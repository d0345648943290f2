"""What starts the shop: settings, composition, HTTP, command line."""

import sys

# httpx loads a command line of its own, with rich and pygments, where these happen to be installed, and does
# without where they are not: 3 MB and 60 ms of every start. None says "not installed"
# (https://docs.python.org/3/reference/import.html#the-module-cache).
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # typeshed does not know that it may be None
