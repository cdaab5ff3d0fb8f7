import type { Centre } from '../../src/guidance/centres/centre.ts';
import type { HotlineMessage } from '../../src/service/hotline-messages.ts';
import { allowMethods, requestUrl, sendJson, type RequestHandler } from '../reference-ca/http.ts';
import { appointmentsHandler, type AppointmentsOptions } from './appointments.ts';
import { ContentShelf } from './content.ts';

export interface OperatorApiOptions {
  readonly now?: () => Date;
  /** The centres as published. */
  readonly centres?: () => readonly Centre[];
  readonly messages?: () => readonly HotlineMessage[];
  readonly content?: ContentShelf;
  /** Without it nothing can be booked. */
  readonly appointments?: Omit<AppointmentsOptions, 'now'>;
}

/**
 * The operator's side of public/openapi.yaml, but for what belongs to the authority (policy, enrolments, status of
 * certificates), which the reference CA answers itself.
 */
export function operatorApi(options: OperatorApiOptions): RequestHandler {
  const { now = () => new Date(), centres = () => [], messages = () => [], content = new ContentShelf() } = options;
  const documents: ReadonlyMap<string, () => unknown> = new Map<string, () => unknown>([
    ['/api/time', () => ({ now: now().toISOString() })],
    ['/api/centres', centres],
    ['/api/hotline-messages', messages],
  ]);
  const appointments = options.appointments && appointmentsHandler({ ...options.appointments, now });
  return async (request, response) => {
    const { pathname } = requestUrl(request);
    if (pathname.startsWith('/api/')) response.setHeader('Date', now().toUTCString());
    const document = documents.get(pathname);
    if (document) {
      allowMethods(request, 'GET', 'HEAD');
      sendJson(response, document());
      return true;
    }
    return (await content.handler(request, response)) || (await (appointments?.(request, response) ?? false));
  };
}
