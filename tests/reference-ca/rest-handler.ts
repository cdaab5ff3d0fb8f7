import type { IncomingMessage } from 'node:http';
import type { Faults } from './faults.ts';
import { allowMethods, HttpProblem, mediaType, readBody, requestUrl, send, type RequestHandler } from './http.ts';
import type { Issuance } from './issuance.ts';
import {
  identifier,
  keyDigest,
  maxRequestBytes,
  noTransaction,
  readSignedRequest,
  type Question,
} from './rest-documents.ts';
import { incomingRest } from './rest-faults.ts';
import type { RestAnswer, RestResponder, Route } from './rest-responder.ts';

const base = '/ca/rest/enrolments';
const keyBase = '/ca/rest/keys/';
const contentType = 'application/json';

/**
 * rest-enrolment over HTTP: `POST /ca/rest/enrolments`, `POST …/{transactionId}/encryption`,
 * `POST …/{transactionId}/confirmation`, `GET …/{transactionId}?nonce=` and `GET /ca/rest/keys/{SHA-256}?nonce=`. Same
 * origin only: no CORS headers.
 */
export function restHandler(responder: RestResponder, { now }: Issuance, faults: Faults): RequestHandler {
  return async (request, response) => {
    const { pathname, searchParams } = requestUrl(request);
    const key = pathname.startsWith(keyBase) ? pathname.slice(keyBase.length) : undefined;
    if (key === undefined && pathname !== base && !pathname.startsWith(`${base}/`)) return false;
    // Holders' software tells the time by this.
    response.setHeader('Date', now().toUTCString());
    const [id = '', step, ...others] = key === undefined ? pathname.slice(base.length + 1).split('/') : [];
    const route = key !== undefined ? 'state' : pathname === base ? ({ type: 'enrolment' } as const) : routeOf(step);
    if (others.length > 0 || !route) throw new HttpProblem(404, 'There is nothing here.');
    if (key === undefined ? pathname !== base && !identifier.test(id) : !keyDigest.test(key)) {
      throw new HttpProblem(400, 'A transaction is named by 32 hex digits, a key by 64, in lower case.');
    }

    let asked: Question | undefined;
    let answer: () => Promise<RestAnswer | undefined>;
    if (route === 'state') {
      allowMethods(request, 'GET', 'HEAD');
      const nonce = searchParams.get('nonce') ?? '';
      if (!identifier.test(nonce)) throw new HttpProblem(400, 'A nonce is 32 hex digits, in lower case.');
      asked =
        key === undefined
          ? { to: 'state', transactionId: id, nonce }
          : { to: 'key', key, transactionId: noTransaction, nonce };
      answer = async () => {
        const state = await (key === undefined ? responder.state(id, nonce) : responder.stateOfKey(key, nonce));
        if (state === 'otherProtocol') throw new HttpProblem(409, 'Begun in another protocol: to be asked for there.');
        return state;
      };
    } else {
      const body = await bodyOf(request);
      const head = readSignedRequest(body)?.head;
      asked = head && { to: head.type, transactionId: head.transactionId, nonce: head.nonce };
      answer = () =>
        responder.answer({ ...route, ...(id !== '' && { transactionId: id }) }, idempotencyKey(request), body);
    }

    let status = 200;
    const answered = await faults.apply(
      'rest',
      incomingRest(asked, async () => {
        const given = await answer();
        status = given?.status ?? status;
        return given?.body;
      }),
    );
    if (answered === 'drop') {
      request.socket.destroy();
      return true;
    }
    if (!answered) throw new HttpProblem(400, 'Not a request of rest-enrolment.');
    send(response, status, contentType, answered);
    return true;
  };
}

/** What is behind a transaction's identifier. */
function routeOf(step: string | undefined): Pick<Route, 'type'> | 'state' | undefined {
  if (step === undefined) return 'state';
  return step === 'encryption' || step === 'confirmation' ? { type: step } : undefined;
}

async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  allowMethods(request, 'POST');
  if (mediaType(request) !== contentType) {
    throw new HttpProblem(415, `Only ${contentType} here.`, { Accept: contentType });
  }
  return readBody(request, maxRequestBytes);
}

function idempotencyKey({ headers }: IncomingMessage): string | undefined {
  const key = headers['idempotency-key'];
  return typeof key === 'string' ? key : undefined;
}
