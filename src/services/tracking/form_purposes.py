"""What a form is for: one that serves people who are known already is no lead."""

import re
import unicodedata
from itertools import pairwise
from urllib.parse import unquote_plus

_MAX_CHARACTERS = 2_000
_CAMEL_CASE = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WORD = re.compile(r"[a-z0-9]+")

# Plain words: in English, German, French, Spanish, Portuguese, Italian.
_LOGIN_WORDS = r"(?:passw|kennw|contrase|mot de passe|senha)"
_LOST = (
    r"(?:forg|lost|reset|recover|change|new|vergess|zuruck|zurueck|neues|olvid|recup|restab|oubli"
    r"|perdu|initialis|esque|redefin|dimentic|reimpost)"
)
_MY = r"(?:my|your|mein\w*|ihr\w*|ma|mon|votre|mi|tu|su|meu|minha|il mio|il tuo|tuo)"
_ORDER = (
    r"\b(?:order|parcel|shipment|sendung|bestell|paket|commande|colis|pedido|encomenda|ordine"
    r"|pacco|spedizion|(?:my|your) package)"
)
_TRACK = r"(?:\b(?:track|status|suiv(?:i|re)\b|rastre|segui|traccia|acompanh)|verfolg)"
_PERSONAL = r"\b(?:data|daten|donnees|datos|dados|dati)\b"
_DATA = (
    r"(?:own )?(?:personal (?:data|information)|data)\b"
    r"(?! ?(?:sheet|guide|report|room|set|cent))"
)

_ASK_FOR = (
    r"\b(?:acced\w+|telecharger|exporter|descargar|solicitar|exportar|acessar|baixar|scarica"
    r"|richiedi|esporta)(?: a| i| ai| os| aos)?"
)
_CODE = r"(?:link|lien|enlace|codigo|code|codice)"
_MANAGE = (
    r"\b(?:manage|gerer|gestionar|gerenciar|gestisci)"
    r"(?: my| your| mes| vos| mis| tus| minhas| suas| le mie| le tue)?"
)
_SUBSCRIPTION = r"(?:subscriptions?|abonnements?|suscripcion(?:es)?|assinaturas?|iscrizion[ei])"
_WHERE_IS = r"\b(?:where is|wo ist|ou est|donde esta|onde esta|dov e)"
_LETTERS = r"(?:mail|communic|comunic|kommunik|notific|subscription|newsletter|correo)"
_PREFERENCES = r"(?:preference|preferenc|preferenz|einstellung|settings)"

