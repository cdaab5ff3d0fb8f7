import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CaError } from '../../../src/ca/authority.ts';
import { CmpAuthority } from '../../../src/ca/cmp-client.ts';
import { parseMessage } from '../../../src/ca/cmp-messages.ts';
import { fromHex } from '../../../src/pki/bytes.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import type { AskPassword, Ports } from '../../../src/renewal/procedure.ts';
import { readKeyContents } from '../../../src/renewal/key-contents.ts';
import { substitute } from '../../faults/substitute.ts';
import { MemoryJournal, Office, recordsOf, samplePassword, World } from '../../faults/world.ts';
import { attachments, type KeyState } from '../../virtual-key/state.ts';

let office: Office;
beforeAll(async () => {
  office = await Office.open();
}, 30_000);
afterAll(() => office.close());

const containers = (state: KeyState): KeyState['applications'][number]['containers'] =>
  state.applications.flatMap(({ containers }) => containers);

describe.each(attachments)('over %s', (attachment) => {
  test('a certificate with 30 days left is renewed into a new container, the old one untouched', async () => {
    const world = await World.open(office, 'due-30-days', attachment);
    const outcome = await world.press();
    expect(outcome).toMatchObject({ kind: 'success', purpose: 'renewal' });
    if (outcome.kind !== 'success') return;
    const [old, renewed, ...more] = containers(world.key.state());
    expect(old).toEqual(containers(world.initial)[0]);
    expect(renewed?.name).toBe(`R${outcome.transactionId}`);
    expect(renewed?.signing?.certificate).toBe(Buffer.from(outcome.newCertificate).toString('hex'));
    expect(more).toEqual([]);
    const before = parseCertificate(outcome.oldCertificate);
    const after = parseCertificate(outcome.newCertificate);
    expect(after.notAfter.getTime()).toBeGreaterThan(before.notAfter.getTime());
    expect(after.subject.attributes).toEqual(before.subject.attributes);
    expect(office.ca.ledger.transaction(outcome.transactionId)?.status).toBe('confirmed');
    expect(world.progress.map(({ step }) => step)).toEqual(
      expect.arrayContaining(['password', 'newKey', 'request', 'write', 'check', 'finish']),
    );
  });
});

test('an expired certificate is renewed where the policy accepts expired signers', async () => {
  const world = await World.open(office, 'expired', 'longmai-hid');
  expect(await world.press()).toMatchObject({ kind: 'success' });
});

test('an authority that wants a key update gets one', async () => {
  const world = await World.open(office, 'due-30-days', 'longmai-hid');
  const authority = new CmpAuthority({
    url: `${office.origin}/ca/cmp`,
    enrolmentsUrl: `${office.origin}/api/enrolments`,
    anchors: office.trust.anchors,
    fetch,
    now: () => new Date(),
    timeoutMs: 5_000,
    request: 'kur',
  });

  const outcome = await world.press('renewal', undefined, (ports) => ({ ...ports, authority }));

  expect(outcome).toMatchObject({ kind: 'success' });
  const [record] = recordsOf(world).values();
  expect(parseMessage(record?.request ?? new Uint8Array()).body.type).toBe('kur');
  expect(office.ca.ledger.transaction(record?.transactionId ?? '')?.status).toBe('confirmed');
  const [old] = containers(world.key.state());
  expect(old).toEqual(containers(world.initial)[0]);
});

test('a certificate of the old authority is upgraded to the policy’s algorithm', async () => {
  const world = await World.open(office, 'old-issuer', 'longmai-hid');
  const outcome = await world.press('upgrade');
  expect(outcome).toMatchObject({ kind: 'success', purpose: 'upgrade' });
  if (outcome.kind !== 'success') return;
  expect(parseCertificate(outcome.oldCertificate).keyAlgorithm).toBe('rsa');
  expect(parseCertificate(outcome.newCertificate).keyAlgorithm).toBe('sm2');
});

test('what is on a key is read without a password: the active certificate, tries, generation', async () => {
  const cases = [
    ['due-30-days', 'new', true],
    ['expired', 'new', true],
    ['old-issuer', 'old', true],
    ['foreign', 'foreign', false],
  ] as const;
  for (const [scenario, generation, active] of cases) {
    const world = await World.open(office, scenario, 'ccid-extended');
    const contents = await readKeyContents(await world.connect(), office.trust, new Date());
    expect(contents.certificates[0]?.generation, scenario).toBe(generation);
    expect(contents.active !== undefined, scenario).toBe(active);
    expect(contents.tries?.remaining, scenario).toBeGreaterThan(1);
  }
});

