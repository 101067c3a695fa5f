"""Which forms serve people who are known already, by what they say of themselves."""

import pytest

from services.tracking.form_purposes import serves_known_people

NO_LEADS = [
    '<form id="f"></form>,,Send,Forgot your password?',
    '<form action="/account/recover"></form>,,Submit,',
    '<form class="lost_reset_password"></form>,,OK,',
    "<form></form>,,Passwort zurücksetzen,",
    "<form></form>,,Envoyer,Mot de passe oublié",
    "<form></form>,,Enviar,¿Olvidaste tu contraseña?",
    "<form></form>,,Enviar,Esqueceu a senha?",
    "<form></form>,,Invia,Password dimenticata",
    "<form></form>,,Email me a magic link,",
    "<form></form>,,Log in,",
    '<form id="unsubscribe"></form>,,OK,',
    "<form></form>,,Newsletter abbestellen,",
    "<form></form>,,Se désabonner,",
    "<form></form>,,Darse de baja,",
    "<form></form>,,Descadastrar,",
    "<form></form>,,Disiscriviti,",
    "<form></form>,,Save,E-mail preferences",
    "<form></form>,,Speichern,E-Mail-Einstellungen",
    "<form></form>,,Send,Delete my data",
    "<form></form>,,Send,Privacy request",
    "<form></form>,,Track order,",
    "<form></form>,,Suivi de commande,",
    "<form></form>,,Sendung verfolgen,",
    '<form class="search-form"></form>,,Go,',
    "<form></form>,,Search,",
    "<form></form>,,Save,My account",
]
LEADS = [
    '<form id="contact" action="/thank-you"></form>,,Send,Contact us',
    "<form></form>,,Subscribe,Newsletter",
    "<form></form>,,Anmelden,Newsletter",
    "<form></form>,,Create account,Create your account",
    "<form></form>,,Request a demo,Time tracking for teams",
    "<form></form>,,Download,Get the data sheet",
    "<form></form>,,Enviar,Entrar em contato",
    "<form></form>,,Get a quote,Search engine marketing audit",
    "<form></form>,,Order now,",
    "<form></form>,,Send,Data recovery quote",
    "<form></form>,,Jetzt bestellen,Ihre Daten",
    "",
]


@pytest.mark.parametrize("form_text", NO_LEADS)
def test_a_form_for_people_who_are_known_is_told(form_text: str) -> None:
    assert serves_known_people(form_text)


@pytest.mark.parametrize("form_text", LEADS)
def test_a_form_for_new_people_is_not(form_text: str) -> None:
    assert not serves_known_people(form_text)


@pytest.mark.parametrize("form_text", [None, 7, False, ["unsubscribe"]])
def test_what_is_no_text_says_nothing(form_text: object) -> None:
    assert not serves_known_people(form_text)
