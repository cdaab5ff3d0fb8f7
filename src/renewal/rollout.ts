import { sm3 } from '../pki/sm3.ts';

const encoder = new TextEncoder();

/**
 * Whether a key is among those that are enrolled online while that is being introduced. The serial number decides, so the
 * answer is the same on every computer, and a key that is in stays in as the share grows.
 * @param percent 0 to 100; undefined: all are in
 */
export function isRolledOut(serialNumber: string, percent: number | undefined): boolean {
  if (percent === undefined || percent >= 100) return true;
  const [a = 0, b = 0, c = 0, d = 0] = sm3(encoder.encode(`rollout ${serialNumber}`));
  const place = ((a * 256 + b) * 256 + c) * 256 + d;
  return place % 100 < percent;
}
