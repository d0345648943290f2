"""Pictures, sounds and videos that a product's content shows: to its owners alone, in parts, and not as downloads."""

from __future__ import annotations

import asyncio
import mimetypes
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from adapters.files.markdown import SHORT, render
from domain.product import GoodsFile
from domain.values import ProductId
from entrypoints.http.file_response import FileAnswer
from testkit.catalogues import a_catalogue, load, look, problems_of
from testkit.servers import BOOK, PHOTOS, Shopper, ShopServer
from testkit.shoppers import address
from testkit.sounds import a_tone
from testkit.waiting import wait_until

TALK = ProductId("talk")


# ------------------------------------------------------------------ the text

VIDEO = (
    '<video controls preload="none" src="/media/talk/a%20talk.mp4" aria-label="A &lt;talk&gt;">'
    '<a href="/media/talk/a%20talk.mp4">A &lt;talk&gt;</a></video>'
)
AUDIO = '<audio controls preload="none" src="/media/talk/tone.MP3"><a href="/media/talk/tone.MP3">tone.MP3</a></audio>'


@pytest.mark.parametrize(
    ("text", "html", "media"),
    [
        ("![A <talk>](<a talk.mp4>)", VIDEO, ((1, "a talk.mp4"),)),
        ("![A <talk>](a%20talk.mp4)", VIDEO, ((1, "a talk.mp4"),)),
        ("Hear.\n\n- ![](tone.MP3)", AUDIO, ((3, "tone.MP3"),)),
        ("![A plan](plan.svg)", '<img src="/media/talk/plan.svg" alt="A plan">', ((1, "plan.svg"),)),
        ("![A][1]\n\n[1]: é.png", '<img src="/media/talk/%C3%A9.png" alt="A">', ((1, "é.png"),)),
        ("![A](files/talk.mp4)", '<img src="files/talk.mp4" alt="A">', ()),
        ("![A](https://x.example/talk.mp4)", '<img src="https://x.example/talk.mp4" alt="A">', ()),
        ("![A](..%2Ftalk.mp4)", '<img src="..%2Ftalk.mp4" alt="A">', ()),
        ("![A](talk.exe)", '<img src="talk.exe" alt="A">', ()),
        ("[A](talk.mp4)", '<a href="talk.mp4">A</a>', ()),
        ("`![A](talk.mp4)`", "<code>![A](talk.mp4)</code>", ()),
    ],
)  # fmt: skip
def test_what_becomes_of_the_plain_name_of_a_file(
    text: str, html: str, media: tuple[tuple[int, str], ...]
) -> None:
    rendered = render(text, media_at="/media/talk/")
    assert html in rendered.html.replace(" />", ">")
    assert rendered.media == media
    far = render(text + "\n\n" + "More. " * (SHORT // 5), media_at="/media/talk/")
    assert (html in far.html.replace(" />", ">"), far.media) == (True, media), "rendered apart"
    assert render(text).media == (), "a text without such files"


@pytest.mark.parametrize("label", ['"><script>x</script>', "a & b", "it's"])
def test_no_label_leaves_its_attribute(label: str) -> None:
    html = render(f"![{label}](a.mp4)", media_at="/media/talk/").html
    assert "<script" not in html
    assert html.count("<video") == html.count("</video>") == 1


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("A *long* **talk**", "A long talk"),
        ("Tom &amp; Jerry", "Tom &amp; Jerry"),
        (r"1\*", "1*"),
        ("`x`", "x"),
    ],
)
def test_a_player_says_its_label_without_markdown(label: str, said: str) -> None:
    html = render(f"![{label}](a.mp4)", media_at="/media/talk/").html
    assert f'aria-label="{said}"' in html
    assert f">{said}</a>" in html
    assert f'alt="{said}"' in render(f"![{label}](a.png)", media_at="/media/talk/").html, "as of a picture"


# ------------------------------------------------------------------ the catalogue


def a_talk(root: Path, text: str) -> Path:
    a_catalogue(root, TALK)
    (root / TALK / "content.md").write_text(text)
    (root / TALK / "talk.wav").write_bytes(a_tone())
    return root


def test_the_files_are_the_products_and_not_among_its_downloads(tmp_path: Path) -> None:
    catalogue = load(a_talk(tmp_path, "![](talk.wav) and again ![](talk.wav)\n"))
    product = catalogue.current().products[TALK]
    [talk] = product.media
    assert (talk.name, talk.size) == ("talk.wav", len(a_tone()))
    assert "talk.wav" not in [file.name for file in product.files]
    assert talk.sha256 in catalogue.current().contents, "so that it is kept"
    assert product.file("talk.wav") is None
    assert product.medium("a.txt") is None


@pytest.mark.parametrize("name", ["none.mp4", "TALK.wav", "talk.mp4"])
def test_a_file_that_is_not_there_is_named_with_its_line(tmp_path: Path, name: str) -> None:
    [problem] = problems_of(a_talk(tmp_path, f"Hear.\n\n![A]({name})\n"))
    assert f"talk/content.md:3: shows '{name}', which does not lie beside it" in problem


