import { X509Certificate } from 'node:crypto';
import { CaError, type EnrolmentAnswer } from '../../src/ca/authority.ts';
import { bytesEqual, type Bytes } from '../../src/pki/bytes.ts';
import { answerCases, type Expected } from './answer-cases.ts';
import { dayMs, now, openRenewals, type Renewal } from './ca-answer.ts';
import { nodesOf, partOf, readTree, writeTree } from './der-tree.ts';
import { derGate, type Outcome, type Target } from './target.ts';

type Issued = Extract<EnrolmentAnswer, { kind: 'issued' }>;

/** Client authentication, or any purpose. */
const accepted = ['1.3.6.1.5.5.7.3.2', '2.5.29.37.0'];

/** Names are the same however their letters and spaces are written (RFC 5280 §7.1). */
const folded = (name: string): string =>
  name
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\S\n]+/gu, ' ')
    .replace(/ ?(=|\n|$) ?/gu, '$1');

/** Somebody else's reading of a certificate that was taken: why it should not have been, or nothing. */
function objection(
  { certificate }: Issued,
  { newKey, oldCertificate, authority, context }: Renewal,
): string | undefined {
  const read = new X509Certificate(certificate);
  const old = new X509Certificate(oldCertificate);
  const tree = readTree(certificate);
  const [notBefore, notAfter] = [Date.parse(read.validFrom), Date.parse(read.validTo)];
  const usage = nodesOf(partOf(tree, 0, 7)).find(({ parts }) => {
    const [type] = parts ?? [];
    return type?.identifier === 6 && bytesEqual(type.content, Uint8Array.of(0x55, 0x1d, 0x0f));
  });
  const usageBits = usage?.parts?.at(-1)?.parts?.[0]?.content[1] ?? 0;
  // Undefined without the extension, whatever the type says.
  const purposes = (read.keyUsage as readonly string[] | undefined) ?? accepted;
  const facts: Readonly<Record<string, boolean>> = {
    'another key': bytesEqual(writeTree(partOf(tree, 0, 6)), newKey.spki),
    'another subject': read.subject === old.subject,
    'an authority': !read.ca && (usageBits & 0x06) === 0,
    'no number of its own': read.serialNumber !== old.serialNumber && !/^(-|0*$)/.test(read.serialNumber),
    'a number too long': read.serialNumber.length <= 40,
    'for other purposes': purposes.some((purpose) => accepted.includes(purpose)),
    'may not sign': (usageBits & 0x80) !== 0,
    'not longer': notAfter > Date.parse(old.validTo),
    'not valid now': notBefore <= now.getTime() && now.getTime() < notAfter,
    'lives too long': notAfter - notBefore <= context.policy.maxLifeDays * dayMs,
    // OpenSSL is not told SM2's default identity this way: there, only our own verification speaks.
    'not signed by the authority':
      authority.name === 'sm2' || read.verify(new X509Certificate(authority.issuing.certificate).publicKey),
    'another issuer': folded(read.issuer) === folded(new X509Certificate(authority.issuing.certificate).subject),
  };
  const broken = Object.entries(facts).filter(([, holds]) => !holds);
  return broken.length > 0 ? broken.map(([fact]) => fact).join(', ') : undefined;
}

interface Made {
  readonly field: string;
  readonly expected: readonly Expected[];
  readonly renewal: Renewal;
}

/**
 * Answers of an authority that are wrong in one field and yet signed and protected with its own keys, put through the
 * client's reading and the acceptance of the certificate. A finding is what another check stopped than the one meant
 * for it, and any answer that was taken and is not what the right one says.
 */
export async function openAcceptanceTarget(): Promise<Target> {
  const renewals = await openRenewals();
  const made = new WeakMap<Bytes, Made>();
  const fates = new WeakMap<Bytes, string>();

  const fate = async (input: Bytes, renewal: Renewal): Promise<readonly string[]> => {
    let answer: EnrolmentAnswer;
    try {
      answer = await renewal.receive(input);
    } catch (error) {
      if (error instanceof CaError) return [error.code];
      throw error;
    }
    if (answer.kind === 'waiting') return ['waiting'];
    const failures = await renewal.judge(answer);
    if (failures.length > 0) return failures;
    const doubt = objection(answer, renewal);
    if (doubt !== undefined) throw new Error(`taken, but ${doubt}`);
    return ['identical'];
  };

  return {
    name: 'acceptance',
    gate: derGate,
    isWhole: true,
    mutate: async (random) => {
      // SM2 costs ten times as much.
      const renewal = random.once(25) ? renewals.sm2 : renewals.p256;
      const { field, expected, change } = random.pick(answerCases);
      const draft = renewal.draft();
      const before = writeTree(draft.message);
      change(draft, random, renewal);
      // A value may have been put where it was.
      const isSame = bytesEqual(writeTree(draft.message), before);
      const signer = draft.issuer === undefined || draft.issuer === renewal.authority.issuing.key;
      const protector = draft.protector === undefined || draft.protector === renewal.authority.issuing.key;
      const input = await renewal.finish(draft);
      made.set(input, { field, expected: isSame && signer && protector ? ['identical'] : expected, renewal });
      return input;
    },
    run: async (input): Promise<Outcome> => {
      const how = made.get(input);
      if (!how) throw new RangeError('nobody knows how this was made');
      const { field, expected, renewal } = how;
      const came = await fate(input, renewal).catch((error: unknown) => {
        throw error instanceof Error ? new Error(`${field}: ${error.message}`, { cause: error }) : error;
      });
      if (!came.some((one) => (expected as readonly string[]).includes(one))) {
        throw new Error(`${field}: came to ${came.join(', ')} instead of ${expected.join(' or ')}`);
      }
      fates.set(input, `${field}\t${came.join('+')}`);
      return came[0] === 'identical' ? 'accepted' : 'rejected';
    },
    fate: (input) => fates.get(input),
  };
}
