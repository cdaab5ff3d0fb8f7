import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseMessage } from '../../src/ca/cmp-messages.ts';
import { MemoryJournal, Office, World } from '../faults/world.ts';
import { OpensslDirectory, sm2Id } from './openssl.ts';

let office: Office;
let work: OpensslDirectory;
beforeAll(async () => {
  office = await Office.open();
  work = await OpensslDirectory.make();
});
afterAll(async () => {
  await office.close();
  await work.remove();
});

const verifyOptions = ['-vfyopt', sm2Id];

test.each(['due-30-days', 'expired', 'old-issuer'] as const)(
  'what a renewal from %s made passes OpenSSL: the request, the certificate, its chain, a signature of the new key',
  async (scenario) => {
    const journal = new MemoryJournal();
    const world = await World.open(office, scenario, 'longmai-hid', { journal });
    const outcome = await world.press(scenario === 'old-issuer' ? 'upgrade' : 'renewal');
    if (outcome.kind !== 'success') throw new Error(`stopped: ${outcome.reason}`);
    const record = await journal.get(outcome.transactionId);
    const { body } = parseMessage(record?.request ?? new Uint8Array());
    if (body.type !== 'p10cr') throw new Error(`the request is a ${body.type}`);
    const { root, issuing } = office.ca.hierarchy.sm2;
    await work.write('request.der', body.csr);
    await work.write('new.der', outcome.newCertificate);
    await work.write('issuing.der', issuing.certificate);
    await work.write('root.der', root);
    for (const name of ['new', 'issuing', 'root'])
      await work.openssl('x509', '-inform', 'DER', '-in', `${name}.der`, '-out', `${name}.pem`);

    const request = await work.openssl(
      'req',
      '-inform',
      'DER',
      '-in',
      'request.der',
      '-verify',
      '-noout',
      ...verifyOptions,
    );
    expect(request).toContain('verify OK');

    // -vfyopt reaches only the leaf, so the chain is verified in pairs.
    for (const [issuer, leaf] of [
      ['issuing', 'new'],
      ['root', 'issuing'],
    ] as const) {
      const trusted = ['-partial_chain', '-trusted', `${issuer}.pem`];
      expect(await work.openssl('verify', ...verifyOptions, ...trusted, `${leaf}.pem`)).toContain(`${leaf}.pem: OK`);
    }

    const message = crypto.getRandomValues(new Uint8Array(100));
    const key = await world.connect();
    await key.verifyPassword('TJTAX', new TextEncoder().encode('12345678'));
    const newContainer = { application: 'TJTAX', container: `R${outcome.transactionId}` };
    await work.write('message', message);
    await work.write('signature', await key.sign(newContainer, message));
    await key.close();
    await work.openssl('x509', '-in', 'new.pem', '-pubkey', '-noout', '-out', 'new.pub');
    const verified = ['-sm3', '-verify', 'new.pub', '-sigopt', sm2Id, '-signature', 'signature', 'message'];
    expect(await work.openssl('dgst', ...verified)).toContain('Verified OK');
  },
);
