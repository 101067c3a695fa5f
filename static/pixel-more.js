/**
 * The second part of the pixel, a module that pixel.js loads where a page has fields. It reads
 * forms, sees leads that are sent without one, watches what came of each, fills in the hidden fields
 * that a site declared, and shows the debug panel.
 */
const { shared } = /** @type {Required<Ppp>} */ (window.ppp);

const POLL_MS = 1000;
const POLLS = 4;
const DOUBLE_CLICK_MS = 5000;

// English, Spanish, French, German, Portuguese, Italian. One hint a line.
/** @type {Record<string, any>} */
const HINTS = {
  email: /mail|cou?rr|tr.ni/i,
  name: /(^|\[|your|full|my|ihr|dein|tuo?|su|seu|votre)\W?n[ao]m(br)?e?s?( complet\w)?\W*(\(.*)?$|(n[ao]m\w*|first|vor-) ([ey&]|et|[au]nd) /im,
  first_name: /(first|given|fore|vor|pr.|\bf).?n[ao]m|first\W*$/im,
  last_name: /(last|sur|nach|cog|sobre|famil\w+|\bl).?n[ao]m|famille|apell?ido|last\W*$/im,
};
const THANKS = /thank|merci|gracias|danke|obrigad|grazie/i;
const NOT_A_LEAD =
  "[role=search],[type=password]:not([autocomplete=new-password]),[autocomplete*=username]";
const BUTTON = "a,button,[role=button],[type=button],[type=submit],[class*=btn]";

/** @type {Person & { group?: Group }} read when a button was pressed, gathered over the steps */
let draft = {};

/**
 * No value is read before its field has said to be one of the three.
 * @param {any} group
 * @returns {Person | undefined} none where it is a search or a login
 */
const read = (group) => {
  /** @type {Record<string, string>} */
  const person = {};
  for (const field of group.elements || group.querySelectorAll("input:not(form *)")) {
    if (field.closest(NOT_A_LEAD)) return;
    // A text or an e-mail, or the radio that is checked.
    if (/(text|email)f|radiot/.test(field.type + field.checked)) {
      const hints = [...field.attributes, ...field.labels]
        .map((hint) => hint.name === "class" || hint.value || hint.textContent)
        .join("\n");
      for (const key in HINTS) {
        // Some builders write "mail" into every class and ID.
        if (HINTS[key].test?.(hints) && (key !== "email" || /@.+\./.test(field.value))) {
          person[key] ||= field.value;
          break;
        }
      }
    }
  }
  return person;
};

/** @param {Group} group */
const press = (group) => {
  draft = { ...draft, ...read(group), group };
};

/** Reports what was read, and later what came of it. Unsure is "submitted", as it was. */
const say = () => {
  const lead = /** @type {any} */ (shared.report(draft));
  const { group } = /** @type {any} */ (draft);
  const box = group.parentNode; // the form itself may be replaced
  const text = box.innerText;

  /** As far as the page shows it. */
  const outcome = () => {
    const appeared =
      lead.alerted ||
      box.innerText
        .split("\n")
        .filter((/** @type {string} */ line) => !text.includes(line))
        .join();
    const holds = /** @type {Person} */ (read(group)).email; // a form that was taken is empty or gone
    return holds && box.querySelector("[aria-invalid=true]")
      ? "rejected"
      : lead.ok || THANKS.test(appeared)
        ? "accepted"
        : holds && !lead.busy && appeared && "rejected";
  };

  /** @param {number} polls that may follow this one */
  const judge = (polls) =>
    shared.attempt(() => {
      const found = outcome();
      if (found && lead.sent.outcome === "submitted") {
        lead.sent.outcome = found;
        shared.dispatch(lead.sent);
        if (found === "rejected") lead.email = 0;
        else setTimeout(() => (lead.email = draft = /** @type {any} */ (0)), DOUBLE_CLICK_MS);
      } else if (polls) setTimeout(judge, POLL_MS, polls - 1);
    });
  setTimeout(judge, POLL_MS, POLLS);
  return lead;
};

shared.submitted = (form) => {
  press(form);
  say();
};

shared.gestured = (element, key) => {
  if (key ? key === "Enter" : element.closest(BUTTON)) {
    const root = element.getRootNode();
    press(element.closest("form") || root.body || root);
  }
};

/**
 * The page sends something: the fields of a lead, maybe, with or without a form around them.
 * @param {any} body
 */
const requested = (body) => {
  shared.lead.busy = 1;
  const { email } = draft;
  // URLSearchParams makes one text of every kind of form data.
  return email && unescape(`${new URLSearchParams(body)}`).includes(email) && say();
};

shared.tap(window, "alert", (_, __, [text]) => (shared.lead.alerted = text));
shared.tap(window, "fetch", (promise, _, [, init]) => {
  const lead = requested(init.body);
  if (lead) {
    promise.then((/** @type {Response} */ response) => (lead.ok = response.ok), shared.attempt);
  }
});
shared.tap(XMLHttpRequest.prototype, "send", (_, xhr, [body]) => {
  const lead = requested(body);
  if (lead) {
    xhr.addEventListener("load", () => (lead.ok = xhr.status < 300));
  }
});

// Filled in any case, shown only to who asks for it.
const panel = document.createElement("pre");
// Not by setAttribute, which a content security policy may forbid.
/** @type {any} */ (panel).style = "position:fixed;bottom:0;background:#fff";
if (/ppp_debug/.test(/** @type {any} */ (location))) document.body.append(panel);

shared.answered = (event, response) => {
  response
    .text()
    .then((text) => {
      panel.append(`${JSON.stringify(event)} ${response.status} ${text}\n`);
      const { touch } = JSON.parse(text);
      for (const key in touch) {
        for (const field of document.querySelectorAll(`[type=hidden][name=${key}]`)) {
          /** @type {HTMLInputElement} */ (field).value = touch[key] || "";
        }
      }
    })
    .catch(shared.attempt);
};
