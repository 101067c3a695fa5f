/**
 * PPP Pixel, second part: a module that pixel.js loads where a page has fields.
 *
 * In reading order: it recognises the fields of a person (fields), reads them when a form is
 * submitted or a button is pressed and reports a lead (leads), sees leads that a script sends
 * (requests), decides whether the page accepted or rejected the lead (outcome), and fills hidden
 * fields and the debug panel from the server's answers (answers). The types are in pixel.d.ts.
 */
const { shared } = /** @type {Required<Ppp>} */ (window.ppp);

const POLL_INTERVAL_MS = 1000;
const MAX_POLLS = 5;
const DOUBLE_CLICK_MS = 5000;

const ignore = () => {};

// ---- fields -------------------------------------------------------------------------------------

/**
 * Which words, in a label or an attribute, name a field of a person: English, Spanish, French,
 * German, Portuguese, Italian. The first hint that matches decides.
 * @type {Record<keyof Person, RegExp>}
 */
const HINTS = {
  // mail; correo, courriel, courrier; électronique, electrónico, elektronisch
  email: /mail|cou?rr|tr.ni/i,
  // The whole name. Alone at the end of a line, with or without a possessive: "name", "[name]",
  // "your name *", "nombre completo", "Ihr Name (…)". Or two parts: "first and last name",
  // "nom et prénom", "Vor- und Nachname", "nome e cognome".
  name: /(^|\[|your|full|my|ihr|dein|tuo?|su|seu|votre)\W?n[ao]m(br)?e?s?( complet\w)?\W*(\(.*)?$|(n[ao]m\w*|first|vor-) ([ey&]|et|[au]nd) /im,
  // first name, given-name, forename, Vorname, prénom, fname; "first" alone
  first_name: /(first|given|fore|vor|pr.|\bf).?n[ao]m|first\W*$/im,
  // last name, surname, Nachname, cognome, sobrenome, family-name, lname; famille, apellido, apelido
  last_name: /(last|sur|nach|cog|sobre|famil\w+|\bl).?n[ao]m|famille|apell?ido|last\W*$/im,
};
const SEARCH_OR_LOGIN =
  "[role=search],[type=password]:not([autocomplete=new-password]),[autocomplete*=username]";

/**
 * A text or e-mail field, or the radio button that is checked. The custom elements of a form may
 * have the type "text" too, but no `checked`.
 * @param {any} field
 */
const isReadable = ({ type, checked }) =>
  type === "radio" ? checked === true : (type === "text" || type === "email") && checked === false;

/**
 * The texts that describe a field, one a line: its attributes without the class, and its labels.
 * @param {any} field
 */
const fieldDescription = (field) => {
  // Old libraries replace filter(): map() is what is left of Array.prototype on most pages.
  return [
    ...[...field.attributes].map(({ name, value }) => (name === "class" ? "" : value)),
    ...[...field.labels].map(({ textContent }) => textContent),
  ].join("\n");
};

/**
 * Which of a person's values a field holds, if any.
 * @param {any} field
 */
const personKey = (field) => {
  const description = fieldDescription(field);
  return /** @type {(keyof Person)[]} */ (Object.keys(HINTS)).find(
    (key) =>
      HINTS[key].test(description) &&
      // Some form builders write "mail" into every attribute, so the value must look like one.
      (key !== "email" || /@.+\./.test(field.value)),
  );
};

/**
 * Reads a person. Values of other fields are never kept.
 * @param {any} group
 * @returns {Person | undefined} undefined if it is a search or a login
 */
const readPerson = (group) => {
  /** @type {Person} */
  const person = {};
  for (const field of group.elements || group.querySelectorAll("input:not(form *)")) {
    if (field.closest(SEARCH_OR_LOGIN)) return;
    const key = isReadable(field) && personKey(field);
    if (key) person[key] ||= field.value;
  }
  return person;
};

// ---- leads --------------------------------------------------------------------------------------

/** @type {Person & { group?: Group }} what was read so far, over the steps of a form */
let draft = {};

/** @param {Group} group */
const readIntoDraft = (group) => {
  draft = { ...draft, ...readPerson(group), group };
};

/** Reports the draft as a lead, and watches for its outcome. */
const reportDraft = () => {
  const lead = shared.report(draft);
  if (lead) watchOutcome(lead, draft.group);
  return lead;
};

shared.submitted = (form) => {
  readIntoDraft(form);
  reportDraft();
};

const BUTTON = "a,button,[role=button],[type=button],[type=submit],[class*=btn]";

shared.gesture = (element, key) => {
  if (key ? key === "Enter" : element.closest(BUTTON)) {
    const root = element.getRootNode();
    readIntoDraft(element.closest("form") || root.body || root);
  }
};

// ---- requests -----------------------------------------------------------------------------------

/**
 * The page sends a request. If its body has the e-mail address of the draft, that is a lead.
 * @param {any} body
 * @returns {Lead | undefined}
 */
const onRequest = (body) => {
  shared.lead.hasRequest = true;
  // URLSearchParams makes one text of all kinds of form data. In it "+" is a space or a plus, which
  // unescape leaves alone: so an address with a plus is found in JSON too.
  const { email } = draft;
  if (email && unescape(`${new URLSearchParams(body)}`).includes(email)) return reportDraft();
};

shared.tap(window, "alert", (_window, [text]) => {
  shared.lead.alertText = text;
});

shared.tap(window, "fetch", (_window, [, init], promise) => {
  const lead = onRequest(init.body);
  if (lead) {
    promise.then((/** @type {Response} */ response) => {
      lead.requestOk = response.ok;
    }, ignore);
  }
});

shared.tap(XMLHttpRequest.prototype, "send", (xhr, [body]) => {
  const lead = onRequest(body);
  if (lead) {
    xhr.addEventListener("load", () => {
      lead.requestOk = xhr.status < 300;
    });
  }
});

// ---- outcome ------------------------------------------------------------------------------------

const THANKS = /thank|merci|gracias|danke|obrigad|grazie/i;

/**
 * Polls what the page shows of a lead's outcome, and sends it. While it is unclear the lead stays
 * "submitted".
 * @param {Lead} lead
 * @param {any} group
 */
const watchOutcome = (lead, group) => {
  // The form itself may be replaced. A shadow root has no parent: its leads stay "submitted".
  const container = group.parentNode;
  const textBefore = container.innerText;

  const newText = () =>
    container.innerText
      .split("\n")
      .map((/** @type {string} */ line) => (textBefore.includes(line) ? "" : line))
      .join("");

  /** @returns {Outcome | undefined} */
  const judge = () => {
    const message = lead.alertText || newText();
    // A form that was accepted is empty or gone. Of a login nothing is judged: this throws.
    const isFilled = /** @type {Person} */ (readPerson(group)).email;
    if (isFilled && container.querySelector("[aria-invalid=true]")) return "rejected";
    if (lead.requestOk || THANKS.test(message)) return "accepted";
    if (isFilled && !lead.hasRequest && message) return "rejected";
  };

  /** @param {number} pollsLeft this one included */
  const poll = (pollsLeft) =>
    shared.attempt(() => {
      const outcome = judge();
      if (outcome && lead.submission?.outcome === "submitted") settle(lead, outcome);
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
  if (outcome === "rejected") lead.email = undefined;
  else {
    setTimeout(() => {
      lead.email = undefined;
      draft = {};
    }, DOUBLE_CLICK_MS);
  }
};

// ---- answers ------------------------------------------------------------------------------------

// Filled on every page, shown if the address asks for it.
const debugPanel = document.createElement("pre");
// Not by setAttribute, which a content security policy may forbid.
/** @type {any} */ (debugPanel).style = "position:fixed;bottom:0;background:#fff";
if (location.href.includes("ppp_debug")) document.body.append(debugPanel);

/** @param {Record<string, string>} touch the server's attribution; only with data-fill */
const fillHiddenFields = (touch) => {
  for (const key in touch) {
    for (const field of document.querySelectorAll(`[type=hidden][name=${key}]`)) {
      /** @type {HTMLInputElement} */ (field).value = touch[key] || "";
    }
  }
};

shared.answered = (event, response) => {
  response
    .text()
    .then((text) => {
      debugPanel.append(`${JSON.stringify(event)} ${response.status} ${text}\n`);
      fillHiddenFields(JSON.parse(text).touch);
    })
    .catch(ignore);
};
