import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import type { Appointment } from '../../../src/appointments/model.ts';
import { booked } from '../../../src/appointments/answers.ts';
import { sendOutbox, type AppointmentStore, type Office, type OutboxPorts } from '../../../src/appointments/outbox.ts';
import {
  cancel,
  chooseOther,
  statusOf,
  type BookingAnswer,
  type CancelAnswer,
} from '../../../src/appointments/stages.ts';
import type { Centre } from '../../../src/guidance/centres/centre.ts';
import { AppointmentBook, type Outcome } from '../../operator-api/appointment-book.ts';
import { now as begin, slot, wish } from './fixtures.ts';

/** What the network does with a request. `late`: no answer, and it arrives when nobody thinks of it any more. */
const fates = ['arrives', 'neverArrives', 'answerLost', 'busy', 'late'] as const;
type Fate = (typeof fates)[number];

const centre: Centre = {
  ...{ id: 'hexi', name: '河西服务中心', district: '120103', address: '某路 1 号', phone: '' },
  ...{ hours: '工作日 9:00–12:00', services: ['renew'], sample: false },
};
const lost = { kind: 'lost', retryAfterMs: undefined } as const;
const never = new Promise<never>(() => undefined);

/** A browser with tabs, a network that may fail, and the operator's own book behind it. */
class World {
  now = begin;
  /** Each request's fate; all arrive once the list is used up. */
  fates: Fate[];
  readonly book: AppointmentBook;
  readonly rows = new Map<string, Appointment>();
  readonly late: (() => void)[] = [];
  posts = 0;
  /** Makes whoever calls it wait its turn: every step of every tab passes here. */
  readonly #turn: <T>(task: () => T) => Promise<T>;
  #free: Promise<void> = Promise.resolve();

  constructor(fates: readonly Fate[] = [], turn = async <T>(task: () => T): Promise<T> => Promise.resolve(task())) {
    this.fates = [...fates];
    this.#turn = turn;
    this.book = new AppointmentBook({ now: () => new Date(this.now), centres: () => [centre], capacity: 1 });
  }

  readonly store: AppointmentStore = {
    all: () => this.#turn(() => [...this.rows.values()]),
    add: (row) => this.#turn(() => void this.rows.set(row.id, row)),
    change: (id, change) =>
      this.#turn(() => {
        const before = this.rows.get(id);
        if (before) this.rows.set(id, change(before));
        return this.rows.get(id);
      }),
    remove: (id) => this.#turn(() => void this.rows.delete(id)),
  };

  #handle(one: Appointment): Outcome {
    const { surname, phone } = one.visitor;
    const request = { business: one.business, centre: one.place.id, slot: one.slot.id, surname, phone };
    const before = this.book.answered(one.key, request);
    if (before === 'otherRequest') throw new Error('one key for two requests');
    if (before) return before;
    const entry = this.book.decide(one.key, request);
    this.book.enter(entry);
    return this.#handle(one);
  }
  #cancel(number: string): void {
    this.book.enter(this.book.statusEntry(number, 'cancelled'));
  }

  #send<T>(arrive: () => T): Promise<T | typeof lost | { kind: 'later'; retryAfterMs: number }> {
    const fate = this.fates.shift() ?? 'arrives';
    return this.#turn(() => {
      if (fate === 'busy') return { kind: 'later', retryAfterMs: 30_000 } as const;
      if (fate === 'late') this.late.push(() => void arrive());
      if (fate === 'neverArrives' || fate === 'late') return lost;
      const answer = arrive();
      return fate === 'answerLost' ? lost : answer;
    });
  }

  readonly office: Office = {
    book: (one) =>
      this.#send((): BookingAnswer => {
        this.posts += 1;
        const outcome = this.#handle(one);
        if (outcome.kind === 'booked') return booked(outcome.booked);
        return outcome.kind === 'slotTaken' ? outcome : { kind: 'refused', because: 'request' };
      }),
    cancel: ({ state }) =>
      this.#send((): CancelAnswer => {
        if (state.stage === 'cancelling') this.#cancel(state.receipt.number);
        return { kind: 'gone' };
      }),
  };

  /** One tab. Once it is closed nothing of it goes on, and its lock is free, as a browser does it. */
  tab({ locks = true } = {}): { ports: OutboxPorts; close: () => void } {
    let closed = false;
    let close = (): void => undefined;
    const gone = new Promise<void>((resolve) => {
      close = () => {
        closed = true;
        resolve();
      };
    });
    const whileOpen = async <T>(work: Promise<T>): Promise<T> => {
      const result = await work;
      return closed ? never : result;
    };
    const { store, office } = this;
    const ports: OutboxPorts = {
      store: {
        all: () => whileOpen(store.all()),
        add: (row) => whileOpen(store.add(row)),
        change: (id, change) => (closed ? never : whileOpen(store.change(id, change))),
        remove: (id) => whileOpen(store.remove(id)),
      },
      office: () =>
        Promise.resolve({
          book: (one) => (closed ? never : whileOpen(office.book(one))),
          cancel: (one) => (closed ? never : whileOpen(office.cancel(one))),
        }),
      now: () => this.now,
      random: () => 0.5,
      alone: (task) => {
        const before = this.#free;
        const mine = locks ? before.then(() => (closed ? undefined : task())) : task();
        if (locks) this.#free = Promise.race([mine.catch(() => undefined), gone]);
        return mine;
      },
    };
    return { ports, close };
  }

  /** A quiet afternoon: the network holds, and one tab sends whatever is left to send. */
  async settle(): Promise<void> {
    this.fates = [];
    const { ports } = this.tab();
    for (let round = 0; round < 50; round += 1) {
      const next = await sendOutbox(ports);
      if (next === undefined) return;
      this.now = Math.max(this.now, next);
    }
    throw new Error('it never came to rest');
  }
  one(): Appointment {
    const [row] = this.rows.values();
    if (!row) throw new Error('nothing is kept');
    return row;
  }
  status = (): string => statusOf(this.one(), this.now);
}

