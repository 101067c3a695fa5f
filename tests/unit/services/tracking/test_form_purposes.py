"""Which forms serve people who are known already, by what they say of themselves."""

import pytest

from services.tracking.form_purposes import (
    path_segments,
    plain_words,
    serves_account,
    serves_known_people,
)
from tests.unit.services.tracking.form_texts import (
    PAGES_OF_ACCOUNTS,
    PAGES_OF_OFFERS,
    TO_KNOWN_PEOPLE,
    TO_NEW_PEOPLE,
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
# What forms say in six languages, as their button or heading.
SAID_TO_KNOWN_PEOPLE = """
Reset your password | Forgot password | Password reset | Forgotten your password? |
Trouble logging in? | Can't log in? | Passwort zurücksetzen | Kennwort vergessen |
Neues Passwort anfordern | Réinitialiser le mot de passe | Mot de passe perdu |
Recuperar contraseña | Restablecer contraseña | ¿Has olvidado tu contraseña? |
Redefinir senha | Recuperar senha | Esqueci minha senha | Reimposta password |
Recupera password | Hai dimenticato la password? | Email me a magic link | Send login link |
Send me a sign-in link | Get a sign-in code | Login-Link senden | Anmeldelink senden |
Link zum Anmelden | Recevoir un lien de connexion | Enviar enlace de acceso |
Enviar enlace mágico | Enviar link de acesso | Receber link de acesso |
Invia link di accesso | Ricevi il link di accesso | Sign in with email | Log in with email |
Demander l'accès à mes données | Unsubscribe | Unsubscribe me | Abmelden vom Newsletter |
Newsletter abmelden | Abbestellen | Vom Newsletter abmelden | Se désabonner |
Me désinscrire | Darse de baja | Darme de baja | Cancelar suscripción | Cancelar inscrição |
Cancelar assinatura | Descadastrar | Disiscriviti | Annulla iscrizione | Cancellami |
Cancella iscrizione | Manage subscription | Manage your subscriptions | Email preferences |
Communication preferences | Update your preferences | Manage your preferences |
Manage preferences | Subscription preferences | Preference center | E-Mail-Einstellungen |
Kommunikationseinstellungen | Newsletter-Einstellungen | Préférences de communication |
Gérer mes préférences | Préférences e-mail | Preferencias de correo |
Preferencias de comunicación | Preferências de e-mail | Preferenze email |
Preferenze di comunicazione | Cookie request | Privacy request | Submit a privacy request |
Do not sell my personal information | Data request | Data subject request | Delete my data |
Request my data | Download my data | Access my data | Right to be forgotten |
Meine Daten löschen | Auskunft anfordern | Datenauskunft | Daten löschen |
Supprimer mes données | Accéder à mes données | Demande d'accès aux données |
Eliminar mis datos | Acceder a mis datos | Excluir meus dados | Acessar meus dados |
Cancella i miei dati | Accedi ai miei dati | Opt out | Opt-out | Track your order |
Order status | Check order status | Where is my order? | Find my order | Look up your order |
Track shipment | Track my package | Sendung verfolgen | Sendungsverfolgung | Bestellstatus |
Bestellung verfolgen | Wo ist meine Bestellung? | Suivre ma commande | Suivi de commande |
Où est ma commande ? | Seguir mi pedido | Seguimiento de pedido | Rastrear pedido |
Estado del pedido | Acompanhar pedido | Rastreio de encomenda | Traccia ordine |
Stato dell'ordine | Dov'è il mio ordine? | Tracciamento spedizione | Resend confirmation |
Resend verification email | Verify your email | Login | Sign in | Log in | Einloggen |
Se connecter | Iniciar sesión | Entrar | Accedi | Search | Suchen | Rechercher | Buscar |
Pesquisar | Cerca | Update email address | Change your email address | Edit profile |
Account settings | My account | Find your account | Recover your account | Return an order |
Start a return | Cancel my order | Cancel subscription
"""
SAID_TO_NEW_PEOPLE = """
Find your account manager | Get your data in order | Download your data strategy |
Get a demo | Contact us | Subscribe | Subscribe to our newsletter | Newsletter abonnieren |
S'abonner | S'inscrire | Suscribirse | Inscreva-se | Iscriviti | Jetzt anmelden |
Anmelden zum Newsletter | Zum Newsletter anmelden | Newsletter anmelden |
Für den Newsletter anmelden | Get started | Sign up | Create account | Download the guide |
Request a quote | Request data sheet | Order now | Order a sample |
Track your orders with us: request a demo | Password manager: start free trial |
Data platform demo | Send | Submit | Join the waitlist | Reset your expectations |
Get our status report | Book a call | Personal data protection webinar |
Data deletion software - get a quote | Send me the data | Cookie recipes newsletter |
Search engine optimisation audit | Apply now | Register | Notify me when available |
Email me when back in stock | Anfrage senden | Angebot anfordern |
Order tracking API: talk to sales | Preferences: which topics? Subscribe | Stay in touch |
Change your life | Recover from stress: free guide | Find an accountant |
Change email marketing for good | Access your data anywhere | Request your information pack |
Download your data sheet | Manage your subscriptions in one place |
Export your data with one click | Update your kitchen | Return on investment calculator |
Where is my money going? | Solicitar presupuesto | Solicitar datos técnicos |
Solicitar dados do produto | Richiedi informazioni | Télécharger le guide |
Track your fitness | Follow your order book | Anmelden
"""


def texts(block: str) -> list[str]:
    return [" ".join(text.split()) for text in block.split("|") if text.strip()]


@pytest.mark.parametrize("text", texts(SAID_TO_KNOWN_PEOPLE))
def test_the_button_or_the_heading_tells_that_people_are_known(text: str) -> None:
    assert serves_known_people(form(text), f"{SITE}/page")
    assert serves_known_people(form("Go", text), f"{SITE}/page")


@pytest.mark.parametrize("text", texts(SAID_TO_NEW_PEOPLE))
def test_similar_words_are_said_to_new_people_too(text: str) -> None:
    assert not serves_known_people(form(text), f"{SITE}/page")
    assert not serves_known_people(form("Go", text), f"{SITE}/page")


def form_of(line: str) -> str:
    button, _, heading = line.partition(" > ")
    return form(button, heading)


@pytest.mark.parametrize("line", TO_KNOWN_PEOPLE.split("\n")[1:-1])
def test_a_service_for_known_people_is_told_from_an_offer(line: str) -> None:
    assert serves_known_people(form_of(line), f"{SITE}/page")


@pytest.mark.parametrize("line", TO_NEW_PEOPLE.split("\n")[1:-1])
def test_an_offer_is_told_from_a_service_for_known_people(line: str) -> None:
    assert not serves_known_people(form_of(line), f"{SITE}/page")


@pytest.mark.parametrize("path", PAGES_OF_ACCOUNTS.split())
def test_a_form_that_says_nothing_is_of_its_page(path: str) -> None:
    assert serves_known_people(form("Send"), f"{SITE}/{path}")


@pytest.mark.parametrize("path", PAGES_OF_OFFERS.split())
def test_a_form_on_the_page_of_an_offer_is_a_lead(path: str) -> None:
    assert not serves_known_people(form("Send"), f"{SITE}/{path}")


def test_a_long_heading_is_read_from_its_beginning() -> None:
    assert serves_known_people(form("Send", "Forgot your password? " + "a " * 900), SITE)


def test_a_text_without_attributes_is_read_whole() -> None:
    assert not serves_known_people("Acceder al webinar", SITE)
    assert serves_known_people("Send\nTrack my order", SITE)


def test_a_door_is_a_login_if_no_heading_says_more() -> None:
    assert serves_known_people(form("Entrar"), SITE)
    assert not serves_known_people(form("Entrar", "Clube de leitura"), SITE)


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
        "users/password/new",
        "password/reset/a1b2c3",
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
    "path",
    [
        *("", "contact", "blog/how-to-reset", "privacy", "cookies", "orders", "signup", "data"),
        *("new/password-manager", "password-manager/new", "find-an-accountant"),
    ],
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