def test_a_link_out_of_the_product_is_not_followed(tmp_path: Path) -> None:
    root = a_talk(tmp_path / "catalogue", "![](other.mp4)\n")
    (tmp_path / "secret.mp4").write_bytes(b"secret")
    (root / TALK / "other.mp4").symlink_to(tmp_path / "secret.mp4")
    [problem] = problems_of(root)
    assert "other.mp4" in problem


def test_an_edit_of_the_file_alone_is_followed(tmp_path: Path) -> None:
    catalogue = load(a_talk(tmp_path, "![](talk.wav)\n"))
    before = catalogue.current().products[TALK].media
    (tmp_path / TALK / "talk.wav").write_bytes(a_tone(3))
    look(catalogue, times=3)
    assert catalogue.current().products[TALK].media[0].size == len(a_tone(3)) != before[0].size


# ------------------------------------------------------------------ over HTTP


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.mp4", "video/mp4"), ("a.m4v", "video/mp4"), ("a.webm", "video/webm"), ("a.mp3", "audio/mpeg"),
        ("a.m4a", "audio/mp4"), ("a.aac", "audio/aac"), ("a.ogg", "audio/ogg"), ("a.oga", "audio/ogg"),
        ("a.opus", "audio/ogg"), ("a.wav", "audio/x-wav"), ("a.FLAC", "audio/flac"), ("a.png", "image/png"),
        ("a.jpg", "image/jpeg"), ("a.jpeg", "image/jpeg"), ("a.webp", "image/webp"), ("a.avif", "image/avif"),
        ("a.gif", "image/gif"), ("a.svg", "image/svg+xml"), ("a.zip", "application/zip"), ("a", "application/octet-stream"),
    ],
)  # fmt: skip
def test_browsers_learn_what_a_file_is_on_a_system_that_has_no_list_of_types(
    without_a_list_of_types: None, name: str, kind: str
) -> None:
    answer = FileAnswer(GoodsFile(name=name, title=name, size=1, sha256="00" * 32))
    assert answer.raw_headers[0] == (b"content-type", kind.encode())


@pytest.fixture
def without_a_list_of_types() -> Iterator[None]:
    """As in a slim image of a container: no /etc/mime.types."""
    known = list(mimetypes.knownfiles)
    mimetypes.knownfiles.clear()
    mimetypes.init()
    yield
    mimetypes.knownfiles.extend(known)
    mimetypes.init()


@pytest.fixture
def with_a_talk(own_shop: ShopServer) -> ShopServer:
    """The book shows a sound and a picture."""
    folder = own_shop.catalogue / BOOK
    (folder / "talk.wav").write_bytes(a_tone())
    shutil.copy(folder / "cover.svg", folder / "plan.svg")
    text = (folder / "content.md").read_text()
    (folder / "content.md").write_text(text + "\n![The talk](talk.wav)\n\n![The plan](plan.svg)\n")
    reader = Shopper(own_shop)
    reader.buy_and_pay(address())
    wait_until(lambda: "/media/" in reader.get(f"/view/{BOOK}").text)
    return own_shop


def test_owners_get_all_or_a_part_and_nobody_else_anything(with_a_talk: ShopServer) -> None:
    anna, path, tone = Shopper(with_a_talk), f"/media/{BOOK}/talk.wav", a_tone()
    anna.buy_and_pay(address())
    whole = anna.get(path)
    assert (whole.status_code, whole.content) == (200, tone)
    assert whole.headers["content-type"] == "audio/x-wav"
    assert whole.headers["cache-control"] == "private, no-store"
    part = anna.get(path, headers={"range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, tone[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(tone)}"
    assert anna.http.head(path).headers["accept-ranges"] == "bytes"
    assert anna.get(f"/media/{BOOK}/content.md").status_code == 404
    assert anna.get(f"/files/{BOOK}/talk.wav").status_code == 404
    page = anna.get(f"/view/{BOOK}").text
    assert f'href="/files/{BOOK}/talk.wav"' not in page
    guest, ben = Shopper(with_a_talk), Shopper(with_a_talk)
    ben.buy_and_pay(address(), PHOTOS)
    for stranger in (guest, ben):
        assert stranger.get(path).status_code == 403
        assert stranger.get(f"/media/{BOOK}/none.wav").status_code == 404
        assert stranger.get(f"/media/{PHOTOS}/talk.wav").status_code == 404


def test_a_page_may_ask_for_all_its_pictures_at_once(with_a_talk: ShopServer) -> None:
    anna, path = Shopper(with_a_talk), f"{with_a_talk.url}/media/{BOOK}/talk.wav"
    anna.buy_and_pay(address())

    async def all_at_once() -> list[int]:
        async with httpx.AsyncClient(cookies=dict(anna.http.cookies)) as browser:
            return [
                answer.status_code for answer in await asyncio.gather(*(browser.get(path) for _ in range(60)))
            ]

    assert asyncio.run(all_at_once()) == [200] * 60
