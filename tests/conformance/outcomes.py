"""Situations in which a form was sent although it does not look so, and the other way round."""

from __future__ import annotations

from tests.conformance.situations import Situation, form, twice

SLOW = 'method="post" action="/api/answer?slow=2.5"'
SENT = "sent, whatever the page shows"
REFUSED = "refused"
UNCERTAIN = "perhaps refused"
CITY = '<input type="email" name="email"><input name="city">'
RETRIED = """submitOnce(async (tries) => {
  const answer = await send(tries ? "" : `?body=${encodeURIComponent('%s')}`);
  say(await answer.text());
})"""
FAILURES = (
    '{"success":false,"data":{"message":"no"}}',
    '{"success": false}',
    '{"ok":false}',
    '{"status":"error"}',
    '{"status":"validation_failed"}',
    '{"errors":{"city":["missing"]}}',
    '{"errors":["missing"]}',
)
SUCCESSES = ('{"errors":[]}', '{"errors":{}}', '{"success":true,"errors":null}', '{"status":"ok"}')


def answered(text: str) -> str:
    """A form that the page sends, with the answer's text beside it."""
    body = text.replace('"', "%22").replace(" ", "%20")
    return form(f"onSubmit(async () => say(await (await send('?body={body}')).text()));")


OUTCOMES = (
    Situation(
        SENT,
        "slow POST, button says Sending…",
        form(
            "form.addEventListener('submit', () =>"
            " { email.nextSibling.textContent = 'Sending…'; })",
            attributes=SLOW,
        ),
    ),
    Situation(
        SENT,
        "slow POST, button is disabled (Rails)",
        form(
            "form.addEventListener('submit', () => setTimeout(() => {"
            " document.querySelector('button').disabled = true; }))",
            attributes=SLOW,
        ),
    ),
    Situation(
        SENT,
        "into a hidden frame",
        form(
            "document.querySelector('iframe').addEventListener('load', () =>"
            " say('Your message has been sent.'))",
            attributes='method="post" action="/thank-you" target="hidden"',
            after='<iframe name="hidden" hidden></iframe>',
        ),
    ),
    Situation(
        SENT,
        "into another tab, beside a countdown",
        form(
            "let seconds = 60; setInterval(() => say(`${seconds--} left`), 300)",
            attributes='method="post" action="/thank-you" target="_blank"',
        ),
    ),
    Situation(
        SENT,
        "a download",
        form("say('x')", attributes='method="post" action="/api/answer?download=1"'),
    ),
    Situation(
        SENT,
        "sendBeacon",
        form(
            "onSubmit(() => { navigator.sendBeacon('/api/answer', new FormData(form));"
            " say('Hm'); })"
        ),
    ),
    Situation(
        SENT,
        "fetch(new Request()), as ky does",
        form(
            "onSubmit(() => { fetch(new Request('/api/answer',"
            " { method: 'POST', body: new FormData(form) })); say('Hm'); })"
        ),
    ),
    Situation(
        SENT,
        "GET by fetch",
        form(
            "onSubmit(() => { fetch('/api/answer?' + new URLSearchParams(new FormData(form)));"
            " say('Hm'); })"
        ),
    ),
    Situation(
        SENT,
        "GET by XMLHttpRequest",
        form(
            "onSubmit(() => { const xhr = new XMLHttpRequest(); xhr.open('GET', '/api/answer?'"
            " + new URLSearchParams(new FormData(form))); xhr.send(); say('Hm'); })"
        ),
    ),
    Situation(
        SENT,
        "JSONP",
        form(
            "onSubmit(() => { const tag = document.createElement('script');"
            " tag.src = '/api/answer?' + new URLSearchParams(new FormData(form));"
            " document.body.append(tag); say('Hm'); })"
        ),
    ),
    Situation(
        SENT,
        "over a WebSocket, as LiveView does",
        form("const push = overSocket(); onSubmit(() => { push(); say('Hm'); })"),
    ),
    Situation(
        SENT,
        "by a Worker",
        form(
            "const code = \"onmessage = ({ data: [url, body] }) => fetch(url, { method: 'POST',"
            ' body })"; const worker = new Worker(URL.createObjectURL(new Blob([code])));'
            " onSubmit(() => { worker.postMessage([location.origin + '/api/answer',"
            " JSON.stringify({ email: email.value })]); say('Hm'); })"
        ),
    ),
    Situation(
        SENT,
        "by a fetch from before the pixel",
        form(
            "onSubmit(() => { kept('/api/answer', { method: 'POST', body: new FormData(form) });"
            " say('Hm'); })"
        ),
        before="const kept = fetch.bind(window);",
    ),
    Situation(
        SENT,
        "the site answers 500",
        form("onSubmit(async () => { await send('?status=500'); say('Later'); })"),
    ),
    *(Situation(SENT, f"answered {text}", answered(text)) for text in SUCCESSES),
    *(Situation(REFUSED, f"answered {text}", answered(text), 0) for text in FAILURES),
    *(
        Situation(
            REFUSED,
            f"answered {status} by fetch",
            form(f"onSubmit(async () => {{ await send('?status={status}'); say('No'); }})"),
            0,
        )
        for status in (400, 403, 409, 422)
    ),
    Situation(
        REFUSED,
        "422, a hidden thank you on the page (Turbo)",
        form(
            "onSubmit(async () => { await send('?status=422'); say('The city is missing'); })",
            after="<p hidden>Thank you</p>",
        ),
        0,
    ),
    Situation(
        REFUSED,
        "422 by XMLHttpRequest, a red border",
        form(
            "onSubmit(() => { const xhr = new XMLHttpRequest(); xhr.open('POST',"
            " '/api/answer?status=422');"
            " xhr.onload = () => { email.style.border = '1px solid red'; };"
            " xhr.send(new FormData(form)); })"
        ),
        0,
    ),
    Situation(
        REFUSED,
        "422 to a GET by XMLHttpRequest",
        form(
            "onSubmit(() => { const xhr = new XMLHttpRequest(); xhr.open('GET',"
            " '/api/answer?status=422&' + new URLSearchParams(new FormData(form)));"
            " xhr.send(); say('No'); })"
        ),
        0,
    ),
    Situation(
        REFUSED,
        "422, the same error twice",
        form("onSubmit(async () => { await send('?status=422'); say('No'); })"),
        0,
        act=twice,
    ),
    Situation(
        REFUSED,
        "confirm() cancelled",
        form("onSubmit(() => { if (confirm('Send it?')) send(); })"),
        0,
    ),
    Situation(
        REFUSED,
        "confirm() cancelled, by an attribute",
        form(attributes='method="post" action="/thank-you" onsubmit="return confirm(\'Send?\')"'),
        0,
    ),
    Situation(
        REFUSED,
        "aria-invalid",
        form("onSubmit(() => form.city.setAttribute('aria-invalid', true))", fields=CITY),
        0,
    ),
    Situation(REFUSED, "role=alert", form("onSubmit(() => alertBox('Your city is missing'))"), 0),
    # What cannot be seen to be refused is a lead: a lost one costs more.
    Situation(
        UNCERTAIN, "the page writes a text", form("onSubmit(() => say('Where do you live?'))")
    ),
    Situation(
        UNCERTAIN,
        "the page shows an element",
        form(
            "onSubmit(() => { document.querySelector('p').hidden = false; })",
            after="<p hidden>Where do you live?</p>",
        ),
    ),
    Situation(
        REFUSED, "success:false, then corrected", form(RETRIED % '{"success":false}'), act=twice
    ),
    Situation(
        REFUSED,
        "422, then corrected",
        form("submitOnce((tries) => send(tries ? '' : '?status=422'))"),
        act=twice,
    ),
)
