"""Which forms serve people who are known already, by what they say of themselves."""

import pytest

from services.tracking.form_purposes import (
    path_segments,
    plain_words,
    serves_account,
    serves_known_people,
)

SITE = "https://shop.example"


def form(button: str = "", heading: str = "", attribute: str = "") -> str:
    """What the pixel sends of a form."""
    return f"{button}\n\n{heading}\n{attribute}\n\n\n"


NO_LEADS = [
    form("Send", "Forgot your password?"),
    form("Submit", attribute="/account/recover"),
    form("OK", attribute="lost_reset_password"),
    form("OK", attribute="forgotPasswordForm"),
    form("Passwort zurücksetzen"),
    form("Envoyer", "Mot de passe oublié"),
    form("Enviar", "¿Olvidaste tu contraseña?"),
    form("Enviar", "Esqueceu a senha?"),
    form("Invia", "Password dimenticata"),
    form("Email me a magic link"),
    form("Log in"),
    form("\nLog in"),
    form("OK", attribute="unsubscribe"),
    form("Unsubscribe from the newsletter"),
    form("Newsletter abbestellen"),
    form("Se désabonner"),
    form("Darse de baja"),
    form("Descadastrar"),
    form("Disiscriviti"),
    form("Cancel my subscription"),
    form("Save", "E-mail preferences"),
    form("Speichern", "E-Mail-Einstellungen"),
    form("Send", "Delete my data"),
    form("Send", "Privacy request"),
    form("Save", "Cookie settings"),
    form("Track order"),
    form("Suivi de commande"),
    form("Sendung verfolgen"),
    form("Go", attribute="search-form"),
    form("Search"),
    form("Save", "My account"),
]
LEADS = [
    form("Send", "Contact us", "/thank-you"),
    form("Subscribe", "Newsletter"),
    form("Anmelden", "Newsletter"),
    form("Create account", "Create your account"),
    form("Request a demo", "Time tracking for teams"),
    form("Request a demo", "Order tracking for shops"),
    form("\n\n  Request a demo\n", "Order tracking for shops"),
    form("Download", "Get the data sheet"),
    form("Enviar", "Entrar em contato"),
    form("Get a quote", "Search engine marketing audit"),
    form("Order now"),
    form("Send", "Data recovery quote"),
    form("Send", "Data access for every team"),
    form("Jetzt bestellen", "Ihre Daten"),
    form("Send", "", "form-status border-0"),
    form("Send", "", "onRequest"),
    "",
]


@pytest.mark.parametrize("form_text", NO_LEADS)
def test_a_form_for_people_who_are_known_is_told(form_text: str) -> None:
    assert serves_known_people(form_text, SITE)


@pytest.mark.parametrize("form_text", LEADS)
def test_a_form_for_new_people_is_not(form_text: str) -> None:
    assert not serves_known_people(form_text, f"{SITE}/offers")


@pytest.mark.parametrize("path", ["forgot-password", "#/unsubscribe", "order-status", "login"])
def test_the_page_says_what_its_form_is_for(path: str) -> None:
    assert serves_known_people(form("Send"), f"{SITE}/{path}")


@pytest.mark.parametrize(
    "form_text", [form("Subscribe"), form("OK", "Newsletter"), form("OK", "", "newsletter")]
)
def test_a_newsletter_below_such_a_page_is_for_new_people(form_text: str) -> None:
    assert not serves_known_people(form_text, f"{SITE}/forgot-password")


@pytest.mark.parametrize("path", ["account", "my-account/orders", "app/settings", "mi-cuenta"])
def test_who_is_there_on_an_account_page_is_known(path: str) -> None:
    assert serves_known_people(None, f"{SITE}/{path}")


@pytest.mark.parametrize("path", ["", "account-based-marketing", "login", "accounting"])
def test_a_script_says_elsewhere_who_is_there(path: str) -> None:
    assert not serves_known_people(None, f"{SITE}/{path}")


def test_the_owner_has_the_last_word() -> None:
    owners_word: object = False
    assert not serves_known_people(owners_word, f"{SITE}/forgot-password")


@pytest.mark.parametrize("form_text", [None, 7, ["unsubscribe"]])
def test_what_is_no_text_says_nothing(form_text: object) -> None:
    assert not serves_known_people(form_text, SITE)


@pytest.mark.parametrize(
    "path",
    [
        "unsubscribe",
        "newsletter/unsubscribed",
        "email-preferences",
        "opt-out",
        "forgot-password",
        "account/reset_password",
        "users/password-reset.html",
        "lostPassword".lower(),
        "magic-link",
        "login",
        "sign-in",
        "privacy-request",
        "gdpr/data-request",
        "cookie-settings",
        "track-order",
        "order-status",
        "abmelden",
        "passwort-vergessen",
        "d%C3%A9sinscription",
        "mot-de-passe-oublie",
        "suivi-de-commande",
        "darse-de-baja",
        "iniciar-sesion",
        "esqueci-minha-senha",
        "cancelar-inscricao",
        "disiscriviti",
        "password-dimenticata",
    ],
)
def test_a_page_that_serves_an_account(path: str) -> None:
    assert serves_account(f"{SITE}/{path}?email=jane@example.com")


@pytest.mark.parametrize(
    "path", ["", "contact", "blog/how-to-reset", "privacy", "cookies", "orders", "signup", "data"]
)
def test_a_page_that_serves_no_account(path: str) -> None:
    assert not serves_account(f"{SITE}/{path}")


def test_the_parts_of_a_path_in_plain_words() -> None:
    assert path_segments(f"{SITE}/Mein-Konto/a.html?x=y#/resetPassword?z") == [
        "mein konto",
        "a",
        "",
        "reset password",
    ]


def test_plain_words() -> None:
    assert plain_words("Thank-You%21") == "thank you"
