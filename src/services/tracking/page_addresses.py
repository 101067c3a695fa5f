"""The addresses of pages: without what is personal in them, and what kind of page they are."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import takewhile
from typing import Literal
from urllib.parse import unquote, unquote_plus, urljoin

from services.tracking.attribution import is_touch_parameter
from services.tracking.form_data import names_person, plain_key
from services.tracking.form_purposes import (
    path_segments,
    plain_words,
    sentences,
    serves_account,
)
from services.tracking.link_parameters import FIELD_OF_PARAMETER, name_and_value, unescaped

# What an e-mail address in a path is replaced by.
REPLACEMENT = "email"

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:(?!\d)", re.IGNORECASE)
_HOST_FIRST = re.compile(
    r"(?:[\w-]+\.)+(?!(?:html?|php|aspx?|jsp)\b)[^\W\d_]{2,}(?::\d+)?(?:[/?#]|$)", re.IGNORECASE
)
_HOST = re.compile(r"\w+://[^/?#]*")
_EMAIL = re.compile(
    r"[^\s/?#&=@:;,<>\"'()]+(?:@|%(?:25)*40)(?:[\w-]+\.)+"
    r"(?!(?:png|jpe?g|gif|webp|avif|svg|html?|php|js|css|json)\b)(?:xn--[\w-]+|[^\W\d_]{2,})",
    re.IGNORECASE,
)
# What may divide parameters in a pair, in a link that was damaged or is in another one.
_SIGN_IN_PAIR = re.compile(r"([?;]|%(?:25)*(?:26|3f|3b))", re.IGNORECASE)
_ENCODED_EQUALS = re.compile(r"%(?:25)*3d", re.IGNORECASE)
_PERSONAL = re.compile(
    r"""\b(?:
      (?:e\ ?mails?|mail|courriel|correo|correio)(?:\ (?:address|adresse?|elect?ronico))?$
    | tele?phone?n? | phone | telefono? | tel$ | mobile(?:\ (?:number|phone|no))?$
    | cell(?:\ ?phone)?$ | handy | whats\ ?app | fax
    | user\ ?name | login$ | street | birth | dob | ssn | iban
    | \w*tok(?:en)?s? | \w*passw\w* | pwd | pass(?:code|phrase)?$ | secret | otp | jwt
    | o?auth$ | authoriz | api\ ?key | access\ ?key
    | session\ ?id | \w*sess(?:ion)?id | sid | sig(?:nature)?$
    )""",
    re.VERBOSE,
)
# In English, German, French, Spanish, Portuguese, Italian. Thanksgiving is no thanks.
_THANKS = re.compile(
    r"\b(?:thank ?you|thanks|thx|danke|vielen dank|merci|gracias|obrigad[oa]|grazie)\b"
)
# What a mailing thanks for or sells: a gift, ten years, a mother.
_NO_FORM = re.compile(
    r"""\b(?:
      gifts? | sale | deals? | discount | coupon | cards? | cadeaux? | geschenke? | gutschein
    | rabatt | aktion | regalos? | descuento | regali | sconto | presentes? | desconto | promo\w*
    | mums? | moms? | mothers? | dads? | fathers? | teachers? | maman | mamans | papas? | mama
    | madre | mae | padre | nurses? | heroes
    | \d+\ (?:\w+\ )?(?:years?|jahre?n?|ans?|anos|anni) | anniversary | jubilaum | birthday
    | geburtstag | anniversaire | aniversari[oa] | compleanno | stor(?:y|ies) | quotes | ideas
    )\b""",
    re.VERBOSE,
)
_STORIES = re.compile(r"blogs?|magazine?|articles?|ratgeber|stories|news|posts?|journal")
# How a page's name ends that confirms a form: but not that of a customer's success.
_CONFIRMATION = re.compile(
    r"""(?<!customer\ )(?<!client\ )\b(?:
      success(?:ful(?:ly)?)? | succes | erfolg(?:reich)? | exito | sucesso | successo
    | confirmation | confirmed | confirmacion | confirmacao | conferma | bestaeti?gung | bestatigung
    | submitted | received | completed | completion | sent | done | ty
    | gesendet | abgeschickt | envoye | enviad[oa] | inviat[oa] | recu | recibid[oa] | recebid[oa]
    | ricevut[oa]
    )$""",
    re.VERBOSE,
)
_TRUE = frozenset(("1", "true", "yes", "y", "on", "ok"))

# What scripts write for an address that they do not have.
_NO_ADDRESSES = frozenset(("undefined", "null"))
_PLAIN_PAGE = re.compile(r"(?:^|&)page_url=[^&?]*\?[^&]*&(.*)", re.DOTALL)
_IMAGE_PARAMETERS = frozenset(("pixel_id", "page_url", "referrer_url", "page_title"))


def address_of_image(address: str, embedding_page: str | None) -> str:
    """The page that an image names, whole: the old Worker took `/prices` and `shop.example/`."""
    if address.strip().lower() in _NO_ADDRESSES:
        return embedding_page or address
    if not address.strip() or _SCHEME.match(address):
        return address
    if address.startswith("//"):
        return f"https:{address}"
    if _HOST_FIRST.match(address):
        return f"https://{address}"
    return _joined(embedding_page, address) if embedding_page else address


def parameters_torn_off(query: str) -> str:
    """The campaign's parameters, each behind its `&`, that an image's query took from its page.

    A page's address that nobody encoded ends at its first `&`, and what stood behind it up to the
    image's next parameter is the page's. Other names are left: a number against caches, behind the
    address, would make each view another page.
    """
    match = _PLAIN_PAGE.search(unescaped(query))
    pairs = match[1].split("&") if match else []
    page_pairs = takewhile(lambda pair: pair.partition("=")[0] not in _IMAGE_PARAMETERS, pairs)
    torn_off = (pair for pair in page_pairs if name_and_value(pair)[0] in FIELD_OF_PARAMETER)
    return "".join(f"&{pair}" for pair in torn_off)


def _joined(page: str, reference: str) -> str:
    try:
        return urljoin(page, reference)
    except ValueError:
        return reference


def without_personal_values(url: str) -> str:
    """The address without parameters that hold or name something personal.

    Campaign parameters and click IDs stay. E-mail addresses in its path are replaced.
    """
    if "=" not in url and "@" not in url and "%" not in url:
        return url
    page, hash_mark, fragment = url.partition("#")
    match = _HOST.match(page)
    host = match[0] if match else ""
    cleaned = host + _clean_address(page.removeprefix(host))
    if not fragment:
        return cleaned + hash_mark
    is_query = "=" in fragment and not fragment.startswith(("/", "!"))
    clean_fragment = _clean_query(fragment) if is_query else _clean_address(fragment)
    return f"{cleaned}#{clean_fragment}" if clean_fragment else cleaned


def site_of(url: str) -> str:
    """Scheme and host of an address, in lower case."""
    match = _HOST.match(url)
    return match[0].lower() if match else ""


def thanks_for_form(url: str, title: str | None) -> bool:
    """Whether a page thanks for a form, by its path, its parameters or its title."""
    if serves_account(url):
        return False
    segments = path_segments(url)
    is_story = any(map(_STORIES.fullmatch, segments))
    return (
        any(
            _THANKS.fullmatch(name) if is_story else _thanks(name) or _CONFIRMATION.search(name)
            for name in segments
        )
        or any(_confirms(name, value) for name, value in _parameters(url))
        or any(map(_thanks, sentences(title or "")))
    )


def _thanks(text: str) -> bool:
    """Whether a page thanks for a form, not a mailing for ten years or a mother."""
    return _THANKS.search(text) is not None and not _NO_FORM.search(text)


def _clean_address(address: str) -> str:
    path, question_mark, query = address.partition("?")
    path = _EMAIL.sub(REPLACEMENT, path)
    clean_query = _clean_query(query)
    return f"{path}?{clean_query}" if clean_query or (question_mark and not query) else path


def _clean_query(query: str) -> str:
    return "&".join(
        cleaned
        for pair in query.split("&")
        if not _is_personal(pair) and ((cleaned := _clean_pair(pair)) or not pair)
    )


def _clean_pair(pair: str) -> str:
    """The pair without what is personal behind another sign: `utm_campaign=b?email=…`."""
    first, *rest = _SIGN_IN_PAIR.split(pair)
    if not rest and "%3" not in first:
        return pair
    rest_of_pair = "" if _is_personal(_with_plain_equals(first)) else first
    for sign, part in zip(rest[::2], rest[1::2], strict=True):
        if not _is_personal(_with_plain_equals(part)):
            rest_of_pair += sign + part if rest_of_pair else part
    return rest_of_pair


def _with_plain_equals(part: str) -> str:
    return part if "=" in part else _ENCODED_EQUALS.sub("=", part, count=1)


def _is_personal(pair: str) -> bool:
    name, _, value = pair.partition("=")
    kind = _kind_of_parameter(name)
    if kind != "other":
        return kind == "personal"
    text = value or name
    if "%" in text:
        # Addresses in addresses are encoded twice.
        text = unquote(unquote(text))
    return "@" in text and _EMAIL.search(text) is not None


# The same few names come with nearly every page.
@lru_cache(maxsize=1_024)
def _kind_of_parameter(raw_name: str) -> Literal["touch", "personal", "other"]:
    name = unquote_plus(raw_name)
    if name.lower() in FIELD_OF_PARAMETER:
        return "touch"
    plain = plain_key(name)
    if _PERSONAL.search(plain) or names_person(plain):
        return "personal"
    return "touch" if is_touch_parameter(name) else "other"


def _parameters(url: str) -> list[tuple[str, str]]:
    query = url.partition("#")[0].partition("?")[2]
    pairs = (pair.partition("=") for pair in query.split("&"))
    return [
        (plain_words(name), plain_words(value))
        for name, _, value in pairs
        if not is_touch_parameter(name)
    ]


def _confirms(name: str, value: str) -> bool:
    """`?submitted=true`, `?thank-you`, `?page=thank-you`; not the `?sent=20260501` of a mailing."""
    if _THANKS.search(value) or _CONFIRMATION.fullmatch(value):
        return True
    if _THANKS.search(name):
        return value in _TRUE or not value
    return value in _TRUE and _CONFIRMATION.search(name) is not None
