import { isPackRefusal, type PackRefusal } from '../../service/content-pack.ts';
import type { PackKind } from '../../storage/database.ts';
import { recallPackCheck, recallPacks } from '../../storage/packs.ts';
import { packKinds } from './update.ts';

/** Which content is in use here and how the last look for newer ended: for the operator, and for a report. */
export interface KindState {
  readonly kind: PackKind;
  /** 0: the site's own. */
  readonly version: number;
  /** By the server's time; undefined before the first look. */
  readonly checkedAt: Date | undefined;
  readonly refused: { readonly reason: PackRefusal; readonly version: number | undefined } | undefined;
}

/** Nothing in it is about a person. Empty where no look has been taken. */
export async function contentState(): Promise<readonly KindState[]> {
  const states = await Promise.all(
    packKinds.map(async (kind): Promise<KindState> => {
      const [{ current }, check] = await Promise.all([recallPacks(kind), recallPackCheck(kind)]);
      const { reason, version } = check?.refused ?? {};
      return {
        kind,
        version: current?.version ?? 0,
        checkedAt: check && new Date(check.checkedAt),
        refused: reason !== undefined && isPackRefusal(reason) ? { reason, version } : undefined,
      };
    }),
  );
  return states.filter(({ version, checkedAt }) => version > 0 || checkedAt);
}
