export interface ToolAnswer {
  /** SW1 SW2, four upper-case hex digits. */
  readonly status: string;
  readonly data: Buffer;
}

/**
 * The answers in what `opensc-tool --send-apdu` prints: for each a line with SW1 and SW2, then rows of up to 16 bytes in hex
 * with their characters behind.
 */
export function readAnswers(output: string): readonly ToolAnswer[] {
  return output.split(/^Received /m).flatMap((part) => {
    const words = /^\(SW1=0x([0-9A-F]{2}), SW2=0x([0-9A-F]{2})\)/.exec(part);
    if (!words) return [];
    const rows = part
      .split('\n')
      .slice(1)
      .flatMap((line) => /^((?:[0-9A-F]{2} ){1,16})/.exec(line)?.[1] ?? []);
    return [{ status: words.slice(1).join(''), data: Buffer.from(rows.join('').replaceAll(' ', ''), 'hex') }];
  });
}
