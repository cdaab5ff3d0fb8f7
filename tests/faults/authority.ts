import type { CertificateAuthority } from '../../src/ca/authority.ts';
import { CmpAuthority } from '../../src/ca/cmp-client.ts';
import type { AuthorityPorts } from '../../src/ca/open-authority.ts';
import { RestAuthority } from '../../src/ca/rest-enrolment.ts';
import type { AuthorityKind } from './fault.ts';

/** The reference CA behind an origin, as a page reaches it. */
export function authorityAt(origin: string, kind: AuthorityKind, ports: AuthorityPorts): CertificateAuthority {
  return kind === 'cmp'
    ? new CmpAuthority({ url: `${origin}/ca/cmp`, enrolmentsUrl: `${origin}/api/enrolments`, ...ports })
    : new RestAuthority({ url: `${origin}/ca/rest`, csr: kind === 'restCfca' ? 'cfca' : 'pkcs10', ...ports });
}
