/*
 * A centre's computer, used by one stranger after the other: an address with `?kiosk` switches this on for the tab, until
 * the tab is closed or an address with `?kiosk=off` is opened. Part of the first screen: no imports, and small.
 */
export const kioskName = 'casupport.kiosk';

function isKiosk(): boolean {
  const asked = new URLSearchParams(location.search).get('kiosk');
  try {
    if (asked === 'off') sessionStorage.removeItem(kioskName);
    else if (asked !== null) sessionStorage.setItem(kioskName, 'on');
    return sessionStorage.getItem(kioskName) !== null;
  } catch {
    return asked !== null && asked !== 'off';
  }
}

/** What is not needed to save a certificate is kept nowhere, and what an earlier person has left is not shown. */
export const kiosk = isKiosk();
