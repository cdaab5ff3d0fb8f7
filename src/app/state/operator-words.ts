import { useMaps } from '../../guidance/centres/map-links.ts';
import { useHotlines } from '../../guidance/hotlines.ts';
import { operatorHotlines } from '../../guidance/operator-hotlines.ts';
import { useGuidance } from '../../guidance/packs/in-use.ts';
import { recallConfig, type Config } from '../../service/config.ts';
import { site } from './site.svelte.ts';

/** A database that does not answer must not keep a page shut. */
const waitAtMostMs = 1_500;

/** Shows what the configuration says of the site: hot-lines, record, maps. */
export function applyConfig({ hotlines, icp, maps }: Config): void {
  site.hotlines = operatorHotlines(hotlines);
  site.icp = icp;
  useHotlines(site.hotlines);
  useMaps(maps);
}

let ready: Promise<void> | undefined;

async function restore(): Promise<void> {
  const [config] = await Promise.all([recallConfig(), useGuidance()]);
  if (config) applyConfig(config);
}

/** The operator's words as kept here, put in the place of the site's own before a page shows either. */
export function operatorWords(): Promise<void> {
  ready ??= Promise.race([restore(), new Promise<void>((resolve) => setTimeout(resolve, waitAtMostMs))]).catch(
    // Without them the site has its own.
    () => undefined,
  );
  return ready;
}
