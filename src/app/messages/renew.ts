import type { RefusalMeaning } from '../../ca/refusal.ts';
import type { Step, StopReason } from '../../renewal/outcome.ts';

interface StopWords {
  readonly happened: string;
  /** `{code}` stands for the fault code, `{when}` for the time to come back. */
  readonly next: string;
}

const zh = {
  title: { renewal: '更新证书', upgrade: '升级证书' },
  steps: {
    password: '验证密码',
    newKey: '生成新密钥',
    request: '申请证书',
    write: '写入',
    check: '核对',
    encryption: '加密证书',
    finish: '完成',
  } as Record<Step, string>,
  doing: {
    password: '正在读取 USBKEY…',
    newKey: '正在 USBKEY 里生成新密钥…',
    request: '正在向证书机构申请证书…',
    write: '正在把新证书写入 USBKEY…',
    check: '正在核对写入的证书，并试签一次…',
    encryption: '签名证书已写入，正在申请并写入加密证书…',
    finish: '正在向证书机构确认…',
  } as Record<Step, string>,
  waitsFor: {
    password: '还在等 USBKEY 回应。',
    newKey: '还在等 USBKEY 生成密钥，有的要一分钟左右。USBKEY 上有按钮在闪的，请按一下。',
    request: '还在等证书机构答复。网络慢的时候会久一些，请不要关闭页面。',
    write: '还在等 USBKEY 写完。',
    check: '还在等 USBKEY 试签。USBKEY 上有按钮在闪的，请按一下。',
    encryption: '还在等证书机构答复，或等 USBKEY 写完。请不要关闭页面。',
    finish: '还在等证书机构确认。新证书已经在 USBKEY 里了。',
  } as Record<Step, string>,
  caWaits: (time: string): string => `证书机构正在处理，${time} 会自动再问一次。`,
  caBusy: (time: string): string => `证书机构现在很忙，${time} 会自动再试，申请没有丢。`,
  writing: '正在写入，请不要拔出 USBKEY，也不要关闭页面。',
  keepIn: '请让 USBKEY 一直插着。万一断开，重新插入同一个 USBKEY，可以接着办。',
  waitingNote: '等待的时候请让 USBKEY 插着。关闭页面也不会丢，下次插上可以接着办。',
  pause: '先停下，以后接着办',
  goOn: '接着办',
  leavesEncryption: (holder: string): string =>
    `输入密码后，只为“${holder}”更换签名证书。这个 USBKEY 装不进新的加密证书，原来的不动。`,
  confirm: {
    renewal: (holder: string): string =>
      `输入密码后，开始为“${holder}”更新证书：生成新密钥，申请新证书，写入 USBKEY。原来的证书会保留。`,
    upgrade: (holder: string): string =>
      `输入密码后，开始为“${holder}”升级证书：生成新密钥，申请新证书，写入 USBKEY。原来的证书会保留。`,
  },
  unnamed: '这个 USBKEY',
  resuming: '上次的办理没有完成，这次从中断的地方继续。',
  start: { renewal: '更新证书', upgrade: '升级证书' },
  backToCertificates: '回到证书管理',
  oldStays: '原来的证书仍在。',
  beingChecked: '原来的证书仍在，新证书正在核对。',
  encryptionMissing: '原来的证书仍在。新的签名证书已经写入，加密证书还没有办完，合起来才能用。',
  confirmBy: (time: string): string => `请在 ${time} 以前接着办完。过了这个时间，证书机构会收回新证书，要重新申请。`,
  refused: {
    later: '它现在不能办理。',
    certificateNotTaken: '它不接受 USBKEY 里现在的证书：可能已被吊销，或过期太久。',
    notAllowed: '它没有为这个单位开通在线办理，或者不允许这样办。',
    knownAlready: '它说这项申请已经办过。',
    clock: '这台电脑的时间与证书机构相差太多。',
    requestNotTaken: '它不接受新生成的密钥或申请的内容。',
    technical: '两边的系统没有对上，这不是您的操作造成的。',
  } as Record<RefusalMeaning, string>,
  /** Where trying again helps. */
  refusedNext: { later: '请过一会儿再试。', clock: '请把电脑的日期和时间调准，再试一次。' } as Partial<
    Record<RefusalMeaning, string>
  >,
  replug: '插拔后重试',
  again: '不插拔，再试一次',
  call: (number: string): string => `致电热线 ${number}`,
  retry: '再试一次',
  restart: '重新开始',
  bring: '看要带什么',
  centre: '带上 USBKEY 到服务中心',
  chooseAgain: '请插好同一个 USBKEY，点“连接 USBKEY”选中它，从刚才的步骤继续。',
  waitingForKey: '请拔下 USBKEY，等几秒，再插上同一个 USBKEY。插好后会自动继续。',
  waitingForKeyLong: '还没有认到 USBKEY。换一个 USB 接口试试；一直认不到，请点“再试一次”。',
  unpluggedWait: '正在等 USBKEY 插入…',
  otherKey: (tail: string): string => `这不是刚才的 USBKEY，请插入序列号尾号 ${tail} 的那一个。`,
  transaction: '办理编号',
  stopped: {
    cancelled: { happened: '没有办理。', next: '随时可以重新开始。' },
    paused: {
      happened: '已停下，办理的进度都记着。',
      next: '可以拔下 USBKEY。{when} 以后插上，接着办。',
    },
    locked: { happened: 'USBKEY 已锁死，网上不能解锁。', next: '请到任意服务中心解锁，解锁后可以回来继续办。' },
    passwordUnknown: {
      happened: '不知道密码有没有验证通过，已经停下。',
      next: '请插拔 USBKEY 后重试，会先读还剩几次。',
    },
    unplugged: { happened: 'USBKEY 断开了。', next: '请重新插入同一个 USBKEY，从刚才的步骤继续。' },
    deviceTrouble: { happened: 'USBKEY 没有正常回应。', next: '请插拔 USBKEY 后重试，会从刚才的步骤继续。' },
    keyRefused: { happened: 'USBKEY 拒绝了这一步。', next: '请关闭其他使用 USBKEY 的程序，插拔后重试。' },
    noRoom: { happened: 'USBKEY 里没有空位，写不进新证书。', next: '请带上 USBKEY，到任意服务中心办理。' },
    unsupportedAlgorithm: { happened: '这个 USBKEY 不支持新证书的算法。', next: '请带上 USBKEY，到任意服务中心办理。' },
    noCertificate: { happened: 'USBKEY 里没有找到可以更新的证书。', next: '请致电热线核对。' },
    closed: { happened: '在线办理现在没有开放。', next: '请过些时候再来，或带上 USBKEY 到任意服务中心。' },
    notRolledOut: {
      happened: '在线办理正在分批开放，现在还没有轮到这个 USBKEY。',
      next: '请过些时候再来；着急的话，请带上 USBKEY 到任意服务中心。',
    },
    certificateRevoked: {
      happened: '这张证书已被证书机构吊销，不能在线更新。',
      next: '请致电热线，或带上 USBKEY 到任意服务中心。',
    },
    modelStopped: {
      happened: '这种型号的 USBKEY 暂停在线办理。',
      next: '恢复以后可以回来接着办；着急的话，请带上 USBKEY 到任意服务中心。',
    },
    managementKeyNeeded: {
      happened: '没有给出正确的管理密钥，USBKEY 不让写入。',
      next: '请向发放 USBKEY 的单位要管理密钥，再重新开始；或带上 USBKEY 到任意服务中心。',
    },
    expiredTooLong: { happened: '证书过期时间太长，不能在线更新。', next: '请带上 USBKEY，到任意服务中心办理。' },
    caUnreachable: { happened: '没有连上证书机构，或者它正忙。', next: '请检查网络后再试，会从刚才的步骤继续。' },
    caUntrusted: {
      happened: '收到的答复不能确认来自证书机构，已经停下。',
      next: '请换一个网络再试；还是这样，请致电热线，报故障码 {code}。',
    },
    caWaits: {
      happened: '证书机构还要一些时间处理，申请没有丢。',
      next: '请在 {when} 以后再来，插上同一个 USBKEY，从这里接着办。',
    },
    encryptionUnsupported: {
      happened: '这里要签名、加密两张证书，这个 USBKEY 装不了加密证书。',
      next: '请带上 USBKEY，到任意服务中心办理。',
    },
    encryptionGivenUp: {
      happened: '加密证书申请了多次都没有成功，已经停下。',
      next: '请致电热线，报办理编号和故障码 {code}。',
    },
    caRejected: { happened: '证书机构没有同意这次申请。', next: '请致电热线，报故障码 {code}。' },
    notAcceptable: { happened: '证书机构发来的证书与申请不符，没有写入。', next: '请致电热线，报故障码 {code}。' },
    withdrawn: { happened: '上次申请的新证书已被证书机构收回。', next: '请重新开始，会申请一张新的。' },
    goneFromKey: { happened: '上次办到一半的新密钥已经不在 USBKEY 里。', next: '请重新开始。' },
    checkFailed: {
      happened: '写入后的核对没有通过，新证书还不能用。',
      next: '请插拔 USBKEY 后重试，会重新写入并核对。',
    },
    storageFailed: {
      happened: '浏览器没有地方保存办理进度，没有开始。',
      next: '请不要用无痕窗口，清出一些磁盘空间后再试。',
    },
    unexpected: {
      happened: '本站出了差错，已经停下。',
      next: '请插拔 USBKEY 后重试；还是这样，请致电热线，报故障码 {code}。',
    },
  } as Record<StopReason, StopWords>,
  success: {
    renewal: (end: string): string => `证书已更新，新的有效期到 ${end}。`,
    upgrade: (end: string): string => `证书已升级，新的有效期到 ${end}。`,
    proof: '新证书已经写入、读回核对，并试签成功，可以使用。',
    proofOfTwo: '签名证书和加密证书都已写入，并读回核对。签名证书已试签成功。',
    notDecrypted: '加密证书的公钥已核对一致；这种 USBKEY 不能试解密，所以没有试过。',
    leftEncryption:
      '加密证书没有换：这个 USBKEY 装不进新的，原来的加密证书和密钥都在原处，请不要删除原来的证书。要换加密证书，请带上 USBKEY 到任意服务中心。',
    oldEncrypted: '以前收到的加密文件，仍要用 USBKEY 里原来的密钥才能打开，请不要删除原来的证书。',
    old: '原来的证书',
    new: '新的证书',
    newSigning: '新的签名证书',
    newEncryption: '新的加密证书',
    replug: '请把 USBKEY 拔下再插一次，让其他软件认到新证书。',
    binding: '证书序列号已变化，若登录异常，请在电子税务局更新证书绑定。',
    bindingSource: '（以服务网点或热线答复为准）',
    check: '再做一次系统检测',
    calendar: '加入日历提醒',
    print: '打印回执',
    done: (time: string): string => `完成时间：${time}`,
    further: (n: number): string => `升级后的证书还有 ${n} 天到期，可以接着更新。`,
  },
};

