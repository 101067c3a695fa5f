/** The types of both parts of the pixel. */

/** A person's fields. `name` is the whole name in one field; the server splits it. */
interface Person {
  email?: string;
  first_name?: string;
  last_name?: string;
  name?: string;
}

type Outcome = "submitted" | "accepted" | "rejected";

/**
 * One event as it is sent. `at` is when it happened, in milliseconds of the visitor's clock. `page`,
 * of page views only, is what tells pages apart: the URL, by default without its hash; true if
 * data-spa="off" makes all URLs one page.
 */
interface PppEvent {
  event_key: string;
  event_type: "pageview" | "form_submit" | "event";
  at: number;
  form_data?: Person;
  outcome?: Outcome;
  visitor_cookie?: string;
  sequence?: number;
  page?: string | true;
  /** The server that it is for. */
  origin?: string;
}

/** One lead of this page, the same until it is settled. */
interface Lead {
  /** Its identity; without it the lead is settled. */
  email?: string;
  /** Its event, as it was sent last. */
  submission?: PppEvent;
  /** The person in that event: what is sent once more only if it differs. */
  personText?: string;
}

/** One attempt to send a lead: what is known of its outcome. */
interface Sending {
  lead?: Lead;
  /** What had the e-mail address left the page. */
  hasLeft?: boolean;
  /** What the answers to such requests said: 1 if it was accepted, 2 if refused, 3 if both. */
  answers?: any;
  /** What the page showed by alert(), or asked by confirm() and was denied. */
  dialogText?: string;
}

/** What the first part offers to the second, and handlers that the second sets. */
interface Shared {
  hasForms: boolean;
  reactions: Record<string, any>;
  listen(root: EventTarget): void;
  attempt<T>(task: () => T): T | undefined;
  tap(object: any, method: string, after: (result: any, args: any, self: any) => void): void;
  makeEvent(type: PppEvent["event_type"], properties: object): PppEvent;
  report(person: Person & { form_text?: string }): Lead | undefined;
  dispatch(event: PppEvent): void;
  submitted(event: any): void;
  answered?(event: PppEvent, response: Response): void;
}

interface Ppp {
  (command: string, ...data: any[]): void;
  q?: ArrayLike<any>[];
  version?: string;
  shared?: Shared;
}

interface Window {
  ppp?: Ppp;
  PPPTracker?: {
    track: () => void;
    version: string;
    log: () => void;
    attribution: object;
    config: object;
  };
}

interface Document {
  prerendering?: boolean;
}
