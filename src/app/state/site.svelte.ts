import type { Component } from 'svelte';
import { guideHotlines, type Hotlines } from '../../guidance/hotlines.ts';

/** What the operator says of the site, as far as the first screen shows it; the site's own words until that is known. */
class Site {
  hotlines = $state.raw<Hotlines>(guideHotlines);
  /** The record with the authorities (ICP备案). */
  icp = $state.raw<{ readonly record: string; readonly link?: string } | undefined>();
  /** Shows what everybody should hear; undefined while there is nothing. */
  Messages = $state.raw<Component | undefined>();
}
export const site = new Site();