# What a form, or one segment of its page's path, says if it serves an existing account.
_KNOWN_PEOPLE = re.compile(
    "|".join(
        [
            # A lost password, a login by mail.
            rf"{_LOST}.{{0,25}}{_LOGIN_WORDS}|{_LOGIN_WORDS}.{{0,25}}{_LOST}",
            r"account recover|recover.{0,9}account|(?:find|locate) (?:my|your) account$",
            r"reset ?link",
            r"(?:trouble|problems?|can ?t|cannot) (?:log|sign)(?:g?ing)? ?in",
            r"magi\w+ ?link|(?:link|enlace|lien) (?:de )?magi",
            r"\b(?:log|sign) ?in ?(?:link|form|code|(?:with|by|via) e? ?mail)\b",
            r"\b(?:anmelde|login|zugangs) ?(?:link|code)|link zum (?:anmelden|einloggen|login)",
            rf"{_CODE} (?:de|di) (?:connexion|acceso|acesso|accesso)\b",
            r"(?:resend|send again).{0,9}(?:confirm|verif|activat)",
            r"\bverify (?:my |your )?e? ?mail",
            r"\b(?:update|change) (?:my |your )?e? ?mail(?: address)?$",
            # An unsubscription, preferences.
            r"\bunsub|opt ?out|abmeld|abbestell|\bdes(?:abonn|inscri)|\bde baja\b",
            r"descadastr|disiscriv|cancellami\b",
            r"(?:cancel|annul)\w*.{1,12}(?:su(?:b|s)?scri|inscri|assinat|iscri)",
            rf"{_MANAGE} (?:{_SUBSCRIPTION}$|preferen)",
            r"\b(?:update|change|edit|save) (?:my |your )?preferences|preference cent",
            rf"{_LETTERS}.{{0,15}}{_PREFERENCES}|{_PREFERENCES}.{{0,20}}{_LETTERS}",
            # Personal data.
            r"cookie ?(?:consent|setting|preference|choice|request)|dsar|do not sell",
            r"(?:privacy|gdpr) (?:request|choice|preference|setting|cent)|datenauskunft",
            r"auskunft (?:anford|beantrag|verlang)|datenl(?:o|oe)schung|right to be forgotten",
            rf"{_PERSONAL}.{{1,9}}(?:request|delet|eras|removal|losch|loesch)|personal data access",
            rf"(?:delet|eras|losch|loesch|auskunft|suppr|elimin|exclu|cancell).{{0,25}}{_PERSONAL}",
            rf"\b(?:request|download) (?:a copy of )?your {_DATA}$",
            rf"\b(?:request|download|access|export|see|view) (?:a copy of )?my {_DATA}",
            rf"{_ASK_FOR} (?:mes donnees|mis datos|meus dados|miei dati)\b",
            r"meine daten (?:anford|einseh|herunterlad|export)",
            r"acces (?:a|aux) (?:mes |vos )?donnees",
            # An order.
            rf"{_TRACK}.{{0,20}}{_ORDER}|{_ORDER}.{{0,12}}{_TRACK}",
            r"(?:bestell|auftrags|sendungs|paket|liefer|versand) ?status",
            rf"{_WHERE_IS} (?:o |a )?{_MY} (?:package|{_ORDER})",
            r"\b(?:find|look ?up|return|cancel) (?:an|my|your) (?:order|parcel|shipment)",
            r"start (?:a|my|your) return\b",
            rf"(?:estado|etat|stato) (?:de |del |dell |della )?(?:{_MY} )?{_ORDER}",
            # An account.
            r"\bmy account|account (?:setting|detail)|edit.{0,6}profile|mein konto|mi cuenta",
            r"mon compte|minha conta|mio account",
            r"search ?(?:form|box)",
        ]
    )
)
# A button that says no more than this, or such a segment of a path.
_LOGIN = r"log ?in|sign ?in|einloggen|acceder|entrar|accedi|se connecter|connexion|iniciar sesion"
_KNOWN_BUTTON = re.compile(rf"{_LOGIN}|search|suchen|buscar|rechercher|cerca|pesquisar|procurar")
_KNOWN_PAGE = re.compile(rf"(?:.* )?(?:{_LOGIN}|anmelden|senha|contrasena|mot de passe)(?: .*)?")
# Two such segments: Rails has `/users/password/new`.
_KNOWN_FOLDER = re.compile(
    r"passwords? (?:reset|forgot(?:ten)?|new|edit|lost|recover\w*|change)"
    r"|(?:reset|forgot|lost|recover) password"
)
# The pages on which scripts say for analytics who is there.
_ACCOUNT_PAGE = re.compile(
    r"(?:my |edit )?(?:account|profile|dashboard|settings|billing|orders)"
    r"|(?:mein )?konto|(?:mi )?cuenta|(?:mon )?compte|(?:minha )?conta|(?:mio )?account"
)
# What is sold to somebody new, whatever else the text says: `Order tracking: request a demo`.
_OFFER = re.compile(
    r"\b(?:demo|quote|(?:free )?trial|talk to sales|contact sales|angebot|devis|presupuesto"
    r"|cotiza\w*|orcamento|preventivo)\b"
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
        if _OFFER.search(text):
            return False
        if _KNOWN_PEOPLE.search(text) or _KNOWN_BUTTON.fullmatch(text):
            return True
        if _NEW_PEOPLE.search(text):
            return False
    return serves_account(page_url)


def serves_account(url: str) -> bool:
    """Whether a page serves an existing account, by its path: unsubscribe, reset a password."""
    segments = path_segments(url)
    return any(
        _KNOWN_PEOPLE.search(segment) or _KNOWN_PAGE.fullmatch(segment) for segment in segments
    ) or any(_KNOWN_FOLDER.fullmatch(" ".join(pair)) for pair in pairwise(segments))


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