async function worldWith(fates: readonly Fate[]): Promise<World> {
  const world = new World(fates);
  await world.store.add(wish());
  return world;
}

describe('one tab', () => {
  test('what is due is sent, and then there is nothing more to send', async () => {
    const world = await worldWith([]);
    expect(await sendOutbox(world.tab().ports)).toBeUndefined();
    expect([world.status(), world.posts, world.book.standing]).toEqual(['booked', 1, 1]);
    await sendOutbox(world.tab().ports, true);
    expect(world.posts).toBe(1);
  });

  test('the answer lost: sent again after the pause, under the same key, and booked once', async () => {
    const world = await worldWith(['answerLost']);
    const { ports } = world.tab();
    const next = await sendOutbox(ports);
    expect([world.status(), next]).toEqual(['waiting', begin + 1_000]);
    await sendOutbox(ports);
    expect(world.posts).toBe(1);
    world.now = next ?? 0;
    await sendOutbox(ports);
    expect([world.status(), world.posts, world.book.standing]).toEqual(['booked', 2, 1]);
  });

  test('busy: not even somebody in a hurry sends before the operator’s time', async () => {
    const world = await worldWith(['busy']);
    const { ports } = world.tab();
    expect(await sendOutbox(ports)).toBe(begin + 31_000);
    world.now = begin + 30_999;
    await sendOutbox(ports, true);
    expect(world.posts).toBe(0);
    world.now = begin + 31_000;
    await sendOutbox(ports);
    expect([world.status(), world.posts]).toEqual(['booked', 1]);
  });

  test('the slot is gone: other slots, one of them chosen, one booking', async () => {
    const world = await worldWith([]);
    await world.store.add(wish('rival'));
    await sendOutbox(world.tab().ports);
    const rows = [...world.rows.values()];
    expect(rows.map(({ state }) => state.stage)).toEqual(['booked', 'conflict']);
    const other = rows[1]?.state.stage === 'conflict' ? rows[1].state.otherSlots[0] : undefined;
    expect(other?.id).toBe('2026-11-24T09:30');
    await world.store.change('rival', (one) => (other ? chooseOther(one, other, 'key-2', world.now) : one));
    await sendOutbox(world.tab().ports);
    expect([...world.rows.values()].map(({ state }) => state.stage)).toEqual(['booked', 'booked']);
    expect(world.book.standing).toBe(2);
  });

  test('nothing leaves once its time has passed', async () => {
    const world = await worldWith([]);
    world.now = Date.parse(slot('2026-11-24T09:00').start);
    expect(await sendOutbox(world.tab().ports, true)).toBeUndefined();
    expect([world.status(), world.posts]).toEqual(['expired', 0]);
  });

  test('removed while it is on its way: it does not come back', async () => {
    const world = await worldWith([]);
    const { ports } = world.tab();
    const office: Office = {
      ...world.office,
      book: async (one) => {
        await world.store.remove(one.id);
        return world.office.book(one);
      },
    };
    await sendOutbox({ ...ports, office: () => Promise.resolve(office) });
    expect(world.rows.size).toBe(0);
  });

  test('where the service cannot even be asked for, nothing has left and nothing is counted', async () => {
    const world = await worldWith([]);
    const unreachable = new Error('no network');
    const sending = sendOutbox({ ...world.tab().ports, office: () => Promise.reject(unreachable) });
    await expect(sending).rejects.toBe(unreachable);
    expect(world.one()).toEqual(wish());
  });

  test('cancelled after an answer was lost: what had been booked is taken back', async () => {
    const world = await worldWith(['answerLost']);
    await sendOutbox(world.tab().ports);
    await world.store.change('one', (one) => cancel(one, world.now));
    expect([world.status(), world.book.standing]).toEqual(['cancelling', 1]);
    await world.settle();
    expect([world.status(), world.book.standing]).toEqual(['cancelled', 0]);
  });
});

