import { Agent, createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Trust } from '../../src/renewal/trust.ts';
import { openHierarchy, type Hierarchy } from '../reference-ca/hierarchy.ts';
import { answerWith } from '../reference-ca/http.ts';
import type { Policy } from '../reference-ca/policy.ts';
import { openReferenceCa, type ReferenceCa } from '../reference-ca/reference-ca.ts';
import type { Attachment, KeyState, Scenario } from '../virtual-key/state.ts';
import type { Situation } from './fault.ts';
import { prepared } from './prepared.ts';

interface Personalised {
  readonly state: KeyState;
  /** What stands in the ledger about its certificates. */
  readonly entries: readonly Entry[];
}
type PersonalisedChip = NonNullable<Parameters<ReferenceCa['personalise']>[2]>;
type Entry = Parameters<ReferenceCa['ledger']['append']>[0];

/**
 * An authority of one hierarchy of keys behind one real HTTP server, with a fresh ledger for every trial: the same
 * personalised keys can be used again and again, and no trial sees another.
 */
export class FaultOffice {
  readonly origin: string;
  readonly trust: Trust;
  readonly #hierarchy: Hierarchy;
  readonly #server: Server;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 4 });
  readonly #personalised = new Map<string, Promise<Personalised>>();
  #current: ReferenceCa | undefined;

  private constructor(hierarchy: Hierarchy, server: Server) {
    this.#hierarchy = hierarchy;
    this.#server = server;
    this.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { sm2, p256, oldRsa } = hierarchy;
    this.trust = {
      anchors: [sm2.root, p256.root, oldRsa.root],
      intermediates: [sm2, p256, oldRsa].map(({ issuing }) => issuing.certificate),
      oldIssuers: [oldRsa.root],
      taxpayerNumberTypes: ['1.2.156.10260.4.1.5', '1.2.86.11.7.5'],
    };
  }

  static async open(): Promise<FaultOffice> {
    const hierarchy = await openHierarchy(undefined);
    const late: { office?: FaultOffice } = {};
    const server = createServer(
      answerWith((incoming, response) => {
        const current = late.office?.current;
        return current ? current.handler(incoming, response) : Promise.resolve(false);
      }),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const office = new FaultOffice(hierarchy, server);
    late.office = office;
    return office;
  }

  get current(): ReferenceCa | undefined {
    return this.#current;
  }

  /** A fresh ledger and keys of people who are in it. */
  async begin(
    situation: Situation,
    now: () => Date,
    policy: Partial<Policy> = {},
  ): Promise<{ readonly ca: ReferenceCa; readonly mine: KeyState; readonly other: KeyState }> {
    const { revokeOld } = situation;
    const encryptionCertificate = situation.encryption ? 'ifOldHas' : 'none';
    const given = { revokeOld, encryptionCertificate, ...policy } as const;
    const ca = await openReferenceCa({ hierarchy: this.#hierarchy, policy: given, now });
    const mine = await this.#person(situation, 'mine');
    const other = await this.#person(situation, 'other');
    for (const entry of [...mine.entries, ...other.entries]) await ca.ledger.append(entry);
    this.#current = ca;
    const { state: one } = mine;
    const { state: another } = other;
    return { ca, mine: prepared(one, situation), other: prepared(another, { ...situation, tight: false }) };
  }

  #person({ scenario, face: { attachment, commandSet, algorithm } }: Situation, who: string): Promise<Personalised> {
    const name = [scenario, attachment, commandSet, algorithm, who].join(' ');
    const known =
      this.#personalised.get(name) ??
      this.#personalise(scenario, attachment, { commandSet, ...(algorithm && { algorithm }) });
    this.#personalised.set(name, known);
    return known;
  }

  async #personalise(scenario: Scenario, attachment: Attachment, chip: PersonalisedChip): Promise<Personalised> {
    const ca = await openReferenceCa({ hierarchy: this.#hierarchy });
    const entries: Entry[] = [];
    const append = ca.ledger.append.bind(ca.ledger);
    ca.ledger.append = async (entry: Entry) => {
      entries.push(entry);
      await append(entry);
    };
    return { state: await ca.personalise(scenario, attachment, chip), entries };
  }

  /** `fetch` without timers of its own: the answer is whole when this resolves. */
  readonly fetch = (url: string, init: RequestInit): Promise<Response> =>
    new Promise((resolve, reject) => {
      const headers = Object.fromEntries(new Headers(init.headers).entries());
      const outgoing = request(url, { method: init.method ?? 'GET', headers, agent: this.#agent }, (incoming) => {
        const parts: Buffer[] = [];
        incoming.on('data', (part: Buffer) => parts.push(part));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const { statusCode = 500, headers: got } = incoming;
          const type = got['content-type'] ?? '';
          resolve(new Response(Buffer.concat(parts), { status: statusCode, headers: { 'content-type': type } }));
        });
      });
      outgoing.on('error', reject);
      outgoing.end(init.body instanceof Uint8Array ? init.body : undefined);
    });

  async close(): Promise<void> {
    this.#agent.destroy();
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
