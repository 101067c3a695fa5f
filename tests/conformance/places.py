"""Situations in which the fields stand elsewhere: without a form, in frames, in rewritten pages."""

from __future__ import annotations

from tests.conformance.situations import FIELD, Act, Situation, form, sending, widget, with_enter
from tests.conformance.visit import FIND, Visit

FORMLESS = "without a form"
FRAMES = "frames and rewritten pages"
POST = "fetch('/api/answer', { method: 'POST', body: JSON.stringify({ email: %s }) })"
SENDS = POST % "email.value"
FRAME = f"<form method=post action=/thank-you>{FIELD}<button>Send</button></form>"
NAMED = '<input type="hidden" name="{}">'
SLOTTED = """<x-form><input type="email" name="email" slot="field"></x-form><script>
  customElements.define("x-form", class extends HTMLElement {
    connectedCallback() {
      this.attachShadow({ mode: "open" }).innerHTML =
        `<form><slot name="field"></slot><button>Send</button></form>`;
      this.shadowRoot.querySelector("form").addEventListener("submit", (event) => {
        event.preventDefault();
        const body = JSON.stringify({ email: this.querySelector("input").value });
        fetch("/api/answer", { method: "POST", body });
      });
    }
  });</script>"""
IN_SHADOW = f"""<x-box></x-box><script>
  const root = document.querySelector("x-box").attachShadow({{ mode: "open" }});
  root.innerHTML = `{FIELD}<button>Send</button>`;
  root.querySelector("button").addEventListener("click", () => {{
    const email = root.querySelector("input");
    {SENDS};
  }});</script>"""


def written(change: str) -> Act:
    """Writes the address in a spelling that the site changes."""

    def act(visit: Visit) -> None:
        visit.write("[name=email]", change.format(visit.email))
        visit.click("#send")

    return act


def send_in_frame(visit: Visit) -> None:
    """Sends the form in the frame once the pixel hears the frame: people take longer to type."""
    visit.until(f"{FIND}('iframe >>> [name=email]')")
    visit.until('!`${document.querySelector("iframe").contentWindow.fetch}`.includes("native")')
    visit.write("iframe >>> [name=email]", visit.email)
    visit.click("iframe >>> button")


def send_in_shadow(visit: Visit) -> None:
    """Types once the pixel sees requests, which the first touch brings: people take longer."""
    visit.click("x-box >>> [name=email]")
    visit.until('!`${fetch}`.includes("native")')
    visit.write("x-box >>> [name=email]", visit.email)
    visit.click("x-box >>> button")


def receive(message: str) -> Act:
    """The page gets a message."""

    def act(visit: Visit) -> None:
        visit.visitor.evaluate(f"postMessage({message}, '*') || true")

    return act


def framed(title: str, code: str) -> Situation:
    """A frame that a script makes, with a form in it."""
    content = f"const content = `<!doctype html><body>{FRAME}`;"
    return Situation(
        FRAMES,
        title,
        f"<script>{content}{code}</script>",
        act=send_in_frame,
    )


def button(markup: str, event: str = "click") -> str:
    """Fields without a form, and something that works like a button."""
    return f"""<div>{FIELD}{markup}</div><script>const email = document.querySelector("input");
        document.querySelector("#send").addEventListener("{event}", () => {SENDS});</script>"""


