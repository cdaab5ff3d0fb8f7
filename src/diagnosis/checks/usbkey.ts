import { findModel } from '../../device/models.ts';
import { enrolmentMode } from '../../renewal/enrolment.ts';
import { chooseActive } from '../../renewal/key-contents.ts';
import type { Trust } from '../../renewal/trust.ts';
import type { AttachedKey } from '../../usbkey/connect.ts';
import type { Cause } from '../causes.ts';
import { checksOf, fine, found, type Finding, type Look } from '../check.ts';
import { keyCause } from '../key-causes.ts';
import { openSession, type KeyRead, type KeySession } from '../key-session.ts';

const limitMs = 4_000;
const nobody: Trust = { anchors: [], intermediates: [], oldIssuers: [], taxpayerNumberTypes: [] };

/** The key and the way to it. It is opened once, at `interface`, and released before the run ends. */
export const usbkeyChecks = checksOf(
  {
    ...{ id: 'permission', group: 'usbkey', needs: ['interfaces'], after: ['network'], limitMs },
    async detect({ ports: { keys }, notes }) {
      const attached = await keys.attached();
      const usable = attached.filter(({ refusal }) => !refusal);
      const certain = usable.filter(({ device }) => !device.guessed);
      const candidates = certain.length > 0 ? certain : usable.length > 0 ? usable : attached;
      const chosen = keys.chosen();
      const one = chosen && attached.includes(chosen) ? chosen : candidates[0];
      // A browser tells a page of no device it may not use: not plugged in and not permitted look the same.
      if (!one) return found((await keys.wasHere()) ? 'notPluggedIn' : 'notPermitted');
      if (one !== chosen && usable.length > 0 && candidates.length > 1)
        return found('several', { count: candidates.length });
      notes.attached = one;
      return fine();
    },
  },
  {
    ...{ id: 'model', group: 'usbkey', needs: ['permission'], after: ['service'], limitMs },
    detect({ notes }) {
      const { attached } = notes;
      if (!attached) return { outcome: 'skipped', because: 'permission' };
      const details = { name: attached.model?.name ?? attached.productName };
      if (attached.refusal) return found(attached.refusal.reason, details);
      const mode = enrolmentOf(attached, notes, '');
      if (mode === 'off') return found('heldBack', details);
      return mode === 'readOnly' ? found('readOnlyModel', details) : fine(details);
    },
  },
  {
    // The page's own reading may be over first.
    ...{ id: 'interface', group: 'usbkey', needs: ['model'], after: ['network'], limitMs: 30_000 },
    detect(look) {
      const { notes, ports } = look;
      const { attached } = notes;
      if (!attached) return { outcome: 'skipped', because: 'permission' };
      const session = openSession(ports.keys, attached, notes.trust ?? nobody, ports.clock.now);
      notes.session = session;
      return station(
        look,
        session,
        (here) => here.opened,
        () => fine(),
      );
    },
  },
  {
    ...{ id: 'exchange', group: 'usbkey', needs: ['interface'], after: [], limitMs: 10_000 },
    detect: (look) =>
      station(
        look,
        look.notes.session,
        (here) => here.answered,
        (info) => fine({ name: info.label }),
      ),
  },
  {
    ...{ id: 'application', group: 'usbkey', needs: ['exchange'], after: [], limitMs: 30_000 },
    detect: (look) =>
      station(
        look,
        look.notes.session,
        (here) => here.read,
        (read) => takeContents(look, read),
      ),
  },
  {
    ...{ id: 'password', group: 'usbkey', needs: ['application'], after: [], limitMs },
    detect({ notes }) {
      const remaining = notes.tries?.remaining;
      if (remaining === undefined) return found('triesUnknown');
      if (remaining === 0) return found('locked');
      return remaining === 1 ? found('lastTry') : fine({ remaining });
    },
  },
);

function enrolmentOf({ vendorId, productId }: AttachedKey, { policy }: Look['notes'], firmwareVersion: string) {
  // Before a key has answered its firmware is not known: only rules for all of its model count.
  const models = policy?.models.filter(({ firmware }) => firmwareVersion !== '' || firmware === undefined) ?? [];
  const model = findModel(vendorId, productId);
  return enrolmentMode({ vendorId, productId, model, firmwareVersion, policy: policy && { ...policy, models } });
}

/** Waits for a station of the reading; the error that kept it from being reached is what is wrong. */
async function station<T>(
  { notes: { attached }, ports: { keys }, signal }: Look,
  session: KeySession | undefined,
  where: (session: KeySession) => Promise<T>,
  reached: (value: T) => Promise<Finding> | Finding,
): Promise<Finding> {
  if (!session || !attached) return { outcome: 'skipped', because: 'interface' };
  signal.addEventListener('abort', session.end, { once: true });
  try {
    return await reached(await where(session));
  } catch (error) {
    return found(keyCause(error, attached, keys));
  } finally {
    signal.removeEventListener('abort', session.end);
  }
}

async function takeContents({ notes, ports }: Look, { contents, hasApplication, tries }: KeyRead): Promise<Finding> {
  notes.contents = contents;
  if (tries) notes.tries = tries;
  const { serialNumber, firmwareVersion } = contents.info;
  notes.records = await ports.journal.ofKey(serialNumber).catch(() => []);
  // What an unfinished or failed run has written does not count: the certificate before it does.
  const unconfirmed = notes.records.filter(({ stage }) => stage !== 'done').map(({ newContainer }) => newContainer);
  const active = chooseActive(contents.certificates, ports.clock.now(), unconfirmed);
  if (active) notes.active = active;
  const details = { count: contents.containers.length, tail: serialNumber.slice(-4) };
  const cause: Cause | undefined =
    notes.attached && enrolmentOf(notes.attached, notes, firmwareVersion) === 'off'
      ? 'heldBack'
      : !hasApplication
        ? 'noApplication'
        : undefined;
  return cause ? found(cause, details) : fine(details);
}
