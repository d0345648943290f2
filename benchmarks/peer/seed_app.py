"""The seed's system, rebuilt from its tutorial, as the peer to measure against.

FastHTML + fastlite + stripe, every handler as the tutorial describes it. Two changes only:
mail goes to an in-process counter in place of Resend (its network time is not what is measured),
and STRIPE_API_BASE can point the SDK at a local Stripe stand-in.

    STRIPE_SECRET_KEY=sk_test_x STRIPE_WEBHOOK_SECRET=whsec_x FAST_APP_SECRET=x \
        uvicorn seed_app:app --port 5001
"""

import os
import secrets
from datetime import datetime, timedelta

import stripe
from fasthtml.common import (
    H1,
    H2,
    A,
    Beforeware,
    Button,
    Div,
    Form,
    Input,
    P,
    RedirectResponse,
    Response,
    Span,
    fast_app,
)
from fastlite import database

BASE_URL = os.getenv("BASE_URL", "http://localhost:5001")
PRODUCTS = {
    "p1": {"name": "Product 1", "price": 1999, "desc": "The first product"},
    "p2": {"name": "Product 2", "price": 2999, "desc": "The second product"},
}
db = database(os.getenv("SEED_DB", "seed.db"))
users, links, buys = db.t.users, db.t.magic_links, db.t.purchases
if users not in db.t:
    users.create(id=int, email=str, pk="id")
    users.create_index(["email"], unique=True)
if links not in db.t:
    links.create(id=int, email=str, token=str, expires=str, used=bool, pk="id")
if buys not in db.t:
    buys.create(id=int, user_id=int, prod_id=str, sess_id=str, amt=int, pk="id")

stripe.api_key = os.getenv("STRIPE_SECRET_KEY")
if os.getenv("STRIPE_API_BASE"):
    stripe.api_base = os.environ["STRIPE_API_BASE"]
mails = []


def before(req, sess):
    req.scope["user_id"] = sess.get("user_id")


app, rt = fast_app(
    before=Beforeware(
        before,
        skip=[
            r"/favicon\.ico",
            r"/static/.*",
            r".*\.css",
            r".*\.js",
            "/webhook",
            "/login/.*",
            "/request-login",
        ],
    ),
    pico=False,
    secret_key=os.getenv("FAST_APP_SECRET"),
    max_age=365 * 24 * 3600,
)


def user_for(email):
    return next(users.rows_where("email = ?", [email]), None) or users.insert(email=email)


def mail_link(email):
    token = secrets.token_urlsafe(32)
    links.insert(
        email=email, token=token, used=False, expires=(datetime.now() + timedelta(days=1)).isoformat()
    )
    mails.append((email, f"{BASE_URL}/login/{token}"))


def card(pid, p, owned):
    label, href = ("Enter", f"/view/{pid}") if owned else ("Buy Now", f"/buy/{pid}")
    return Div(
        H2(p["name"], cls="card-title"),
        P(p["desc"]),
        Div(Span(f"${p['price'] / 100:.2f}"), A(label, href=href, cls="btn")),
        cls="card",
    )


@rt("/")
def home(req):
    uid = req.scope.get("user_id")
    owned = [b["prod_id"] for b in buys.rows_where("user_id = ?", [uid])] if uid else []
    door = A("Logout", href="/logout") if uid else A("Login", href="/request-login")
    return Div(H1("Storefront"), Div(*[card(i, p, i in owned) for i, p in PRODUCTS.items()]), door)


@rt("/buy/{pid}")
def buy(pid: str):
    p = PRODUCTS[pid]
    s = stripe.checkout.Session.create(
        mode="payment",
        metadata={"pid": pid},
        cancel_url=f"{BASE_URL}/",
        success_url=f"{BASE_URL}/view/{pid}?session_id={{CHECKOUT_SESSION_ID}}",
        line_items=[
            {
                "quantity": 1,
                "price_data": {
                    "currency": "cad",
                    "unit_amount": p["price"],
                    "product_data": {"name": p["name"]},
                },
            }
        ],
    )
    return RedirectResponse(s.url)


@rt("/view/{pid}")
def view(pid: str, req, sess, session_id: str = None):
    uid = req.scope.get("user_id")
    if not uid and session_id:
        s = stripe.checkout.Session.retrieve(session_id)
        if s.payment_status == "paid" and s.metadata["pid"] == pid:
            u = user_for(s.customer_details.email)
            if not next(buys.rows_where("sess_id = ?", [s.id]), None):
                buys.insert(user_id=u["id"], prod_id=pid, sess_id=s.id, amt=s.amount_total)
            sess["user_id"] = uid = u["id"]
    if not uid or not next(buys.rows_where("user_id = ? AND prod_id = ?", [uid, pid]), None):
        return RedirectResponse("/")
    return Div(A("Back", href="/"), H1(PRODUCTS[pid]["name"]), Div("Premium content"))


@rt("/webhook", methods=["POST"])
async def webhook(req):
    try:
        ev = stripe.Webhook.construct_event(
            await req.body(), req.headers.get("stripe-signature"), os.getenv("STRIPE_WEBHOOK_SECRET")
        )
        if ev.type == "checkout.session.completed":
            s = ev.data.object
            email = s.customer_details.email
            if not next(buys.rows_where("sess_id = ?", [s.id]), None):
                buys.insert(
                    user_id=user_for(email)["id"], prod_id=s.metadata["pid"], sess_id=s.id, amt=s.amount_total
                )
                mail_link(email)
    except Exception:
        return Response(status_code=400)
    return Response(status_code=200)


@rt("/login/{token}")
def login(token: str, sess):
    link = next(links.rows_where("token = ? AND used = 0", [token]), None)
    if not link or datetime.now() > datetime.fromisoformat(link["expires"]):
        return "Link Expired"
    links.update({"id": link["id"], "used": True})
    sess["user_id"] = next(users.rows_where("email = ?", [link["email"]]))["id"]
    return RedirectResponse("/")


@rt("/request-login", methods=["GET", "POST"])
def request_login(email: str = None):
    if email and next(users.rows_where("email = ?", [email]), None):
        mail_link(email)
        return "Link sent"
    return Form(Input(name="email"), Button("Send"), method="post")


@rt("/logout")
def logout(sess):
    sess.pop("user_id", None)
    return RedirectResponse("/")
