import { toBase64, type Bytes } from '../../src/pki/bytes.ts';
import type { HostileMessage, MessageKit } from './messages.ts';

const messageType = 'application/pkixcmp';

/** Somebody on the way from the authority to the page who changes what it says. */
export class HostileLine {
  /** Changes answers while it is set. */
  hostile: { readonly message: Pick<HostileMessage, 'make' | 'lookUps'>; readonly kit: MessageKit } | undefined;

  readonly fetch: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    const { hostile } = this;
    if (!hostile) return response;
    const { message, kit } = hostile;
    const { status } = response;
    if (response.headers.get('content-type') === messageType) {
      const answer = await message.make(new Uint8Array(await response.arrayBuffer()), kit);
      return new Response(answer, { status, headers: { 'content-type': messageType } });
    }
    if (message.lookUps === 'missing') return new Response('', { status: 404 });
    return Response.json(await changedEnrolment(await response.json(), message, kit), { status });
  };
}

/** The messages in what became of a transaction. */
export async function changedEnrolment(
  json: unknown,
  { make }: Pick<HostileMessage, 'make'>,
  kit: MessageKit,
): Promise<unknown> {
  if (typeof json !== 'object' || json === null) return json;
  const entries = await Promise.all(
    Object.entries(json).map(async ([name, value]: [string, unknown]) => {
      if ((name !== 'message' && name !== 'proof') || typeof value !== 'string') return [name, value] as const;
      return [name, toBase64(await make(bytesOf(value), kit))] as const;
    }),
  );
  return Object.fromEntries(entries);
}

const bytesOf = (base64: string): Bytes => new Uint8Array(Buffer.from(base64, 'base64'));