describe('the password', () => {
  test('wrong once, then right: two tries typed, the counter whole again, one certificate', async () => {
    const world = await World.open(office, 'due-30-days', 'longmai-hid');
    const questions: unknown[] = [];
    const type = world.typing('87654321', samplePassword);
    const ask: AskPassword = (question, use) => {
      if (question.kind === 'password')
        questions.push({ remaining: question.tries.remaining, wrongBefore: question.wrongBefore });
      return type(question, use);
    };
    const maximum = world.initial.applications[0]?.maxTries ?? 0;
    expect(await world.press('renewal', ask)).toMatchObject({ kind: 'success' });
    expect(questions).toEqual([
      { remaining: maximum, wrongBefore: false },
      { remaining: maximum - 1, wrongBefore: true },
    ]);
    expect(world.key.state().applications[0]?.remainingTries).toBe(maximum);
  });

  test('a locked key is never asked for its password', async () => {
    const world = await World.open(office, 'locked', 'longmai-hid');
    const outcome = await world.press();
    expect(outcome).toMatchObject({ kind: 'stopped', reason: 'locked', remaining: 0, resumable: false });
    expect(world.passwordsTyped).toBe(0);
  });

  test('the last try is announced, and a wrong one ends with the key locked and everything else as it was', async () => {
    const world = await World.open(office, 'last-try', 'longmai-hid');
    let lastTry = false;
    const type = world.typing('87654321', samplePassword);
    const outcome = await world.press('renewal', (question, use) => {
      lastTry = question.kind === 'password' && question.lastTry;
      return type(question, use);
    });
    expect(lastTry).toBe(true);
    expect(outcome).toMatchObject({ kind: 'stopped', reason: 'locked' });
    expect(world.passwordsTyped).toBe(1);
    expect(containers(world.key.state())).toEqual(containers(world.initial));
  });

  test('giving up changes nothing', async () => {
    const world = await World.open(office, 'due-30-days', 'longmai-hid');
    const outcome = await world.press('renewal', () => Promise.resolve(false));
    expect(outcome).toMatchObject({ kind: 'stopped', reason: 'cancelled', resumable: false });
    expect(world.key.state()).toEqual(world.initial);
  });
});

describe('a model that the operator has stopped', () => {
  const stopped =
    (enrolment: Ports['enrolment']) =>
    (ports: Ports): Ports => ({ ...ports, enrolment });

  test.each(['readOnly', 'off'] as const)('%s: nothing is asked, nothing is written', async (enrolment) => {
    const world = await World.open(office, 'due-30-days', 'longmai-hid');
    const outcome = await world.press('renewal', undefined, stopped(enrolment));
    expect(outcome).toMatchObject({ kind: 'stopped', reason: 'modelStopped', resumable: false });
    expect(world.passwordsTyped).toBe(0);
    expect(world.key.state()).toEqual(world.initial);
    expect(recordsOf(world).size).toBe(0);
  });

  test('a transaction in the middle waits, and goes on once the model is let go', async () => {
    const world = await World.open(office, 'ca-waits', 'longmai-hid');
    const first = await world.press('renewal', undefined, (ports) => ({
      ...ports,
      wait: () => Promise.reject(new CaError('cancelled', 'the page was closed')),
    }));
    const before = world.key.state();
    expect(await world.press('renewal', undefined, stopped('off'))).toMatchObject({
      kind: 'stopped',
      reason: 'modelStopped',
      resumable: true,
    });
    expect(world.key.state()).toEqual(before);
    expect(await world.press()).toMatchObject({ kind: 'success', transactionId: first.transactionId });
  });

  test('a confirmation that is complete is still sent', async () => {
    const world = await World.open(office, 'due-30-days', 'longmai-hid');
    const first = await world.press('renewal', undefined, (ports) => ({
      ...ports,
      authority: substitute(ports.authority, {
        confirm: () => Promise.reject(new CaError('unreachable', 'nobody there')),
      }),
    }));
    expect(first).toMatchObject({ kind: 'stopped', reason: 'caUnreachable', resumable: true });
    const { typed, before } = { typed: world.passwordsTyped, before: world.key.state() };
    const second = await world.press('renewal', undefined, stopped('readOnly'));
    expect(second).toMatchObject({ kind: 'success', transactionId: first.transactionId });
    expect(world.passwordsTyped).toBe(typed);
    expect(world.key.state()).toEqual(before);
  });

  test('a certificate that was lost before it was confirmed is not written again', async () => {
    const world = await World.open(office, 'due-30-days', 'longmai-hid');
    await world.press('renewal', undefined, (ports) => ({
      ...ports,
      authority: substitute(ports.authority, {
        confirm: () => Promise.reject(new CaError('unreachable', 'nobody there')),
      }),
    }));
    const state = world.key.state();
    delete containers(state)[1]?.signing?.certificate;
    await world.key.reset(state);
    expect(await world.press('renewal', undefined, stopped('readOnly'))).toMatchObject({ reason: 'modelStopped' });
    expect(world.key.state()).toEqual(state);
    expect(await world.press()).toMatchObject({ kind: 'success' });
  });
});

