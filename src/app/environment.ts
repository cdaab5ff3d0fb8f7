/** Why this browser, on this machine, cannot reach a USBKEY at all; undefined when it can. */
export type BrowserTrouble = 'insecure' | 'mobile' | 'noApi';

export function browserTrouble(): BrowserTrouble | undefined {
  if (!isSecureContext) return 'insecure';
  const here = navigator as { readonly usb?: USB; readonly hid?: HID };
  // A phone's browser may have WebUSB, but not WebHID, and a USBKEY does not fit it anyway.
  if (!here.hid && /Android|iPhone|iPad|Mobile|HarmonyOS/.test(navigator.userAgent)) return 'mobile';
  return here.usb || here.hid ? undefined : 'noApi';
}
