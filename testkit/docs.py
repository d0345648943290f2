"""The pages of the documentation's site: the repository's own, each in its place, with the files that they link to.

A link to a folder leads to a list of what is in it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from markdown_it import MarkdownIt

from testkit.bring import ROOT, TOOLS

PAGES: Final = TOOLS / "docs"
SITE: Final = TOOLS / "site"
_MARKDOWN: Final = MarkdownIt("commonmark").enable("table")


def gather(pages: Path = PAGES) -> None:
    """Copy everything to `pages`, which is emptied first."""
    shutil.rmtree(pages, ignore_errors=True)
    found = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")]
    for page in found:
        to = pages / page.relative_to(ROOT)
        to.parent.mkdir(parents=True, exist_ok=True)
        text = page.read_text(encoding="utf-8")
        files = {link.partition("#")[0] for link in links_of(text) if ":" not in link} - {""}
        for folder in (link for link in files if (page.parent / link).is_dir()):
            text = text.replace(f"]({folder})", f"]({folder.rstrip('/')}/index.md)")
        to.write_text(text, encoding="utf-8")
        for target in {(page.parent / link).resolve() for link in files} - set(found):
            _bring(target, pages / target.relative_to(ROOT))


def links_of(text: str) -> list[str]:
    """What a page links to or shows; what stands in code is neither."""
    parts = [part for token in _MARKDOWN.parse(text) for part in token.children or ()]
    found = [
        part.attrGet("href") or part.attrGet("src") for part in parts if part.type in ("link_open", "image")
    ]
    return [unquote(str(link)) for link in found]


def _bring(target: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    if target.is_file():
        shutil.copy(target, to)
        return
    names = sorted(one.name for one in target.iterdir() if one.is_file())
    to.mkdir(exist_ok=True)
    for name in names:
        if not name.endswith(".md"):
            shutil.copy(target / name, to)
    lines = [f"- [{_title(target / name)}]({name})" for name in names]
    (to / "index.md").write_text(
        f"# {target.name.capitalize()}\n\n" + "\n".join(lines) + "\n", encoding="utf-8"
    )


def _title(file: Path) -> str:
    if file.suffix == ".md":
        return file.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
    return file.name


def main() -> int:
    """Gather the pages and build them. 1 if a link leads nowhere, among other things."""
    gather()
    shutil.rmtree(SITE, ignore_errors=True)
    command = [str(Path(sys.executable).parent / "zensical"), "build", "--strict", "--clean"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stdout, done.stderr, file=sys.stderr)
    return 1 if done.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