LOCATIONS = (
    Situation(
        FORMLESS,
        "a header's search beside it",
        f'<header role="search"><input name="q"><button type="button">Go</button></header>'
        f"{widget(SENDS.replace('email.value', 'document.querySelector(`[name=email]`).value'))}",
        act=sending(),
    ),
    Situation(
        FORMLESS,
        "a password elsewhere on the page",
        f"{widget(SENDS)}<div><input type=password></div>",
        act=sending(),
    ),
    Situation(
        FORMLESS,
        "lower-cased and trimmed by the site",
        widget(POST % "email.value.trim().toLowerCase()", fields='<input name="email">'),
        act=written(" {} "),
    ),
    Situation(FORMLESS, "a <div role=button>", button('<div role="button" id="send">Send</div>')),
    Situation(FORMLESS, "a link with a class", button('<a class="btn" id="send">Send</a>')),
    Situation(
        FORMLESS, "a button at pointerup", button("<button id=send>Send</button>", "pointerup")
    ),
    Situation(
        FORMLESS, "an input of type button", button('<input type="button" id="send" value="Send">')
    ),
    Situation(FORMLESS, "an icon in the button", button('<button id="send"><b>Send</b></button>')),
    Situation(
        FORMLESS,
        "in the query of a GET",
        widget("fetch('/api/answer?mail=' + encodeURIComponent(email.value))"),
    ),
    Situation(
        FORMLESS,
        "XMLHttpRequest, URL-encoded",
        widget(
            "const xhr = new XMLHttpRequest(); xhr.open('POST', '/api/answer');"
            " xhr.send('email=' + encodeURIComponent(email.value))"
        ),
    ),
    Situation(
        FORMLESS,
        "in the query of a GET, XMLHttpRequest",
        widget(
            "const xhr = new XMLHttpRequest(); xhr.open('GET',"
            " '/api/answer?mail=' + encodeURIComponent(email.value)); xhr.send()"
        ),
    ),
    Situation(
        FORMLESS,
        "sendBeacon, URL-encoded",
        widget("navigator.sendBeacon('/api/answer', new URLSearchParams({ mail: email.value }))"),
    ),
    Situation(
        FORMLESS,
        "sendBeacon, JSON",
        widget("navigator.sendBeacon('/api/answer', JSON.stringify({ email: email.value }))"),
    ),
    # These two are lost without a form: docs/decisions.md says what seeing them would cost.
    Situation(
        FORMLESS,
        "JSONP, which is not seen",
        widget(
            "const tag = document.createElement('script');"
            " tag.src = '/api/answer?mail=' + encodeURIComponent(email.value);"
            " document.body.append(tag)"
        ),
        0,
    ),
    Situation(
        FORMLESS,
        "fetch(new Request()), which is not seen",
        widget(
            "fetch(new Request('/api/answer', { method: 'POST',"
            " body: JSON.stringify({ email: email.value }) }))"
        ),
        0,
    ),
    Situation(
        FORMLESS,
        "over a WebSocket",
        f"{widget('push()')}<script>const push = overSocket();</script>",
    ),
    Situation(
        FORMLESS,
        "JSON in JSON",
        widget(POST % "JSON.stringify({ address: email.value })"),
    ),
    Situation(
        FORMLESS,
        "the Enter key",
        f"""<div>{FIELD}</div><script>const email = document.querySelector("input");
        email.addEventListener("keydown", (event) => event.key === "Enter" && {SENDS});</script>""",
        act=with_enter,
    ),
    Situation(
        FORMLESS,
        "directly in a shadow root",
        IN_SHADOW,
        act=send_in_shadow,
    ),
    Situation(
        FORMLESS,
        "pressed, but not sent",
        widget("say('Nothing happens')"),
        0,
    ),
    framed(
        "a frame added by a timer",
        "setTimeout(() => { const frame = document.createElement('iframe'); frame.srcdoc = content;"
        " document.body.append(frame); }, 700);",
    ),
    framed(
        "a frame filled by script",
        "addEventListener('load', () => { const frame = document.createElement('iframe');"
        " document.body.append(frame); frame.contentDocument.body.innerHTML = content; });",
    ),
    framed(
        "a frame written with document.write",
        "addEventListener('load', () => { const frame = document.createElement('iframe');"
        " document.body.append(frame); const inner = frame.contentDocument; inner.open();"
        " inner.write(content); inner.close(); });",
    ),
    framed(
        "a frame that gets its srcdoc later",
        "addEventListener('load', () => { const frame = document.createElement('iframe');"
        " document.body.append(frame); setTimeout(() => { frame.srcdoc = content; }, 600); });",
    ),
    framed(
        "a frame that is navigated later",
        "addEventListener('load', () => { const frame = document.createElement('iframe');"
        " document.body.append(frame); setTimeout(() => { frame.src = '/framed'; }, 600); });",
    ),
    *(
        Situation(
            FRAMES,
            f"{call} rewrites a page {rewritten} fields",
            f"""{field}<script>addEventListener("load", () => setTimeout(() => {{
                {code}(`{FRAME}`); document.close(); }}, 700));</script>""",
        )
        for call, code in {
            "document.open()": "document.open(); document.write",
            "document.write()": "document.write",
        }.items()
        for rewritten, field in (("without", ""), ("with", "<input>"))
    ),
    *(
        Situation(FRAMES, f"a field named {name}", form(fields=FIELD + NAMED.format(name)))
        for name in ("elements", "submit", "id", "action", "parentNode", "attributes")
    ),
    Situation(
        FRAMES, "type=email multiple", form(fields='<input type="email" name="email" multiple>')
    ),
    Situation(FRAMES, "a slotted field", SLOTTED, act=sending(button="x-form >>> button")),
    *(
        Situation(FRAMES, f"{method} is the page's own", form(), before=f"{method} = {code};")
        for method, code in {
            "Array.from": "() => []",
            "Element.prototype.matches": "() => false",
            "Function.prototype.bind": "function () { return this; }",
            "Array.prototype.toJSON": "function () { return 'x'; }",
        }.items()
    ),
    *(
        Situation(
            FRAMES,
            f"a message that claims to be {vendor}'s",
            FIELD,  # with which the pixel listens to messages
            0,
            act=receive(message),
        )
        for vendor, message in {
            "HubSpot": "{ eventName: 'onFormSubmit', data: [{ name: 'email', value: 'a@b.c' }] }",
            "Calendly": "{ event: 'calendly.event_scheduled' }",
            "Typeform": "{ type: 'form-submit' }",
        }.items()
    ),
)
