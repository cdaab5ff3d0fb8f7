import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificateStatus, type CertificateStatus } from '../../../src/ca/status.ts';
import { verifyChain } from '../../../src/pki/chain.ts';
import { listen, type Listening } from '../../demo/listen.ts';
import { answerWith, HttpProblem, requestUrl, type RequestHandler } from '../../reference-ca/http.ts';
import { openReferenceCa, type ReferenceCa } from '../../reference-ca/reference-ca.ts';
import { makeHolder, TestClock, type Holder } from '../reference-ca/holder.ts';

const clock = new TestClock();
let ca: ReferenceCa;
let server: Listening;
let hasOcsp = true;
beforeAll(async () => {
  ca = await openReferenceCa({ now: clock.now });
  const withoutOcsp: RequestHandler = (request) => {
    if (!hasOcsp && requestUrl(request).pathname === '/api/ocsp') throw new HttpProblem(404, 'There is no OCSP.');
    return Promise.resolve(false);
  };
  const make = (): ReturnType<typeof createServer> => createServer(answerWith(withoutOcsp, ca.handler));
  server = await listen(make, { port: 0, strictPort: true, host: '127.0.0.1' });
});
afterAll(async () => {
  await server.close();
  await ca.close();
});

describe.each(['sm2', 'p256', 'oldRsa'] as const)('the reference authority %s', (authority) => {
  /** As the page asks: the issuer is the next on a path that holds now. */
  async function ask({ certificate }: Holder): Promise<CertificateStatus> {
    const { root, issuing } = ca.hierarchy[authority];
    const chain = await verifyChain({
      ...{ leaf: certificate.der, intermediates: [issuing.certificate], anchors: [root], at: clock.now() },
    });
    const issuer = chain.ok ? chain.path[1] : undefined;
    if (!issuer) throw new Error('no path');
    const service = { api: `${server.url}api`, fetch, now: clock.now, timeoutMs: 30_000 };
    return certificateStatus(certificate, issuer, service);
  }

  it.each([
    ['ocsp', true],
    ['crl', false],
  ] as const)('says by %s what it has taken back, and when and why', async (source, offersOcsp) => {
    hasOcsp = offersOcsp;
    const [kept, revoked] = [
      await makeHolder(ca, clock.now(), { authority }),
      await makeHolder(ca, clock.now(), { authority }),
    ];
    await expect(ask(revoked)).resolves.toMatchObject({ status: 'good', source });

    const at = clock.now();
    await ca.revoke(revoked.certificate.der, 'keyCompromise');
    clock.advance(60_000);

    await expect(ask(revoked)).resolves.toMatchObject({ status: 'revoked', source, at, reason: 'keyCompromise' });
    await expect(ask(kept)).resolves.toMatchObject({ status: 'good', source });
  });

  it('does not say good of a certificate that is not in its books', async () => {
    hasOcsp = true;
    const stranger = await makeHolder(ca, clock.now(), { authority, registered: false });
    await expect(ask(stranger)).resolves.toEqual({ status: 'unknown', because: 'notKnownThere' });
  });
});
