import type { UsbIdentity } from '../virtual-key/device-models.ts';
import {
  allAttachments,
  type Attachment,
  type CommandSet,
  commandSets,
  goTogether,
  type PivAlgorithm,
  pivAlgorithms,
  type Scenario,
  scenarios,
} from '../virtual-key/state.ts';

/** Which key is to be made. */
export interface Wanted {
  readonly scenario: Scenario;
  readonly attachment: Attachment;
  readonly commandSet: CommandSet;
  /** Of a PIV key's present key pair. */
  readonly algorithm: PivAlgorithm;
}

function oneOf<Value extends string>(name: string, values: readonly Value[], text: string): Value {
  const value = values.find((candidate) => candidate === text);
  if (value === undefined) throw new RangeError(`--${name} must be one of: ${values.join(', ')}`);
  return value;
}

/**
 * Reads the options by which a key is chosen: a Longmai key with GM/T 0017 unless told otherwise. A CanoKey speaks PIV,
 * and whoever asks for PIV without saying how it is attached gets CCID with extended APDUs.
 * @throws RangeError for what there is not
 */
export function readWanted(options: {
  readonly scenario?: string | undefined;
  readonly attachment?: string | undefined;
  readonly 'command-set'?: string | undefined;
  readonly algorithm?: string | undefined;
}): Wanted {
  const { scenario = 'due-30-days', algorithm = 'p256' } = options;
  const commandSet = oneOf(
    'command-set',
    commandSets,
    options['command-set'] ?? (options.attachment === 'canokey' ? 'piv' : 'gmt0017'),
  );
  const attachment = oneOf(
    'attachment',
    allAttachments,
    options.attachment ?? (commandSet === 'piv' ? 'ccid-extended' : 'longmai-hid'),
  );
  if (!goTogether(attachment, commandSet)) throw new RangeError(`no ${commandSet} key is attached by ${attachment}`);
  return {
    attachment,
    commandSet,
    scenario: oneOf('scenario', scenarios, scenario),
    algorithm: oneOf('algorithm', pivAlgorithms, algorithm),
  };
}

/** Lets whoever sits at the computer, and so their Chrome, open the device. A HID is opened through hidraw. */
export function udevRule({ vendorId, productId }: UsbIdentity, attachment: Attachment): string {
  const hex = (id: number): string => id.toString(16).padStart(4, '0');
  const isHid = attachment === 'longmai-hid';
  const subsystem = isHid ? 'KERNEL=="hidraw*"' : 'SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device"';
  const [vendor, product] = isHid ? ['ATTRS{idVendor}', 'ATTRS{idProduct}'] : ['ATTR{idVendor}', 'ATTR{idProduct}'];
  return `${subsystem}, ${vendor}=="${hex(vendorId)}", ${product}=="${hex(productId)}", TAG+="uaccess"`;
}

const stopPcscd = 'sudo systemctl stop pcscd.socket pcscd';

/** What to do about pcscd, the smart-card service, as lines of a shell session. It takes readers that libccid's list names. */
export function aboutPcscd(attachment: Attachment): readonly string[] {
  switch (attachment) {
    case 'ccid-0b':
      return [
        '# pcscd may take this one: pages cannot use it and say so. With pcscd: opensc-tool -l',
        `# ${stopPcscd}    # if the page is to see it without`,
      ];
    case 'canokey':
      return [`${stopPcscd}    # only if it runs: it may hold the card while the page wants it`];
    default:
      return ['# pcscd may go on running: its driver does not know this device'];
  }
}