const en: typeof zh = {
  title: { renewal: 'Renew the certificate', upgrade: 'Upgrade the certificate' },
  steps: {
    password: 'Password',
    newKey: 'New key pair',
    request: 'Request',
    write: 'Writing',
    check: 'Checking',
    encryption: 'Encryption certificate',
    finish: 'Done',
  },
  doing: {
    password: 'Reading the USBKEY…',
    newKey: 'Making a new key pair inside the USBKEY…',
    request: 'Requesting the certificate from the authority…',
    write: 'Writing the new certificate to the USBKEY…',
    check: 'Checking what was written, with a test signature…',
    encryption: 'The signing certificate is written; requesting and writing the encryption certificate…',
    finish: 'Confirming to the authority…',
  },
  waitsFor: {
    password: 'Still waiting for the USBKEY.',
    newKey:
      'Still waiting for the USBKEY to make the key pair; some take about a minute. If a button on it blinks, press it.',
    request: 'Still waiting for the authority. A slow network takes longer; please keep the page open.',
    write: 'Still waiting for the USBKEY to finish writing.',
    check: 'Still waiting for the test signature. If a button on the USBKEY blinks, press it.',
    encryption: 'Still waiting for the authority, or for the USBKEY to finish writing; please keep the page open.',
    finish: 'Still waiting for the authority to confirm. The new certificate is on the USBKEY already.',
  },
  caWaits: (time: string): string => `The authority is working on it; it will be asked again at ${time}.`,
  caBusy: (time: string): string => `The authority is busy; it will be asked again at ${time}. Nothing is lost.`,
  writing: 'Writing: please do not unplug the USBKEY or close the page.',
  keepIn: 'Please leave the USBKEY in. Should it come out, plug the same one in again and the work goes on.',
  waitingNote:
    'Leave the USBKEY in while waiting. Closing the page loses nothing: plug it in next time and the work goes on.',
  pause: 'Stop for now, go on later',
  goOn: 'Go on',
  leavesEncryption: (holder: string): string =>
    `With the password only the signing certificate of “${holder}” is replaced: this USBKEY takes no new encryption certificate.`,
  confirm: {
    renewal: (holder: string): string =>
      `With the password the renewal for “${holder}” begins: a new key pair, a new certificate, written to the USBKEY. The old certificate stays.`,
    upgrade: (holder: string): string =>
      `With the password the upgrade for “${holder}” begins: a new key pair, a new certificate, written to the USBKEY. The old certificate stays.`,
  },
  unnamed: 'this USBKEY',
  resuming: 'The last run was not finished; this one goes on where it stopped.',
  start: { renewal: 'Renew the certificate', upgrade: 'Upgrade the certificate' },
  backToCertificates: 'Back to certificates',
  oldStays: 'The old certificate is still there.',
  beingChecked: 'The old certificate is still there; the new one is being checked.',
  encryptionMissing:
    'The old certificate is still there. The new signing certificate is written, the encryption certificate is not finished; they can only be used together.',
  confirmBy: (time: string): string =>
    `Please go on and finish before ${time}. After that the authority takes the new certificate back and it has to be requested anew.`,
  // Each follows a sentence.
  refused: {
    later: ' It cannot do this now.',
    certificateNotTaken: ' It does not take this certificate: perhaps revoked, or expired too long ago.',
    notAllowed: ' It does not do this online for this holder, or not in this way.',
    knownAlready: ' It says that this request has been dealt with before.',
    clock: ' The clock of this computer is too far from the authority’s.',
    requestNotTaken: ' It does not take the new key, or what was asked for.',
    technical: ' The two systems do not fit together; you did nothing wrong.',
  },
  refusedNext: { later: 'Try again in a while.', clock: 'Set the date and time of this computer right and try again.' },
  replug: 'Unplug, plug in, try again',
  again: 'Try again without unplugging',
  call: (number: string): string => `Call ${number}`,
  retry: 'Try again',
  restart: 'Start again',
  bring: 'What to bring',
  centre: 'Take the USBKEY to a service centre',
  chooseAgain: 'Plug in the same USBKEY, press Connect USBKEY and choose it: the work goes on from there.',
  waitingForKey:
    'Unplug the USBKEY, wait a few seconds and plug the same one in again. The work then goes on by itself.',
  waitingForKeyLong: 'No USBKEY has been seen yet. Try another USB port; if that does not help, press “Try again”.',
  unpluggedWait: 'Waiting for the USBKEY…',
  otherKey: (tail: string): string =>
    `This is not the same USBKEY. Plug in the one whose serial number ends in ${tail}.`,
  transaction: 'Transaction',
  stopped: {
    cancelled: { happened: 'Nothing was done.', next: 'You can start again at any time.' },
    paused: {
      happened: 'Stopped for now; nothing is lost.',
      next: 'You may unplug it. Go on after {when}.',
    },
    locked: {
      happened: 'The USBKEY is locked and cannot be unlocked online.',
      next: 'Have it unlocked at any service centre; afterwards the work can go on here.',
    },
    passwordUnknown: {
      happened: 'It is not known whether the password was accepted, so the work stopped.',
      next: 'Unplug the USBKEY, plug it in and try again; the tries left are read first.',
    },
    unplugged: {
      happened: 'The USBKEY is disconnected.',
      next: 'Plug the same USBKEY in again to go on with this step.',
    },
    deviceTrouble: {
      happened: 'The USBKEY did not answer as it should.',
      next: 'Unplug it, plug it in and try again; the work goes on with this step.',
    },
    keyRefused: {
      happened: 'The USBKEY refused this step.',
      next: 'Close other programs that use it, unplug it, plug it in and try again.',
    },
    noRoom: {
      happened: 'There is no room on the USBKEY for a new certificate.',
      next: 'Take the USBKEY to any service centre.',
    },
    unsupportedAlgorithm: {
      happened: 'This USBKEY does not support the new certificate’s algorithm.',
      next: 'Take the USBKEY to any service centre.',
    },
    noCertificate: { happened: 'There is no certificate on the USBKEY to renew.', next: 'Please call the hot-line.' },
    closed: {
      happened: 'Online service is not open now.',
      next: 'Come back later, or take the USBKEY to any service centre.',
    },
    notRolledOut: {
      happened: 'Online service is being introduced step by step, and this USBKEY is not among the first.',
      next: 'Come back later; if it is urgent, take the USBKEY to any service centre.',
    },
    certificateRevoked: {
      happened: 'The authority has revoked this certificate, so it cannot be renewed online.',
      next: 'Please call the hot-line, or take the USBKEY to any service centre.',
    },
    modelStopped: {
      happened: 'Online service is paused for this model of USBKEY.',
      next: 'Once it is resumed the work can go on here; if it is urgent, take the USBKEY to any service centre.',
    },
    managementKeyNeeded: {
      happened: 'The USBKEY allows no writing without the right management key.',
      next: 'Ask whoever handed out the USBKEY for its management key and start again, or take it to any service centre.',
    },
    expiredTooLong: {
      happened: 'The certificate expired too long ago to be renewed online.',
      next: 'Take the USBKEY to any service centre.',
    },
    caUnreachable: {
      happened: 'The authority could not be reached, or is busy.',
      next: 'Check the network and try again; the work goes on with this step.',
    },
    caUntrusted: {
      happened: 'The answer could not be shown to come from the authority, so the work stopped.',
      next: 'Try another network; if it happens again, call the hot-line and read out fault code {code}.',
    },
    caWaits: {
      happened: 'The authority needs some more time; the request is not lost.',
      next: 'Come back after {when} with the same USBKEY; the work goes on from here.',
    },
    encryptionUnsupported: {
      happened: 'Two certificates are needed here, and this USBKEY cannot take the encryption certificate.',
      next: 'Take the USBKEY to any service centre.',
    },
    encryptionGivenUp: {
      happened: 'The encryption certificate was requested many times without success, so the work stopped.',
      next: 'Call the hot-line and read out the transaction number and fault code {code}.',
    },
    caRejected: {
      happened: 'The authority said no.',
      next: 'Call the hot-line and read out fault code {code}.',
    },
    notAcceptable: {
      happened: 'The authority’s certificate does not match the request; it was not written.',
      next: 'Call the hot-line and read out fault code {code}.',
    },
    withdrawn: {
      happened: 'The authority has taken back the certificate of the last run.',
      next: 'Start again; a new one will be requested.',
    },
    goneFromKey: { happened: 'The new key pair of the last run is no longer on the USBKEY.', next: 'Start again.' },
    checkFailed: {
      happened: 'What was written did not pass the check; the new certificate cannot be used yet.',
      next: 'Unplug the USBKEY, plug it in and try again; it is written and checked anew.',
    },
    storageFailed: {
      happened: 'The browser has no place to keep the progress, so nothing was begun.',
      next: 'Do not use a private window; free some disk space and try again.',
    },
    unexpected: {
      happened: 'Something went wrong on this site; the work stopped.',
      next: 'Unplug the USBKEY, plug it in and try again; if it happens again, call the hot-line and read out fault code {code}.',
    },
  },
  success: {
    renewal: (end: string): string => `The certificate has been renewed and is valid until ${end}.`,
    upgrade: (end: string): string => `The certificate has been upgraded and is valid until ${end}.`,
    proof: 'It was written, read back and tested with a signature; it can be used.',
    proofOfTwo: 'Both certificates were written and read back; the signing key signs.',
    notDecrypted:
      'The encryption certificate’s public key was compared and is right; USBKEYs of this kind cannot try a decryption, so none was tried.',
    leftEncryption:
      'The encryption certificate was not replaced: this USBKEY cannot take a new one. The old one and its key are where they were; please do not delete the old certificate. Should it have to be replaced, take the USBKEY to any service centre.',
    oldEncrypted:
      'What was encrypted for you before can still only be opened with the old key on the USBKEY: please do not delete the old certificate.',
    old: 'Old certificate',
    new: 'New certificate',
    newSigning: 'New signing certificate',
    newEncryption: 'New encryption certificate',
    replug: 'Unplug the USBKEY and plug it in once more, so that other programs find the new certificate.',
    binding:
      'The certificate’s serial number has changed. If signing in to the online tax bureau fails, renew the certificate binding there.',
    bindingSource: ' (What service centres and the hot-line say prevails.)',
    check: 'Run the system check',
    calendar: 'Add a reminder to the calendar',
    print: 'Print the receipt',
    done: (time: string): string => `Finished: ${time}`,
    further: (n: number): string =>
      `The upgraded certificate expires in ${n} ${n === 1 ? 'day' : 'days'}; it can be renewed next.`,
  },
};
export const renew = { 'zh-CN': zh, en };
