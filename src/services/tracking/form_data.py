"""The lead in a submitted form: an e-mail address and a name. No other field is stored."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from urllib.parse import parse_qsl

from services.core.email_addresses import read_email
from services.core.text import clean, read_json
from services.tracking.person_names import split_name, without_invisible


@dataclass(frozen=True, slots=True)
class Lead:
    """The person who filled in a form; at least one of the fields is set."""

    email: str | None
    first_name: str | None
    last_name: str | None

    def stored_fields(self) -> dict[str, str]:
        """The fields that are set, as they are stored: {"email": …, "first_name": …}."""
        values = {"email": self.email, "first_name": self.first_name, "last_name": self.last_name}
        return {name: value for name, value in values.items() if value}


@dataclass(frozen=True, slots=True)
class _Field:
    """One value and its key, made plain: "your.first name" for `your[FirstName]`."""

    key: str
    value: str


_MAX_VALUE_CHARACTERS = 255
_MAX_JSON_ENCODINGS = 3
_MAX_DEPTH = 5
_MAX_KEY_CHARACTERS = 100
_MAX_FIELDS = 300

# Of a form that was serialized as an address's parameters are.
_PARAMETERS = re.compile(r"[^\s={}<>\"]+=")
_WORD = re.compile(r"[a-z]+")
_CAMEL_CASE = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SEGMENT = re.compile(r"[\[\].]+")

_EMAIL_KEY = re.compile(r"mail|courriel|correo|correio|posta elettronica")
# A person who did not fill in the form, and fields that serve an existing account.
_OTHER_PERSON = re.compile(
    r"""\b(?:
      friend | amig[oa] | amic[aoi] | freund | amie?s?\b | refer(?!ence) | recipient | recommend
    | nominee | nominat(?!or) | invit(?!ation|er) | einlad | eingelad | convidad
    | empfehl | empfaeng | empfang | destinat[aoi]
    | collea | kolleg | coll?eg[ahu] | co\ ?work | team\ ?mate
    | spouse | husband | wife\b | ehe(?:mann|frau|partner) | conjoint | conyuge | coniuge | conjuge
    | child | kind(?:es|er)\b | enfant | hij[oa] | filh[oa] | figli[oa]
    | next\ of\ kin | relative | beneficiar
    | emergency | notfall | urgence | emergenc | emergenz | gift | geschenk | regalo | cadeau
    | share\ (?:with|to) | send\ to | (?:b?cc|(?<!ship\ )to)\ e?\ ?mail
    | admin | passw | pwd | unsubscri | forgot | lost\ ?pass | recover
    )""",
    re.VERBOSE,
)
# Often the same person's: taken if the form has no other address or name.
_PERHAPS_OTHER_PERSON = re.compile(
    r"""\b(?:
      shipping | ship\ to | deliver | liefer | versand | livraison | envio | entrega | spedizion
    | consegna | partner | guest | second | additional | other | alternat | manager | supervisor
    | assistant | parent | guardian | reference | accountant | agent
    )""",
    re.VERBOSE,
)
_NO_PERSON = re.compile(
    r"\b(?:compan|organi[sz]|business|employer|empresa|entreprise|azienda|firma|file|product|card"
    r"|event|project|site|team)"
)

# The patterns below look at the last segment of a key, but for `name[first]`.
_FULL_NAME = re.compile(
    r"""(?:^|[ .])(?:
      full\ ?name | complete\ ?name | first\ (?:name\ )?(?:and\ )?last\ ?name
    | voll(?:st(?:a|ae)ndiger)?\ ?name | vor(?:name)?\ und\ (?:nach|zu)\ ?name
    | name\ und\ vorname
    | nombre\ ?completo | nombres?\ (?:y\ )?apellidos? | apellidos?\ y\ nombres?
    | nom\ ?complet | nom\ (?:et\ )?prenom | prenom\ (?:et\ )?nom
    | nome\ ?completo | nome\ (?:e\ )?(?:cognome|sobrenome|apelido) | cognome\ e\ nome
    )(?:\ [a-z ]+)?$""",
    re.VERBOSE,
)
_FIRST_NAME = re.compile(
    r"""(?:^|[ .])(?:
      (?:first|f|given|fore)\ ?names? | vor\ ?name | prenoms?
    | primer\ ?nombre | nombre\ de\ pila | primeiro\ ?nome
    )(?:\ [a-z ]+)?$
    | (?:^|\bnames?[ .]|\bfields?\.)first$""",
    re.VERBOSE,
)
_LAST_NAME = re.compile(
    r"""(?:^|[ .])(?:
      (?:last|l|sur|family)\ ?names? | (?:nach|familien|zu)\ ?name | nom\ (?:de\ )?famille
    | apellidos? | sobrenome | apelido | ultimo\ ?nome | cognome
    )(?:\ [a-z ]+)?$
    | (?:^|\bnames?[ .]|\bfields?\.)last$""",
    re.VERBOSE,
)
# A bare "name" is a person's only among words like these: not in user name, form name, pet name.
_FILLER = (
    r"(?:your|my|contact|customer|client|lead|billing|person|what|is|please|enter|required"
    r"|optional|et|pb|ihr|dein|votre|ton|tu|su|il|tuo|suo|o|seu|teu|de|del|du|do|contacto|contato"
    r"|pflichtfeld|obligatoire|obligatorio|obrigatorio|obbligatorio)"
)
_BARE_NAME = re.compile(
    rf"(?:^|\.)(?:{_FILLER} )*(?:your|contact|customer)?(?:name|nom|nome|nombres?)(?: {_FILLER})*$"
)
_PARTS_OF_NAME = (
    ("full", _FULL_NAME),
    ("first", _FIRST_NAME),
    ("last", _LAST_NAME),
    ("full", _BARE_NAME),
)


def read_lead(form_data: object) -> Lead | None:
    """The lead in what a pixel sends as `form_data`: an object or its JSON text, encoded twice too.

    So are the lists and the text that jQuery makes of a form. Anything else, however broken, is
    None, and so is a form without an e-mail address or a name.
    """
    fields = _own_fields(form_data)
    sender_fields = [field for field in fields if not _PERHAPS_OTHER_PERSON.search(field.key)]
    if (email := _email(sender_fields)) is None and (email := _email(fields)):
        return _lead(email, fields)
    return _lead(email, sender_fields)


def read_lead_from_url(url: str) -> Lead | None:
    """The lead that a thank-you page's query passes on; None without an e-mail under its name."""
    if "@" not in url and "%40" not in url:
        return None
    query = url.partition("#")[0].partition("?")[2]
    values = ((key, clean(value, _MAX_VALUE_CHARACTERS)) for key, value in parse_qsl(query))
    # An unescaped + in jane+news@example.com arrives as a space.
    fields = [
        _Field(plain_key(key), value.replace(" ", "+") if "@" in value else value)
        for key, value in values
        if value and not _OTHER_PERSON.search(plain_key(key))
    ]
    email = _email_by_key(fields)
    return _lead(email, fields) if email else None