/** What people and machines do, in any order and all at once. */
type Deed = { do: 'send'; tab: number; hurry: boolean } | { do: 'reload'; tab: number } | { do: 'wait' | 'arriveLate' };
const deeds = fc.oneof(
  fc.record({ do: fc.constant('send' as const), tab: fc.nat({ max: 2 }), hurry: fc.boolean() }),
  fc.record({ do: fc.constant('reload' as const), tab: fc.nat({ max: 2 }) }),
  fc.record({ do: fc.constantFrom('wait' as const, 'arriveLate' as const) }),
);

async function storm(world: World, list: readonly Deed[], s: fc.Scheduler, locks: boolean): Promise<void> {
  const tabs = [0, 1, 2].map(() => world.tab({ locks }));
  const doOne = async (deed: Deed): Promise<void> => {
    if (deed.do === 'send') void sendOutbox((tabs[deed.tab] ?? world.tab()).ports, deed.hurry);
    else if (deed.do === 'reload') {
      tabs[deed.tab]?.close();
      tabs[deed.tab] = world.tab({ locks });
    } else if (deed.do === 'wait') world.now += 40_000;
    else world.late.shift()?.();
    return Promise.resolve();
  };
  for (const deed of list) void s.schedule(Promise.resolve(), deed.do).then(() => doOne(deed));
  await s.waitIdle();
  for (const { close } of tabs) close();
}

const scheduled = (fates: readonly Fate[], s: fc.Scheduler): World =>
  new World(fates, async (task) => s.schedule(Promise.resolve()).then(task));

describe('whatever is lost, however many tabs, whenever they are reloaded', () => {
  const list = fc.array(deeds, { minLength: 1, maxLength: 14 });
  const network = fc.array(fc.constantFrom(...fates), { maxLength: 10 });

  test('a wish is booked exactly once', async () => {
    await fc.assert(
      fc.asyncProperty(list, network, fc.scheduler(), fc.boolean(), async (done, fate, s, locks) => {
        const world = scheduled(fate, s);
        world.rows.set('one', wish());
        await storm(world, done, s, locks);
        const calm = world.settle();
        await s.waitIdle();
        await calm;
        for (const arrive of world.late) arrive();

        expect([world.status(), world.book.standing]).toEqual(['booked', 1]);
        const { state } = world.one();
        expect(state.stage === 'booked' && world.book.find(state.receipt.number)?.token).toBe(
          state.stage === 'booked' && state.receipt.token,
        );
      }),
      { numRuns: 400 },
    );
  });

  test('one that was cancelled at any moment is not booked in the end', async () => {
    await fc.assert(
      fc.asyncProperty(list, list, network, fc.scheduler(), async (done, then, fate, s) => {
        const world = scheduled(fate, s);
        world.rows.set('one', wish());
        void s
          .schedule(Promise.resolve(), 'cancel')
          .then(() => world.store.change('one', (one) => cancel(one, world.now)));
        await storm(world, [...done, ...then], s, true);
        const calm = world.settle();
        await s.waitIdle();
        await calm;
        for (const arrive of world.late) arrive();

        expect([world.status(), world.book.standing]).toEqual(['cancelled', 0]);
      }),
      { numRuns: 400 },
    );
  });
});

test('two tabs that send at the same moment send once', async () => {
  const world = await worldWith([]);
  await Promise.all([sendOutbox(world.tab().ports, true), sendOutbox(world.tab().ports, true)]);
  expect([world.posts, world.book.standing]).toEqual([1, 1]);
});
