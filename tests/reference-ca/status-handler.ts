import { allowMethods, HttpProblem, mediaType, readBody, requestUrl, send, type RequestHandler } from './http.ts';
import type { StatusResponder } from './status-responder.ts';

const maxRequestBytes = 4096;

/**
 * What became of certificates, over HTTP: `GET /api/crl/{id}`, the id being the SHA-256 of the issuing authority's
 * SubjectPublicKeyInfo (64 hex digits), and `POST /api/ocsp` (RFC 6960 appendix A).
 * @param settle makes the ledger true for this moment
 */
export function statusHandler(
  responder: StatusResponder,
  settle: () => Promise<void>,
  now: () => Date,
): RequestHandler {
  return async (request, response) => {
    const { pathname } = requestUrl(request);
    const list = /^\/api\/crl\/([^/]*)$/u.exec(pathname);
    if (!list && pathname !== '/api/ocsp') return false;
    response.setHeader('Date', now().toUTCString());
    if (list) {
      allowMethods(request, 'GET', 'HEAD');
      await settle();
      const crl = await responder.crl(list[1] ?? '');
      if (!crl) throw new HttpProblem(404, 'There is no revocation list of such an authority.');
      send(response, 200, 'application/pkix-crl', crl);
      return true;
    }
    allowMethods(request, 'POST');
    if (mediaType(request) !== 'application/ocsp-request') {
      throw new HttpProblem(415, 'Only application/ocsp-request here.', { Accept: 'application/ocsp-request' });
    }
    const asked = await readBody(request, maxRequestBytes);
    await settle();
    send(response, 200, 'application/ocsp-response', await responder.ocsp(asked));
    return true;
  };
}
