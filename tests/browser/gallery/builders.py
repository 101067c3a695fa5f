"""What to type into each form of the gallery, and whom a pixel should have seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

ADA = {"first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.org"}


@dataclass(frozen=True, slots=True)
class Builder:
    """A form of the gallery: its page, its button, and what the visitor types to say who it is.

    `typed` goes by CSS selector; `chosen` is clicked. All other fields are filled in by the test.
    """

    page: str
    button: str
    typed: Mapping[str, str]
    person: Mapping[str, str] = field(default_factory=lambda: ADA)
    chosen: tuple[str, ...] = ()
    frame: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A field of a form that refuses `not-a-phone`, and what shows that it did."""

    builder: Builder
    phone: str
    shown: str


@dataclass(frozen=True, slots=True)
class Vendor:
    """A form on another origin, which only tells its parent that it was sent."""

    page: str
    host: str
    button: str


def ada(first: str, last: str, email: str) -> Mapping[str, str]:
    """Ada Lovelace, typed into these three fields."""
    return dict(zip((first, last, email), ADA.values(), strict=True))


def in_language(code: str, button: str, first: str, last: str, email: str) -> Builder:
    """A form in another language, whose names and ids say nothing."""
    values = (first, last, email)
    typed = dict(zip(("#c0", "#c1", "#c2"), values, strict=True))
    return Builder(f"language-{code}", button, typed, dict(zip(ADA, values, strict=True)))


def hubspot(page: str, frame: str | None = None) -> Builder:
    """One of the two ways to embed a form of HubSpot."""
    typed = ada("[name=firstname]", "[name=lastname]", "[name=email]")
    return Builder(page, "Submit", typed, frame=frame)


PLAIN = Builder("plain", "Send", ada("#first", "#last", "#mail"))
CONTACT_FORM_7 = Builder(
    "contact-form-7",
    "Submit",
    {"[name=your-name]": "Ada Lovelace", "[name=your-email]": ADA["email"]},
)
REACT_HOOK_FORM = Builder(
    "react-hook-form", "Submit", ada("[name=firstName]", "[name=lastName]", "[name=email]")
)

BUILDERS = (
    PLAIN,
    CONTACT_FORM_7,
    REACT_HOOK_FORM,
    Builder("gravity-forms", "Submit", ada("#input_1_1_3", "#input_1_1_6", "#input_1_2")),
    Builder(
        "wpforms",
        "Submit",
        ada("#wpforms-42-field_0", "#wpforms-42-field_0-last", "#wpforms-42-field_1"),
    ),
    Builder(
        "elementor-pro",
        "Send",
        ada("#form-field-name", "#form-field-field_0d1", "#form-field-email"),
    ),
    Builder("ninja-forms", "Submit", ada("#nf-field-1", "#nf-field-2", "#nf-field-3")),
    Builder(
        "fluent-forms",
        "Submit Form",
        ada("#ff_3_names_first_name_", "#ff_3_names_last_name_", "#ff_3_email"),
    ),
    hubspot("hubspot-embedded", "iframe.hs-form-iframe"),
    hubspot("hubspot-raw"),
    Builder("webflow", "Submit", ada("#First-Name", "#Last-Name", "#email-2")),
    Builder("wix", "Send", ada("#input_comp-lx1", "#input_comp-lx2", "#input_comp-lx3")),
    Builder("squarespace", "Send", ada("[name=fname]", "[name=lname]", "[type=email]")),
    Builder("mailchimp", "Subscribe", ada("#mce-FNAME", "#mce-LNAME", "#mce-EMAIL")),
    Builder("mailchimp-new-window", "Subscribe", ada("#mce-FNAME", "#mce-LNAME", "#mce-EMAIL")),
    Builder(
        "shopify-contact",
        "Send",
        {"#ContactForm-name": "Ada Lovelace", "#ContactForm-email": ADA["email"]},
    ),
    Builder(
        "shopify-newsletter",
        "Subscribe",
        {"#NewsletterForm--sections--footer": ADA["email"]},
        {"email": ADA["email"]},
    ),
    Builder("formik", "Submit", ada("#firstName", "#lastName", "#email")),
    Builder("google-forms", "Submit", ada("[id='1001']", "[id='1002']", "[id='1003']")),
    Builder("salesforce-web-to-lead", "Submit Query", ada("#first_name", "#last_name", "#email")),
    Builder("marketo", "Submit", ada("#FirstName", "#LastName", "#Email")),
    Builder("jotform", "Submit", ada("#first_3", "#last_3", "#input_4")),
    Builder(
        "full-name",
        "Request a demo",
        {"[name=full_name]": "Ada Lovelace", "[name=work_email]": ADA["email"]},
    ),
    Builder(
        "radio-emails",
        "Send",
        {"[name=first_name]": "Ada", "[name=last_name]": "Lovelace"},
        chosen=("#work",),
    ),
    in_language("es", "Enviar", "María José", "García Márquez", "maria@ejemplo.example"),
    in_language("fr", "Envoyer", "Amélie", "Lefèvre", "amelie@exemple.example"),
    in_language("de", "Absenden", "Jürgen", "Groß", "juergen@beispiel.example"),
    in_language("pt", "Enviar", "João", "Gonçalves", "joao@exemplo.example"),
    in_language("it", "Invia", "Niccolò", "D'Angelo", "niccolo@esempio.example"),
)
REFUSALS = (
    Refusal(PLAIN, "#phone", "[role=alert]:not(:empty)"),
    Refusal(CONTACT_FORM_7, "[name=your-tel]", "[aria-invalid=true].wpcf7-not-valid"),
    Refusal(REACT_HOOK_FORM, "[name=phone]", "[role=alert]"),
)
VENDORS = (
    Vendor("typeform", "https://form.typeform.com", "Submit"),
    Vendor("calendly", "https://calendly.com", "Schedule Event"),
)
