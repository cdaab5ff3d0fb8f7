import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCertReqMessages, verifyProof } from '../../src/ca/crmf.ts';
import { parseMessage, type PkiMessage } from '../../src/ca/cmp-messages.ts';
import { findProtector } from '../../src/ca/cmp-protection.ts';
import { fromHex, toHex } from '../../src/pki/bytes.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { changed } from '../unit/pki/hierarchy.ts';
import { makeHierarchy } from './cmp-hierarchy.ts';
import { MockCmpServer, OpensslDirectory } from './openssl.ts';

/* What OpenSSL says to OpenSSL, read by us. */

describe.each(['p256', 'rsa'] as const)('OpenSSL’s own messages, %s', (kind) => {
  let dir: OpensslDirectory;
  beforeAll(async () => {
    dir = await OpensslDirectory.make();
    await makeHierarchy(dir, kind);
    await dir.openssl(
      'req',
      '-new',
      '-key',
      'new.key',
      '-subj',
      '/C=CN/CN=Holder',
      '-config',
      'req.cnf',
      '-out',
      'new.csr',
    );
    await dir.openssl(
      ...['x509', '-req', '-in', 'new.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '25'],
      ...['-extfile', 'holder.ext', '-out', 'new.crt'],
    );
  });
  afterAll(() => dir.remove());

  /** Every message of one transaction, in order. */
  async function overhear(command: 'cr' | 'kur', ...more: readonly string[]): Promise<readonly PkiMessage[]> {
    const server = await MockCmpServer.start(dir, [
      ...['-srv_cert', 'ca.crt', '-srv_key', 'ca.key', '-srv_trusted', 'ca.crt', '-rsp_cert', 'new.crt'],
      ...['-poll_count', '1', '-check_after', '1'],
    ]);
    const names = [1, 2, 3].map((index) => [`${command}-req${index}`, `${command}-rsp${index}`] as const);
    try {
      await server.listening();
      await dir.openssl(
        ...['cmp', '-config', '', '-cmd', command, '-server', `127.0.0.1:${server.port}`, '-path', 'pkix/'],
        ...['-cert', 'old.crt', '-key', 'old.key', '-newkey', 'new.key', '-subject', '/C=CN/CN=Holder'],
        ...['-trusted', 'ca.crt', '-certout', 'out.crt', ...more],
        ...['-reqout', names.map(([request]) => request).join(), '-rspout', names.map(([, reply]) => reply).join()],
      );
    } finally {
      await server.stop();
    }
    const messages: PkiMessage[] = [];
    for (const name of names.flat()) messages.push(parseMessage(await dir.read(name)));
    return messages;
  }

  it.each<readonly ['kur' | 'cr', 'kup' | 'cp', readonly string[]]>([
    // This server updates its one fixed certificate only.
    ['kur', 'kup', ['-oldcert', 'new.crt']],
    ['cr', 'cp', []],
  ])('%s with its proof, a poll, %s and the confirmation', async (command, type, more) => {
    const messages = await overhear(command, ...more);
    const [request, waiting, poll, granted, confirmation, acknowledgement] = messages;
    if (request?.body.type !== command) throw new Error('no request');
    const [asked] = parseCertReqMessages(request.body.requests);
    if (!asked) throw new Error('nothing asked for');
    const issued = await dir.certificate('new.crt');
    const { issuer, serialNumber, subject, spki } = parseCertificate(issued);
    expect(asked).toMatchObject({ certReqId: 0, subject: subject.der, publicKey: spki, protocolEncrKey: undefined });
    expect(asked.oldCertId).toEqual(
      command === 'kur' ? { issuer: issuer.der, serialNumber: fromHex(serialNumber) } : undefined,
    );
    await expect(verifyProof(asked)).resolves.toBe(true);
    await expect(verifyProof({ ...asked, request: changed(asked.request, -1) })).resolves.toBe(false);

    expect(waiting?.body).toMatchObject({ type, responses: [{ certReqId: 0, status: { status: 'waiting' } }] });
    expect(poll?.body).toEqual({ type: 'pollReq', certReqIds: [0] });
    expect(granted?.body).toMatchObject({
      type,
      responses: [{ certReqId: 0, status: { status: 'accepted' }, certificate: issued, privateKey: undefined }],
    });
    const certHash = new Uint8Array(createHash('sha256').update(issued).digest());
    expect(confirmation?.body).toMatchObject({ type: 'certConf', statuses: [{ certReqId: 0, certHash }] });
    expect(acknowledgement?.body).toEqual({ type: 'pkiConf' });
  });

  it('is protected by whom we say, every message', async () => {
    const [old, ca] = [await dir.certificate('old.crt'), await dir.certificate('ca.crt')];
    for (const [index, message] of (await overhear('cr')).entries()) {
      const protector = await findProtector(message, [old, ca]);
      expect(protector && toHex(protector.der)).toBe(toHex(index % 2 === 0 ? old : ca));
    }
  });
});
