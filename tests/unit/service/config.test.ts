import 'fake-indexeddb/auto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { loadConfig, loadPolicy } from '../../../src/service/config.ts';

const config = {
  version: 1,
  ca: { protocol: 'cmp', url: '/ca/cmp', enrolments: '/api/enrolments' },
  api: '/api',
  anchors: ['MAA='],
  intermediates: [],
  oldIssuers: [],
  holder: { taxpayerNumber: ['1.2.156.10260.4.1.5'] },
};
const policy = {
  windowDays: 60,
  upgradeCutoff: '2018-09-18T00:00:00+08:00',
  maxExpiredDays: null,
  acceptsExpiredSigner: true,
  enrolment: 'open',
  retransmission: 'idempotent',
  upgradePlan: { newKey: true, algorithm: 'sm2' },
  renewalAlgorithm: 'sameAsOld',
  minSecurityBits: 112,
  maxLifeDays: 1830,
};

let server: Server;
let answers: Record<string, { status: number; body: string }> = {};
beforeAll(async () => {
  server = createServer((request, response) => {
    const answer = answers[request.url ?? ''] ?? { status: 404, body: '' };
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const real = fetch;
  // A page resolves paths against its own origin; Node has none.
  vi.stubGlobal('fetch', (input: string, init?: RequestInit) => real(`${origin}${input}`, init));
});
afterAll(() => {
  vi.unstubAllGlobals();
  server.close();
});
const json = (value: unknown): { status: number; body: string } => ({ status: 200, body: JSON.stringify(value) });
beforeEach(() => {
  answers = { '/config.json': json(config), '/api/policy': json(policy) };
});

test('configuration and policy come typed: bytes as bytes, times as dates', async () => {
  const loaded = await loadConfig();
  expect(loaded.anchors).toEqual([Uint8Array.of(0x30, 0)]);
  const loadedPolicy = await loadPolicy(loaded);
  expect(loadedPolicy.upgradeCutoff).toEqual(new Date('2018-09-17T16:00:00Z'));
});

test('what the authority wants differently is said', async () => {
  answers['/config.json'] = json({ ...config, ca: { ...config.ca, request: 'kur', p10crAnsweredWithZero: true } });
  expect((await loadConfig()).ca).toEqual({ ...config.ca, request: 'kur', p10crAnsweredWithZero: true });
});

test.each([
  { protocol: 'rest-enrolment', url: '/ca/rest' },
  { protocol: 'rest-enrolment', url: '/ca/rest', csr: 'cfca' },
])('an authority that does not speak CMP: %j', async (ca) => {
  answers['/config.json'] = json({ ...config, ca });
  expect((await loadConfig()).ca).toEqual(ca);
});

test('links out of the site are the operator’s choice, on https', async () => {
  const links = { taxBureau: 'https://tax.example/download?os=win', platform: 'https://ca.example/' };
  answers['/config.json'] = json({ ...config, links });
  expect((await loadConfig()).links).toEqual(links);
  answers['/config.json'] = json({ ...config, links: {} });
  expect((await loadConfig()).links).toEqual({});
  answers['/config.json'] = json(config);
  expect((await loadConfig()).links).toBeUndefined();
});

test('models come with identifiers as numbers, however they are written, and nothing made up', async () => {
  const row = { vendorId: '0x055C', productId: 'f605', name: 'A key', attachment: 'longmaiHid' };
  const piv = { vendorId: 0x20a0, productId: 0x42d4, name: 'Another', attachment: 'canokey', commandSet: 'piv' };
  const details = { dialect: { pinDigest: 'sm3' }, piv: { retiredSlots: [0x82] }, enrolment: 'readOnly' };
  answers['/config.json'] = json({ ...config, models: [row, { ...piv, ...details }] });
  expect((await loadConfig()).models).toEqual([
    { ...row, vendorId: 0x055c, productId: 0xf605 },
    { ...piv, ...details },
  ]);
  answers['/config.json'] = json(config);
  expect((await loadConfig()).models).toEqual([]);
});

test('the policy can hold back a model, or one firmware of it', async () => {
  const loaded = await loadConfig();
  const models = [{ vendorId: '055c', productId: 'E618', firmware: '1.4*', enrolment: 'off' }];
  answers['/api/policy'] = json({ ...policy, models });
  expect((await loadPolicy(loaded)).models).toEqual([{ ...models[0], vendorId: 0x055c, productId: 0xe618 }]);
  answers['/api/policy'] = json(policy);
  expect((await loadPolicy(loaded)).models).toEqual([]);
});

test('the policy says who gets an encryption certificate, and nobody where it does not', async () => {
  const loaded = await loadConfig();
  answers['/api/policy'] = json({ ...policy, encryptionCertificate: 'ifOldHas' });
  expect((await loadPolicy(loaded)).encryptionCertificate).toBe('ifOldHas');
  answers['/api/policy'] = json(policy);
  expect((await loadPolicy(loaded)).encryptionCertificate).toBe('none');
});

test('what an upgrade may do to a subject, and where its number stands, is said by the operator', async () => {
  const plain = await loadConfig();
  answers['/config.json'] = json({
    ...config,
    holder: { ...config.holder, taxpayerNumberInCommonName: '^(\\w{18})@' },
    subjectRules: { mayChange: ['2.5.4.11'] },
    extendedKeyUsage: ['1.3.6.1.5.5.7.3.4'],
  });
  const told = await loadConfig();

  expect([plain.holder.taxpayerNumberInCommonName, plain.subjectRules, plain.extendedKeyUsage]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(told.holder.taxpayerNumberInCommonName?.exec('91120000MA0000001X@示例')?.[1]).toBe('91120000MA0000001X');
  expect(told.subjectRules).toEqual({ mayChange: ['2.5.4.11'], mayBeAdded: [], mayBeRemoved: [] });
  expect(told.extendedKeyUsage).toEqual(['1.3.6.1.5.5.7.3.4']);
});

test('an upgrade may end earlier only where the policy says so', async () => {
  const loaded = await loadConfig();
  expect((await loadPolicy(loaded)).upgradePlan.mayEndEarlier).toBeUndefined();
  answers['/api/policy'] = json({ ...policy, upgradePlan: { ...policy.upgradePlan, mayEndEarlier: true } });
  expect((await loadPolicy(loaded)).upgradePlan.mayEndEarlier).toBe(true);
});

const model = { vendorId: '055c', productId: 'f605', name: 'A key', attachment: 'longmaiHid' };

test.each([
  ['server error', { status: 500, body: '' }],
  ['half a document', { status: 200, body: '{"version": 1,' }],
  ['a document of another form', json({ ...config, api: 'https://elsewhere.example' })],
])('on %s the last good copy serves', async (_what, answer) => {
  await loadConfig();
  answers['/config.json'] = answer;
  expect((await loadConfig()).api).toBe('/api');
});

test.each([
  ['a CA on another origin', { ca: { ...config.ca, url: '//elsewhere.example/cmp' } }, 'ca.url'],
  ['a CA of no known protocol', { ca: { ...config.ca, protocol: 'est' } }, 'ca.protocol'],
  ['CMP without a place to ask', { ca: { protocol: 'cmp', url: '/ca/cmp' } }, 'ca.enrolments'],
  ['a request of no known form', { ca: { protocol: 'rest-enrolment', url: '/ca', csr: 'crmf' } }, 'ca.csr'],
  ['an anchor that is no base64', { anchors: ['***'] }, 'anchors.0'],
  ['a link without encryption', { links: { platform: 'http://ca.example/' } }, 'links.platform'],
  ['a link that is a script', { links: { taxBureau: 'javascript:alert(1)' } }, 'links.taxBureau'],
  ['a link with a password', { links: { taxBureau: 'https://a:b@tax.example/' } }, 'links.taxBureau'],
  ['a link that is no address', { links: { taxBureau: 'tax.example' } }, 'links.taxBureau'],
  [
    'a holder attribute that is no object identifier',
    { holder: { taxpayerNumber: ['CN'] } },
    'holder.taxpayerNumber.0',
  ],
  [
    'a pattern that is no regular expression',
    { holder: { ...config.holder, taxpayerNumberInCommonName: '([0-9' } },
    'holder.taxpayerNumberInCommonName: must be a regular expression',
  ],
  [
    'a pattern that does not say where in it the number is',
    { holder: { ...config.holder, taxpayerNumberInCommonName: '[0-9]{18}' } },
    'holder.taxpayerNumberInCommonName: must have exactly one group',
  ],
  ['a misspelt rule for subjects', { subjectRules: { mayBeDropped: [] } }, 'subjectRules.mayBeDropped'],
  ['a rule for what is no attribute', { subjectRules: { mayChange: ['OU'] } }, 'subjectRules.mayChange.0'],
  ['purposes of which there are none', { extendedKeyUsage: [] }, 'extendedKeyUsage'],
  ['a model with half an identifier', { models: [model, { ...model, productId: '5c' }] }, 'models.1.productId'],
  ['a model with an identifier out of range', { models: [{ ...model, vendorId: 65536 }] }, 'models.0.vendorId'],
  [
    'a model that meets the browser in no known way',
    { models: [{ ...model, attachment: 'ps2' }] },
    'models.0.attachment',
  ],
  ['a request that is none', { ca: { ...config.ca, request: 'ir' } }, 'ca.request'],
  ['a model with a misspelt field', { models: [{ ...model, enrollment: 'off' }] }, 'models.0.enrollment'],
  [
    'a model with a slot PIV does not have',
    { models: [{ ...model, piv: { retiredSlots: [0x9a] } }] },
    'piv.retiredSlots.0',
  ],
])('%s is refused with its place in the document', async (_what, change, place) => {
  const { cacheDatabase } = await import('../../../src/storage/database.ts');
  await (await cacheDatabase()).clear('documents');
  answers['/config.json'] = json({ ...config, ...change });
  await expect(loadConfig()).rejects.toMatchObject({
    name: 'ServiceError',
    code: 'malformed',
    message: expect.stringContaining(place) as string,
  });
});
