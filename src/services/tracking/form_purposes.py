"""What a form is for: one that serves people who are known already is no lead."""

import re

_MAX_CHARACTERS = 2_000

_LOGIN_WORDS = r"(?:passw|kennw|contrase|mot de passe|senha)"
_LOST = (
    r"(?:forg|lost|reset|recover|vergess|zur.ck|olvid|recup|restab|oubli|initialis|esque"
    r"|redefin|dimentic|reimpost)"
)
_ORDER = (
    r"(?:order|parcel|shipment|sendung|bestell|paket|commande|colis|pedido|encomenda|ordine"
    r"|pacco|spedizion)"
)
_TRACK = r"(?:track|status|verfolg|suivi|rastre|segui|traccia)"
_PERSONAL = r"(?:data|daten|donn.es|datos|dados|dati)\b"
_LETTERS = r"(?:mail|communic|comunic|kommunik|notific|subscription|newsletter|correo)"
_PREFERENCES = r"(?:preference|pr.f.rence|preferenc|preferenz|einstellung|settings)"

_KNOWN_PEOPLE = re.compile(
    "|".join(
        [
            rf"{_LOST}.{{0,25}}{_LOGIN_WORDS}|{_LOGIN_WORDS}.{{0,25}}{_LOST}|account.recover|reset.?link",
            r"magi\w+.?link|(?:link|enlace|lien).{0,4}m.gi|\b(?:log|sign).?in.?(?:link|form|code)\b",
            r",(?:log ?in|sign ?in|einloggen|acceder|entrar|accedi|se connecter),",
            r"unsub|opt.?out|abmeld|abbestell|d.s(?:abonn|inscri)|\bde baja\b|descadastr|disiscri",
            r"(?:cancel|annul)\w*.{1,12}(?:su[bs]scri|inscri|assinat|iscri)",
            rf"{_LETTERS}.{{0,15}}{_PREFERENCES}|{_PREFERENCES}.{{0,20}}{_LETTERS}",
            r"cookie.?(?:consent|setting|preference|choice|request)|dsar|do.not.sell",
            r"privacy.(?:request|choice|cent)|datenauskunft",
            rf"{_PERSONAL}.{{1,9}}(?:request|delet|eras|removal|access)",
            rf"(?:delet|eras|l.sch|auskunft|suppr|elimin|exclu|cancell).{{0,25}}{_PERSONAL}",
            rf"{_TRACK}.{{0,20}}{_ORDER}|{_ORDER}.{{0,12}}{_TRACK}",
            r"my.account|account.(?:setting|detail)|edit.{0,6}profile|mein.konto|mi.cuenta",
            r"mon.compte|minha.conta|mio.account",
            r",(?:search|suchen|buscar|rechercher|cerca|pesquisar|procurar),|search.?(?:form|box)",
        ]
    ),
    re.IGNORECASE,
)


def serves_known_people(form_text: object) -> bool:
    """Whether a form says so: a reset password, an unsubscription, an order's tracking.

    `form_text` is its tag, its button and its heading, in six languages, as the pixel sends them.
    """
    if not isinstance(form_text, str):
        return False
    description = " ".join(form_text[:_MAX_CHARACTERS].split())
    return _KNOWN_PEOPLE.search(re.sub(r" ?, ?", ",", f",{description},")) is not None
