/**
 * Demo only: shows what the pixel sent and what the Worker answered. It looks over the pixel's
 * shoulder by wrapping this page's fetch before the pixel loads; no real site needs any of this.
 */
(() => {
  /**
   * @typedef {object} Sent
   * @property {Record<string, any>} event the body, as it went out
   * @property {number} [status] of the answer; 0 when there was none
   * @property {any} [answer]
   * @property {number} [took] milliseconds
   * @property {boolean} [left] the page was gone before the answer came
   */

  const STORE = "demo-sent";
  const KEEP = 12;

  /** @type {Sent[]} newest first; kept for the tab, because a form's event goes out as its page leaves */
  const sent = JSON.parse(sessionStorage.getItem(STORE) || "[]");
  const fromEarlierPages = sent.length;
  for (const entry of sent) entry.left = entry.status === undefined;

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
  const block = (title, value) => {
    const json = JSON.stringify(value, null, 2);
    const size = /\{\s*("width": \d+),\s*("height": \d+)\s*\}/g;
    const pre = element("pre", "", json.replace(size, "{$1, $2}"));
    return element("div", "demo-block", element("h3", "", title), pre);
  };

  /** @param {Sent} entry */
  const outcome = ({ status, took, left }) => {
    if (left) return "sent as the page left";
    if (status === undefined) return "on its way";
    return status === 0 ? "no answer" : `${status} in ${took} ms`;
  };

  /** Which to show open: the newest, or on the page after a lead, that lead. */
  const mostTelling = () =>
    sent.length === fromEarlierPages + 1 && sent[1]?.event.event_type === "form_submit" ? 1 : 0;

  /**
   * @param {Sent} entry
   * @param {number} index
   */
  const row = (entry, index) => {
    const { event, status, answer, left } = entry;
    const path = new URL(event.page_url).pathname;
    const good = left || (status !== undefined && status >= 200 && status < 300);
    const state = status === undefined && !left ? "waiting" : good ? "good" : "bad";
    const details = /** @type {HTMLDetailsElement} */ (
      element(
        "details",
        "",
        element(
          "summary",
          "",
          element("b", "", event.event_type),
          element("span", "demo-path", path),
          element("span", `demo-status ${state}`, outcome(entry)),
        ),
        block("Sent", event),
      )
    );
    if (answer) details.append(block("Answer", answer));
    details.open = index === mostTelling();
    return details;
  };

  const draw = () => {
    sessionStorage.setItem(STORE, JSON.stringify(sent.slice(0, KEEP)));
    panel.replaceChildren(
      element("p", "demo-badge", "Demo only"),
      element("h2", "", "What the pixel sent"),
      element(
        "p",
        "demo-note",
        sent.length
          ? "Newest first. Of a form, only the names and the e-mail leave the page."
          : "Nothing yet. Is the Worker running, and is no ad blocker in the way?",
      ),
      ...sent.map(row),
    );
  };

  const realFetch = window.fetch;
  /** @type {typeof fetch} */
  window.fetch = async (input, init) => {
    const request = realFetch(input, init);
    const isEvent = String(input).endsWith("/e") && typeof init?.body === "string";
    if (!isEvent) return request;
    /** @type {Sent} */
    const entry = { event: JSON.parse(String(init.body)) };
    sent.unshift(entry);
    draw();
    const started = performance.now();
    try {
      const response = await request;
      entry.status = response.status;
      entry.answer = await response
        .clone()
        .json()
        .catch(() => null);
      return response;
    } catch (error) {
      entry.status = 0;
      throw error;
    } finally {
      entry.took = Math.round(performance.now() - started);
      draw();
    }
  };

  document.body.append(panel);
  draw();
})();
