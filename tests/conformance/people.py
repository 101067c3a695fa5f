"""Situations in which an address is somebody else's, or that of somebody who is known."""

from __future__ import annotations

from tests.conformance.situations import FIELD, Situation, form, sending, with_enter
from tests.conformance.visit import Visit

WHOSE = "whose address"
ACCOUNT = "people who are known"
ADA = {"first_name": "Ada"}
OTHER = '<input type="email" name="{}" value="friend@example.net">'
BILLING = '<input name="billing_first_name" value="Ada"><input type="email" name="email">'
HUBSPOT = (
    '<input class="hs-input" type="text" name="{0}firstname" value="Ada">'
    '<input class="hs-input" type="text" name="{0}lastname" value="Lovelace">'
    '<input class="hs-input" type="email" name="{0}email">'
)
# As React does with what it controls; here with what would be a friend's.
WRITES_VALUES = """<script>
  const field = document.querySelector("[name=email]");
  field.addEventListener("input", () => field.setAttribute("value", "friend"));
</script>"""
SHIPPING = '<input name="shipping_first_name" value="Bob">' + OTHER.format("shipping_email")


def with_other(name: str, *, first: bool) -> str:
    """A form with one's own address and somebody else's."""
    own_field, other_field = '<input type="email" name="email">', OTHER.format(name)
    return form(fields=own_field + other_field if first else other_field + own_field)


def no_lead(title: str, body: str, path: str = "") -> Situation:
    """A form that serves people who are known."""
    return Situation(ACCOUNT, title, body, 0, path=path)


def headed(heading: str, button: str = "OK") -> str:
    """A form below a heading."""
    return f"<section><h2>{heading}</h2>{form(button=f'<button>{button}</button>')}</section>"


def say_who_is_there(visit: Visit) -> None:
    """The page says who is there."""
    visit.visitor.evaluate(f"ppp('identify', {{ email: '{visit.email}' }}) || true")


PEOPLE = (
    *(
        Situation(
            WHOSE,
            f"one's own with {mark}",
            form(fields=f'<input type="email" name="email" {mark}>'),
        )
        for mark in ('class="destination-form__input shipping-quote"',)
    ),
    Situation(
        WHOSE,
        "one's own, which a framework writes into the attribute too",
        form(fields='<input type="email" name="email">') + WRITES_VALUES,
    ),
    Situation(
        WHOSE,
        "one's own after the page of a channel",
        form(fields='<input name="channel" value="https://www.youtube.com/@acme">' + FIELD),
    ),
    Situation(WHOSE, "billing before shipping", form(fields=BILLING + SHIPPING), person=ADA),
    Situation(WHOSE, "shipping before billing", form(fields=SHIPPING + BILLING), person=ADA),
    *(
        Situation(
            WHOSE,
            f"one's own {'before' if first else 'after'} {name}",
            with_other(name, first=first),
        )
        for name in ("friend_email", "email_amigo", "freund_mail", "recipient", "colleague_email")
        for first in (True, False)
    ),
    *(
        Situation(
            WHOSE,
            f"only {name}",
            form(fields=f'<label>E-mail <input type="email" name="{name}"></label>'),
            0,
            act=sending("input", "button"),
        )
        for name in ("friend_email", "friends[0][email]", "invite_email", "recipient_email")
    ),
    # Whoever gets the parcel may be somebody else; see docs/decisions.md.
    Situation(
        WHOSE,
        "only shipping_email, beside the recipient's name",
        form(
            fields='<input name="shipping_first_name" value="Bob">'
            '<input type="email" name="shipping_email">'
        ),
        0,
        act=sending("[name=shipping_email]", "button"),
    ),
    Situation(
        WHOSE,
        "only an e-mail address, beside the recipient's name",
        form(fields='<input name="shipping_first_name" value="Bob">' + FIELD),
    ),
    *(
        Situation(
            WHOSE,
            f"HubSpot's names, {prefix or 'without'} prefix",
            form(
                fields=HUBSPOT.format(prefix),
                attributes='method="post" action="/thank-you" class="hs-form hs-form-private"',
            ),
            act=sending("[type=email]", "button"),
            person=ADA | {"last_name": "Lovelace"},
        )
        for prefix in ("", "0-1/")
    ),
    no_lead("a lost password, by its heading", headed("Forgot your password?")),
    no_lead("a lost password, in German", headed("Passwort vergessen?")),
    no_lead("a lost password, in French", headed("Mot de passe oublié ?")),
    no_lead("a lost password, in Spanish", headed("¿Olvidaste tu contraseña?")),
    no_lead("a lost password, in Portuguese", headed("Esqueceu a senha?")),
    no_lead("a lost password, in Italian", headed("Password dimenticata?")),
    no_lead("a login link, by its button", form(button="<button>E-mail me a login link</button>")),
    no_lead("an unsubscription, by its id", form(attributes='method="post" id="unsubscribe"')),
    no_lead(
        "preferences, by its class", form(attributes='method="post" class="email-preferences"')
    ),
    no_lead("an order's tracking, by its action", form(attributes='action="/track-order"')),
    no_lead("a cookie request, by its name", form(attributes='name="cookieRequest"')),
    no_lead("a request for data", headed("Delete my personal data")),
    no_lead("a lost password, by the address", form(), "forgot-password"),
    no_lead("data-ppp=ignore on the form", form(attributes='method="post" data-ppp="ignore"')),
    no_lead("data-ppp=ignore around it", f'<div data-ppp="ignore">{form()}</div>'),
    Situation(
        ACCOUNT,
        "a search by name or e-mail, with Enter",
        f"<h1>Customers</h1>{form(attributes='class=search-form', button='')}",
        0,
        act=with_enter,
    ),
    Situation(
        ACCOUNT, "identify() on the page of an account", "", 0, act=say_who_is_there, path="account"
    ),
    Situation(ACCOUNT, "identify() elsewhere", "", act=say_who_is_there),
    Situation(
        ACCOUNT,
        "data-ppp=lead on a lost password",
        f"<section><h2>Forgot your password?</h2>{form(attributes='data-ppp=lead')}</section>",
    ),
    Situation(
        ACCOUNT,
        "a newsletter below a lost password",
        form(button="<button>Subscribe</button>"),
        path="forgot-password",
    ),
    no_lead("a booking, in German", headed("Buchung verwalten")),
    no_lead("one's rights, in Spanish", headed("Ejercer mis derechos")),
    no_lead("a login, by its button", headed("Espace client", "Log into your account")),
    Situation(ACCOUNT, "a blog's newsletter", headed("Cookie consent made simple", "Send")),
    Situation(ACCOUNT, "tracking for shops", headed("Parcel tracking for shops", "Send")),
    Situation(ACCOUNT, "an end at any time", headed("Unsubscribe any time", "Send")),
    Situation(ACCOUNT, "a waiting list", headed("The new password manager", "Join the waitlist")),
    Situation(ACCOUNT, "a door", headed("Clube de leitura", "Entrar")),
    Situation(ACCOUNT, "a folder of knowledge", form(), path="guides/unsubscribe-rates"),
    Situation(ACCOUNT, "order tracking software", headed("Track your orders", "Get a demo")),
    Situation(ACCOUNT, "a class with border, status", form(attributes='class="status border-0"')),
    Situation(
        ACCOUNT,
        "OctoberCMS: data-request",
        form(attributes='method="post" action="/thank-you" data-request="onSend"'),
    ),
)
