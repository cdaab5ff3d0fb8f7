import { createServer, type Server } from 'node:http';
import { toBase64 } from '../../src/pki/bytes.ts';
import type { Config } from '../../src/service/config.ts';
import {
  allowMethods,
  answerWith,
  HttpProblem,
  requestUrl,
  sendJson,
  type RequestHandler,
} from '../reference-ca/http.ts';
import { openOperator, type Operator } from '../operator-api/operator.ts';
import { attributeTypes } from '../reference-ca/subject.ts';
import type { ReferenceCa } from '../reference-ca/reference-ca.ts';
import type { AuthorityKind } from './options.ts';
import { allAttachments, commandSets, goTogether, pivAlgorithms, scenarios } from '../virtual-key/state.ts';

/** What `/config.json` says of the authority; it speaks all of them. */
const authorityConfigs: Readonly<Record<AuthorityKind, Config['ca']>> = {
  cmp: { protocol: 'cmp', url: '/ca/cmp', enrolments: '/api/enrolments' },
  rest: { protocol: 'rest-enrolment', url: '/ca/rest' },
  'rest-cfca': { protocol: 'rest-enrolment', url: '/ca/rest', csr: 'cfca' },
};

export interface SiteOptions {
  /** Whether the virtual USBKEY is at hand. */
  readonly demo: boolean;
  /** How the site asks for certificates; CMP unless told otherwise. */
  readonly authority?: AuthorityKind;
  /** One for all servers of a site, for it remembers. */
  readonly operator?: Operator;
}

/** `GET /config.json`: what the operator tells the site, here made for the authority that runs behind it. */
export function siteConfig(
  ca: ReferenceCa,
  operator: Operator,
  { demo, authority = 'cmp' }: SiteOptions,
): Record<string, unknown> {
  const { sm2, p256, rsa, oldRsa } = ca.hierarchy;
  return {
    version: 1,
    ca: authorityConfigs[authority],
    api: '/api',
    anchors: [sm2.root, p256.root, rsa.root, oldRsa.root].map(toBase64),
    intermediates: [sm2, p256, rsa, oldRsa].map(({ issuing }) => toBase64(issuing.certificate)),
    oldIssuers: [toBase64(oldRsa.root)],
    holder: { taxpayerNumber: [attributeTypes.taxpayerNumber, attributeTypes.oldTaxpayerNumber] },
    models: [],
    ...operator.config,
    demo,
  };
}

function configHandler(ca: ReferenceCa, operator: Operator, options: SiteOptions): RequestHandler {
  return (request, response) => {
    if (requestUrl(request).pathname !== '/config.json') return Promise.resolve(false);
    allowMethods(request, 'GET', 'HEAD');
    sendJson(response, siteConfig(ca, operator, options));
    return Promise.resolve(true);
  };
}

/**
 * `GET /demo/keys?scenario=…&attachment=…[&command-set=piv[&algorithm=…]]`: a new USBKEY with everything on it.
 * Without a command set it speaks GM/T 0017; without an algorithm a PIV key has P-256.
 */
function keysHandler(ca: ReferenceCa): RequestHandler {
  const oneOf = <T extends string>(name: string, values: readonly T[], text: string | null): T => {
    const value = values.find((candidate) => candidate === text);
    if (value === undefined) throw new HttpProblem(400, `${name} must be one of ${values.join(', ')}.`);
    return value;
  };
  return async (request, response) => {
    const { pathname, searchParams } = requestUrl(request);
    if (pathname !== '/demo/keys') return false;
    allowMethods(request, 'GET');
    const scenario = oneOf('scenario', scenarios, searchParams.get('scenario'));
    const attachment = oneOf('attachment', allAttachments, searchParams.get('attachment'));
    const commandSet = oneOf('command-set', commandSets, searchParams.get('command-set') ?? 'gmt0017');
    const algorithm = oneOf('algorithm', pivAlgorithms, searchParams.get('algorithm') ?? 'p256');
    if (!goTogether(attachment, commandSet))
      throw new HttpProblem(400, `No ${commandSet} key is attached by ${attachment}.`);
    sendJson(response, await ca.personalise(scenario, attachment, { commandSet, algorithm }));
    return true;
  };
}

/** Nothing under these paths is a page of the application. */
const ownPaths: RequestHandler = (request) => {
  if (/^\/(?:api|ca|demo)(?:\/|$)/u.test(requestUrl(request).pathname))
    throw new HttpProblem(404, 'There is nothing here.');
  return Promise.resolve(false);
};

/** Everything but the site's files: what any front (built site, development server) has behind it. */
export function backHandlers(ca: ReferenceCa, options: SiteOptions): readonly RequestHandler[] {
  const { demo, operator = openOperator(demo) } = options;
  return [configHandler(ca, operator, options), ca.handler, operator.api, ...(demo ? [keysHandler(ca)] : []), ownPaths];
}

/** Site, API and authority on one origin. Not listening yet. */
export function createDemoServer(ca: ReferenceCa, site: RequestHandler, options: SiteOptions): Server {
  return createServer(answerWith(...backHandlers(ca, options), site));
}
