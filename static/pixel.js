/**
 * PPP Pixel, first part: the script that site owners paste. It sends page views, leads and custom
 * events to the origin it was loaded from; the server parses UTM parameters and click IDs.
 *
 *   <script src="https://pixel.salesmagic.us/pixel.js" data-pixel-id="your_pixel_id" async></script>
 *
 * Promises to the page: no exception reaches it; its events, forms and requests stay as they are; of
 * a form only the first name, the last name and the e-mail address are read.
 *
 * Where to begin: the last section, "start", shows the order in which things run. Then:
 *   page views        what counts as a page view
 *   leads             what becomes a lead; pixel-more.js, the second part, reads the forms
 *   browser events    where both come from
 *   delivery          visitor ID, outbox in localStorage, retries
 * The types are in pixel.d.ts. The second part is loaded where a page has fields, so that other
 * pages do not pay for it. tools/build_assets.py limits the size of both.
 */
(() => {
  const VERSION = "3.1.0";

  // Names of the cookie and in the page's storage. They may not change: browsers hold them.
  const VISITOR_KEY = "ppp_visitor"; // the cookie, and its copy in localStorage
  const OUTBOX_PREFIX = "ppp_e_"; // before an event's key: an event without an answer
  const PAUSE_KEY = "ppp_p"; // the time until which the server asked for no requests

  const COOKIE_MAX_AGE_SECONDS = 31536000; // a year
  const TITLE_DELAY_MS = 100; // single-page apps set the title after the address
  const RETRY_INTERVAL_MS = 5000;
  const MAX_OUTBOX_EVENTS = 30;
  const MAX_EVENT_AGE_MS = 3e8; // three and a half days
  const MAX_URL_LENGTH = 5000; // an event has up to three URLs, and the server takes 16 KiB
  const NAVIGATION_TYPE_RELOAD = 1;

  /**
   * Returns the task's result, or undefined if it throws: errors of the pixel stay in here.
   * @type {Shared["attempt"]}
   */
  const attempt = (task) => {
    try {
      return task();
    } catch {}
  };

  const ignore = () => {};

  /**
   * Calls `after` after each call of a method, which itself behaves as before.
   * @type {Shared["tap"]}
   */
  const tap = (object, method, after) => {
    const original = object[method];
    if (original) {
      object[method] = function () {
        const result = original.apply(this, arguments);
        attempt(() => after(this, arguments, result));
        return result;
      };
    }
  };

  /** 16 hex digits. */
  const randomId = () =>
    /** @type {bigint} */ (crypto.getRandomValues(new BigUint64Array(1))[0])
      .toString(16)
      .padStart(16, "0");

  try {
    /** @type {HTMLScriptElement | null} */
    const tag = document.querySelector("script[data-pixel-id]");
    const { pixelId = "", domain, spa, fill, consent, forms } = tag ? tag.dataset : {};
    const { q: queue = [], version } = /** @type {Partial<Ppp>} */ (window.ppp || {});
    if (version) return; // the tag stands on this page twice
    if (!/^[\w-]{8,64}$/.test(pixelId)) return console.warn("wrong data-pixel-id");

    const { fetch } = window; // the original: the page or our second part may wrap it later
    const { origin } = new URL(/** @type {HTMLScriptElement} */ (tag).src);
    const SEQUENCE_KEY = `ppp_n_${pixelId}`;
    /** @type {Record<string, any>} localStorage, or nothing lasting where it is forbidden */
    const storage = attempt(() => localStorage) || {};
    // For shop.example.com: com, example.com, shop.example.com. Subdomains share the visitor by the
    // widest one that the browser accepts.
    const cookieDomains = domain
      ? [domain]
      : location.hostname.split(".").map((_, i, labels) => labels.slice(-1 - i).join("."));
    let hasConsent = consent !== "wait";
    let visitorId = "";
    let currentPage = "";
    let referrer = document.referrer;
    /** @type {any} the last page view of this tab, as JSON */
    const lastPageView = attempt(() => sessionStorage.ppp_page);
    /** @type {any} if this is a reload: the page view to repeat, which the server counts once */
    let reloadedPageView = attempt(
      () => performance.navigation.type === NAVIGATION_TYPE_RELOAD && JSON.parse(lastPageView),
    );
    /** @type {PppEvent[]} events until there is consent and the page is no longer prerendered */
    let heldEvents = [];

    // ---- delivery -----------------------------------------------------------------------------

    /**
     * Sets the visitor cookie on the widest domain that accepts it; 0 removes it from all.
     * @param {number} maxAgeSeconds
     */
    const setCookie = (maxAgeSeconds) =>
      attempt(() =>
        // some() stops at the first domain for which it gets true.
        cookieDomains.some((candidate) => {
          // The Cookie Store API is asynchronous and not everywhere.
          document.cookie =
            `${VISITOR_KEY}=${visitorId};path=/;samesite=lax;max-age=${maxAgeSeconds};` +
            `domain=${candidate};${location.protocol === "https:" ? "secure" : ""}`;
          return maxAgeSeconds && document.cookie.includes(visitorId);
        }),
      );

    /** Takes the visitor ID from the cookie, else from storage, else a new one, and keeps it. */
    const identifyVisitor = () => {
      const cookies = attempt(() => document.cookie) || "";
      const hasCookie = cookies.includes(VISITOR_KEY);
      // pxl_: the old pixel and its Worker know no other IDs. Some have none.
      const pattern = /ppp_visitor=((pxl_)?[\da-f]{16})\b/;
      // Storage is appended like a cookie, so that one pattern reads both.
      const match = `${cookies};${VISITOR_KEY}=${storage[VISITOR_KEY]}`.match(pattern);
      visitorId = match ? /** @type {string} */ (match[1]) : `pxl_${randomId()}`;
      // The first page of a tab renews the cookie. It removes it first: a cookie on a narrower domain
      // would look as if the wider one had accepted it.
      if (hasCookie && !lastPageView) setCookie(0);
      if (!hasCookie || !lastPageView) setCookie(COOKIE_MAX_AGE_SECONDS);
    };

    /** @param {PppEvent} event */
    const deliver = (event) => {
      const key = OUTBOX_PREFIX + event.event_key;
      const body = JSON.stringify(event);
      /** @param {Response} response */
      const onResponse = (response) =>
        attempt(() => {
          if (!hasConsent) return; // it was withdrawn meanwhile
          // 404 is a Worker that does not know /e yet, or no longer.
          if (response.status < 500 && response.status !== 429 && response.status !== 404) {
            // A lead that was corrected meanwhile waits for its own answer.
            if (storage[key] === body) delete storage[key];
          } else {
            const retryAfterSeconds = Number(response.headers.get("retry-after"));
            storage[PAUSE_KEY] = Date.now() + retryAfterSeconds * 1000;
          }
          shared.answered?.(event, response);
        });
      // Stored before it is sent: the page may be gone before the answer is there.
      attempt(() => {
        storage[key] = body;
        if (event.page) sessionStorage.ppp_page = body;
      });
      try {
        // A string is sent as text/plain, which needs no preflight.
        fetch(`${origin}/e`, { method: "POST", body, keepalive: true }).then(onResponse, ignore);
      } catch {
        if (navigator.sendBeacon(`${origin}/e`, body)) delete storage[key];
      }
    };

    /**
     * Whether a stored event is still worth sending. An event without a number is.
     * @param {any} event anything that a page may have written under such a key
     */
    const isDeliverable = (event) =>
      Date.now() - event?.at < MAX_EVENT_AGE_MS &&
      !(storage[SEQUENCE_KEY] - event.sequence > MAX_OUTBOX_EVENTS);

    /** Sends all stored events again; the server counts an event key once. */
    const flushOutbox = () =>
      attempt(() => {
        if (!hasConsent || storage[PAUSE_KEY] > Date.now()) return;
        for (const key in storage) {
          if (!key.startsWith(OUTBOX_PREFIX)) continue;
          const event = attempt(() => JSON.parse(storage[key]));
          if (isDeliverable(event)) deliver(event);
          else delete storage[key];
        }
      });

    /** @type {Shared["dispatch"]} */
    const dispatch = (event) => {
      if (!hasConsent || document.prerendering) {
        heldEvents.push(event);
        return;
      }
      if (!visitorId) identifyVisitor();
      event.visitor_cookie = visitorId;
      attempt(() => {
        storage[VISITOR_KEY] = visitorId; // browsers may shorten the life of a script's cookie
        // By these numbers the server knows how many events were lost.
        event.sequence ||= storage[SEQUENCE_KEY] = (Number(storage[SEQUENCE_KEY]) || 0) + 1;
      });
      deliver(event);
    };

    const releaseHeldEvents = () => heldEvents.splice(0).forEach(dispatch);

    /** @type {(type: PppEvent["event_type"], properties: object) => PppEvent} */
    const createEvent = (type, properties) => ({
      pixel_id: pixelId,
      event_key: randomId(),
      event_type: type,
      page_url: location.href.slice(0, MAX_URL_LENGTH),
      page_title: document.title,
      referrer_url: referrer,
      at: Date.now(),
      fill,
      ...properties,
    });

    // ---- page views ---------------------------------------------------------------------------

    /** What tells pages apart: the URL, with its hash if data-spa="hash", or nothing if "off". */
    const pageIdentity = () => {
      if (spa === "off") return true; // all URLs are one page
      const url = spa ? location.href : location.href.split("#")[0];
      return /** @type {string} */ (url).slice(0, MAX_URL_LENGTH);
    };

    /** Sends a page view if the page is another one, or is to be counted again. */
    const pageView = (countAgain = false) => {
      /** @type {any} */
      const page = pageIdentity();
      if (page !== currentPage) {
        referrer = currentPage || referrer;
        currentPage = page;
      } else if (!countAgain) return;
      dispatch(
        reloadedPageView?.page === page ? reloadedPageView : createEvent("pageview", { page }),
      );
      reloadedPageView = null;
    };

    /** @param {() => void} [then] is called in any case, also if the part is blocked */
    const loadSecondPart = (then) =>
      import(`${origin}/static/pixel-${VERSION}-more.js`).finally(then).catch(ignore);

    const onNavigation = () =>
      setTimeout(
        () =>
          attempt(() =>
            document.querySelector("input") || location.href.includes("ppp_debug")
              ? loadSecondPart(() => pageView())
              : pageView(),
          ),
        TITLE_DELAY_MS,
      );

    // ---- leads --------------------------------------------------------------------------------

    /**
     * Sends a lead at once, and again when more of the person is known. The same e-mail address is
     * the same lead (a double click, the next step of a form) until that lead is settled.
     * @type {Shared["report"]}
     */
    const reportLead = ({ email, first_name, last_name, name }) => {
      if (!email) return;
      if (email !== shared.lead.email) shared.lead = { email };
      const { lead } = shared;
      const form_data = { email, first_name, last_name, name };
      const personJson = JSON.stringify(form_data);
      lead.submission ||= createEvent("form_submit", { outcome: "submitted" });
      if (lead.personJson !== personJson) {
        lead.personJson = personJson;
        lead.submission.form_data = form_data;
        dispatch(lead.submission);
      }
      return lead;
    };

    /** @type {Shared} */
    const shared = {
      lead: {},
      attempt,
      tap,
      report: reportLead,
      dispatch,
      // Until the second part replaces it: the e-mail address alone, and nothing of a login.
      submitted: (form) => {
        /** @type {HTMLInputElement | null} */
        const emailField = form.querySelector("[type=email]");
        if (!form.querySelector("[type=password]")) reportLead({ email: emailField?.value });
      },
    };

    /** @param {any} form */
    const onSubmission = (form) => {
      const framePixel = form.ownerDocument.defaultView.ppp || ppp;
      // A frame with a pixel of its own reports its forms itself.
      if (forms !== "off" && framePixel === ppp) shared.submitted(form);
    };

    /**
     * Catches submit events that the page hides from our listener by cancelling them: it did so
     * before we heard them, or in a closed shadow tree.
     * @param {any} event
     */
    const onCancel = (event) => event.type === "submit" && onSubmission(event.target);

    /** @param {any} event a click or a key */
    const onGesture = (event) => {
      const [element] = event.composedPath();
      listen(element.getRootNode());
      if (forms !== "off") shared.gesture?.(element, event.key);
    };

    /**
     * Messages of embedded forms: HubSpot's has the fields, those of Typeform and Calendly only say
     * that something was sent.
     * @param {MessageEvent} message
     */
    const onMessage = ({ data, origin: sender }) => {
      if (forms === "off") return;
      if (data.eventName === "onFormSubmit") {
        /** @type {Record<string, string>} */
        const fields = {};
        for (const { name, value } of data.data) fields[name] = value;
        reportLead({ first_name: fields.firstname, last_name: fields.lastname, ...fields });
      }
      if (
        (sender.endsWith("typeform.com") && data.type === "form-submit") ||
        (sender.endsWith("calendly.com") && data.event.endsWith("_scheduled"))
      ) {
        dispatch(createEvent("form_submit", { outcome: "accepted" }));
      }
    };

    // ---- browser events -----------------------------------------------------------------------

    /** @type {Record<string, any>} */
    const listeners = {
      submit: ({ target }) => onSubmission(target),
      load: ({ target }) => watchWindow(target.contentWindow),
      click: onGesture,
      keydown: onGesture,
      // A field that was added later. Only fields, and the custom elements around them, have a
      // placeholder.
      focusin: ({ target }) => target.placeholder != null && loadSecondPart(),
      online: flushOutbox,
      prerenderingchange: releaseHeldEvents,
      // Persisted: the page comes back out of the back/forward cache.
      pageshow: ({ target, persisted }) => persisted && target === document && pageView(true),
      pagehide: () => pageView(),
      popstate: onNavigation,
      message: onMessage,
    };

    /** @param {Event} event */
    const onEvent = (event) => attempt(() => listeners[event.type](event));

    /**
     * Listens in the capture phase, before the page does. To listen to the same root again changes
     * nothing.
     * @param {EventTarget} root
     */
    const listen = (root) => {
      for (const type in listeners) root.addEventListener(type, onEvent, true);
    };

    /**
     * Watches a window and its frames.
     * @param {any} view a window (one of another origin throws), or undefined for what has none
     */
    const watchWindow = (view) =>
      view &&
      attempt(() => {
        listen(view);
        tap(view.HTMLFormElement.prototype, "submit", onSubmission);
        tap(view.Event.prototype, "preventDefault", onCancel);
        tap(view.Event.prototype, "stopImmediatePropagation", onCancel);
        tap(view.Element.prototype, "attachShadow", (_element, _args, root) => listen(root));
        Array.from(view, watchWindow); // a window is the list of its frames
      });

    // ---- commands -----------------------------------------------------------------------------

    const forgetVisitor = () => {
      heldEvents = [];
      setCookie(0);
      visitorId = "";
      for (const key in storage) if (key.startsWith("ppp_")) delete storage[key];
      delete sessionStorage.ppp_page;
    };

    /** @type {Record<string, any>} */
    const commands = {
      pageview: () => pageView(true),
      identify: reportLead,
      event: (name, data) => dispatch(createEvent("event", { event_name: name, event_data: data })),
      consent: (given) => {
        hasConsent = given;
        if (!given) forgetVisitor();
        releaseHeldEvents();
      },
    };

    // ---- start --------------------------------------------------------------------------------

    flushOutbox();
    watchWindow(window);
    tap(history, "pushState", onNavigation);
    tap(history, "replaceState", onNavigation);

    /** @type {Ppp} */
    const ppp = (command, ...data) => attempt(() => commands[command](...data));
    ppp.version = VERSION;
    ppp.shared = shared;
    window.ppp = ppp;
    window.PPPTracker = { track: () => ppp("pageview"), version: VERSION }; // of the old pixel
    for (const command of /** @type {any} */ (queue)) ppp(...command);
    onNavigation();
    setInterval(flushOutbox, RETRY_INTERVAL_MS);
  } catch {}
})();
