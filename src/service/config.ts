import * as v from 'valibot';
import { loadDocument, recallGood } from './load-document.ts';
import { phonePattern } from './phone.ts';

const path = v.pipe(v.string(), v.regex(/^\/(?!\/)/, 'must be a path on this origin'));
const oid = v.pipe(v.string(), v.regex(/^[0-2](\.\d+)+$/, 'must be an object identifier'));
const oids = v.pipe(v.array(oid), v.maxLength(20));

/** A pattern with one group, as a regular expression. */
const patternWithGroup = v.pipe(
  v.string(),
  v.maxLength(200),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    try {
      // With an empty alternative it matches anything, and shows how many groups there are.
      if (new RegExp(`${dataset.value}|`, 'u').exec('')?.length === 2) return new RegExp(dataset.value, 'u');
      addIssue({ message: 'must have exactly one group, around the taxpayer number' });
    } catch {
      addIssue({ message: 'must be a regular expression' });
    }
    return NEVER;
  }),
);

/** The operator's rules for the subject of a certificate that upgrades another; see `SubjectRules` in renewal/trust.ts. */
const subjectRules = v.strictObject({
  mayChange: v.optional(oids, []),
  mayBeAdded: v.optional(oids, []),
  mayBeRemoved: v.optional(oids, []),
});

/** Base64 DER to bytes. */
const der = v.pipe(
  v.string(),
  v.base64('must be base64 DER'),
  v.transform((text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0))),
);

/** An ordinary link that leaves the site: any host, https only, no password in it. */
const outside = v.pipe(
  v.string(),
  v.maxLength(500),
  v.check((text) => {
    try {
      const { protocol, username, password } = new URL(text);
      return protocol === 'https:' && username === '' && password === '';
    } catch {
      return false;
    }
  }, 'must be an https address'),
);

/** A USB identifier (idVendor, idProduct): a number, or four hexadecimal digits as lists of devices print them. */
const usbId = v.union(
  [
    v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffff)),
    v.pipe(
      v.string(),
      v.regex(/^(0x)?[0-9a-f]{4}$/i),
      v.transform((digits) => parseInt(digits, 16)),
    ),
  ],
  'must be a USB identifier: 0 to 65535, or four hexadecimal digits',
);
const seconds = v.pipe(v.number(), v.minValue(1), v.maxValue(300));
const byte = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xff));
const retiredSlot = v.pipe(v.number(), v.integer(), v.minValue(0x82), v.maxValue(0x95));
const enrolment = v.picklist(['off', 'readOnly', 'on']);

/** A model of USBKEY that the site does not know of itself, or another word on one that it does. */
const modelRow = v.strictObject({
  vendorId: usbId,
  productId: usbId,
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(60)),
  attachment: v.picklist(['longmaiHid', 'vendorCcid', 'canokey', 'smartCardClass', 'massStorage']),
  commandSet: v.exactOptional(v.picklist(['gmt0017', 'piv'])),
  /** Where its GM/T 0017 firmware differs from most. */
  dialect: v.exactOptional(
    v.strictObject({
      pinDigest: v.exactOptional(v.picklist(['sha1', 'sm3'])),
      passwordForImport: v.exactOptional(v.boolean()),
      triesNibble: v.exactOptional(v.picklist(['low', 'high'])),
      importedPrivateKey: v.exactOptional(v.picklist(['last32', 'first32', 'all64'])),
      wrappingTarget: v.exactOptional(v.picklist(['signingKey', 'temporaryKey'])),
      rsaSignData: v.exactOptional(v.picklist(['digestInfo', 'message'])),
      signSeconds: v.exactOptional(seconds),
    }),
  ),
  /** Where it differs as a PIV key. */
  piv: v.exactOptional(
    v.strictObject({
      sm2Algorithm: v.exactOptional(byte),
      spareSlot: v.exactOptional(v.picklist(['provenEmpty', 'noCertificate'])),
      retiredSlots: v.exactOptional(v.pipe(v.array(retiredSlot), v.maxLength(20))),
    }),
  ),
  enrolment: v.exactOptional(enrolment),
  note: v.exactOptional(v.string()),
});

const line = (limit: number) => v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(limit));

const hotlineRow = v.strictObject({
  /** Exactly as it is to be shown; what is dialled is made from it, an extension after a pause. */
  number: v.pipe(v.string(), v.trim(), v.regex(phonePattern, 'must be a telephone number')),
  /** Said beside the number. */
  hint: v.exactOptional(v.strictObject({ 'zh-CN': line(60), en: line(120) })),
});

const contentKey = v.strictObject({
  keyId: v.pipe(v.string(), v.regex(/^[A-Za-z0-9._-]{1,64}$/, 'must have letters, digits, dots and dashes only')),
  algorithm: v.picklist(['ed25519', 'sm2']),
  /** DER SubjectPublicKeyInfo. */
  publicKey: der,
});

