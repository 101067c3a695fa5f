/**
 * Demo only: shows the events that the pixel sends and the Worker's answers. For that it wraps this
 * page's fetch before the pixel loads; a real site needs none of this.
 */
(() => {
  /**
   * @typedef {object} Delivery
   * @property {Record<string, any>} event the request's body
   * @property {number} [status] of the answer; 0 if the request failed
   * @property {any} [answer] the answer's JSON
   * @property {number} [durationMs]
   * @property {boolean} [pageLeft] the visitor left the page before the answer came
   */

  const STORAGE_KEY = "demo-sent";
  const MAX_STORED_DELIVERIES = 12;

  /** @type {Delivery[]} newest first; stored for the tab, because a form leads to another page */
  const deliveries = JSON.parse(sessionStorage.getItem(STORAGE_KEY) || "[]");
  const previousCount = deliveries.length;
  for (const delivery of deliveries) delivery.pageLeft = delivery.status === undefined;

  const panel = document.createElement("aside");
  panel.className = "demo-panel";
  panel.setAttribute("aria-label", "Demo only: what the pixel sent");

  /**
   * @param {string} tag
   * @param {string} className
   * @param {...(Node | string)} children
   */
  const element = (tag, className, ...children) => {
    const node = document.createElement(tag);
    node.className = className;
    node.append(...children);
    return node;
  };

  /**
   * @param {string} title
   * @param {unknown} value
   */
  const jsonBlock = (title, value) => {
    const pre = element("pre", "", JSON.stringify(value, null, 2));
    return element("div", "demo-block", element("h3", "", title), pre);
  };

  /** @param {Delivery} delivery */
  const statusText = ({ status, durationMs, pageLeft }) => {
    if (pageLeft) return "sent as the page was left";
    if (status === undefined) return "waiting for the answer";
    return status === 0 ? "no answer" : `${status} in ${durationMs} ms`;
  };

  /** @param {Delivery} delivery */
  const statusClass = ({ status, pageLeft }) => {
    if (pageLeft) return "good";
    if (status === undefined) return "waiting";
    return status >= 200 && status < 300 ? "good" : "bad";
  };

  /** The index of the delivery to show open: the newest, or on the page after a lead, the lead. */
  const openIndex = () =>
    deliveries.length === previousCount + 1 && deliveries[1]?.event.event_type === "form_submit"
      ? 1
      : 0;

  /**
   * @param {Delivery} delivery
   * @param {number} index
   */
  const row = (delivery, index) => {
    const { event, answer } = delivery;
    const details = /** @type {HTMLDetailsElement} */ (
      element(
        "details",
        "",
        element(
          "summary",
          "",
          element("b", "", event.event_type),
          element("span", "demo-path", new URL(event.page_url).pathname),
          element("span", `demo-status ${statusClass(delivery)}`, statusText(delivery)),
        ),
        jsonBlock("Sent", event),
      )
    );
    if (answer) details.append(jsonBlock("Answer", answer));
    details.open = index === openIndex();
    return details;
  };

  const draw = () => {
    const stored = deliveries.slice(0, MAX_STORED_DELIVERIES);
    sessionStorage.setItem(STORAGE_KEY, JSON.stringify(stored));
    panel.replaceChildren(
      element("p", "demo-badge", "Demo only"),
      element("h2", "", "What the pixel sent"),
      element(
        "p",
        "demo-note",
        deliveries.length
          ? "Newest first. Of a form, only the names and the e-mail address are sent."
          : "Nothing yet. Is the Worker running? Does an ad blocker stop the pixel?",
      ),
      ...deliveries.map(row),
    );
  };

  const originalFetch = window.fetch;
  /** @type {typeof fetch} */
  window.fetch = async (input, init) => {
    const request = originalFetch(input, init);
    const isEvent = String(input).endsWith("/e") && typeof init?.body === "string";
    if (!isEvent) return request;
    /** @type {Delivery} */
    const delivery = { event: JSON.parse(String(init.body)) };
    deliveries.unshift(delivery);
    draw();
    const startMs = performance.now();
    try {
      const response = await request;
      delivery.status = response.status;
      delivery.answer = await response
        .clone()
        .json()
        .catch(() => null);
      return response;
    } catch (error) {
      delivery.status = 0;
      throw error;
    } finally {
      delivery.durationMs = Math.round(performance.now() - startMs);
      draw();
    }
  };

  document.body.append(panel);
  draw();
})();
