/** What the browser's chooser shows of a device. */
export interface ListedDevice {
  readonly name: string;
  readonly vendorId: number;
  readonly productId: number;
}

/** Stands in for the person in front of the chooser: an index into the list, or undefined for 取消. */
export type Chooser = (devices: readonly ListedDevice[]) => Promise<number | undefined>;

/** Takes the first device of the list. */
export const chooseFirst: Chooser = (devices) => Promise.resolve(devices.length > 0 ? 0 : undefined);

/** Closes the chooser without taking anything. */
export const chooseNothing: Chooser = () => Promise.resolve(undefined);

export interface BrowserOptions {
  readonly chooser?: Chooser;
  /** Whether a click is being handled (transient user activation). */
  readonly hasGesture?: () => boolean;
  /** getDevices() and requestDevice() wait for it. */
  readonly ready?: Promise<unknown>;
  /** Called when a grant is given or taken back. */
  readonly onGrant?: () => void;
}

/** True while a click is being handled; a program without a window needs none. */
export function pageHasGesture(): boolean {
  return typeof navigator === 'undefined' || !('userActivation' in navigator) || navigator.userActivation.isActive;
}

/** Long enough for a page's code behind settled promises to run before the next event comes. */
export async function afterReactions(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}
