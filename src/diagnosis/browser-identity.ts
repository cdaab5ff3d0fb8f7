/** Which program a person looks at this page with, and on what: as much as a fault code and a report may say. */
export interface BrowserIdentity {
  readonly browser: 'chrome' | 'edge' | 'otherChromium' | 'other';
  /** Major version of Chromium, or of another browser where it says so. */
  readonly version: number | undefined;
  readonly system: 'windows' | 'mac' | 'linux' | 'phone' | 'other';
}

/** Chinese and other browsers that are built on Chromium and do not hide it. */
const otherChromium =
  /\b(?:OPR|Opera|QQBrowser|360SE|360EE|QIHU|SE 2\.X|MetaSr|LBBROWSER|Maxthon|UBrowser|Vivaldi|YaBrowser|Quark|Sogou)/i;

/** @param userAgent `navigator.userAgent` */
export function identifyBrowser(userAgent: string): BrowserIdentity {
  const major = (pattern: RegExp): number | undefined => {
    const digits = pattern.exec(userAgent)?.[1];
    return digits === undefined ? undefined : Number(digits);
  };
  const system = /Android|iPhone|iPad|Mobile|HarmonyOS/.test(userAgent)
    ? 'phone'
    : userAgent.includes('Windows')
      ? 'windows'
      : userAgent.includes('Mac OS X')
        ? 'mac'
        : /Linux|CrOS|X11/.test(userAgent)
          ? 'linux'
          : 'other';
  const chromium = major(/Chrom(?:e|ium)\/(\d{1,4})\b/);
  if (chromium === undefined) {
    return { browser: 'other', version: major(/\b(?:Firefox|Version)\/(\d{1,4})\b/), system };
  }
  const browser = otherChromium.test(userAgent) ? 'otherChromium' : /\bEdgA?\//.test(userAgent) ? 'edge' : 'chrome';
  return { browser, version: chromium, system };
}
