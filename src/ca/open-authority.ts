import { CaError, type CertificateAuthority } from './authority.ts';
import type { Fetch } from './http.ts';

/** Which authority, and where: addresses on this origin. */
export type AuthorityChoice =
  | {
      readonly protocol: 'cmp';
      /** Where PKIMessages are posted. */
      readonly url: string;
      /** Where the authority says what became of a transaction. */
      readonly enrolments: string;
      readonly request?: 'p10cr' | 'kur';
      readonly p10crAnsweredWithZero?: boolean;
    }
  | {
      readonly protocol: 'rest-enrolment';
      /** Where `/enrolments` is. */
      readonly url: string;
      readonly csr?: 'pkcs10' | 'cfca';
    };

/** What either authority needs of the page. */
export interface AuthorityPorts {
  /** DER certificates to which the certificate that signs the authority's answers must chain. */
  readonly anchors: readonly Uint8Array[];
  /** DER certificates for the way there, where the authority's answers do not bring them; not trusted. */
  readonly intermediates?: readonly Uint8Array[];
  readonly fetch: Fetch;
  /** Server time, or the best there is. */
  readonly now: () => Date;
  /** Whether `now` is a server's time: unless it is, nothing that is sent says it. Default: it is. */
  readonly timeIsKnown?: () => boolean;
  /** Milliseconds for a whole exchange. */
  readonly timeoutMs: number;
}

/**
 * The authority of the operator's choice. Only the code of that one is loaded.
 * @throws CaError `unreachable` when its code could not be loaded: offline, or the site is being replaced
 */
export async function openAuthority(choice: AuthorityChoice, ports: AuthorityPorts): Promise<CertificateAuthority> {
  if (choice.protocol === 'cmp') {
    const { CmpAuthority } = await loaded(import('./cmp-client.ts'));
    return new CmpAuthority({ ...choice, ...ports, enrolmentsUrl: choice.enrolments });
  }
  const { RestAuthority } = await loaded(import('./rest-enrolment.ts'));
  return new RestAuthority({ ...choice, ...ports });
}

async function loaded<Module>(module: Promise<Module>): Promise<Module> {
  try {
    return await module;
  } catch (cause) {
    throw new CaError('unreachable', 'a part of this site could not be loaded', {}, { cause });
  }
}
