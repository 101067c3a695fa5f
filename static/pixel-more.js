/**
 * PPP Pixel, second part: a module that pixel.js loads where a page has fields or frames.
 *
 * In reading order: it recognises the fields of a person (fields), reads them when a form is
 * submitted or a button is pressed and reports a lead (leads), sees leads that a script sends
 * (requests), decides whether the page accepted or rejected the lead (outcome), hears embedded
 * forms (messages), listens wherever there may be forms (windows), and fills hidden fields and the
 * debug panel from the server's answers (answers). The types are in pixel.d.ts.
 */
const { shared } = /** @type {Required<Ppp>} */ (window.ppp);
const { attempt, tap, listen, reactions } = shared;

const POLL_INTERVAL_MS = 1000;
const MAX_POLLS = 5;
const DOUBLE_CLICK_MS = 5000;
const MAX_TEXT = 2000; // pages write all that they know into attributes

// ---- fields -------------------------------------------------------------------------------------

/**
 * Which words, in a label or an attribute, name a part of a name: English, Spanish, French,
 * German, Portuguese, Italian. The first hint that matches decides.
 * @type {any}
 */
const HINTS = {
  // The whole name. Alone at the end of a line, with or without a possessive: "name", "[name]",
  // "your name *", "nombre completo", "Ihr Name (…)". Or two parts: "first and last name",
  // "nom et prénom", "Vor- und Nachname", "nome e cognome".
  name: /(^|\[|your|full|my|ihr|dein|tuo?|su|seu|votre)\W?n[ao]m(br)?e?s?( complet\w)?\W*(\(.*)?$|(n[ao]m\w*|first|vor-) ([ey&]|et|[au]nd) /im,
  // first name, given-name, forename, Vorname, prénom, fname; "first" alone
  first_name: /(first|given|fore|vor|pr.|\bf).?n[ao]m|first\W*$/im,
  // last name, surname, Nachname, cognome, sobrenome, family-name, lname; famille, apellido, apelido
  last_name: /(last|sur|nach|cog|sobre|famil\w+|\bl).?n[ao]m|famille|apell?ido|last\W*$/im,
};
// The field of somebody else (a friend, a colleague, who gets a parcel), and that of a search.
const NOT_OWN =
  /fr(ie|eu)nd|(\b|_)ami[cgs]?.?\b|colleag|recipient|destinat|invit.+mail|referr|shipping|liefer|livrai|search|suche|\bbusc|cherch/i;
const EMAIL = /[^\s",/]+@[^\s",/]+\.[^\s",/]+/; // neither youtube.com/@acme nor 2@5
const LOGIN = "[type=password]:not([autocomplete=new-password]),[autocomplete*=username]";

/**
 * The texts of nodes, one a line; of attributes not "value", into which pages write what is typed,
 * and not "class", which is the theme's.
 * @param {any[]} nodes or texts, or nothing
 */
const textsOf = (nodes) =>
  nodes
    .map((node) => /value|class/.test(node?.name) || (node?.textContent ?? node))
    .join("\n")
    .slice(0, MAX_TEXT);

/**
 * Reads a person. Values of other fields are never kept.
 * @param {any} group
 * @returns {Person} nobody if it is a login or to be ignored
 */
const readPerson = (group) => {
  /** @type {any} */
  const person = {};
  const word = ownersWord(group);
  const root = group.getRootNode();
  // In a shadow tree, also the fields that the page puts into its slots.
  const slotted = root.host?.querySelectorAll("input") || [];
  for (const field of [...slotted, ...root.querySelectorAll("input")]) {
    const { type, checked, value, form } = field;
    // Those of a form may stand elsewhere, and it may have fields called "elements" and "contains".
    if (form ? form !== group : !group.contains(field) && !root.host?.contains(field)) continue;
    if (word ? word === "ignore" : field.closest(LOGIN)) return {};
    // The custom elements of a form may have the type "text" too, but no `checked`.
    if (type === "radio" ? !checked : !/^(text|email)$/.test(type) || checked !== false) continue;
    const description = textsOf([...field.attributes, ...field.labels]);
    const [email] = value.match(EMAIL) || [];
    const key = email ? "email" : Object.keys(HINTS).find((hint) => HINTS[hint].test(description));
    if (key && !NOT_OWN.test(description) && !field.closest("[role=search]")) {
      person[key] ||= email || value;
    }
  }
  return person;
};

// ---- leads --------------------------------------------------------------------------------------

/** @type {any} what was read so far, over the steps of a form */
let draft = {};
/** @type {any} the last submit event: a listener hears of it, and of its cancellation */
let lastEvent;
/** @type {Sending} the last one */
let sending = {};

/**
 * What the site's owner says of a group: the attribute data-ppp on it or around it.
 * @param {any} group
 * @returns {string | undefined}
 */
const ownersWord = (group) => group.closest?.("[data-ppp]")?.dataset.ppp;

/**
 * Reads a group. It says what it is for by its attributes, its button, the heading before it and
 * the path of the page; the server knows the words of forms that are no leads.
 * @param {any} group
 * @param {any} button
 */
const readIntoDraft = (group, button) => {
  const element = group.host || group; // a shadow root has no parent and no attributes
  const heading = element.parentNode?.querySelector("h1,h2,h3");
  draft = { ...draft, ...readPerson(group), group };
  draft.form_text =
    !ownersWord(group) &&
    textsOf([
      button,
      button?.value,
      heading,
      ...["id", "name", "class", "action"].map((name) => element.getAttribute(name)),
    ]);
};

/**
 * Reports the draft as a lead, and watches for its outcome.
 * @param {any} [event] the submit event, if it was submitted by one
 */
const reportDraft = (event) => {
  const lead = shared.report(draft);
  if (lead && (event || sending.lead !== lead)) watchOutcome(lead, event);
};

shared.submitted = (event) => {
  /** @type {any} */
  const { target: form, submitter } = event;
  const { ppp = window.ppp } = form.ownerDocument.defaultView;
  // A frame with a pixel of its own reports its forms itself.
  if (event === lastEvent || ppp !== window.ppp) return;
  lastEvent = event;
  readIntoDraft(form, submitter || form.querySelector("[type=submit],button"));
  reportDraft(event);
};

/**
 * A button was pressed, or Enter: what stands beside it may soon be sent. Without a form that is
 * the nearest container with an e-mail address.
 * @param {any} event
 */
const onGesture = (event) => {
  const [element] = event.composedPath();
  const button = element.closest("a,button,[role=button],[type=button],[type=submit],[class*=btn]");
  let node = button || (event.key === "Enter" && element);
  for (node = node?.form || node; node; node = node.parentNode || node.host) {
    if (node.localName === "form" || readPerson(node).email) return readIntoDraft(node, button);
  }
};

// ---- requests -----------------------------------------------------------------------------------

// Bits of `answers`: requests of one form may be answered both ways, which settles nothing.
const ACCEPTS = 1;
const REFUSES = 2;
const FAILURE =
  /"(success|ok|status)":\s*"?(\w+_)?(false|err|fail)|"errors":\s*([[{]\s*[^\s\]}]|"[^"])/i;

/**
 * Something leaves the page. If it has the e-mail address of the draft, that is a lead.
 * @param {any} content
 * @param {any} [url]
 * @returns {((status: number, answer: any) => void) | undefined} what to tell of the answer
 */
const onSent = (content, url = "") => {
  // URLSearchParams makes one text of all kinds of form data. In it "+" is a space or a plus, which
  // unescape leaves alone: so an address with a plus is found in JSON too.
  const text = unescape(`${new URLSearchParams(content)} ${url}`).toLowerCase();
  // Sites tidy the address up, or have its host in ASCII.
  if (draft.email && text.includes(`${draft.email.toLowerCase().split("@")[0]}@`)) {
    reportDraft();
    const current = sending;
    current.hasLeft = true;
    return (status, answer) => {
      if (status < 500) current.answers |= status > 299 || FAILURE.test(answer) ? REFUSES : ACCEPTS;
    };
  }
};

/**
 * Watches what leaves a window.
 * @param {any} view
 */
const watchRequests = (view) => {
  tap(view, "fetch", (promise, [input, init]) => {
    const tell = onSent(init?.body, input.url || input);
    if (tell) {
      promise.then(
        async (/** @type {Response} */ response) =>
          tell(response.status, await response.clone().text()),
        attempt,
      );
    }
  });
  // open() has the method and the URL, send() the body.
  for (const method of ["open", "send"]) {
    tap(view.XMLHttpRequest.prototype, method, (_result, [content, url], xhr) => {
      const tell = onSent(content, url);
      if (tell) xhr.addEventListener("load", () => tell(xhr.status, xhr.response));
    });
  }
  tap(view.WebSocket.prototype, "send", (_result, [body]) => onSent(body));
  tap(view.navigator, "sendBeacon", (_result, [, body]) => onSent(body));
  for (const dialog of ["alert", "confirm"]) {
    tap(view, dialog, (isConfirmed, [text]) => {
      sending.dialogText = !isConfirmed && text;
    });
  }
};

// ---- outcome ------------------------------------------------------------------------------------

const THANKS = /thank|merci|gracias|danke|obrigad|grazie/i;
const INVALID = "[aria-invalid=true],:user-invalid,[role=alert]:not(:empty)";

/**
 * Polls for a lead's outcome, and sends it. While it is unclear the lead stays "submitted". It is
 * rejected only if it is certain that it was not sent.
 * @param {Lead} lead
 * @param {any} event the submit event, if there was one
 */
const watchOutcome = (lead, event) => {
  const { email, group } = draft;
  const container = group.parentNode; // the form itself may be replaced
  /** @type {Sending} */
  const current = { lead };
  sending = current;

  /** @param {number} pollsLeft this one included */
  const poll = (pollsLeft) =>
    attempt(() => {
      // What is not cancelled was sent by the browser: nothing to watch.
      if (sending !== current || (event && !event.defaultPrevented)) return;
      const { answers, dialogText, hasLeft } = current;
      // A form that was accepted is empty or gone.
      const isRefused =
        readPerson(group).email === email &&
        (container.querySelector(INVALID) || (dialogText && !THANKS.test(dialogText)));
      if (answers === REFUSES || (isRefused && !hasLeft)) settle(lead, "rejected");
      else if (answers === ACCEPTS && !isRefused) settle(lead, "accepted");
      else if (pollsLeft > 1) setTimeout(poll, POLL_INTERVAL_MS, pollsLeft - 1);
    });
  setTimeout(poll, POLL_INTERVAL_MS, MAX_POLLS);
};

/**
 * Sends the outcome, then forgets the address: whoever submits it later is a new lead. After an
 * acceptance that takes a while, so that a second click is none.
 * @param {Lead} lead
 * @param {Outcome} outcome
 */
const settle = (lead, outcome) => {
  const submission = /** @type {PppEvent} */ (lead.submission);
  submission.outcome = outcome;
  shared.dispatch(submission);
  if (outcome === "rejected") lead.email = "";
  else {
    setTimeout(() => {
      lead.email = "";
      draft = {};
    }, DOUBLE_CLICK_MS);
  }
};

// ---- messages -----------------------------------------------------------------------------------

const VENDORS = /[./](hubspot|hsforms|typeform|calendly)\.com$/;

/**
 * Messages of embedded forms: HubSpot's have the fields, those of Typeform and Calendly only say
 * that something was sent. Anybody can send such a message, so the sender counts.
 * @param {any} message
 */
const onMessage = ({ data, origin }) => {
  if (!VENDORS.test(origin)) return;
  if (/^onFormSubmit/.test(data.eventName)) {
    const [email] = /** @type {any} */ (JSON.stringify(data.data).match(EMAIL));
    shared.report({ email });
  }
  // "form-submit" is Typeform's, "calendly.event_scheduled" Calendly's.
  if (/form-submit|_scheduled/.test(data.type || data.event)) {
    shared.dispatch(shared.makeEvent("form_submit", { outcome: "accepted" }));
  }
};

// ---- windows ------------------------------------------------------------------------------------

/** The constructors of the documents of all windows and frames whose methods are tapped. */
const tappedRealms = new WeakSet();

/**
 * Watches a window and its frames. To watch one again finds what came since.
 * @param {any} view a window (one of another origin throws), or undefined for what has none
 */
const watchWindow = (view) =>
  view &&
  attempt(() => {
    const { Document, Event, HTMLFormElement } = view;
    listen(view);
    if (!tappedRealms.has(Document)) {
      tappedRealms.add(Document);
      watchRequests(view);
      tap(HTMLFormElement.prototype, "submit", (_result, _args, target) =>
        shared.submitted({ target }),
      );
      // The page hides submit events from our listener by cancelling them: it did so before we
      // heard them, or in a closed shadow tree.
      for (const method of ["preventDefault", "stopImmediatePropagation"]) {
        tap(
          Event.prototype,
          method,
          (_result, _args, event) => event.type === "submit" && shared.submitted(event),
        );
      }
      // It takes all listeners away, as in the first part.
      tap(Document.prototype, "write", () => watchWindow(view));
    }
    for (let index = view.length; index--; ) watchWindow(view[index]);
  });

if (shared.hasForms) {
  reactions.pointerdown = reactions.click = reactions.keydown = onGesture;
  reactions.message = onMessage;
  reactions.load = (/** @type {any} */ { target }) => watchWindow(target.contentWindow);
}

watchWindow(window);

// ---- answers ------------------------------------------------------------------------------------

// Filled on every page, shown if the address asks for it.
const debugPanel = document.createElement("pre");
// Not by setAttribute, which a content security policy may forbid.
/** @type {any} */ (debugPanel).style = "position:fixed;background:#fff;bottom:0";
if (location.href.includes("ppp_debug")) document.body.append(debugPanel);

shared.answered = (event, response) => {
  response
    .text()
    .then((text) => {
      debugPanel.append(`${JSON.stringify(event)} ${response.status} ${text}\n`);
      const { touch } = JSON.parse(text); // the server's attribution; only with data-fill
      for (const key in touch) {
        for (const field of document.querySelectorAll(`[type=hidden][name=${key}]`)) {
          /** @type {HTMLInputElement} */ (field).value = touch[key] || "";
        }
      }
    })
    .catch(attempt);
};
