import type { CommandHeader } from './layouts.ts';
import type { TranscriptPart } from './transcript.ts';

/** What a command builds on, and what it leaves for others to build on. */
export interface Effects {
  readonly needs: readonly string[];
  readonly makes: readonly string[];
}

const login = 'login';
const management = 'management';
const managementKey = 0x9b;

/** By its header and the numbered places in its data. The names mean nothing but equality. */
export function effectsOf({ cla, ins, p1, p2 }: CommandHeader, command: readonly TranscriptPart[]): Effects {
  const number = (kind: string): number =>
    command.reduce((found, part) => (typeof part !== 'string' && part.is === kind ? (part.n ?? 0) : found), 0);
  const container = `container ${number('containerName')}`;
  const pair = `key pair ${number('containerId')}`;
  const certificate = `certificate ${number('containerId')}`;
  if (cla === 0x80) {
    switch (ins) {
      case 0x18:
        return { needs: [], makes: [login] };
      case 0x40:
        return { needs: [login], makes: [container] };
      case 0x48:
        return { needs: [login, container], makes: [] };
      case 0x42:
      case 0x4a:
        return { needs: [container], makes: [] };
      case 0x54:
      case 0x70:
        return { needs: [login], makes: [pair] };
      case 0x58:
      case 0x74:
        return { needs: [login, pair], makes: [] };
      case 0x88:
        return { needs: [pair], makes: [] };
      case 0x4c:
        return { needs: [pair], makes: [certificate] };
      case 0x4e:
        return { needs: p1 === 1 ? [certificate] : [], makes: [] };
    }
  }
  if (cla === 0x00) {
    const slot = `slot ${p2}`;
    const [tag] = command;
    const object = `object ${typeof tag === 'string' ? tag.slice(0, 10) : ''}`;
    switch (ins) {
      case 0x20:
        return command.length > 0 ? { needs: [], makes: [login] } : none;
      case 0x87:
        return p2 === managementKey ? { needs: [], makes: [management] } : { needs: [login, slot], makes: [] };
      case 0x47:
        return { needs: [management], makes: [slot] };
      case 0xdb:
        return { needs: [management], makes: [object] };
      case 0xcb:
        return { needs: [object], makes: [] };
      case 0xf7:
        return { needs: [slot], makes: [] };
    }
  }
  return none;
}
const none: Effects = { needs: [], makes: [] };
