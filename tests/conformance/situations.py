"""Further situations of today's web, each with a page of its own, and how many leads each is.

The page of a situation is a few lines of markup with a script. In it `form`, `email` and `send`
are the first form, the first e-mail field, and a request with the fields of the form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.conformance.visit import Visit

FIELD = '<input type="email" name="email">'
BUTTON = "<button>Send</button>"
HELPERS = """
const form = document.querySelector("form");
const email = document.querySelector("input");
const send = (query = "", init = {}) =>
  fetch("/api/answer" + query, { method: "POST", body: new FormData(form), ...init });
const onSubmit = (task) => form.addEventListener("submit", (event) => {
  event.preventDefault();
  task(event);
});
const say = (text) => document.body.insertAdjacentHTML("beforeend", `<p>${text}</p>`);
const alertBox = (text) => form.insertAdjacentHTML("beforeend", `<p role="alert">${text}</p>`);
const overSocket = (socket = new WebSocket(location.origin.replace("http", "ws"))) => () =>
  socket.send(JSON.stringify({ email: email.value }));
const submitOnce = (task) => { let tries = 0; onSubmit(() => task(tries++)); };
"""

Act = Callable[[Visit], None]


def type_and_send(visit: Visit) -> None:
    """What most situations need: the address in the first field, and the button."""
    visit.write("[name=email]", visit.email)
    visit.click("#send, button, [type=submit]")


def sending(email: str = "[name=email]", button: str = "#send") -> Act:
    """Types into this field, and presses this button."""

    def act(visit: Visit) -> None:
        visit.write(email, visit.email)
        visit.click(button)

    return act


def twice(visit: Visit) -> None:
    """Sends the form, and a second later again."""
    type_and_send(visit)
    visit.pause(1.5)
    visit.click("button")


def with_enter(visit: Visit) -> None:
    """Sends with the Enter key."""
    visit.write("[name=email]", visit.email)
    visit.visitor.press_enter()


@dataclass(frozen=True, slots=True)
class Situation:
    """A page, what a visitor does on it, and how many leads that is."""

    kind: str
    title: str
    body: str
    leads: int = 1
    act: Act = type_and_send
    path: str = ""
    """The address of the page, if it counts."""
    before: str = ""
    """A script that runs before the pixel."""
    person: Mapping[str, str] = field(default_factory=dict)
    """What the lead must say besides its address."""

    @property
    def name(self) -> str:
        """Its name in the table's records."""
        return f"{self.kind}: {self.title}"

    @property
    def markup(self) -> str:
        """The whole page."""
        return f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title>
            <script>{self.before}</script>
            <script src="{{{{road}}}}/p.js" data-pixel-id="{{{{pixel_id}}}}" async></script></head>
            <body>{self.body}</body></html>"""


def form(
    code: str = "",
    *,
    fields: str = FIELD,
    attributes: str = 'method="post" action="/thank-you"',
    button: str = BUTTON,
    after: str = "",
) -> str:
    """A form, with a script."""
    return f"<form {attributes}>{fields}{button}</form>{after}<script>{HELPERS}{code}</script>"


def widget(
    code: str, *, fields: str = FIELD, button: str = '<button id="send">Send</button>'
) -> str:
    """Fields and a button without a form."""
    return f"""<div class="widget">{fields}{button}</div><script>{HELPERS}
        document.querySelector("#send").addEventListener("click", () => {{ {code} }});</script>"""
