/**
 * PPP Pixel: the script that site owners paste. It reports page views and leads to the origin it
 * was loaded from. UTM parameters and click IDs are parsed by the server, not here.
 *
 *   <script src="https://pixel.salesmagic.us/p.js" data-pixel-id="your_pixel_id" async></script>
 *
 * Promises to the page: no exception reaches it; its events, forms and requests are left as they
 * are; of a form only the first name, the last name and the e-mail address are ever read.
 *
 * This part is all that a page without fields needs. pixel-more.js reads forms; it is loaded where
 * there are fields. Every byte is paid by every visitor: the build checks what both weigh.
 */
(() => {
  const VERSION = "3.1.0";
  const VISITOR = "ppp_visitor";
  const WAITING = "ppp_e_"; // before an event's key: an event that waits in storage
  const PAUSE = "ppp_p"; // until when the server asked to be left alone
  const YEAR_S = 31536000;
  const SETTLE_MS = 100; // after which a router has set the title
  const RETRY_MS = 5000;
  const MAX_WAITING = 30;
  const OLDEST_MS = 3e8; // three and a half days
  const LONGEST_URL = 5000; // an event has up to three, and the server takes 16 KiB in all

  /**
   * Whatever goes wrong in here is not the page's problem.
   * @type {Shared["attempt"]}
   */
  const attempt = (task) => {
    try {
      return task();
    } catch {}
  };

  /**
   * Tells of each call of a method after it was made, and leaves the call as it is.
   * @type {(object: any, method: string, after: (result: any, self: any, args: any) => void) => void}
   */
  const tap = (object, method, after) => {
    const original = object[method];
    if (original) {
      object[method] = function () {
        const result = original.apply(this, arguments);
        attempt(() => after(result, this, arguments));
        return result;
      };
    }
  };

  /** 16 hex digits. */
  const randomId = () =>
    /** @type {bigint} */ (crypto.getRandomValues(new BigUint64Array(1))[0])
      .toString(16)
      .padStart(16, /** @type {any} */ (0));

  try {
    /** @type {HTMLScriptElement | null} */
    const tag = document.querySelector("script[data-pixel-id]");
    const { pixelId = "", domain, spa, fill, consent, forms } = tag ? tag.dataset : {};
    const { q: queue = [], version } = /** @type {Partial<Ppp>} */ (window.ppp || {});
    if (version) return; // the tag stands on this page twice
    if (!/^[\w-]{8,64}$/.test(pixelId)) {
      return console.warn("wrong data-pixel-id");
    }
    const { fetch } = window; // before anybody's tap, ours too
    const { origin } = new URL(/** @type {HTMLScriptElement} */ (tag).src);
    const SEQUENCE = `ppp_n_${pixelId}`;
    /** @type {Record<string, any>} */
    const storage = attempt(() => localStorage) || {};
    // The widest first, so that subdomains share the visitor.
    const domains = domain
      ? [domain]
      : location.hostname.split(".").map((_, i, labels) => labels.slice(~i).join("."));
    let consented = consent !== "wait";
    let visitor = "";
    let currentUrl = "";
    /** @type {any} this tab's last page view, as JSON */
    const last = attempt(() => sessionStorage.ppp_page);
    /** @type {any} the page view of a page that is reloaded: said again, not counted again */
    let reloaded = attempt(() => performance.navigation.type === 1 && JSON.parse(last));
    let referrer = document.referrer;
    /** @type {PppEvent[]} until there is consent, and the page is shown */
    let held = [];

    // ---- delivery -----------------------------------------------------------------------------

    /**
     * On the widest domain that takes it.
     * @param {number} age in seconds; 0 removes it
     */
    const setCookie = (age) =>
      attempt(() =>
        domains.some((candidate) => {
          // The Cookie Store API is asynchronous and not everywhere.
          document.cookie = `${VISITOR}=${visitor};path=/;samesite=lax;max-age=${age};domain=${candidate};${location.protocol > "http:" && "secure"}`;
          return age && document.cookie.includes(visitor);
        }),
      );

    /** @param {PppEvent} event */
    const deliver = (event) => {
      const key = WAITING + event.event_key;
      const body = JSON.stringify(event);
      /** @param {any} response or an error, which has no status */
      const answered = (response) =>
        attempt(() => {
          if (!consented) return; // it was withdrawn meanwhile
          if (response.status < 500 && response.status !== 429) {
            // Unless it was corrected since, and waits as it is now.
            if (storage[key] === body) delete storage[key];
          } else storage[PAUSE] = Date.now() + ~~response.headers.get("retry-after") * 1000;
          shared.answered?.(event, response);
        });
      // Kept before it is sent: the page may be gone before the answer is there.
      attempt(() => {
        storage[key] = body;
        if (event.page) sessionStorage.ppp_page = body;
      });
      try {
        // A string goes as text/plain: no preflight stands between a lead and the server.
        fetch(`${origin}/e`, { method: "POST", body, keepalive: true }).then(answered, answered);
      } catch {
        if (navigator.sendBeacon(`${origin}/e`, body)) delete storage[key];
      }
    };

    /** What waits goes out, once more: the server knows an event by its key. */
    const flush = () =>
      attempt(() => {
        if (!consented || storage[PAUSE] > Date.now()) return;
        for (const key in storage) {
          if (!/^ppp_e/.test(key)) continue;
          const event = attempt(() => JSON.parse(storage[key]));
          // Else it is too old, too far back, or nothing that was written here.
          if (
            Date.now() - event?.at < OLDEST_MS &&
            !(storage[SEQUENCE] - event.sequence > MAX_WAITING)
          ) {
            deliver(event);
          } else delete storage[key];
        }
      });

    /** @type {Shared["dispatch"]} */
    const dispatch = (event) => {
      if (!consented || document.prerendering) {
        held.push(event);
        return;
      }
      if (!visitor) {
        const cookie = attempt(() => document.cookie);
        const known = /ppp_visitor=((pxl_)?[\da-f]{16})\b/; // pxl_: given by the old pixel
        [, visitor = randomId()] = `${cookie};${VISITOR}=${storage[VISITOR]}`.match(known) || [];
        // A known one is renewed once in a tab, and swept away before: on a narrower domain it would
        // pass for one on a wider.
        if (!/ppp_v/.test(cookie) || !(last || setCookie(0))) setCookie(YEAR_S);
      }
      event.visitor_cookie = visitor;
      attempt(() => {
        storage[VISITOR] = visitor; // lives longer than browsers let cookies of scripts live
        // The server counts which numbers are missing.
        event.sequence ||= storage[SEQUENCE] = -~storage[SEQUENCE];
      });
      deliver(event);
    };

    const release = () => held.splice(0).forEach(dispatch);

    /** @type {(type: PppEvent["event_type"], more?: object) => PppEvent} */
    const create = (type, more) => ({
      pixel_id: pixelId,
      event_key: randomId(),
      event_type: type,
      page_url: location.href.slice(0, LONGEST_URL),
      page_title: document.title,
      referrer_url: referrer,
      at: Date.now(),
      fill,
      ...more,
    });

    // ---- page views ---------------------------------------------------------------------------

    /** @param {any} [again] 1 where the same URL counts once more */
    const pageView = (again) => {
      const page = spa === "off" || location.href.split(spa ? " " : "#")[0].slice(0, LONGEST_URL);
      if (page !== currentUrl) {
        referrer = currentUrl || referrer;
        currentUrl = page;
      } else if (again !== 1) return;
      dispatch(reloaded?.page === page ? reloaded : create("pageview", { page }));
      reloaded = 0;
    };

    /** @param {() => void} [then] is done in any case */
    const more = (then) =>
      import(`${origin}/static/pixel-${VERSION}-more.js`).finally(then).catch(attempt);

    const navigated = () =>
      setTimeout(
        () =>
          attempt(() =>
            document.querySelector("input") || /ppp_debug/.test(/** @type {any} */ (location))
              ? more(pageView)
              : pageView(),
          ),
        SETTLE_MS,
      );

    // ---- leads --------------------------------------------------------------------------------

    /**
     * A lead goes out at once, and again when more of it is known. The same address is the same
     * lead (a double click, the next step) until that one is settled.
     * @type {Shared["report"]}
     */
    const report = ({ email, first_name, last_name, name }) => {
      if (!email) return;
      if (email !== shared.lead.email) shared.lead = { email };
      const { lead } = shared;
      const form_data = { email, first_name, last_name, name };
      const said = JSON.stringify(form_data);
      lead.sent ||= create("form_submit", { outcome: "submitted" });
      if (lead.said !== said) {
        lead.said = said;
        lead.sent.form_data = form_data;
        dispatch(lead.sent);
      }
      return lead;
    };

    /** @type {Shared} */
    const shared = {
      lead: {},
      attempt,
      tap,
      report,
      dispatch,
      // Until the second part is there: better the address alone than nothing.
      submitted: (form) =>
        report(
          form.querySelector("[type=password]") || {
            email: /** @type {any} */ (form.querySelector("[type=email]")).value,
          },
        ),
    };

    /** @param {any} form */
    const submitted = (form) =>
      forms !== "off" &&
      // A frame may have got a pixel of its own.
      (form.ownerDocument.defaultView.ppp || ppp) === ppp &&
      shared.submitted(form);

    /**
     * For a page that keeps its submit events from us, and for closed shadow trees.
     * @type {(_: any, event: any) => any}
     */
    const handled = (_, event) => event.type === "submit" && submitted(event.target);

    /** @param {any} event */
    const pressed = (event) => {
      const [element] = event.composedPath();
      meet(element.getRootNode());
      if (forms !== "off") shared.gestured?.(element, event.key);
    };

    // ---- what is heard ------------------------------------------------------------------------

    /** @type {Record<string, any>} */
    const handlers = {
      submit: ({ target }) => submitted(target),
      load: ({ target }) => watch(target.contentWindow),
      click: pressed,
      keydown: pressed,
      // Fields that came later: only they have a placeholder.
      focusin: ({ target }) => target.placeholder != null && more(),
      online: flush,
      prerenderingchange: release,
      pageshow: ({ target, persisted }) => persisted && target === document && pageView(1),
      pagehide: pageView,
      popstate: navigated,
      message: ({ data, origin: from }) => {
        if (forms === "off") return;
        if (data.eventName === "onFormSubmit") {
          // HubSpot, which writes firstname.
          /** @type {Record<string, string>} */
          const person = {};
          for (const { name, value } of data.data) person[name.replace("tn", "t_n")] = value;
          report(person);
        }
        // Typeform and Calendly, which keep the address to themselves.
        if (
          /typeform.comform-submit|calendly.com.*_scheduled/.test(from + data.type + data.event)
        ) {
          dispatch(create("form_submit", { outcome: "accepted" }));
        }
      },
    };

    /** @param {Event} event */
    const heard = (event) => attempt(() => handlers[event.type](event));

    /**
     * Listens in a tree, before the page does. A listener that is there already counts once.
     * @param {EventTarget} root
     */
    const meet = (root) => {
      for (const type in handlers) root.addEventListener(type, heard, true);
    };

    /** @param {any} view this page, a frame in it (one of another origin throws), or an image's none */
    const watch = (view) =>
      view &&
      attempt(() => {
        meet(view);
        tap(view.HTMLFormElement.prototype, "submit", (_, form) => submitted(form));
        tap(view.Event.prototype, "preventDefault", handled);
        tap(view.Event.prototype, "stopImmediatePropagation", handled);
        tap(view.Element.prototype, "attachShadow", meet);
        Array.from(view, watch);
      });

    // ---- commands -----------------------------------------------------------------------------

    /** @type {Record<string, any>} */
    const commands = {
      pageview: () => pageView(1),
      identify: report,
      event: (name, data) => dispatch(create("event", { event_name: name, event_data: data })),
      consent: (given) => {
        consented = given;
        if (!given) {
          held = [];
          setCookie(0);
          visitor = "";
          for (const key in storage) if (/^ppp_/.test(key)) delete storage[key];
          delete sessionStorage.ppp_page;
        }
        release();
      },
    };

    flush();
    watch(window);
    tap(history, "pushState", navigated);
    tap(history, "replaceState", navigated);

    /** @type {Ppp} */
    const ppp = (command, ...data) => attempt(() => commands[command](...data));
    ppp.version = VERSION;
    ppp.shared = shared;
    window.ppp = ppp;
    window.PPPTracker = { track: () => ppp("pageview"), version: VERSION };
    for (const command of /** @type {any} */ (queue)) ppp(...command);
    navigated();
    setInterval(flush, RETRY_MS);
  } catch {}
})();
