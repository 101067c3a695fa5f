/** The words of the pixel's two parts. */

/** What is known of a person. `name` is both names in one field; the server splits it. */
interface Person {
  email?: string;
  first_name?: string;
  last_name?: string;
  name?: string;
}

type Outcome = "submitted" | "accepted" | "rejected";

/**
 * One event as it is sent. `at` is when it happened, in milliseconds of the visitor's clock. A page
 * view has its `page`: the address, without what does not make it another page.
 */
interface PppEvent {
  event_key: string;
  event_type: "pageview" | "form_submit" | "event";
  at: number;
  form_data?: Person;
  outcome?: Outcome;
  visitor_cookie?: string;
  sequence?: number;
  page?: string;
}

/**
 * One lead of this page. It is known by its `email` until it is settled, then that is forgotten.
 * `sent`: its event, as it was sent last; `said`: its person, as JSON; `busy`: the page has sent
 * something since; `alerted`: what it told by alert(); `ok`: what carried the lead was answered 2xx.
 */
interface Lead {
  email?: string | 0;
  sent?: PppEvent;
  said?: string;
  busy?: 1;
  alerted?: string;
  ok?: boolean;
}

/** The fields that are sent together: a form, or what stands in no form. */
type Group = HTMLFormElement | HTMLElement | ShadowRoot;

/** What the first part lends to the second, and what the second puts in its place. */
interface Shared {
  lead: Lead;
  attempt<T>(task: () => T): T | undefined;
  tap(object: object, method: string, after: (result: any, self: any, args: any) => void): void;
  report(person: Person): Lead | undefined;
  dispatch(event: PppEvent): void;
  submitted(form: HTMLFormElement): void;
  gestured?(element: any, key?: string): void;
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
