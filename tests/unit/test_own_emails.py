"""The merchant's own email templates: tried with sample values, and none of them can stop an email."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.templates.emails import PackagedTemplates
from adapters.templates.samples import SAMPLES
from domain.emails import EMAILS, AccessLink, SignIn
from domain.mail import Letter
from domain.values import Money
from entrypoints.testing import BASE_URL, an_edition

TEMPLATES = PackagedTemplates()
SALE = AccessLink(product_name="The <book>", paid=Money(900, "usd"), order="c1")
ENDLESS = "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}"


def test_the_samples_are_of_every_email() -> None:
    assert {type(email) for email in SAMPLES} == set(EMAILS)


def test_the_built_in_templates_have_no_mistakes() -> None:
    assert TEMPLATES.mistakes_in(TEMPLATES.built_in) == []


@pytest.mark.parametrize(
    ("name", "source", "line", "what"),
    [
        ("access_link.html", "<p>\n{{ nope }}</p>", 2, "undefined value: `nope` is undefined"),
        ("access_link.txt", "Hi\n\n{% if %}{{ link }}", 3, "syntax error: unexpected end of block"),
        ("access_link.html", "<p>Hello</p>", None, "lacks {{ link }}, which the built-in template shows"),
        ("sign_in.txt", "Hello\n\n{{ link }}", None, "lacks {{ code }}, which the built-in template shows"),
        ("new_release.html", "Hello", None, "lacks {{ unsubscribe }}, which the built-in template shows"),
        ("access_link.txt", "One\nTwo\n\n{{ link }}", 1, "begins with the subject, one line, and an empty line"),
        ("access_link.txt", "{{ '' }}", None, "lacks {{ link }}, which the built-in template shows"),
        ("acces_link.txt", "", None, "is not the name of an email or of a part of one: `coatcheck emails` lists them"),
        ("_head.html", "\n\n{{ nope }}", 3, "undefined value: `nope` is undefined"),
        ("sign_in.txt", "S\n\n{{ link }} {{ code }}" + ENDLESS, 3, "takes more than a million steps: is there a loop that hardly ends?"),
        ("access_link.html", "{{ link }}{{ paid|url }}", None, "AttributeError: 'Money' object has no attribute 'replace'"),
        ("access_link.html", "{{ link }}{{ _('%(nope)s', a=1) }}", None, "KeyError: 'nope'"),
        ("access_link.html", "{{ link }}{{ _('100%', a=1) }}", None, "ValueError: incomplete format"),
        ("refunded.html", "{{ order", 1, "syntax error: unexpected end of input, expected end of variable block"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_by_name_and_line(name: str, source: str, line: int | None, what: str) -> None:
    [mistake] = TEMPLATES.mistakes_in({name: source})
    assert (mistake.name, mistake.line, mistake.what) == (name, line, what)


def test_a_part_that_lacks_a_piece_is_blamed_for_the_emails_it_breaks() -> None:
    [mistake] = TEMPLATES.mistakes_in({"_parts.html": "{% macro p(words) %}{{ words }}{% endmacro %}"})
    assert mistake.name == "_parts.html"
    assert "is not callable" in mistake.what


def rendered(
    own: dict[str, str], email: AccessLink | SignIn = SALE, complaints: list[str] | None = None
) -> Letter:
    templates = PackagedTemplates(complain=(complaints if complaints is not None else []).append)
    shop = replace(an_edition().shop, emails=tuple(own.items()))
    return templates.render(email, language="en", shop=shop, base_url=BASE_URL)


def test_a_template_takes_the_place_of_the_built_in_one_and_of_no_other() -> None:
    usual = rendered({})
    mine = {"access_link.txt": "Yours: {{ product_name }}\n\nHere: {{ link }}"}
    assert TEMPLATES.mistakes_in(mine) == []
    found = rendered(mine)
    assert (found.subject, found.text) == ("Yours: The <book>", "Here: {{coatcheck:link}}\n")
    assert "Yours: The &lt;book&gt;" in found.html, "the built-in page, with the new subject"
    assert rendered(mine, SignIn()) == rendered({}, SignIn())
    assert rendered({}) == usual
    page = rendered({"access_link.html": "<p>{{ product_name }} {{ link }}"})
    assert page.html == "<p>The &lt;book&gt; {{coatcheck:link}}"
    assert page.text == usual.text


@pytest.mark.parametrize(
    "trap", ["{{ nope }}", ENDLESS, "{% include 'nothing.html' %}", "{{ 1 // 0 }}", "{{ paid + 1 }}"]
)
def test_one_that_fails_later_gives_way_to_the_built_in_ones(trap: str) -> None:
    mine = {"access_link.html": "{{ link }}{% if product_name == 'The <book>' %}" + trap + "{% endif %}"}
    assert TEMPLATES.mistakes_in(mine) == []
    complaints: list[str] = []
    assert rendered(mine, complaints=complaints) == rendered({})
    [complaint] = complaints
    assert complaint.startswith("emails/access_link: the built-in template is used instead: ")