def own_addresses(form_data: object) -> frozenset[str]:
    """The e-mail addresses in a form whose keys name no other person, as they are stored now."""
    addresses = (read_email(field.value) for field in _own_fields(form_data))
    return frozenset(filter(None, addresses))


def decoded(form_data: object) -> object:
    """The value of a form's JSON text, encoded up to three times; None if it is no JSON."""
    content, is_json = _innermost(form_data)
    return content if is_json else None


def _innermost(form_data: object) -> tuple[object, bool]:
    """What a text encodes as JSON up to three times, and whether that is JSON itself."""
    for _ in range(_MAX_JSON_ENCODINGS):
        if not isinstance(form_data, str):
            break
        try:
            form_data = read_json(form_data)
        except (ValueError, RecursionError):
            return form_data, False
    return form_data, True


def _read_plain_text(text: str) -> object:
    """The form in a text of parameters, or in one that is nothing but an e-mail address."""
    if _PARAMETERS.match(text):
        return [list(pair) for pair in parse_qsl(text)]
    return {"email": text} if read_email(text) else None


def _own_fields(form_data: object) -> list[_Field]:
    """The fields of a form that name no other person."""
    form, is_json = _innermost(form_data)
    if isinstance(form, str) and not is_json:
        form = _read_plain_text(form)
    if not isinstance(form, dict | list):
        return []
    fields = islice(_fields("", form, _MAX_DEPTH), _MAX_FIELDS)
    return [field for field in fields if not _OTHER_PERSON.search(field.key)]


