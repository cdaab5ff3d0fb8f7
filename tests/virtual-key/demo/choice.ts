import type { Attachment, CommandSet, PivAlgorithm, Scenario } from '../state.ts';

/** What kind of key it is: how it is attached, what it speaks, and which key pair a PIV key holds. */
export interface KeyKind {
  readonly attachment: Attachment;
  readonly commandSet: CommandSet;
  /** Only a PIV key's counts. */
  readonly algorithm: PivAlgorithm;
}

/** Which key lies on the desk. */
export interface KeyChoice extends KeyKind {
  readonly scenario: Scenario;
}

const gmt0017 = (attachment: Attachment): KeyKind => ({ attachment, commandSet: 'gmt0017', algorithm: 'p256' });
const piv = (algorithm: PivAlgorithm, attachment: Attachment): KeyKind => ({
  attachment,
  commandSet: 'piv',
  algorithm,
});

/** The kinds that the panel offers, in groups. */
export const keyKinds: readonly { readonly group: string; readonly kinds: readonly (readonly [string, KeyKind])[] }[] =
  [
    {
      group: '国密 GM/T 0017',
      kinds: [
        ['国密，HID', gmt0017('longmai-hid')],
        ['国密，CCID 扩展 APDU', gmt0017('ccid-extended')],
        ['国密，CCID 短 APDU', gmt0017('ccid-short')],
        ['国密，智能卡类（不能用）', gmt0017('ccid-0b')],
      ],
    },
    {
      group: 'PIV',
      kinds: [
        ['PIV P-256，CCID', piv('p256', 'ccid-extended')],
        ['PIV RSA-2048，CCID', piv('rsa2048', 'ccid-extended')],
        ['PIV P-256，CanoKey', piv('p256', 'canokey')],
        ['PIV SM2，CanoKey', piv('sm2', 'canokey')],
        ['PIV P-256，智能卡类（不能用）', piv('p256', 'ccid-0b')],
      ],
    },
  ];

export const sameKind = (a: KeyKind, b: KeyKind): boolean =>
  a.attachment === b.attachment &&
  a.commandSet === b.commandSet &&
  (a.commandSet === 'gmt0017' || a.algorithm === b.algorithm);