export const configSchema = v.object({
  version: v.literal(1),
  /** Where certificates come from; null while the operator has not opened online enrolment. */
  ca: v.nullable(
    v.variant('protocol', [
      v.object({
        protocol: v.literal('cmp'),
        url: path,
        enrolments: path,
        /** What is asked for: a PKCS #10 unless the authority wants a key update. */
        request: v.exactOptional(v.picklist(['p10cr', 'kur'])),
        /** The authority answers a p10cr with certReqId 0 instead of −1. */
        p10crAnsweredWithZero: v.exactOptional(v.boolean()),
      }),
      v.object({
        protocol: v.literal('rest-enrolment'),
        /** Where `/enrolments` is. */
        url: path,
        /** The form of the certification request: a PKCS #10 unless the authority wants CFCA's. */
        csr: v.exactOptional(v.picklist(['pkcs10', 'cfca'])),
      }),
    ]),
  ),
  /** The operator's REST service. */
  api: path,
  /** Pinned roots: DER. */
  anchors: v.array(der),
  /** Issuing authorities between roots and holders: DER. Untrusted helpers for building a path. */
  intermediates: v.array(der),
  /** Roots among the anchors whose certificates are to be upgraded: DER. */
  oldIssuers: v.array(der),
  /** Where the holder's taxpayer number stands in a subject, in order of preference; last, within the common name. */
  holder: v.object({
    taxpayerNumber: v.array(oid),
    taxpayerNumberInCommonName: v.exactOptional(patternWithGroup),
  }),
  /** What an upgrade may do to a subject, by attribute; a renewal leaves it alone, and so does an upgrade without this. */
  subjectRules: v.exactOptional(subjectRules),
  /** Purposes of which a certificate that names any must have one; absent: client authentication, or any purpose. */
  extendedKeyUsage: v.exactOptional(v.pipe(oids, v.minLength(1))),
  /** Where the original program can be downloaded; a source without an address is shown by its name alone. */
  links: v.optional(v.object({ taxBureau: v.optional(outside), platform: v.optional(outside) })),
  /** Whether visits can be booked here; without it the page says how to prepare for one. */
  appointments: v.optional(v.boolean(), false),
  /** Whether the service has messages for everybody, shown beside the hot-lines. */
  hotlineMessages: v.optional(v.boolean(), false),
  /** The hot-lines in the order they are shown; without it those of the service guide. */
  hotlines: v.optional(v.pipe(v.array(hotlineRow), v.minLength(1), v.maxLength(4))),
  /** The record of the site with the authorities (ICP备案), shown at the foot of every page. */
  icp: v.optional(v.strictObject({ record: line(80), link: v.exactOptional(outside) })),
  /** Maps a centre's address is opened in; none: it is only shown. */
  maps: v.optional(v.pipe(v.array(v.picklist(['amap', 'baidu'])), v.maxLength(2)), ['amap', 'baidu']),
  /** Public keys by which content packs are believed; none: no packs are looked for. */
  contentKeys: v.optional(v.pipe(v.array(contentKey), v.maxLength(8)), []),
  /** USBKEYs beyond those the site knows; a row for a known one goes before the site's own. */
  models: v.optional(v.array(modelRow), []),
});
export type Config = v.InferOutput<typeof configSchema>;

/**
 * The operator's configuration, `/config.json`.
 * @throws ServiceError with the failing path when the document is wrong
 */
export async function loadConfig(): Promise<Config> {
  return (await loadDocument('/config.json', configSchema)).value;
}

/** The last good copy of the configuration, without asking; undefined before there is one. */
export async function recallConfig(): Promise<Config | undefined> {
  return recallGood('/config.json', configSchema);
}

/** Every key of a model, or those with one firmware: `1.4`, or by its beginning, `1.*`. */
const modelRule = v.object({
  vendorId: usbId,
  productId: usbId,
  firmware: v.exactOptional(v.pipe(v.string(), v.regex(/^[^*]+\*?$/, 'must be a version, or its beginning and *'))),
  enrolment,
});

const policySchema = v.object({
  /** Days before notAfter from which renewal is open, both ends included (R-1.3.1-1). */
  windowDays: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(366)),
  /** Certificates from before this moment are upgraded (R-1.1-1). */
  upgradeCutoff: v.pipe(
    v.string(),
    v.isoTimestamp(),
    v.transform((text) => new Date(text)),
  ),
  /** Days after notAfter up to which renewal online is taken; null: no limit. */
  maxExpiredDays: v.nullable(v.pipe(v.number(), v.integer(), v.minValue(0))),
  acceptsExpiredSigner: v.boolean(),
  /** Whether the authority takes requests at all today. */
  enrolment: v.picklist(['open', 'closed']),
  /** The share of keys that are enrolled online while that is being introduced; all where missing. */
  rolloutPercent: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(100))),
  /** Whether a lost request may be sent again byte for byte. */
  retransmission: v.picklist(['idempotent', 'never']),
  upgradePlan: v.object({
    newKey: v.literal(true),
    algorithm: v.picklist(['sm2', 'p256', 'rsa2048']),
    /** An upgraded certificate may end before the one it replaces; otherwise it must not. */
    mayEndEarlier: v.exactOptional(v.boolean()),
  }),
  renewalAlgorithm: v.picklist(['sameAsOld', 'sm2', 'p256', 'rsa2048']),
  minSecurityBits: v.pipe(v.number(), v.integer(), v.minValue(112)),
  /** The longest life of a certificate that is accepted, in days. */
  maxLifeDays: v.pipe(v.number(), v.integer(), v.minValue(1)),
  /** Whether an encryption certificate with its key pair is fetched as well: never, where the old key has one, or always. */
  encryptionCertificate: v.optional(v.picklist(['none', 'ifOldHas', 'always']), 'none'),
  /** Models, or single versions of their firmware, with which less is done than the site would do, until further notice. */
  models: v.optional(v.array(modelRule), []),
});
export type Policy = v.InferOutput<typeof policySchema>;

/** What the authority's policy is today. @throws ServiceError */
export async function loadPolicy(config: Config): Promise<Policy> {
  return (await loadDocument(`${config.api}/policy`, policySchema)).value;
}
