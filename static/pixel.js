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
 *   browser events    where both come from, and when the second part is needed
 *   delivery          visitor ID, outbox in localStorage, retries
 * The types are in pixel.d.ts. The second part is loaded where a page has fields or frames, so that
 * other pages do not pay for it. tools/build_assets.py limits the size of both.
 */
{
  /**
   * Returns the task's result, or undefined if it throws: errors of the pixel stay in here. What is
   * no function, such as an error, is passed over.
   * @type {Shared["attempt"]}
   */
  const attempt = (task) => {
    try {
      return task();
    } catch {}
  };

  /**
   * Calls `after` after each call of a method, which itself behaves as before.
   * @type {Shared["tap"]}
   */
  const tap = (object, method, after) => {
    const original = object[method];
    object[method] &&= function () {
      const result = original.apply(this, arguments);
      attempt(() => after(result, arguments, this));
      return result;
    };
  };

  /** 16 digits. */
  const randomId = () => crypto.getRandomValues(new Uint32Array(4)).join("").slice(-16);

  attempt(() => {
    const VERSION = "3.1.0";

    // Names of the cookie and in the page's storage. They may not change: browsers hold them.
    const VISITOR_KEY = "ppp_visitor"; // the cookie, and its copy in localStorage
    const OUTBOX_PREFIX = "ppp_e_"; // before an event's key: an event without an answer

    const COOKIE_MAX_AGE_SECONDS = 315e5; // a year: 364 days and some hours
    const TITLE_DELAY_MS = 100; // single-page apps set the title after the address
    const STABLE_QUERY_MS = 1000; // a slider writes its value into the query while it is moved
    const RETRY_INTERVAL_MS = 5000;
    const MAX_ANSWER_MS = 30000; // a send without an answer is given up
    const MAX_OUTBOX_EVENTS = 30;
    const MAX_EVENT_AGE_MS = 3e8; // three and a half days
    const MAX_URL_LENGTH = 5000; // an event has up to three URLs, and the server takes 16 KiB
    const NAVIGATION_TYPE_RELOAD = 1;

    /** @type {HTMLScriptElement | null} */
    const tag = document.querySelector("script[data-pixel-id]");
    const { pixelId = "", domain, spa, fill, consent, forms } = tag?.dataset || {};
    const { q: queue = [], version } = /** @type {Partial<Ppp>} */ (window.ppp || {});
    if (version) return; // the tag stands on this page twice
    if (!/^[\w-]{8,64}$/.test(pixelId)) return console.warn("wrong data-pixel-id");

    const { fetch } = window; // the original: the page or our second part may wrap it later
    const { origin } = new URL(/** @type {HTMLScriptElement} */ (tag).src);
    // Other pixels of the site, and other deployments of this one, have their own.
    const owner = `ppp_${pixelId}_${origin}`;
    const OLD_ADDRESS = `${origin}/api/track/track`; // a site's policy may allow only this
    const PAUSE_KEY = owner; // the time until which the server asked for no requests
    const SEQUENCE_KEY = `${owner}_n`;
    /** @type {Record<string, any>} localStorage, or nothing lasting where it is forbidden */
    const storage = attempt(() => localStorage) || {};
    // For shop.example.com: com, example.com, shop.example.com. Subdomains share the visitor by the
    // widest one that the browser accepts.
    const cookieDomains = domain
      ? [domain]
      : location.hostname.split(".").map((_, i, labels) => labels.slice(-1 - i).join("."));
    const hasForms = forms !== "off";
    let hasConsent = consent !== "wait";
    /** @type {string} where events go */
    let address = attempt(() => sessionStorage[owner]) || `${origin}/e`;
    let visitorId = "";
    let currentPage = "";
    let settlingUrl = "";
    let settlingTimer = 0;
    let referrer = document.referrer;
    /** @type {any} the last page view of this tab, as JSON */
    const lastPageView = attempt(() => sessionStorage.ppp_page);
    /** @type {any} if this is a reload: the page view to repeat, which the server counts once */
    let reloadedPageView = attempt(
      () => performance.navigation.type === NAVIGATION_TYPE_RELOAD && JSON.parse(lastPageView),
    );
    /** @type {PppEvent[]} events until there is consent and the page is no longer prerendered */
    let heldEvents = [];
    /** @type {Record<string, number>} by the body that was sent: until when its answer may come */
    const deadlines = {};
    /** @type {Lead} the last one */
    let lead = {};

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
            `${VISITOR_KEY}=${visitorId};domain=${candidate};path=/;max-age=${maxAgeSeconds};` +
            `samesite=lax;${location.protocol === "https:" ? "secure" : ""}`;
          return maxAgeSeconds && document.cookie.includes(visitorId);
        }),
      );

    /** Takes the visitor ID from the cookie, else from storage, else a new one, and keeps it. */
    const identifyVisitor = () => {
      const cookies = attempt(() => document.cookie);
      const hasCookie = /ppp_visitor/.test(cookies);
      // pxl_: the old pixel and its Worker know no other IDs. Some have none.
      const pattern = /ppp_visitor=((pxl_)?[\da-f]{16})\b/;
      // Storage is appended like a cookie, so that one pattern reads both.
      const [, id = `pxl_${randomId()}`] =
        `${cookies};${VISITOR_KEY}=${storage[VISITOR_KEY]}`.match(pattern) || [];
      visitorId = id;
      // The first page of a tab renews the cookie. It removes it first: a cookie on a narrower domain
      // would look as if the wider one had accepted it.
      if (hasCookie && lastPageView) return;
      if (hasCookie) setCookie(0);
      setCookie(COOKIE_MAX_AGE_SECONDS);
    };

    /**
     * Whether a time is still to come: at most some hours ahead, or the clock was put back.
     * @param {any} time
     */
    const isAhead = (time) => /^\d{1,7}$/.test(/** @type {any} */ (time - Date.now()));

    /**
     * Sends an event, unless exactly that is on its way.
     * @param {PppEvent} event
     */
    const deliver = (event) => {
      const key = OUTBOX_PREFIX + event.event_key;
      const body = JSON.stringify(event);
      if (isAhead(deadlines[body])) return;
      deadlines[body] = Date.now() + MAX_ANSWER_MS;
      /** @param {any} response or the error instead of one, which has no status */
      const onResponse = (response) =>
        attempt(() => {
          delete deadlines[body];
          if (!hasConsent) return; // it was withdrawn meanwhile
          // 404 is a Worker that does not know /e yet, or no longer.
          if (!/404|429|5..|u/.test(response.status)) {
            // A lead that was corrected meanwhile waits for its own answer.
            if (storage[key] === body) delete storage[key];
          } else {
            // A number of seconds, or null. The first one counts until the next try: to renew the
            // pause with each answer would be to wait for ever.
            storage[PAUSE_KEY] ||= Date.now() + response.headers.get("retry-after") * 1000;
          }
          shared.answered?.(event, response);
        });
      // Stored before it is sent: the page may be gone before the answer is there.
      attempt(() => {
        storage[key] = body;
        if (event.page) sessionStorage.ppp_page = body;
      });
      // A string is sent as text/plain, which needs no preflight.
      attempt(() =>
        fetch(address, { method: "POST", body, keepalive: true }).then(onResponse, onResponse),
      ) ||
        (navigator.sendBeacon(address, body) && delete storage[key]);
    };

    /**
     * Whether this pixel stored an event, for the server that this script came from. Earlier
     * versions did not say for which. What says nothing is nobody's, and ours to clear away.
     * @param {any} event anything that a page may have written under such a key
     */
    const isOurs = (event) =>
      (event.pixel_id || pixelId) === pixelId && (event.origin || origin) === origin;

    /**
     * Whether a stored event is still worth sending. An event without a number is.
     * @param {any} event
     */
    const isDeliverable = (event) =>
      event.at > Date.now() - MAX_EVENT_AGE_MS &&
      (event.outcome || !(storage[SEQUENCE_KEY] - event.sequence > MAX_OUTBOX_EVENTS));

    /** Sends all stored events again; the server counts an event key once. */
    const flushOutbox = () =>
      attempt(() => {
        if (!hasConsent || isAhead(storage[PAUSE_KEY])) return;
        delete storage[PAUSE_KEY];
        for (const key in storage) {
          if (/^ppp_e_/.test(key)) {
            const event = attempt(() => JSON.parse(storage[key])) || {};
            if (isOurs(event)) isDeliverable(event) ? deliver(event) : delete storage[key];
          }
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
        event.sequence ||= storage[SEQUENCE_KEY] = (storage[SEQUENCE_KEY] | 0) + 1;
      });
      deliver(event);
    };

    const releaseHeldEvents = () => heldEvents.splice(0).forEach(dispatch);

    /** @type {Shared["makeEvent"]} */
    const makeEvent = (event_type, properties) => ({
      pixel_id: pixelId,
      event_key: randomId(),
      event_type,
      page_url: currentUrl(),
      page_title: document.title,
      referrer_url: referrer,
      viewport: { width: innerWidth, height: innerHeight },
      screen: { width: screen.width, height: screen.height },
      at: Date.now(),
      origin,
      fill,
      ...properties,
    });

    // ---- page views ---------------------------------------------------------------------------

    const currentUrl = () => location.href.slice(0, MAX_URL_LENGTH);

    /** What tells pages apart: the URL, with its hash if data-spa="hash", or nothing if "off". */
    const pageIdentity = () => {
      if (spa === "off") return true; // all URLs are one page
      return spa ? currentUrl() : currentUrl().split("#")[0];
    };

    /** @param {string | true | undefined} page */
    const withoutQuery = (page) => `${page}`.split("?")[0];

    /** Sends a page view if the page is another one, or is to be counted again. */
    const pageView = (/** @type {any} */ countAgain) => {
      /** @type {any} */
      const page = pageIdentity();
      const page_url = settlingUrl || currentUrl();
      settlingUrl = "";
      if (page !== currentPage) {
        referrer = currentPage || referrer;
        currentPage = page;
      } else if (!countAgain) return;
      dispatch(
        reloadedPageView?.page === page && isOurs(reloadedPageView)
          ? reloadedPageView
          : makeEvent("pageview", { page, page_url }),
      );
      reloadedPageView = null;
    };

    /**
     * Loads the second part, once however often it is asked for. It may be blocked.
     * @param {() => void} [afterwards] is called in any case
     */
    const loadSecondPart = (afterwards) =>
      import(`${origin}/static/pixel-${VERSION}-more.js`).finally(afterwards).catch(attempt);

    /**
     * The page may have another address, which is counted once it has its title. If that address
     * has a query it is the one that counts, whatever replaces it until then: pages clean their
     * campaign away. A query that alone is replaced is counted once it stays.
     * @param {any} [isReplaced] whether the address was replaced
     */
    const onNavigation = (isReplaced) => {
      const isOtherQuery = isReplaced && withoutQuery(pageIdentity()) === withoutQuery(currentPage);
      if (!isOtherQuery && /[?#]/.test(currentUrl())) settlingUrl ||= currentUrl();
      clearTimeout(settlingTimer);
      settlingTimer = setTimeout(attempt, isOtherQuery ? STABLE_QUERY_MS : TITLE_DELAY_MS, () =>
        document.querySelector("input,iframe") || /ppp_debug/.test(currentUrl())
          ? loadSecondPart(pageView)
          : pageView(),
      );
    };

    // ---- leads --------------------------------------------------------------------------------

    /**
     * Sends a lead at once, and again when more of the person is known. The same e-mail address is
     * the same lead (a double click, the next step of a form) until that lead is settled.
     * @type {Shared["report"]}
     */
    const reportLead = ({ email, first_name, last_name, name, form_text }) => {
      if (!email) return;
      if (email !== lead.email) lead = { email };
      const form_data = { email, first_name, last_name, name };
      const personText = JSON.stringify(form_data);
      lead.submission ||= makeEvent("form_submit", { outcome: "submitted", form_text });
      if (lead.personText !== personText) {
        lead.personText = personText;
        lead.submission.form_data = form_data;
        dispatch(lead.submission);
      }
      return lead;
    };

    // ---- browser events -----------------------------------------------------------------------

    /**
     * A field that was added later, or a custom element around it. Its shadow tree may be older than
     * the pixel.
     * @param {any} event
     */
    const onContact = (event) => {
      if (/-|input/.test(event.target.localName)) loadSecondPart();
      listen(event.composedPath()[0].getRootNode());
    };

    /**
     * What is done at each type of event. The second part adds its own.
     * @type {Record<string, any>}
     */
    const reactions = {
      submit: (event) => hasForms && shared.submitted(event),
      focusin: onContact,
      pointerdown: onContact,
      // A frame. Its window is not ours, so only the second part listens there.
      load: ({ target }) => target.contentWindow && loadSecondPart(),
      online: flushOutbox,
      prerenderingchange: releaseHeldEvents,
      // Persisted: the page comes back out of the back/forward cache.
      pageshow: ({ persisted, target }) => persisted && target === document && pageView(true),
      pagehide: () => pageView(),
      popstate: () => onNavigation(),
      // By a policy of the site that is enforced. Where it allows neither address, nothing is repeated:
      // clearTimeout() ends intervals, too.
      securitypolicyviolation: ({ blockedURI, disposition }) => {
        if (blockedURI === address && disposition === "enforce") {
          if (address === OLD_ADDRESS) clearTimeout(retries);
          else {
            address = OLD_ADDRESS;
            flushOutbox();
          }
          sessionStorage[owner] = address; // for the rest of the tab
        }
      },
    };

    /** @param {Event} event */
    const onEvent = (event) => attempt(() => reactions[event.type](event));

    /**
     * Listens in the capture phase, before the page does. To listen to the same root again changes
     * nothing. The document of a window hears of frames that were loaded, which the window does not.
     * @param {any} root
     */
    const listen = (root) => {
      for (const type in reactions) root.addEventListener(type, onEvent, true);
      if (root.document) listen(root.document);
    };

    /** @type {Shared} */
    const shared = {
      attempt,
      tap,
      makeEvent,
      report: reportLead,
      dispatch,
      hasForms,
      reactions,
      listen,
      // Until the second part replaces it: the e-mail address alone, and nothing of a login.
      submitted: ({ target }) =>
        reportLead({
          email: target.querySelector("form:not(:has([type=password])) [type=email]").value,
        }),
    };

    // ---- commands -----------------------------------------------------------------------------

    /** @type {Record<string, any>} */
    const commands = {
      pageview: () => pageView(true),
      identify: reportLead,
      event: (name, data) => dispatch(makeEvent("event", { event_name: name, event_data: data })),
      consent: (given) => {
        hasConsent = given;
        if (!given) {
          heldEvents = [];
          setCookie(0);
          visitorId = "";
          for (const key in storage) if (/^ppp_/.test(key)) delete storage[key];
          delete sessionStorage.ppp_page;
        }
        releaseHeldEvents();
      },
    };

    // ---- start --------------------------------------------------------------------------------

    /** @type {Ppp} */
    const ppp = (command, ...data) => attempt(() => commands[command](...data));
    ppp.version = VERSION;
    ppp.shared = shared;
    window.ppp = ppp;
    // Of the old pixel: what sites may use.
    window.PPPTracker = {
      track: () => ppp("pageview"),
      version: VERSION,
      log: attempt,
      attribution: {},
      config: {},
    };

    listen(window);
    flushOutbox();
    tap(Element.prototype, "attachShadow", listen);
    // It takes all listeners away once the page is loaded.
    tap(document, "write", () => listen(window));
    tap(history, "pushState", onNavigation);
    tap(history, "replaceState", () => onNavigation(true));
    for (const command of /** @type {any} */ (queue)) ppp(...command);
    onNavigation();
    const retries = setInterval(flushOutbox, RETRY_INTERVAL_MS);
  });
}