def _fields(key: str, value: object, depth: int) -> Iterator[_Field]:
    """Every text in the form with the keys that lead to it, in the form's order."""
    if isinstance(value, str):
        text = clean(value, _MAX_VALUE_CHARACTERS)
        if text:
            yield _Field(plain_key(key), text)
    elif isinstance(value, list) and (pairs := _pairs(value)) and depth:
        for name, inner in pairs:
            yield from _fields(f"{key}.{name}", inner, depth - 1)
    elif isinstance(value, list) and len(value) == 1 and depth:
        yield from _fields(key, value[0], depth - 1)
    elif isinstance(value, dict) and depth:
        for inner_key, inner in value.items():
            yield from _fields(f"{key}.{inner_key}", inner, depth - 1)


def _pairs(entries: list[object]) -> list[tuple[str, object]]:
    """Names and values of `[{"name": …, "value": …}]` or `[[name, value]]`; none of the rest."""
    pairs: list[tuple[str, object]] = []
    for entry in entries:
        match entry:
            case {"name": str(name), "value": value} | [str(name), value]:
                pairs.append((name, value))
            case _:
                return []
    return pairs


def names_person(plain: str) -> bool:
    """Whether a plain key names a person, or a part of a person's name."""
    return _part_of_key(plain) is not None


def plain_key(key: str) -> str:
    """Words in lower case without accents or digits; dots for nesting, without `value`."""
    spaced = _CAMEL_CASE.sub(" ", key[-_MAX_KEY_CHARACTERS:])
    ascii_only = unicodedata.normalize("NFKD", spaced).encode("ascii", "ignore").decode()
    segments = (" ".join(_WORD.findall(part)) for part in _SEGMENT.split(ascii_only.lower()))
    return ".".join(segment for segment in segments if segment not in ("", "value"))


def _lead(email: str | None, fields: list[_Field]) -> Lead | None:
    first, last = _names(fields)
    return Lead(email, first, last) if email or first or last else None


def _email(fields: list[_Field]) -> str | None:
    return _email_by_key(fields) or _email_by_value(fields)


def _email_by_key(fields: list[_Field]) -> str | None:
    return _email_by_value([field for field in fields if _EMAIL_KEY.search(field.key)])


def _email_by_value(fields: list[_Field]) -> str | None:
    return next(filter(None, (read_email(field.value) for field in fields)), None)


def _names(fields: list[_Field]) -> tuple[str | None, str | None]:
    values: dict[str, str] = {}
    for field in fields:
        part = _part_of_name(field)
        if part and (name := without_invisible(field.value)):
            values.setdefault(part, name)
    return _first_and_last(values.get("first"), values.get("last"), values.get("full"))


def _part_of_name(field: _Field) -> str | None:
    return None if "@" in field.value else _part_of_key(field.key)


def _part_of_key(key: str) -> str | None:
    part = next((part for part, pattern in _PARTS_OF_NAME if pattern.search(key)), None)
    return None if part == "full" and _NO_PERSON.search(key) else part


def _first_and_last(
    first: str | None, last: str | None, full: str | None
) -> tuple[str | None, str | None]:
    """Beside a first or a last name, "name" is the other one; alone it is both."""
    if full is None or (first and last):
        return first, last
    if first:
        return first, _beyond(full, first)
    if last:
        return _beyond(full, last), last
    return split_name(full)


def _beyond(full: str, name: str) -> str | None:
    name_words = name.casefold().split()
    full_words = " ".join(filter(None, split_name(full))).split()
    return " ".join(word for word in full_words if word.casefold() not in name_words) or None
