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
}

/** One lead of this page, the same until it is settled. */
interface Lead {
  /** Its identity; without it the lead is settled. */
  email?: string;
  /** Its event, as it was sent last. */
  submission?: PppEvent;
  /** The person in that event: what is sent once more only if it differs. */
  personJson?: string;
  /** The page sent a request since. */
  hasRequest?: boolean;
  /** The request that carried the e-mail address was answered 2xx. */
  requestOk?: boolean;
  /** What the page showed by alert(). */
  alertText?: string;
}

/** Fields that are sent together: a form, or all that stand in no form. */
type Group = HTMLFormElement | HTMLElement | ShadowRoot;

/** What the first part offers to the second, and three handlers that the second sets. */
interface Shared {
  lead: Lead;
  attempt<T>(task: () => T): T | undefined;
  tap(object: any, method: string, after: (self: any, args: any, result: any) => void): void;
  report(person: Person): Lead | undefined;
  dispatch(event: PppEvent): void;
  submitted(form: HTMLFormElement): void;
  gesture?(element: any, key?: string): void;
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
  PPPTracker?: { track: () => void; version: string };
}

interface Document {
  prerendering?: boolean;
}
