"""What a form is for: one that serves people who are known already is no lead."""

import re
import unicodedata
from urllib.parse import unquote_plus

_MAX_CHARACTERS = 2_000
_CAMEL_CASE = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WORD = re.compile(r"[a-z0-9]+")

# Plain words: in English, German, French, Spanish, Portuguese, Italian.
_LOGIN_WORDS = r"(?:passw|kennw|contrase|mot de passe|senha)"
_LOST = (
    r"(?:forg|lost|reset|recover|change|new|vergess|zuruck|zurueck|olvid|recup|restab|oubli"
    r"|initialis|esque|redefin|dimentic|reimpost)"
)
_ORDER = (
    r"\b(?:order|parcel|shipment|sendung|bestell|paket|commande|colis|pedido|encomenda|ordine"
    r"|pacco|spedizion)"
)
_TRACK = r"(?:\b(?:track|status|suivi|rastre|segui|traccia)|verfolg)"
_PERSONAL = r"\b(?:data|daten|donnees|datos|dados|dati)\b"
_LETTERS = r"(?:mail|communic|comunic|kommunik|notific|subscription|newsletter|correo)"
_PREFERENCES = r"(?:preference|preferenc|preferenz|einstellung|settings)"

# What a form, or one segment of its page's path, says if it serves an existing account.
_KNOWN_PEOPLE = re.compile(
    "|".join(
        [
            rf"{_LOST}.{{0,25}}{_LOGIN_WORDS}|{_LOGIN_WORDS}.{{0,25}}{_LOST}",
            r"account recover|recover.{0,9}account|reset ?link",
            r"magi\w+ ?link|(?:link|enlace|lien) (?:de )?magi",
            r"\b(?:log|sign) ?in ?(?:link|form|code)\b",
            r"\bunsub|opt ?out|abmeld|abbestell|\bdes(?:abonn|inscri)|\bde baja\b",
            r"descadastr|disiscri",
            r"(?:cancel|annul)\w*.{1,12}(?:su[bs]scri|inscri|assinat|iscri)",
            rf"{_LETTERS}.{{0,15}}{_PREFERENCES}|{_PREFERENCES}.{{0,20}}{_LETTERS}",
            r"cookie ?(?:consent|setting|preference|choice|request)|dsar|do not sell",
            r"(?:privacy|gdpr) (?:request|choice|preference|setting|cent)|datenauskunft",
            rf"{_PERSONAL}.{{1,9}}(?:request|delet|eras|removal)|personal data access",
            rf"(?:delet|eras|losch|loesch|auskunft|suppr|elimin|exclu|cancell).{{0,25}}{_PERSONAL}",
            rf"{_TRACK}.{{0,20}}{_ORDER}|{_ORDER}.{{0,12}}{_TRACK}",
            r"\bmy account|account (?:setting|detail)|edit.{0,6}profile|mein konto|mi cuenta",
            r"mon compte|minha conta|mio account|verify e? ?mail",
            r"search ?(?:form|box)",
        ]
    )
)
# A button that says no more than this, or such a segment of a path.
_LOGIN = r"log ?in|sign ?in|einloggen|acceder|entrar|accedi|se connecter|connexion|iniciar sesion"
_KNOWN_BUTTON = re.compile(rf"{_LOGIN}|search|suchen|buscar|rechercher|cerca|pesquisar|procurar")
_KNOWN_PAGE = re.compile(rf"(?:.* )?(?:{_LOGIN}|anmelden|senha|contrasena|mot de passe)(?: .*)?")
# The pages on which scripts say for analytics who is there.
_ACCOUNT_PAGE = re.compile(
    r"(?:my |edit )?(?:account|profile|dashboard|settings|billing|orders)"
    r"|(?:mein )?konto|(?:mi )?cuenta|(?:mon )?compte|(?:minha )?conta|(?:mio )?account"
)
# What only somebody new is asked to do.
_NEW_PEOPLE = re.compile(
    r"\b(?:demo|quote|trial|contact|newsletter|subscri|sign ?up|regist|get started|download|apply"
    r"|call ?back|create|angebot|kontakt|abonni|anfrag|devis|s inscri|presupuesto|suscri|cotiz"
    r"|orcamento|assin|preventivo|iscri|contat)"
)


def serves_known_people(form_text: object, page_url: str) -> bool:
    """Whether a form serves people who are known: a lost password, an order's tracking.

    `form_text` is what the pixel sends of the form: its button, its heading, its id, name, classes
    and action, in lines. False is the owner's word that it is a lead. Without a form a script said
    who is there, which on the pages of an account is no lead.
    """
    if form_text is False:
        return False
    if not isinstance(form_text, str):
        names = [segment for segment in path_segments(page_url) if segment]
        return bool(names) and _ACCOUNT_PAGE.fullmatch(names[-1]) is not None
    # The first text that says something decides.
    for text in map(plain_words, form_text[:_MAX_CHARACTERS].split("\n")):
        if _KNOWN_PEOPLE.search(text) or _KNOWN_BUTTON.fullmatch(text):
            return True
        if _NEW_PEOPLE.search(text):
            return False
    return serves_account(page_url)


def serves_account(url: str) -> bool:
    """Whether a page serves an existing account, by its path: unsubscribe, reset a password."""
    return any(
        _KNOWN_PEOPLE.search(segment) or _KNOWN_PAGE.fullmatch(segment)
        for segment in path_segments(url)
    )


def path_segments(url: str) -> list[str]:
    """The parts of an address's path, and of a route in its fragment, in plain words."""
    address, _, fragment = url.partition("#")
    path = address.partition("?")[0].partition("://")[2].partition("/")[2]
    route = fragment.partition("?")[0]
    return [plain_words(segment.partition(".")[0]) for segment in f"{path}/{route}".split("/")]


def plain_words(text: str) -> str:
    """Words in lower case and plain letters: `Thank-You%21` as `thank you`."""
    decoded = unicodedata.normalize("NFKD", _CAMEL_CASE.sub(" ", unquote_plus(text)))
    return " ".join(_WORD.findall(decoded.encode("ascii", "ignore").decode().lower()))
