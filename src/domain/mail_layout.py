"""The look of a mail: plain text and HTML with inlined styles, for clients that know nothing newer."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text."""

    words: str


@dataclass(frozen=True, slots=True)
class Note:
    """Running text of less weight."""

    words: str


@dataclass(frozen=True, slots=True)
class Button:
    """The one thing to do; the address stands below it in full, for clients that show no buttons."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Code:
    """Something to type."""

    code: str


Block = Paragraph | Note | Button | Code

_FONT = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"


def lay_out(blocks: tuple[Block, ...], *, title: str, shop: str, support: str) -> tuple[str, str]:
    """Text and HTML of the same mail. Everything but slots is escaped."""
    sign = f"Questions? Write to {support}."
    text = "\n\n".join([*(_as_text(block) for block in blocks), f"{shop}\n{sign}"]) + "\n"
    rows = "".join(_as_html(block) for block in blocks)
    name, address = escape(shop), escape(support)
    html = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width"><meta name="color-scheme" content="light dark"><title>{escape(title)}</title>'
        f'</head><body style="margin:0;padding:0;background:#f4efe6">'
        f'<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="background:#f4efe6">'
        f'<tr><td align="center" style="padding:24px 12px"><table role="presentation" width="100%" cellpadding="0" '
        f'cellspacing="0" style="max-width:560px;background:#fffdf8;border-radius:12px">'
        f'<tr><td style="padding:28px 32px 0;{_FONT};font-size:15px;font-weight:600;color:#7a4b12">{name}</td></tr>'
        f'{rows}<tr><td style="padding:20px 32px 28px;{_FONT};font-size:13px;line-height:20px;color:#6b6257">'
        f'Questions? Write to <a href="mailto:{address}" style="color:#7a4b12">{address}</a>.</td></tr>'
        f"</table></td></tr></table></body></html>"
    )
    return text, html


def _as_text(block: Block) -> str:
    match block:
        case Paragraph(words) | Note(words):
            return words
        case Button(label, url):
            return f"{label}:\n{url}"
        case Code(code):
            return f"    {code}"


def _as_html(block: Block) -> str:
    match block:
        case Paragraph(words):
            return _row(f"font-size:16px;line-height:25px;color:#2b2620;{_FONT}", escape(words))
        case Note(words):
            return _row(f"font-size:14px;line-height:21px;color:#5f564b;{_FONT}", escape(words))
        case Button(label, url):
            target = escape(url)
            return _row(
                f"{_FONT};font-size:13px;line-height:19px;color:#5f564b;word-break:break-all",
                f'<a href="{target}" style="display:inline-block;padding:14px 26px;border-radius:8px;'
                f"background:#7a4b12;color:#ffffff;font-size:16px;font-weight:600;text-decoration:none;"
                f'word-break:normal">{escape(label)}</a><br><br>{target}',
            )
        case Code(code):
            return _row(
                "font-family:ui-monospace,Consolas,Menlo,monospace;font-size:28px;letter-spacing:3px;color:#2b2620",
                f'<span style="display:inline-block;padding:12px 20px;border:2px dashed #b98a4a;border-radius:8px">'
                f"{escape(code)}</span>",
            )


def _row(style: str, content: str) -> str:
    return f'<tr><td style="padding:16px 32px 0;{style}">{content}</td></tr>'
