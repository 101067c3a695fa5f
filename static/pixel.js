/**
 * PPP Pixel: the script that site owners paste. It reports page views and leads to the origin it
 * was loaded from. UTM parameters and click IDs are parsed by the server, not here.
 *
 *   <script src="https://pixel.salesmagic.us/p.js" data-pixel-id="your_pixel_id" defer></script>
 *
 * Three promises to the page: no exception reaches it, its events and forms are left alone, and
 * of a form only the first name, the last name and the e-mail address are ever read.
 */
(() => {
  /**
   * @typedef {{ email?: string, first_name?: string, last_name?: string }} Person
   * @typedef {{ q?: ArrayLike<any>[], version?: string }} PppState
   * @typedef {PppState & { (command: string, data?: any): void }} Ppp
   * @typedef {{ ppp?: Ppp, PPPTracker?: { track: () => void, version: string } }} Globals
   */

  const VERSION = "3.0.0";
  const VISITOR_KEY = "ppp_visitor";
  const YEAR_S = 31536000;
  const SETTLE_MS = 100; // after which a router has set the title
  const DOUBLE_CLICK_MS = 5000;

  const PIXEL_ID = /^[\w-]{8,64}$/;
  const KNOWN_VISITOR = /ppp_visitor=((pxl_)?[\da-f]{16})(;|$)/; // pxl_: given by the old pixel
  const EMAIL = /^[^\s@]{1,64}@[^\s@]+\.[^\s@]{2,}$/;
  const LONG_NUMBER = /(\d\W?){9}/; // a phone or a card, autofilled into a name

  // English, Spanish, French, German, Portuguese, Italian. \b would see a word's end in "é".
  const EMAIL_HINT = /mail|corre[io]|courriel|l.c?t+r.ni/i;
  const FIRST_NAME_HINT =
    /(first|given).?name|(^|[\s_-])f_?name|forename|vorname|pr.nom|(^|[\s_-])nom(e|bre)\W*$|first\W*$/im;
  const LAST_NAME_HINT =
    /(last|family).?name|(^|[\s_-])l_?name|surname|nachname|familienname|apell?ido|cognome|sobrenome|nom de famille|(^|[\s_-])nom\W*$|last\W*$/im;
  const BOTH_NAMES_HINT = /(nom\w*|first|vor-|name) (e|y|et|und|and|&) /i;
  const NOT_A_LEAD =
    "search,[role=search],[type=search],[type=password],[autocomplete*=current-],[autocomplete*=username]";

  const page = /** @type {Window & Globals} */ (window);

  /**
   * Whatever goes wrong in here is not the page's problem.
   * @template T
   * @param {() => T} task
   */
  const attempt = (task) => {
    try {
      return task();
    } catch {}
  };

  /** @type {(target: EventTarget, type: string, task: (event: any) => void, capture?: boolean) => void} */
  const on = (target, type, task, capture) =>
    target.addEventListener(type, (event) => attempt(() => task(event)), capture);

  const randomId = () =>
    Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) =>
      (byte + 256).toString(16).slice(1),
    ).join("");

  /** @type {(name: string, value: string, maxAge: number, domain: string) => void} */
  const setCookie = (name, value, maxAge, domain) => {
    const secure = location.protocol === "https:" ? ";secure" : "";
    // The Cookie Store API is asynchronous and not everywhere.
    document.cookie = `${name}=${value};path=/;samesite=lax;max-age=${maxAge}${domain}${secure}`;
  };

  /** The widest domain that takes a cookie, so that subdomains share the visitor. */
  const widestDomain = () => {
    const labels = location.hostname.split(".");
    for (let i = labels.length; i--; ) {
      const domain = `;domain=${labels.slice(i).join(".")}`;
      setCookie("ppp_test", "1", 9, domain);
      const taken = document.cookie.includes("ppp_test");
      setCookie("ppp_test", "", 0, domain);
      if (taken) return domain;
    }
    return "";
  };

  /** From the cookie, else from localStorage, else new; kept in both, where the browser lets us. */
  const recogniseVisitor = () => {
    const cookie = attempt(() => document.cookie);
    const mirror = attempt(() => localStorage.getItem(VISITOR_KEY));
    const known = KNOWN_VISITOR.exec(`${cookie};${VISITOR_KEY}=${mirror}`);
    const [, id = randomId()] = known || [];
    attempt(() => localStorage.setItem(VISITOR_KEY, id));
    attempt(() => {
      const domain = widestDomain();
      setCookie(VISITOR_KEY, "", 0, ""); // the old pixel's, of this host alone
      setCookie(VISITOR_KEY, id, YEAR_S, domain);
    });
    return id;
  };

  /**
   * A prerendered page is nobody's visit until it is shown.
   * @param {() => void} task
   */
  const whenShown = (task) => {
    if (/** @type {{ prerendering?: boolean }} */ (document).prerendering) {
      on(document, "prerenderingchange", () => task());
    } else attempt(task);
  };

  /**
   * No value is read before its field has said to be one of the three.
   * @param {HTMLFormElement} form
   */
  const readForm = (form) => {
    /** @type {Person} */
    const person = {};
    for (const element of form.elements) {
      const field = /** @type {HTMLInputElement} */ (element);
      if (field.closest(NOT_A_LEAD)) return {};
      const isChosen = field.type === "radio" && field.checked;
      if (!isChosen && field.type !== "text" && field.type !== "email") continue;
      const hints = [
        field.autocomplete,
        field.type,
        field.name,
        field.id,
        field.ariaLabel,
        field.placeholder,
        ...Array.from(field.labels || [], (label) => label.textContent),
      ].join("\n");
      const isEmail = EMAIL_HINT.test(hints);
      const isFirst = FIRST_NAME_HINT.test(hints);
      const isName = isFirst !== LAST_NAME_HINT.test(hints) && !BOTH_NAMES_HINT.test(hints);
      if (!isEmail && !isName) continue;
      const value = field.value.trim();
      if (isEmail && EMAIL.test(value)) person.email = person.email || value;
      else if (isName && !LONG_NUMBER.test(value)) {
        const key = isFirst ? "first_name" : "last_name";
        person[key] = person[key] || value;
      }
    }
    return person;
  };

  /**
   * @param {string} endpoint
   * @param {string} pixelId
   * @param {string | undefined} projectId
   * @param {ArrayLike<any>[]} queue commands given before the script was there
   */
  const start = (endpoint, pixelId, projectId, queue) => {
    let visitor = "";
    let currentUrl = "";
    let referrer = document.referrer;
    let lastEmail = "";
    let lastLeadAt = 0;

    /** @type {(type: 'pageview' | 'form_submit', person?: Person) => void} */
    const send = (type, person) => {
      visitor = visitor || recogniseVisitor();
      const body = JSON.stringify({
        pixel_id: pixelId,
        project_id: projectId,
        visitor_cookie: visitor,
        event_key: randomId(),
        event_type: type,
        page_url: location.href,
        page_title: document.title.slice(0, 1000),
        referrer_url: referrer || null,
        form_data: person,
        viewport: { width: innerWidth, height: innerHeight },
        screen: { width: screen.width, height: screen.height },
        timestamp: new Date(),
      });
      try {
        // A string goes as text/plain: no preflight stands between a lead and the server.
        fetch(endpoint, { method: "POST", body, keepalive: true, credentials: "omit" }).catch(
          () => {},
        );
      } catch {
        navigator.sendBeacon(endpoint, body);
      }
    };

    /** @param {boolean} [again] the same URL counts once more */
    const pageView = (again) => {
      const url = location.href.replace(/#.*/, "");
      if (url !== currentUrl) {
        referrer = currentUrl || referrer;
        currentUrl = url;
      } else if (!again) return;
      send("pageview");
    };

    /** @param {Person} person */
    const lead = ({ email, first_name, last_name }) => {
      const now = Date.now();
      if (!email || !EMAIL.test(email)) return;
      if (email === lastEmail && now - lastLeadAt < DOUBLE_CLICK_MS) return;
      lastEmail = email;
      lastLeadAt = now;
      send("form_submit", { email, first_name, last_name });
    };

    const navigated = () => setTimeout(() => whenShown(pageView), SETTLE_MS);

    /** @type {Record<string, (data: any) => void>} */
    const commands = { pageview: () => pageView(true), identify: lead };
    /** @type {Ppp} */
    const ppp = (command, data) => whenShown(() => (commands[command] || attempt)(data));
    ppp.version = VERSION;
    page.ppp = ppp;
    page.PPPTracker = { track: () => ppp("pageview"), version: VERSION };

    on(page, "submit", (event) => lead(readForm(event.target)), true);
    on(page, "pageshow", (event) => event.persisted && pageView(true));
    on(page, "popstate", navigated);
    for (const method of /** @type {const} */ (["pushState", "replaceState"])) {
      const original = history[method];
      history[method] = function (...args) {
        attempt(navigated);
        original.apply(this, args);
      };
    }
    for (const { 0: command, 1: data } of queue) ppp(command, data);
    whenShown(pageView);
  };

  attempt(() => {
    const running = document.currentScript;
    const tag = /** @type {HTMLScriptElement | null} */ (
      running && "pixelId" in running.dataset
        ? running
        : document.querySelector("script[data-pixel-id]")
    );
    const { pixelId = "", projectId } = tag ? tag.dataset : {};
    /** @type {PppState} */
    const { q: queue = [], version } = page.ppp || {};
    if (!tag || !PIXEL_ID.test(pixelId)) {
      console.warn("PPP Pixel is off: data-pixel-id is missing or wrong:", pixelId);
    } else if (!version) start(`${new URL(tag.src).origin}/e`, pixelId, projectId, queue);
    // else the tag stands on this page twice
  });
})();
