import { certificateStatus } from '../../ca/status.ts';
import { validityAt } from '../../guidance/beijing.ts';
import { guideNumbers } from '../../guidance/rules.ts';
import { readSpki } from '../../pki/algorithms.ts';
import { verifyChain } from '../../pki/chain.ts';
import { signatureOidFor, verifySignature } from '../../pki/signature.ts';
import { Login } from '../../renewal/login.ts';
import { checksOf, fine, found, type Finding, type Look } from '../check.ts';
import { keyCause } from '../key-causes.ts';
import { lacksCertificate, readsAsCertificate, restorableFromJournal } from '../restorable.ts';
import { Stop } from '../../renewal/outcome.ts';
import { PasswordError } from '../../usbkey/usbkey.ts';

const limitMs = 6_000;
const statusTimeoutMs = 8_000;
/** The person types a password meanwhile. */
const typingMs = 300_000;
const messageBytes = 32;

/** What is on the key: pure judgements of what was read, but for the authority's word and the test signature. */
export const certificateChecks = checksOf(
  {
    ...{ id: 'certificates', group: 'certificate', needs: ['application'], after: [], limitMs },
    detect({ notes }) {
      const { contents, records = [] } = notes;
      if (!contents) return { outcome: 'skipped', because: 'application' };
      const { containers, certificates } = contents;
      const restorable = restorableFromJournal(contents, records);
      notes.restorable = restorable;
      if (restorable.length > 0) return found('lostCertificate', { count: restorable.length });
      const torn = containers.some((one) => lacksCertificate(one) && one.signing?.certificate !== undefined);
      if (torn && !notes.active) return found('tornCertificate');
      if (certificates.length === 0) return found('noCertificate');
      const encryption = containers.flatMap((one) => one.encryption?.certificate ?? []);
      if (encryption.some((der) => !readsAsCertificate(der))) return found('tornEncryption');
      return torn ? found('tornCertificate') : fine({ count: certificates.length });
    },
  },
  {
    ...{ id: 'keyPair', group: 'certificate', needs: ['certificates'], after: [], limitMs },
    detect({ notes: { contents } }) {
      const wrong = (contents?.certificates ?? []).filter(({ keyMatches }) => !keyMatches);
      return wrong.length > 0 ? found('otherKeyPair', { count: wrong.length }) : fine();
    },
  },
  {
    ...{ id: 'chain', group: 'certificate', needs: ['certificates'], after: ['keyPair'], limitMs },
    async detect(look) {
      const { notes, ports } = look;
      const { contents, trust, active } = notes;
      if (!contents || !trust) return { outcome: 'skipped', because: 'network' };
      if (!active) return whyNoneCounts(look);
      // Of an old authority it is only known where it comes from; what is to be done is the upgrade.
      if (active.generation === 'old') return found('upgradeDue');
      const { anchors, intermediates } = trust;
      const leaf = active.certificate.der;
      const chain = await verifyChain({ leaf, anchors, intermediates, at: ports.clock.now(), allowExpiredLeaf: true });
      return chain.ok ? fine({ count: chain.path.length }) : found('brokenChain', { name: chain.reason });
    },
  },
  {
    ...{ id: 'signature', group: 'certificate', needs: ['keyPair', 'password'], after: ['chain'], limitMs: typingMs },
    onRequest: true,
    detect: (look) => tryToSign(look),
  },
  {
    ...{ id: 'expiry', group: 'certificate', needs: ['certificates', 'clock'], after: ['chain'], limitMs },
    detect({ notes: { active, policy }, ports: { clock } }) {
      if (!active) return { outcome: 'skipped', because: 'chain' };
      const { notBefore, notAfter } = active.certificate;
      const now = clock.now();
      const { daysLeft, expired, expiredDays } = validityAt(notAfter, now);
      if (notBefore > now) return found('notYetValid');
      if (expired) return found('expired', { days: expiredDays });
      const windowDays = policy?.windowDays ?? guideNumbers.renewalWindowDays;
      return daysLeft <= windowDays ? found('due', { days: daysLeft }) : fine({ days: daysLeft });
    },
  },
  {
    ...{ id: 'status', group: 'certificate', needs: ['chain', 'network'], after: [], limitMs: 20_000 },
    async detect({ notes, ports }) {
      const { active, config, trust } = notes;
      if (!active || !config || !trust) return { outcome: 'skipped', because: 'chain' };
      const { anchors, intermediates } = trust;
      const leaf = active.certificate.der;
      const chain = await verifyChain({ leaf, anchors, intermediates, at: ports.clock.now(), allowExpiredLeaf: true });
      const issuer = chain.ok ? chain.path[1] : undefined;
      if (!issuer) return found('statusUnknown');
      const service = { api: config.api, fetch: ports.service.fetch, now: ports.clock.now, timeoutMs: statusTimeoutMs };
      const status = await certificateStatus(active.certificate, issuer, service);
      notes.status = status;
      if (status.status === 'revoked') return found('revoked');
      return status.status === 'good' ? fine() : found('statusUnknown', { name: status.because });
    },
  },
);

/** Certificates are there, and none counts. */
async function whyNoneCounts({ notes: { contents, trust }, ports }: Look): Promise<Finding> {
  const [one] = contents?.certificates ?? [];
  if (!one || !trust) return { outcome: 'skipped', because: 'certificates' };
  if (one.generation !== 'foreign') return { outcome: 'skipped', because: 'keyPair' };
  const { anchors, intermediates } = trust;
  const leaf = one.certificate.der;
  const chain = await verifyChain({ leaf, anchors, intermediates, at: ports.clock.now(), allowExpiredLeaf: true });
  // Nobody of the name is known here: somebody else's. Otherwise ours, and something on the way is wrong.
  if (chain.ok || chain.reason === 'noPath') return found('foreign');
  return found('brokenChain', { name: chain.reason });
}

/** The one check that wants the password: the key signs a random message, and the certificate has to verify it. */
async function tryToSign({ notes, ports, signal }: Look): Promise<Finding> {
  const { attached, active } = notes;
  const { askPassword, keys } = ports;
  if (!askPassword) return { outcome: 'skipped', because: 'notAsked' };
  if (!attached || !active) return { outcome: 'skipped', because: 'chain' };
  const { ref } = active.container;
  const message = ports.randomBytes(messageBytes);
  try {
    const signature = await keys.use(attached, async (key) => {
      const end = (): void => void key.close();
      signal.addEventListener('abort', end, { once: true });
      try {
        const login = new Login(key, askPassword(key, attached));
        await login.logIn(ref.application);
        return await login.asUser(ref.application, () => key.sign(ref, message));
      } finally {
        signal.removeEventListener('abort', end);
        await key.logOut().catch(() => undefined);
      }
    });
    const { spki } = active.certificate;
    const algorithm = signatureOidFor(readSpki(spki).algorithm);
    return (await verifySignature({ spki, algorithm, message, signature })) ? fine() : found('badSignature');
  } catch (error) {
    if (error instanceof Stop && error.explanation.reason === 'locked') return found('locked');
    if (error instanceof PasswordError && error.code === 'locked') return found('locked');
    if (error instanceof Stop || error instanceof PasswordError) return found('noTestSignature');
    return found(keyCause(error, attached, keys));
  }
}
