import { fromHex, toBase64 } from '../../src/pki/bytes.ts';
import { incomingCmp } from './cmp-faults.ts';
import type { CmpResponder } from './cmp-responder.ts';
import type { Faults } from './faults.ts';
import {
  allowMethods,
  HttpProblem,
  mediaType,
  readBody,
  requestUrl,
  send,
  sendJson,
  type RequestHandler,
} from './http.ts';
import type { Issuance } from './issuance.ts';
import { publicPolicy } from './policy.ts';

/** The longest CMP message taken, in bytes. */
const maxMessageBytes = 64 * 1024;

/**
 * The authority over HTTP: `POST /ca/cmp` (RFC 9811), `GET /api/policy`, and `GET /api/enrolments/{id}`, the id being a
 * transactionID (32 hex digits) or the SHA-256 of a SubjectPublicKeyInfo (64). With `?nonce=` (64) the states that no
 * message proves come with a proof. Same origin only: no CORS headers.
 */
export function caHandler(responder: CmpResponder, { now, policy }: Issuance, faults: Faults): RequestHandler {
  return async (request, response) => {
    const { pathname, searchParams } = requestUrl(request);
    const enrolment = /^\/api\/enrolments\/([^/]*)$/u.exec(pathname);
    if (pathname !== '/ca/cmp' && pathname !== '/api/policy' && !enrolment) return false;
    // Holders' software tells the time by this.
    response.setHeader('Date', now().toUTCString());
    if (pathname === '/ca/cmp') {
      allowMethods(request, 'POST');
      if (mediaType(request) !== 'application/pkixcmp') {
        throw new HttpProblem(415, 'Only application/pkixcmp here.', { Accept: 'application/pkixcmp' });
      }
      const message = await readBody(request, maxMessageBytes);
      const answer = await faults.apply(
        'cmp',
        incomingCmp(message, () => responder.answer(message)),
      );
      if (answer === 'drop') {
        request.socket.destroy();
        return true;
      }
      if (!answer) throw new HttpProblem(400, 'Not a PKIMessage.');
      send(response, 200, 'application/pkixcmp', answer);
      return true;
    }
    allowMethods(request, 'GET', 'HEAD');
    if (!enrolment) {
      sendJson(response, publicPolicy(policy));
      return true;
    }
    const id = enrolment[1] ?? '';
    if (!/^(?:[0-9a-f]{32}|[0-9a-f]{64})$/u.test(id)) {
      throw new HttpProblem(404, 'A transaction is named by 32 hex digits, a public key by 64, in lower case.');
    }
    const nonce = searchParams.get('nonce');
    if (nonce !== null && !/^[0-9a-f]{64}$/u.test(nonce)) {
      throw new HttpProblem(400, 'A nonce is 64 hex digits, in lower case.');
    }
    const info = await responder.enrolment(id, nonce === null ? undefined : fromHex(nonce));
    const { status, message, checkAfterSeconds, proof } = info;
    if (status === 'otherProtocol') throw new HttpProblem(409, 'Begun in another protocol: to be asked for there.');
    sendJson(response, {
      status,
      ...(message && { message: toBase64(message) }),
      ...(checkAfterSeconds !== undefined && { checkAfterSeconds }),
      ...(proof && { proof: toBase64(proof) }),
    });
    return true;
  };
}