describe('the authority', () => {
  test('a refusal ends the transaction, with the authority’s reason and the old certificate in place', async () => {
    const world = await World.open(office, 'ca-refuses', 'longmai-hid');
    const outcome = await world.press();
    expect(outcome).toMatchObject({ kind: 'stopped', reason: 'caRejected', resumable: false });
    expect(containers(world.key.state())[0]).toEqual(containers(world.initial)[0]);
  });

  test('an authority that wants time is asked again until it issues', async () => {
    const world = await World.open(office, 'ca-waits', 'longmai-hid');
    expect(await world.press()).toMatchObject({ kind: 'success' });
    expect(world.progress.filter(({ waitingUntil }) => waitingUntil !== undefined).length).toBeGreaterThan(0);
  });

  test('a certificate for another key is refused by certConf, never written', async () => {
    const world = await World.open(office, 'due-30-days', 'longmai-hid');
    const other = containers(world.initial)[0]?.signing?.certificate ?? '';
    const outcome = await world.press('renewal', undefined, (ports) => ({
      ...ports,
      authority: substitute(ports.authority, {
        submit: async (request: Uint8Array) => {
          const answer = await ports.authority.submit(request);
          return answer.kind === 'issued' ? { ...answer, certificate: fromHex(other) } : answer;
        },
      }),
    }));
    expect(outcome).toMatchObject({ kind: 'stopped', reason: 'notAcceptable', resumable: false });
    if (outcome.kind !== 'stopped') return;
    expect(outcome.acceptance).toEqual(expect.arrayContaining(['otherPublicKey', 'notLonger']));
    expect(containers(world.key.state())[1]?.signing?.certificate).toBeUndefined();
    expect(office.ca.ledger.transaction(outcome.transactionId ?? '')?.status).toBe('withdrawn');
  });
});

describe('interrupted', () => {
  test('unplugged while the authority takes its time, the same transaction goes on after replugging', async () => {
    const world = await World.open(office, 'ca-waits', 'longmai-hid');
    const first = await world.press('renewal', undefined, (ports) => ({
      ...ports,
      wait: async () => {
        await world.key.unplug();
        throw new Error('the wait is cut short when the key is gone');
      },
    }));
    expect(first).toMatchObject({ kind: 'stopped', reason: 'unplugged', resumable: true });
    await world.key.plug();
    const second = await world.press();
    expect(second).toMatchObject({ kind: 'success', transactionId: first.transactionId });
    expect(containers(world.key.state())).toHaveLength(2);
  });

  test('with the journal lost, on another computer, the container’s name brings the transaction back', async () => {
    const world = await World.open(office, 'due-30-days', 'longmai-hid');
    const first = await world.press('renewal', undefined, (ports) => ({
      ...ports,
      key: substitute(ports.key, {
        importCertificate: async () => {
          await world.key.unplug();
          return ports.key.readInfo().then(() => undefined);
        },
      }),
    }));
    expect(first).toMatchObject({ kind: 'stopped', reason: 'unplugged', resumable: true });
    const elsewhere = await World.open(office, world.key.state(), 'longmai-hid', { journal: new MemoryJournal() });
    const second = await elsewhere.press();
    expect(second).toMatchObject({ kind: 'success', transactionId: first.transactionId });
    expect(containers(elsewhere.key.state())).toHaveLength(2);
  });

  test('a finished renewal is not repeated by the container’s name alone', async () => {
    const world = await World.open(office, 'due-30-days', 'longmai-hid');
    const first = await world.press();
    const elsewhere = await World.open(office, world.key.state(), 'longmai-hid');
    const contents = await readKeyContents(await elsewhere.connect(), office.trust, new Date());
    expect(contents.active?.container.ref.container).toBe(`R${first.transactionId ?? ''}`);
  });

  test('no room for another container is said before anything is made', async () => {
    const state = await office.ca.personalise('due-30-days', 'longmai-hid');
    const full = { ...state, info: { ...state.info, maxContainers: containers(state).length } };
    const world = await World.open(office, full, 'longmai-hid');
    expect(await world.press()).toMatchObject({ kind: 'stopped', reason: 'noRoom', resumable: false });
    expect(world.key.state()).toEqual(full);
  });
});
