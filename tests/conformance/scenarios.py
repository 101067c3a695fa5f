"""The ways in which forms are sent and not sent, and how many leads each is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from tests.conformance.site import MESSAGE, PASSWORD
from tests.conformance.visit import Visit

EMAIL = "[name=email]"
BUTTON = "button"
THANK_YOU = "/thank-you"
OUTCOME_SECONDS = 4.5  # after which the pixel knows whether the site took a form

Act = Callable[[Visit], None]


class Kind(Enum):
    """Which part of the score a scenario belongs to."""

    LEAD = "leads"
    MORE = "more leads"
    NOTHING = "false positives"
    DOUBLE = "double click"
    UNCERTAIN = "perhaps rejected"


@dataclass(frozen=True, slots=True)
class Scenario:
    """What a visitor does, and how many leads that is."""

    kind: Kind
    name: str
    title: str
    act: Act
    leads: int = 1
    person: Mapping[str, str] = field(default_factory=dict)
    """What a lead has to say besides the e-mail address."""
    patience: float = 0.0
    """Seconds on the page afterwards, where something could still be taken for a lead."""


def sent_by_browser(page: str, email: str = EMAIL, button: str = BUTTON) -> Act:
    """A form that leads to the thank-you page."""

    def act(visit: Visit) -> None:
        visit.open(page)
        _send_natively(visit, email, button)

    return act


def _send_natively(visit: Visit, email: str = EMAIL, button: str = BUTTON) -> None:
    visit.write(email, visit.email)
    visit.click(button)
    visit.until_at(THANK_YOU)


def sent_by_page(page: str, email: str = EMAIL, button: str = BUTTON, clicks: int = 1) -> Act:
    """A form after which the page says thank you."""

    def act(visit: Visit) -> None:
        visit.open(page)
        visit.write(email, visit.email)
        visit.click(button, clicks)
        visit.until_thanked()

    return act


def prefilled(visit: Visit) -> None:
    visit.open("open-shadow-filled")
    visit.click("lead-form >>> button")
    visit.until_at(THANK_YOU)


def _fill_closed_shadow(visit: Visit) -> None:
    """By place alone: nobody sees into a closed root."""
    visit.click("lead-form", height=0.25)
    visit.visitor.write(visit.email)
    visit.click("lead-form", height=0.75)


def closed_shadow(visit: Visit) -> None:
    visit.open("closed-shadow")
    _fill_closed_shadow(visit)
    visit.until_at(THANK_YOU)


def closed_shadow_early(visit: Visit) -> None:
    visit.open("closed-shadow-early")
    # The first touch brings the part of the pixel that sees requests. People take longer to type.
    visit.click("lead-form", height=0.25)
    visit.until('!`${fetch}`.includes("[native code]")')
    _fill_closed_shadow(visit)
    visit.until_thanked()


def in_frame(visit: Visit) -> None:
    visit.open("iframe")
    visit.write("iframe >>> [name=email]", visit.email)
    visit.click("iframe >>> button")
    frame = 'document.querySelector("iframe").contentWindow'
    visit.until(f'{frame}.location.pathname === "{THANK_YOU}"')


def formless(visit: Visit) -> None:
    visit.open("formless")
    visit.write("#email", visit.email)
    visit.write("#message", MESSAGE)
    visit.click(BUTTON)
    visit.until_thanked()


def closed_tab(visit: Visit) -> None:
    visit.visitor.new_tab()
    visit.open("ajax")
    visit.write(EMAIL, visit.email)
    visit.click(BUTTON)
    visit.visitor.close_tab()


def collector_down(visit: Visit) -> None:
    visit.open("native")
    visit.road.refuse(503, seconds=2)
    _send_natively(visit)


def rejected(how: str) -> Act:
    """The site's own check finds the city missing."""

    def act(visit: Visit) -> None:
        visit.open(f"picky?{how}")
        visit.write(EMAIL, visit.email)
        visit.click(BUTTON)
        visit.until("tries === 1")

    return act


def corrected(visit: Visit) -> None:
    rejected("aria")(visit)
    visit.write("[name=city]", "Oslo")
    visit.click(BUTTON)
    visit.until_thanked()


def search(visit: Visit) -> None:
    visit.open("search")
    visit.write(EMAIL, visit.email)
    visit.click(BUTTON)
    visit.until_at("/results")


def login(visit: Visit) -> None:
    visit.open("login")
    visit.write(EMAIL, visit.email)
    visit.write("[name=password]", PASSWORD)
    visit.click(BUTTON)
    visit.until_at("/account")


def eavesdropper(visit: Visit) -> None:
    visit.open("eavesdropper")
    visit.write("#email", visit.email)
    visit.click("p")
    visit.until('!!document.querySelector("#collected")')


def steps(visit: Visit) -> None:
    visit.open("steps")
    visit.write(EMAIL, visit.email)
    visit.click("[type=button]")
    visit.click("button:not([type])")
    visit.until_thanked()


def submitted_steps(visit: Visit) -> None:
    visit.open("submit-steps")
    visit.write(EMAIL, visit.email)
    visit.click(BUTTON)
    visit.write("[name=first_name]", "Ada")
    visit.write("[name=last_name]", "Lovelace")
    visit.click(BUTTON)
    visit.until_thanked()


def enter_key(visit: Visit) -> None:
    visit.open("no-button")
    visit.write(EMAIL, visit.email)
    visit.visitor.press_enter()
    visit.until_at(THANK_YOU)


