const zh = {
  title: '隐私说明',
  sentence: '密码和私钥从不离开您的电脑和 USBKEY。',
  sections: [
    [
      '密码',
      '您输入的 USBKEY 密码只交给 USBKEY 核对，用完立即清除。本站不保存它，也不发送给任何人。服务中心和热线都不会问您的密码。',
    ],
    ['私钥', '私钥在 USBKEY 里生成，一直留在里面。本站只能请 USBKEY 签名，读不出私钥。'],
    [
      '发给证书机构的内容',
      '读取证书之后，会查询它有没有被吊销，只发出证书序列号和颁发机构。其余的，只有在您点“更新证书”或“升级证书”并输入密码之后，才会发出：原来的证书、新的公钥、证书上的名称，以及 USBKEY 的签名。',
    ],
    [
      '留在这台电脑上的内容',
      '上次读取的证书、没有办完的办理进度、网点预约、显示设置，还有您勾选了“记在本机”的 USBKEY 列表和授权书（授权书加密保存），都只存在这个浏览器里。清除浏览器数据，它们就没有了。公用电脑用完后，请点下面的按钮。',
    ],
    [
      '发给服务网点的内容',
      '只有在您提交网上预约之后，才会发出：要办的业务、网点、时间、您的姓氏和手机号码。登记成功后，本机不再保留手机号码。',
    ],
    ['统计与广告', '没有。本站不用 Cookie 跟踪，不接入别家的统计、广告和字体。'],
  ] as readonly (readonly [string, string])[],
  clear: '清除上次读取的证书',
  cleared: '已清除。没有办完的进度还在，以便接着办。',
  failed: '没有清除成功。请在浏览器设置里清除本站的数据。',
};
const en: typeof zh = {
  title: 'Privacy',
  sentence: 'Password and private key never leave your computer and your USBKEY.',
  sections: [
    [
      'Password',
      'The password of the USBKEY is handed to the USBKEY alone and cleared right after. This site neither keeps nor sends it. Nobody at a centre or on the hot-line will ask for it.',
    ],
    [
      'Private key',
      'The private key is made inside the USBKEY and stays there. This site can ask for signatures; it cannot read the key.',
    ],
    [
      'What is sent to the authority',
      'After a certificate has been read it is asked whether it has been revoked, by its serial number and issuer alone. The rest is sent only after you press Renew or Upgrade and type the password: the old certificate, the new public key, the name on the certificate, and the signatures of the USBKEY.',
    ],
    [
      'What stays on this computer',
      'The certificate read last, work that is not finished, appointments, display settings and, if you ticked the box, your list of USBKEYs and the letter (encrypted) are kept in this browser only. Clearing the browser’s data removes them. On a shared computer, press the button below when you are done.',
    ],
    [
      'What is sent to a service centre',
      'Only after you book a visit: what for, the centre, the time, your surname and your mobile number. Once it is booked the number is no longer kept here.',
    ],
    ['Statistics and advertising', 'None. No tracking cookies, no statistics, advertising or fonts from elsewhere.'],
  ],
  clear: 'Clear the certificate read last',
  cleared: 'Cleared. Unfinished work is kept, so that it can go on.',
  failed: 'That did not work. Please clear this site’s data in the browser’s settings.',
};
export const privacy = { 'zh-CN': zh, en };
