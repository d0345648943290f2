"""Load, made by wrk: light enough to share two cores with what it measures. Loopback only, and bounded."""

from __future__ import annotations

import hashlib
import hmac
import re
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

_ONCE_EACH = """
local ffi = require("ffi")
ffi.cdef("typedef struct { long sec; long usec; } moment; int gettimeofday(moment *at, void *zone);")
local function now()
  local at = ffi.new("moment")
  ffi.C.gettimeofday(at, nil)
  return tonumber(at.sec) + tonumber(at.usec) / 1e6
end
local requests, sent, heard, wanted, began, checked = {}, 0, 0, 0, nil, false
function init(args)
  for line in io.lines(args[1]) do
    local signature, body = line:match("^(%S+) (.*)$")
    requests[#requests + 1] = wrk.format("POST", "/webhook", {["Stripe-Signature"] = signature,
      ["Content-Type"] = "application/json"}, body)
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
  if status ~= 200 then io.stderr:write("answer " .. status .. "\\n") end
  if heard == wanted then
    io.write(string.format("RATE %.1f\\n", wanted / (now() - began)))
    io.flush()
    os.exit(0)
  end
end
"""


def rate_of(
    url: str, *, cookie: str = "", seconds: int = 4, connections: int = 64, strict: bool = True
) -> float:
    """Requests a second of a GET. `strict`: raises if any answer is not 2xx."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s"]
    if cookie:
        command += ["-H", f"Cookie: {cookie}"]
    told = subprocess.run([*command, url], capture_output=True, text=True, check=True).stdout
    assert not strict or "Non-2xx" not in told, told
    found = re.search(r"Requests/sec:\s+([\d.]+)", told)
    assert found is not None, told
    return float(found[1])


def fire(base: str, bodies: Sequence[str], *, secret: str, folder: Path, connections: int = 64) -> float:
    """Post every body once, signed now, 64 at a time; answers a second. Raises if one is not 200."""
    script, lines = folder / "once_each.lua", folder / "events.txt"
    script.write_text(_ONCE_EACH)
    lines.write_text("".join(f"{sign(body, secret)} {body}\n" for body in bodies))
    command = ["wrk", "-t1", f"-c{connections}", "-d60s", "-s", str(script), base, "--", str(lines)]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "answer" not in told.stderr, told.stderr[:500]
    found = re.search(r"RATE ([\d.]+)", told.stdout)
    assert found is not None, told.stdout
    return float(found[1])


def sign(body: str, secret: str) -> str:
    """Stripe's signature. https://docs.stripe.com/webhooks#verify-manually"""
    second = int(time.time())
    mac = hmac.new(secret.encode(), f"{second}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={second},v1={mac}"