def new_account(visit: Visit) -> None:
    visit.open("signup")
    visit.write("[name=password]", PASSWORD)
    _send_natively(visit)


def slow_collector(visit: Visit) -> None:
    visit.road.slow_down(400)
    for page in ("native", "native", "redirect"):
        sent_by_browser(page)(visit)
        visit.another_email()
    closed_tab(visit)


SCENARIOS = (
    Scenario(Kind.LEAD, "native", "native submit, same origin", sent_by_browser("native")),
    Scenario(Kind.LEAD, "elsewhere", "native submit, other origin", sent_by_browser("elsewhere")),
    Scenario(Kind.LEAD, "ajax", "AJAX", sent_by_page("ajax")),
    Scenario(
        Kind.LEAD,
        "request-submit",
        "requestSubmit()",
        sent_by_browser("request-submit", button="#send"),
    ),
    Scenario(
        Kind.LEAD,
        "stop-propagation",
        "the page calls stopPropagation",
        sent_by_browser("stop-propagation"),
    ),
    Scenario(Kind.LEAD, "removed", "form removed in its handler", sent_by_page("removed")),
    Scenario(Kind.LEAD, "late", "form added 0.9 s after load", sent_by_browser("late")),
    Scenario(
        Kind.LEAD, "form-submit", "form.submit(), as reCAPTCHA does", sent_by_browser("form-submit")
    ),
    Scenario(Kind.LEAD, "open-shadow-filled", "open shadow root, prefilled", prefilled),
    Scenario(
        Kind.LEAD,
        "open-shadow",
        "open shadow root, typed into",
        sent_by_page("open-shadow", "lead-form >>> [name=email]", "lead-form >>> button"),
    ),
    Scenario(Kind.LEAD, "closed-shadow", "closed shadow root", closed_shadow),
    Scenario(Kind.LEAD, "iframe", "frame of the same origin", in_frame),
    Scenario(Kind.LEAD, "formless", "no <form>: fields, a button, fetch", formless),
    Scenario(
        Kind.LEAD,
        "shielded",
        "the page stops submits at window capture",
        sent_by_page("shielded"),
    ),
    Scenario(Kind.LEAD, "redirect", "AJAX, then location.href", sent_by_browser("redirect")),
    Scenario(Kind.LEAD, "closed-tab", "tab closed right after", closed_tab),
    Scenario(Kind.LEAD, "collector-down", "collector answers 503 for 2 s", collector_down),
    Scenario(Kind.MORE, "corrected", "rejected, corrected, sent again", corrected),
    Scenario(Kind.MORE, "steps", "steps, the first one is removed", steps),
    Scenario(
        Kind.MORE,
        "submit-steps",
        "steps, each of them submitted",
        submitted_steps,
        person={"first_name": "Ada", "last_name": "Lovelace"},
    ),
    Scenario(
        Kind.MORE,
        "outside-button",
        "button outside of its form",
        sent_by_browser("outside-button"),
    ),
    Scenario(Kind.MORE, "enter", "Enter key, no button", enter_key),
    Scenario(
        Kind.MORE, "button-xhr", "type=button, XMLHttpRequest", sent_by_page("button-only?xhr")
    ),
    Scenario(
        Kind.MORE, "button-formdata", "type=button, FormData", sent_by_page("button-only?formdata")
    ),
    Scenario(
        Kind.MORE,
        "button-params",
        "type=button, URLSearchParams",
        sent_by_page("button-only?params"),
    ),
    Scenario(Kind.MORE, "signup", "sign-up with a new password", new_account),
    Scenario(
        Kind.MORE,
        "closed-shadow-early",
        "closed shadow root before the pixel, AJAX",
        closed_shadow_early,
    ),
    Scenario(
        Kind.MORE, "slow-collector", "collector 400 ms slow: four leads", slow_collector, leads=4
    ),
    *(
        Scenario(
            Kind.NOTHING,
            f"rejected-{how}",
            f"the site rejects the form: {what}",
            rejected(how),
            leads=0,
            patience=OUTCOME_SECONDS,
        )
        for how, what in {
            "aria": "aria-invalid",
            "alert": "alert()",
        }.items()
    ),
    # A text may say anything. What is not certain to be rejected is synced: a lost lead costs more.
    *(
        Scenario(
            Kind.UNCERTAIN,
            f"rejected-{how}",
            f"the site perhaps rejects the form: {what}",
            rejected(how),
            patience=OUTCOME_SECONDS,
        )
        for how, what in {"text": "text", "toggle": "shows an element"}.items()
    ),
    Scenario(Kind.NOTHING, "search", "search form", search, leads=0),
    Scenario(Kind.NOTHING, "login", "login form", login, leads=0),
    Scenario(
        Kind.NOTHING,
        "unsent",
        "e-mail typed but not sent, other form sent",
        sent_by_page("two-forms", "#newsletter [name=email]", "#poll button"),
        leads=0,
    ),
    Scenario(
        Kind.NOTHING, "eavesdropper", "a script of the page sends what was typed", eavesdropper, 0
    ),
    Scenario(Kind.DOUBLE, "double", "double click on Send", sent_by_page("ajax", clicks=2)),
    Scenario(
        Kind.DOUBLE,
        "double-slow",
        "double click, slow answer",
        sent_by_page("slow-ajax", clicks=2),
    ),
)
