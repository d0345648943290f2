"""The shop's own secrets: keys derived from SESSION_SECRET, and what is signed with them."""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import field
from datetime import UTC, datetime

from domain.frozen import frozen
from domain.values import CheckoutId, Digest, EmailAddress, LinkId, Money, ProductId, UserId, digest_of

# Crockford's base 32: no I, L, O or U to misread; https://www.crockford.com/base32.html
_CODE_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD = str.maketrans({"I": "1", "L": "1", "O": "0", "-": None, " ": None, "\u00a0": None})
CODE_LENGTH = 8
_LICENCE_LENGTH = 20
_LINK_BYTES = 16
_MAC_BYTES = 32
_TOKEN_LENGTH = 64
_MOST_AFTER_TOKEN = 8


def _hkdf(secret: bytes, label: bytes) -> bytes:
    """HKDF-SHA-256 with an empty salt, one block (RFC 5869 §2)."""
    extracted = hmac.digest(b"\0" * 32, secret, "sha256")
    return hmac.digest(extracted, label + b"\x01", "sha256")


def _in_base32(raw: bytes, length: int) -> str:
    """The first `length` × 5 bits of it, in Crockford's alphabet."""
    size = -(-length * 5 // 8)
    number = int.from_bytes(raw[:size], "big") >> (size * 8 - length * 5)
    return "".join(_CODE_ALPHABET[(number >> shift) & 31] for shift in range((length - 1) * 5, -1, -5))


@frozen
class Key:
    """The keys of one secret. `name` is a fingerprint: it says which secret, and nothing about it."""

    name: str
    link: bytes = field(repr=False)
    code: bytes = field(repr=False)
    seal: bytes = field(repr=False)
    device: bytes = field(repr=False)
    count: bytes = field(repr=False)
    access: bytes = field(repr=False)
    licence: bytes = field(repr=False)
    news: bytes = field(repr=False)
    session: bytes = field(repr=False)
    erasure: bytes = field(repr=False)
    checkout: bytes = field(repr=False)
    preview: bytes = field(repr=False)
    challenge: bytes = field(repr=False)
    audit: bytes = field(repr=False)

    @classmethod
    def of(cls, secret: str) -> Key:
        """Derive the keys of one secret (at least 32 characters, checked where settings are read)."""
        raw = secret.encode()
        return cls(
            name=_hkdf(raw, b"coatcheck name v1").hex()[:8],
            link=_hkdf(raw, b"coatcheck link v1"),
            code=_hkdf(raw, b"coatcheck code v1"),
            seal=_hkdf(raw, b"coatcheck seal v1"),
            device=_hkdf(raw, b"coatcheck device v1"),
            count=_hkdf(raw, b"coatcheck count v1"),
            access=_hkdf(raw, b"coatcheck access v1"),
            licence=_hkdf(raw, b"coatcheck licence v1"),
            news=_hkdf(raw, b"coatcheck news v1"),
            session=_hkdf(raw, b"coatcheck session v1"),
            erasure=_hkdf(raw, b"coatcheck erasure v1"),
            checkout=_hkdf(raw, b"coatcheck checkout v1"),
            preview=_hkdf(raw, b"coatcheck preview v1"),
            challenge=_hkdf(raw, b"coatcheck challenge v1"),
            audit=_hkdf(raw, b"coatcheck audit v1"),
        )

    def token_of(self, link: LinkId) -> str:
        """The token a mail carries for a link: base64url(id || HMAC(k_link, id)), 64 characters."""
        raw = bytes.fromhex(link)
        return base64.urlsafe_b64encode(raw + hmac.digest(self.link, raw, "sha256")).decode()

    def code_of(self, link: LinkId) -> str:
        """The 8-character code (40 bits) of a link, for the browser that asked for it."""
        return _in_base32(hmac.digest(self.code, bytes.fromhex(link), "sha256"), CODE_LENGTH)

    def session_token_of(self, link: LinkId, cookie: Digest) -> str:
        """The session token that a link gives the browser with this cookie: 256 bits in hex.

        Always the same for the same submit, so whichever of two answers a browser keeps, its session is the one.
        """
        return hmac.digest(self.session, f"{link}\x1f{cookie}".encode(), "sha256").hex()

    def checkout_cookie_of(self, checkout: CheckoutId) -> str:
        """The cookie of the browser that began a checkout: 256 bits in hex, stored nowhere on the server."""
        return hmac.digest(self.checkout, checkout.encode(), "sha256").hex()

    def access_link_of(self, checkout: CheckoutId, mailbox: EmailAddress) -> LinkId:
        """The id of a purchase's access link: 128 bits that cannot be guessed, always the same for one address.

        So a sale that is claimed again, because the database had to be restored, has the same access email to the
        byte, and the email provider recognises it. A restore forgets changes of address, too: an email that was sent
        to the other address must not open the account of this one.
        """
        named = f"{checkout}\x1f{mailbox.canonical}"
        return LinkId(hmac.digest(self.access, named.encode(), "sha256")[:_LINK_BYTES].hex())

    def licence_of(self, checkout: CheckoutId, product: ProductId, *, replaced: int = 0) -> str:
        """A generated licence key: 100 bits in five groups of four, the same for the same purchase.

        `replaced`: how many keys the purchase had before this one.
        """
        named = f"{checkout}\x1f{product}" + (f"\x1f{replaced}" if replaced else "")
        text = _in_base32(hmac.digest(self.licence, named.encode(), "sha256"), _LICENCE_LENGTH)
        return "-".join(text[at : at + 4] for at in range(0, _LICENCE_LENGTH, 4))

    def erasure_of(self, mailbox: EmailAddress) -> str:
        """How an erasure names an address: `<key name>.<HMAC>`. Without the secret it says nothing of the address."""
        return f"{self.name}.{hmac.digest(self.erasure, mailbox.canonical.encode(), 'sha256').hex()}"

    def staff_token_of(self, form: str, kind: str, mailbox: EmailAddress) -> str:
        """The token of a link for staff, made by the form that asked for it: 256 bits in hex.

        Always the same for the same form, so that a form that is sent twice shows the same link; and another one if
        that form asks for a link of another kind, or for somebody else.
        """
        named = f"staff link\x1f{form}\x1f{kind}\x1f{mailbox.canonical}"
        return hmac.digest(self.challenge, named.encode(), "sha256").hex()

    def fingerprint_of(self, secret: str) -> str:
        """What stands for another secret where people compare them: 32 bits in hex, the same on every node.

        It is keyed, so that a weak password cannot be guessed from it.
        """
        return hmac.digest(self.challenge, f"fingerprint\x1f{secret}".encode(), "sha256").hex()[:8]

    def opt_out_of(self, user: UserId) -> str:
        """The token of a "no more news" link: `<key name>.<user>.<HMAC>`. It can do nothing but that."""
        mac = hmac.digest(self.news, user.encode(), "sha256").hex()[:32]
        return f"{self.name}.{user}.{mac}"

    def preview_of(self, product: ProductId, until: datetime) -> str:
        """The token of a preview link: `<key name>.<product>.<Unix time>.<HMAC>`. It shows a page, no more."""
        named = f"{product}.{int(until.timestamp())}"
        return f"{self.name}.{named}.{_preview_mac(self, named)}"


@frozen
class PreviewGrant:
    """What a preview link shows, and until when it does."""

    product: ProductId
    until: datetime


@frozen
class SealedTerms:
    """What a seal vouches for: this shop offered this product at this price, on these terms, in this checkout."""

    shop: str
    livemode: bool
    checkout: CheckoutId
    product: ProductId
    price: Money
    contents: tuple[ProductId, ...] = ()
    discounts: bool = False
    waiver: str = ""
    """As it is written; it may be what a stranger wrote."""

    @property
    def version(self) -> str:
        """v1 for a plain product; v2 where there is more to vouch for, v3 where a waiver is part of that."""
        if self.waiver:
            return "v3"
        return "v2" if self.contents or self.discounts else "v1"

    def message(self) -> bytes:
        """The signed bytes; no field can hold the separator."""
        mode = "live" if self.livemode else "test"
        parts = [
            self.version, self.shop, mode, self.checkout, self.product, str(self.price.amount), self.price.currency,
        ]  # fmt: skip
        if self.version != "v1":
            parts += ["discounts" if self.discounts else "", " ".join(self.contents)]
        if self.waiver:
            parts.append(self.waiver)
        return "\x1f".join(parts).encode()


@frozen
class Keyring:
    """The keys of every secret in SESSION_SECRET; the first signs, all verify what names them."""

    keys: tuple[Key, ...]

    @classmethod
    def of(cls, secrets: tuple[str, ...]) -> Keyring:
        """Raises ValueError for no secret at all."""
        if not secrets:
            raise ValueError("SESSION_SECRET needs at least one secret")
        return cls(keys=tuple(Key.of(secret) for secret in secrets))

    @property
    def signing(self) -> Key:
        """The key that signs what is new."""
        return self.keys[0]

    def named(self, name: str) -> Key | None:
        """The key of that fingerprint; None once its secret was taken out (the drill for a leak)."""
        return next((key for key in self.keys if key.name == name), None)

    def seal(self, terms: SealedTerms) -> str:
        """`<version>.<key name>.<HMAC in hex>`, for the metadata of a checkout session."""
        key = self.signing
        return f"{terms.version}.{key.name}.{hmac.digest(key.seal, terms.message(), 'sha256').hex()}"

    def seal_holds(self, seal: str, terms: SealedTerms) -> bool:
        """Whether one of our secrets sealed exactly these terms."""
        version, _, rest = seal.partition(".")
        name, _, mac = rest.partition(".")
        key = self.named(name)
        if version != terms.version or key is None or not mac.isascii():
            return False
        return hmac.compare_digest(mac, hmac.digest(key.seal, terms.message(), "sha256").hex())

    def began_checkout(self, checkout: CheckoutId, cookie: Digest) -> bool:
        """Whether a cookie with this hash is the one that the browser was given when it began the checkout."""
        given = (digest_of(key.checkout_cookie_of(checkout).encode()) for key in self.keys)
        return any(hmac.compare_digest(one, cookie) for one in given)

    def bucket(self, kind: str, *parts: str) -> str:
        """The name of a limit's counter; a keyed hash, so that a counter names no address and no browser."""
        mac = hmac.digest(self.signing.count, "\x1f".join(parts).encode(), "sha256")
        return f"{kind}:{mac.hex()[:32]}"

    def sign_audit(self, message: bytes) -> str:
        """`<key name>.<HMAC>`, for the chain of the audit log (`domain.audit_chain`)."""
        return f"{self.signing.name}.{hmac.digest(self.signing.audit, message, 'sha256').hex()}"

    def audit_holds(self, signature: str, message: bytes) -> bool | None:
        """Whether a signature is ours; None if its secret is not among ours any more."""
        name, _, mac = signature.partition(".")
        key = self.named(name)
        if key is None or not mac.isascii():
            return None if key is None else False
        return hmac.compare_digest(mac, hmac.digest(key.audit, message, "sha256").hex())

    def opts_out(self, token: str) -> UserId | None:
        """Whose "no more news" token this is; None if this shop did not issue it."""
        name, _, rest = token.partition(".")
        user = UserId(rest.partition(".")[0])
        key = self.named(name)
        if key is None or not token.isascii():
            return None
        return user if hmac.compare_digest(token, key.opt_out_of(user)) else None

    def previews(self, token: str) -> PreviewGrant | None:
        """What a preview link shows, whether that time is over or not; None if this shop did not issue it."""
        name, _, rest = token.partition(".")
        named, _, mac = rest.rpartition(".")
        key = self.named(name)
        if key is None or not token.isascii() or not hmac.compare_digest(mac, _preview_mac(key, named)):
            return None
        product, _, until = named.partition(".")
        return PreviewGrant(ProductId(product), until=datetime.fromtimestamp(int(until), tz=UTC))

    def sign_statement(self, *parts: str) -> str:
        """`<key name>.<HMAC>` of what a person states, while they look at it: nothing is stored until they confirm."""
        key = self.signing
        return f"{key.name}.{_statement_mac(key, parts)}"

    def statement_holds(self, signature: str, *parts: str) -> bool:
        """Whether this shop showed exactly this statement."""
        name, _, mac = signature.partition(".")
        key = self.named(name)
        return key is not None and mac.isascii() and hmac.compare_digest(mac, _statement_mac(key, parts))

    def device_tag(self, *, nonce: str, mailbox: str) -> str:
        """What a browser that proved a mailbox carries on: it counts apart from strangers, and opens nothing."""
        key = self.signing
        return f"{key.name}.{nonce}.{_device_mac(key, nonce, mailbox)}"

    def device_holds(self, tag: str, *, mailbox: str) -> bool:
        """Whether this browser once proved this very mailbox."""
        name, _, rest = tag.partition(".")
        nonce, _, mac = rest.partition(".")
        key = self.named(name)
        if key is None or not mac.isascii():
            return False
        return hmac.compare_digest(mac, _device_mac(key, nonce, mailbox))


def _preview_mac(key: Key, named: str) -> str:
    return hmac.digest(key.preview, named.encode(), "sha256").hex()[:32]


def _statement_mac(key: Key, parts: tuple[str, ...]) -> str:
    return hmac.digest(key.challenge, "\x1f".join(("statement", *parts)).encode(), "sha256").hex()


def _device_mac(key: Key, nonce: str, mailbox: str) -> str:
    return hmac.digest(key.device, f"{nonce}\x1f{mailbox}".encode(), "sha256").hex()


@frozen
class LinkToken:
    """The two halves of a token as it came in; whether the MAC is ours depends on the row's key."""

    id: LinkId
    mac: bytes = field(repr=False)

    def is_from(self, key: Key) -> bool:
        """Whether this key made the token."""
        return hmac.compare_digest(self.mac, hmac.digest(key.link, bytes.fromhex(self.id), "sha256"))


def read_token(text: str) -> LinkToken | None:
    """The parts of a link's token; None if it is truncated or was never one.

    A full stop or a bracket behind it is ignored: programs that find links in a text often take it along.
    """
    text, rest = text[:_TOKEN_LENGTH], text[_TOKEN_LENGTH:]
    if len(text) != _TOKEN_LENGTH or not text.isascii():
        return None
    if len(rest) > _MOST_AFTER_TOKEN or any(char.isalnum() for char in rest):
        return None
    try:
        raw = base64.urlsafe_b64decode(text)
    except (binascii.Error, ValueError):
        return None
    if len(raw) != _LINK_BYTES + _MAC_BYTES or base64.urlsafe_b64encode(raw).decode() != text:
        return None
    return LinkToken(id=LinkId(raw[:_LINK_BYTES].hex()), mac=raw[_LINK_BYTES:])


def tidy_code(typed: str) -> str:
    """A typed code in its canonical form: upper case, no spaces or hyphens, O for 0 and I for 1 forgiven."""
    return typed.strip().upper().translate(_MISREAD)[: CODE_LENGTH + 1]


def same_code(typed: str, expected: str) -> bool:
    """Constant-time comparison of a tidied code."""
    return hmac.compare_digest(typed.encode(), expected.encode())
