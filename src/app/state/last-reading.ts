import { parseCertificate, type Certificate } from '../../pki/certificate.ts';
import type { Trust } from '../../renewal/trust.ts';
import { loadConfig } from '../../service/config.ts';
import { loadLastReading } from '../../storage/last-reading.ts';
import { kiosk } from './kiosk.ts';
import { trustOf } from './usbkey.svelte.ts';

export interface RememberedReading {
  readonly certificate: Certificate;
  readonly readAt: Date;
  /** Undefined where the operator's settings cannot be had: then no taxpayer number is shown. */
  readonly trust: Trust | undefined;
}

/** What was read last, or undefined where nothing is remembered or nothing of it can be used. */
export async function rememberedReading(): Promise<RememberedReading | undefined> {
  // On a centre's computer it would be somebody else's.
  if (kiosk) return undefined;
  try {
    const reading = await loadLastReading();
    if (!reading) return undefined;
    const certificate = parseCertificate(reading.certificate);
    const trust = await loadConfig().then(trustOf, () => undefined);
    return { certificate, readAt: new Date(reading.readAt), trust };
  } catch {
    return undefined;
  }
}
