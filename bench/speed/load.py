"""Load, made by wrk: light enough to share two cores with what it measures. Loopback only, and bounded."""

from __future__ import annotations

import hashlib
import hmac
import re
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

_ONCE_EACH = """
local ffi = require("ffi")
ffi.cdef("typedef struct { long sec; long usec; } moment; int gettimeofday(moment *at, void *zone);")
local function now()
  local at = ffi.new("moment")
  ffi.C.gettimeofday(at, nil)
  return tonumber(at.sec) + tonumber(at.usec) / 1e6
end
local requests, sent, heard, wanted, began, checked, expected = {}, 0, 0, 0, nil, false, 0
function init(args)
  expected = tonumber(args[2])
  for line in io.lines(args[1]) do
    local method, path, fields, body = line:match("^([^\\t]*)\\t([^\\t]*)\\t([^\\t]*)\\t(.*)$")
    local headers = {}
    for name, value in fields:gmatch("([^:\\31]+):([^\\31]*)") do headers[name] = value end
    requests[#requests + 1] = wrk.format(method, path, headers, body)
  end
  wanted = #requests
end
function request()
  if not checked then  -- wrk asks once before it begins, and sends nothing
    checked = true
    return requests[1]
  end
  began = began or now()
  sent = sent + 1
  return requests[math.min(sent, wanted)]
end
function response(status)
  heard = heard + 1
  if status ~= expected and heard <= wanted then io.stderr:write("answer " .. status .. "\\n") end
  if heard == wanted then
    io.write(string.format("RATE %.1f\\n", wanted / (now() - began)))
    io.flush()
    os.exit(0)
  end
end
"""
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Shot:
    """One request that is made once."""

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""

    def line(self) -> str:
        """As the script reads it."""
        fields = "\x1f".join(f"{name}:{value}" for name, value in self.headers.items())
        return f"{self.method}\t{self.path}\t{fields}\t{self.body}\n"


def form(path: str, body: str, **headers: str) -> Shot:
    """A form that is sent."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Shot("POST", path, {"content-type": _FORM, **named}, body)


def rate_of(
    url: str, *, cookie: str = "", accept: str = "", etag: str = "", seconds: int = 4, connections: int = 64,
    strict: bool = True,
) -> float:  # fmt: skip
    """Requests a second of a GET. `strict`: raises if any answer is neither 2xx nor 3xx."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s"]
    for name, value in (("Cookie", cookie), ("Accept-Encoding", accept), ("If-None-Match", etag)):
        if value:
            command += ["-H", f"{name}: {value}"]
    told = subprocess.run([*command, url], capture_output=True, text=True, check=True).stdout
    assert not strict or "Non-2xx" not in told, told
    found = re.search(r"Requests/sec:\s+([\d.]+)", told)
    assert found is not None, told
    return float(found[1])


def fire(
    base: str, shots: Iterable[Shot], *, folder: Path, expect: int = 200, connections: int = 64, strict: bool = True
) -> float:  # fmt: skip
    """Make every request once, 64 at a time; answers a second. `strict`: raises if one has another status."""
    script, lines = folder / "once_each.lua", folder / "shots.txt"
    script.write_text(_ONCE_EACH)
    lines.write_text("".join(shot.line() for shot in shots))
    command = [
        "wrk",
        "-t1",
        f"-c{connections}",
        "-d60s",
        "-s",
        str(script),
        base,
        "--",
        str(lines),
        str(expect),
    ]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert not strict or "answer" not in told.stderr, told.stderr[:500]
    found = re.search(r"RATE ([\d.]+)", told.stdout)
    assert found is not None, told.stdout
    return float(found[1])


def delivery(body: str, *, secret: str) -> Shot:
    """An event as Stripe posts it, signed now. https://docs.stripe.com/webhooks#verify-manually"""
    second = int(time.time())
    mac = hmac.new(secret.encode(), f"{second}.{body}".encode(), hashlib.sha256).hexdigest()
    headers = {"stripe-signature": f"t={second},v1={mac}", "content-type": "application/json"}
    return Shot("POST", "/webhook", headers, body)
