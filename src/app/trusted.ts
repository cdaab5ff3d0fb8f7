interface ScriptUrlPolicy {
  createScriptURL: (url: string) => string;
}
interface PolicyFactory {
  createPolicy: (name: string, rules: ScriptUrlPolicy) => ScriptUrlPolicy;
}

/** @throws TypeError for a script of another origin */
function ownOrigin(given: string): string {
  const url = new URL(given, location.href);
  if (url.origin !== location.origin) throw new TypeError(`script of another origin: ${url.origin}`);
  return url.href;
}

// The policy's name stands in the CSP's `trusted-types` list. Browsers without Trusted Types take the checked string.
const factory = (globalThis as { trustedTypes?: PolicyFactory }).trustedTypes;
const policy = factory?.createPolicy('app-script-url', { createScriptURL: ownOrigin });

/** A script URL for `new Worker` and `register`. Typed as string because lib.dom does not know TrustedScriptURL. */
export const scriptUrl = (url: string): string => policy?.createScriptURL(url) ?? ownOrigin(url);
