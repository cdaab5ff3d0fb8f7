import { materialsFor, type Material, type MaterialPlace } from './materials.ts';
import type { AssumptionId, FlowSlug, RuleId } from './rule-ids.ts';
import { text, type Text } from './text.ts';

export type Actor = 'taxpayer' | 'taxHall' | 'centre' | 'cfca';

/** A sentence of a page with the rules it rests on, so that the page can say why. */
export interface Statement {
  readonly text: Text;
  readonly rules: readonly RuleId[];
  readonly assumptions: readonly AssumptionId[];
}

export interface Step extends Statement {
  readonly actor: Actor;
  readonly detail: Text | undefined;
  /** Where a flow moves from one place to another, the heading of the leg that begins here. */
  readonly leg: Text | undefined;
}

export interface Way {
  readonly kind: 'online' | 'onSite';
  readonly title: Text;
  /** When this way is the one to take. */
  readonly intro: Statement;
  readonly steps: readonly Step[];
}

/** What to bring where; one place for most flows. */
export interface Checklist {
  readonly place: MaterialPlace;
  readonly items: readonly Material[];
}

/** Addresses the operator configures; a link without an address is shown as a name only. */
export const linkIds = ['taxBureau', 'platform'] as const;
export type LinkId = (typeof linkIds)[number];

/** Where the original program comes from, for people this site cannot help. */
export interface OriginalProgram extends Statement {
  readonly sources: readonly { readonly id: LinkId; readonly label: Text }[];
}

export interface Flow {
  readonly slug: FlowSlug;
  /** The business's fixed name. */
  readonly title: Text;
  /** How a person would put it, for the card. */
  readonly card: Text;
  /** One sentence under the title: online or not, the gist. */
  readonly summary: Statement;
  readonly forWhom: readonly Statement[];
  readonly ways: readonly Way[];
  readonly checklists: readonly Checklist[];
  /** What it costs, where the guide says so. */
  readonly fee: readonly Statement[];
  /** Worth knowing before setting out. */
  readonly notes: readonly Statement[];
  readonly originalProgram: OriginalProgram | undefined;
  /** Which box of the letter of authorisation; undefined where no letter is asked for. */
  readonly letter: 'replacement' | 'unlock' | undefined;
}

const say = (words: Text, rules: readonly RuleId[], assumptions: readonly AssumptionId[] = []): Statement => ({
  text: words,
  rules,
  assumptions,
});

const step = (
  actor: Actor,
  words: Text,
  rules: readonly RuleId[],
  more: { readonly detail?: Text; readonly leg?: Text; readonly assumptions?: readonly AssumptionId[] } = {},
): Step => ({ actor, text: words, rules, assumptions: more.assumptions ?? [], detail: more.detail, leg: more.leg });

export const programSources: OriginalProgram['sources'] = [
  { id: 'taxBureau', label: text('天津市税务局门户网站', 'Tianjin Tax Service portal') },
  { id: 'platform', label: text('CA证书在线服务平台', 'CA certificate online service platform') },
];

const original = (rule: RuleId): OriginalProgram => ({
  ...say(
    text(
      '这台电脑用不了本站时，也可以下载安装原来的“数字证书管理系统”软件，两处都有。',
      'If this site does not work on your computer, the original program “数字证书管理系统” can be downloaded from either place.',
    ),
    [rule],
  ),
  sources: programSources,
});

const centreOfChoice = (words: Text, rules: readonly RuleId[]): Step => step('taxpayer', words, rules);

const callFirst = say(
  text(
    '办公时间和是否要预约，出发前请打电话问一下。',
    'Please call before you go: opening hours may vary, and a booking may help.',
  ),
  [],
  ['A-18'],
);

const upgrade: Flow = {
  slug: 'upgrade',
  title: text('证书升级', 'Certificate upgrade'),
  card: text('很久没升级', 'Never upgraded'),
  summary: say(text('可以在网上自己办，也可以去任意网点。', 'Online by yourself, or at any service centre.'), [
    'R-1.1.2-1',
    'R-1.1.2-2',
  ]),
  forWhom: [
    say(
      text('2018年9月18日前领取证书的纳税人。', 'Taxpayers who collected their certificate before 18 September 2018.'),
      ['R-1.1.1-1', 'R-1.1-1', 'R-1.1-2'],
      ['A-1'],
    ),
    say(
      text('不确定的话，插上 USBKEY，我们帮您看要不要升级。', 'Not sure? Plug the USBKEY in and we will look for you.'),
      ['R-1.1.3.1-2'],
      ['A-2'],
    ),
  ],
  ways: [
    {
      kind: 'online',
      title: text('网上升级', 'Upgrade online'),
      intro: say(text('有一台装了 Chrome 或 Edge 的电脑就可以。', 'All it takes is a computer with Chrome or Edge.'), [
        'R-1.1-2',
        'R-1.1.2-1',
      ]),
      steps: [
        step(
          'taxpayer',
          text('插入 USBKEY，点“连接 USBKEY”。', 'Plug the USBKEY in and press “连接 USBKEY” (connect).'),
          ['R-1.1.3.1-2'],
          {
            detail: text(
              '第一次需要您在弹窗里选中它；以后插入会自动检测。',
              'The first time you choose it in a window; after that it is found by itself.',
            ),
          },
        ),
        step('taxpayer', text('看清检测结果，确认升级。', 'Read the result and confirm the upgrade.'), ['R-1.1.3.1-2']),
        step(
          'taxpayer',
          text('输入 USBKEY 密码，等待完成。', 'Enter the password of the USBKEY and wait until it is done.'),
          ['R-1.1.3.1-3'],
          { detail: text('完成之前，请不要拔出 USBKEY。', 'Please leave the USBKEY in until then.') },
        ),
        step('taxpayer', text('升级成功后，做一次系统检测。', 'After the upgrade, run the system check once.'), [
          'R-1.1.3.1-4',
        ]),
      ],
    },
    {
      kind: 'onSite',
      title: text('网点升级', 'Upgrade at a service centre'),
      intro: say(
        text('网上升级有问题，或者没有条件，就去网点。', 'Where the online upgrade fails or is not possible for you.'),
        ['R-1.1.3.2-1', 'R-1.1.2-2'],
      ),
      steps: [
        centreOfChoice(
          text('带上 USBKEY，到任意 CA证书服务中心。', 'Take the USBKEY to any CA certificate service centre.'),
          ['R-1.1.3.2-1', 'R-1.1-3'],
        ),
        step('centre', text('服务中心人员协助您完成升级。', 'The staff help you to finish the upgrade.'), [
          'R-1.1.3.2-2',
        ]),
      ],
    },
  ],
  checklists: [{ place: 'centre', items: materialsFor('upgrade', 'centre') }],
  fee: [],
  notes: [
    say(
      text(
        '既要升级又快到期的：先升级，升级后我们会再看要不要更新。',
        'If renewal is due as well: upgrade first, then we look again.',
      ),
      [],
      ['A-7'],
    ),
    callFirst,
  ],
  originalProgram: original('R-1.1.3.1-1'),
  letter: undefined,
};

const renew: Flow = {
  slug: 'renew',
  title: text('证书更新', 'Certificate renewal'),
  card: text('证书快到期了', 'Certificate about to expire'),
  summary: say(text('可以在网上自己办，也可以去任意网点。', 'Online by yourself, or at any service centre.'), [
    'R-1.3.2-1',
    'R-1.3.2-2',
  ]),
  forWhom: [
    say(
      text(
        '证书 {renewalWindowDays} 天内到期，或者已经过期。',
        'Your certificate expires within {renewalWindowDays} days, or has expired.',
      ),
      ['R-1.3.1-1'],
      ['A-4'],
    ),
    say(
      text(
        '还有 {renewalWindowDays} 天以上的，现在不用办。',
        'With more than {renewalWindowDays} days left there is nothing to do yet.',
      ),
      ['R-1.3.1-1'],
      ['A-4'],
    ),
  ],
  ways: [
    {
      kind: 'online',
      title: text('网上更新', 'Renew online'),
      intro: say(text('有一台装了 Chrome 或 Edge 的电脑就可以。', 'All it takes is a computer with Chrome or Edge.'), [
        'R-1.3.2-1',
      ]),
      steps: [
        step(
          'taxpayer',
          text(
            '把天津税务 USBKEY 插入电脑，点“连接 USBKEY”。',
            'Plug the Tianjin tax USBKEY in and press “连接 USBKEY” (connect).',
          ),
          ['R-1.3.3.1-2'],
        ),
        step(
          'taxpayer',
          text('在“证书管理”页面看有效期。', 'See on the page “证书管理” (certificates) how long it is valid.'),
          ['R-1.3.3.1-3', 'R-1.3.3.1-4'],
          { detail: text('有效期会自动读出来。', 'The dates are read by themselves.') },
        ),
        step(
          'taxpayer',
          text(
            '快到期或已过期的，点“更新证书”。',
            'If it is about to expire or has expired, press “更新证书” (renew).',
          ),
          ['R-1.3.3.1-5'],
        ),
        step(
          'taxpayer',
          text(
            '输入 USBKEY 密码，耐心等到提示成功。',
            'Enter the password of the USBKEY and wait until it says it has succeeded.',
          ),
          ['R-1.3.3.1-6'],
          { detail: text('请不要拔出 USBKEY，也不要关闭页面。', 'Please leave the USBKEY in and the page open.') },
        ),
        step(
          'taxpayer',
          text(
            '如果失败，拔出 USBKEY 再插入，重新操作。',
            'If it fails, unplug the USBKEY, plug it in and start again.',
          ),
          ['R-1.3.3.1-7'],
          {
            detail: text(
              '重新操作会从断开的地方接着办，不会重复申请。',
              'It goes on from where it stopped; nothing is applied for twice.',
            ),
            assumptions: ['A-11'],
          },
        ),
      ],
    },
    {
      kind: 'onSite',
      title: text('网点更新', 'Renew at a service centre'),
      intro: say(
        text('网上更新有问题，或者没有条件，就去网点。', 'Where the online renewal fails or is not possible for you.'),
        ['R-1.3.3.2-1', 'R-1.3.2-2'],
      ),
      steps: [
        centreOfChoice(
          text('带上 USBKEY，到任意 CA证书服务中心。', 'Take the USBKEY to any CA certificate service centre.'),
          ['R-1.3.3.2-1'],
        ),
        step('centre', text('服务中心人员协助您完成更新。', 'The staff help you to finish the renewal.'), [
          'R-1.3.3.2-2',
        ]),
      ],
    },
  ],
  checklists: [{ place: 'centre', items: materialsFor('renew', 'centre') }],
  fee: [],
  notes: [
    say(
      text(
        '更新后从哪天算起，以新证书上写的日期为准。',
        'From when the new certificate is valid is what it says itself.',
      ),
      [],
      ['A-6'],
    ),
    say(
      text(
        '更新后如果登录电子税务局异常，请在电子税务局更新证书绑定。',
        'If logging in to the e-tax office fails afterwards, bind the new certificate there.',
      ),
      [],
      ['A-20'],
    ),
    callFirst,
  ],
  originalProgram: original('R-1.3.3.1-1'),
  letter: undefined,
};

const fresh: Flow = {
  slug: 'new',
  title: text('证书新办', 'New certificate'),
  card: text('第一次办理', 'First certificate'),
  summary: say(
    text(
      '只能现场办理：先去办税服务厅，再去服务中心。',
      'In person only: first the tax service hall, then a service centre.',
    ),
    ['R-1.2.2-1', 'R-1.2.3-0'],
  ),
  forWhom: [
    say(text('以前没有申请过 CA 数字证书，第一次申请。', 'You have never applied for a certificate before.'), [
      'R-1.2.1-1',
    ]),
  ],
  ways: [
    {
      kind: 'onSite',
      title: text('怎么办', 'How it goes'),
      intro: say(
        text(
          '要跑两个地方：在办税服务厅拿到“证书协办函”，再拿着它去任意服务中心。',
          'Two places: the tax service hall gives you the assistance letter (证书协办函), any service centre takes it.',
        ),
        ['R-1.2.3-0'],
      ),
      steps: [
        step(
          'taxpayer',
          text(
            '登录天津市网上税务局，到所属地税务机关申请办理。',
            'Log in to the Tianjin online tax office and apply to the tax authority of your district.',
          ),
          ['R-1.2.3-1a'],
          {
            leg: text('先去办税服务厅', 'First: the tax service hall'),
            detail: text('具体以主管税务机关的要求为准。', 'Your tax authority has the last word.'),
            assumptions: ['A-16'],
          },
        ),
        step('taxpayer', text('带上材料，前往办税服务厅。', 'Take the papers to the tax service hall.'), [
          'R-1.2.3-2a',
          'R-1.2.3-1b',
        ]),
        step(
          'taxHall',
          text(
            '受理人员审核无误后，开出“证书协办函”。',
            'The staff check the details and issue the assistance letter.',
          ),
          ['R-1.2.3-2b'],
        ),
        step(
          'taxpayer',
          text(
            '协办函加盖企业公章、经办人签字，连同经办人身份证原件，带到任意服务中心。',
            'Have the letter sealed and signed, and take it with the original identity card to any service centre.',
          ),
          ['R-1.2.3-3'],
          { leg: text('再去服务中心', 'Then: a service centre') },
        ),
        step('centre', text('服务中心人员核验协办函。', 'The staff verify the letter.'), ['R-1.2.3-4']),
        step('centre', text('服务中心人员制作并发放证书。', 'The staff make the certificate and hand it over.'), [
          'R-1.2.3-5',
        ]),
      ],
    },
  ],
  checklists: [
    { place: 'taxHall', items: materialsFor('new', 'taxHall') },
    { place: 'centre', items: materialsFor('new', 'centre') },
  ],
  fee: [],
  notes: [
    say(
      text(
        '新办不用授权书，用的是“证书协办函”。',
        'A new certificate takes the assistance letter, not the letter of authorisation.',
      ),
      ['R-2-8'],
    ),
    callFirst,
  ],
  originalProgram: undefined,
  letter: undefined,
};

const replace: Flow = {
  slug: 'replace',
  title: text('USBKEY补办', 'USBKEY replacement'),
  card: text('丢了或坏了', 'Lost or damaged'),
  summary: say(text('只能到服务中心现场办理，任意一个都可以。', 'In person only, at any service centre.'), [
    'R-1.4.2-1',
  ]),
  forWhom: [say(text('USBKEY 丢失或者损坏。', 'Your USBKEY is lost or damaged.'), ['R-1.4.1-1'])],
  ways: [
    {
      kind: 'onSite',
      title: text('怎么办', 'How it goes'),
      intro: say(text('带齐材料，到任意服务中心办理。', 'Bring everything to any service centre.'), [
        'R-1.4.3-1',
        'R-1.4.2-1',
      ]),
      steps: [
        step(
          'taxpayer',
          text(
            '授权经办人带身份证原件、加盖公章的授权书，到任意服务中心。',
            'The authorised person takes their original identity card and the sealed letter of authorisation to any service centre.',
          ),
          ['R-1.4.3-1'],
        ),
        step('centre', text('服务中心人员核验信息。', 'The staff verify the details.'), ['R-1.4.3-2']),
        step('taxpayer', text('现场交费，登记发票信息。', 'Pay there, and have your invoice details taken down.'), [
          'R-1.4.3-3',
          'R-1.4.3-4',
        ]),
        step('centre', text('服务中心人员制作并发放证书。', 'The staff make the certificate and hand it over.'), [
          'R-1.4.3-6',
        ]),
        step(
          'cfca',
          text('以后由 CFCA 统一开具电子发票。', 'CFCA issues the electronic invoice later.'),
          ['R-1.4.3-4'],
          { detail: text('不是当场出票。', 'Not on the spot.') },
        ),
      ],
    },
  ],
  checklists: [{ place: 'centre', items: materialsFor('replace', 'centre') }],
  fee: [
    say(
      text(
        'USBKEY 介质费 {replacementFeeYuan} 元，核验通过后现场交。',
        '{replacementFeeYuan} yuan for the new USBKEY, paid there once verified.',
      ),
      ['R-1.4.3-3'],
    ),
    say(
      text(
        '不是人为损坏、外观完好的，可以免费更换，以网点核验为准。',
        'Free of charge when the damage is not man-made and the outside is intact; the centre decides.',
      ),
      ['R-1.4.3-5'],
      ['A-19'],
    ),
  ],
  notes: [
    say(
      text(
        '丢了的话，请尽快打热线，问是否需要挂失。',
        'If it is lost, call the hot-line soon and ask whether it should be reported.',
      ),
      [],
      ['A-14'],
    ),
    say(
      text(
        '法定代表人本人来办也建议带授权书，或先打热线问。',
        'Even the legal representative should bring the letter, or ask the hot-line first.',
      ),
      [],
      ['A-12'],
    ),
    callFirst,
  ],
  originalProgram: undefined,
  letter: 'replacement',
};

const unlock: Flow = {
  slug: 'unlock',
  title: text('USBKEY解锁', 'USBKEY unlocking'),
  card: text('忘记密码或锁死', 'Forgotten or locked password'),
  summary: say(text('只能到服务中心现场办理，任意一个都可以。', 'In person only, at any service centre.'), [
    'R-1.5.2-1',
  ]),
  forWhom: [
    say(text('忘记了 USBKEY 密码。请不要再试。', 'You have forgotten the password. Please do not go on guessing.'), [
      'R-1.5.1-1',
    ]),
    say(
      text('密码输错次数过多，USBKEY 锁死了。', 'Too many wrong passwords have locked the USBKEY.'),
      ['R-1.5.1-2'],
      ['A-9'],
    ),
  ],
  ways: [
    {
      kind: 'onSite',
      title: text('怎么办', 'How it goes'),
      intro: say(
        text('锁死后证书没有变化，到网点解锁就好。', 'Locking does not change the certificate; a centre unlocks it.'),
        ['R-1.5.2-1'],
      ),
      steps: [
        step(
          'taxpayer',
          text(
            '授权经办人带身份证原件、加盖公章的授权书，到任意服务中心。',
            'The authorised person takes their original identity card and the sealed letter of authorisation to any service centre.',
          ),
          ['R-1.5.3-1'],
        ),
        step('centre', text('服务中心人员审核信息。', 'The staff check the details.'), ['R-1.5.3-2']),
        step('centre', text('信息确认无误后，办理解锁。', 'Once confirmed, they unlock the USBKEY.'), ['R-1.5.3-3']),
      ],
    },
  ],
  checklists: [{ place: 'centre', items: materialsFor('unlock', 'centre') }],
  fee: [],
  notes: [
    say(
      text(
        '证书也快到期或需要升级的，解锁时可以请网点一并办理。',
        'If renewal or upgrade is due as well, ask the centre to do it in the same visit.',
      ),
      ['R-1.1.3.2-2', 'R-1.3.3.2-2'],
    ),
    say(
      text(
        '网上办到一半锁死的，解锁后回来可以接着办。',
        'If it locked in the middle of something online, you can go on once it is unlocked.',
      ),
      [],
      ['A-10'],
    ),
    say(
      text(
        '法定代表人本人来办也建议带授权书，或先打热线问。',
        'Even the legal representative should bring the letter, or ask the hot-line first.',
      ),
      [],
      ['A-12'],
    ),
    callFirst,
  ],
  originalProgram: undefined,
  letter: 'unlock',
};

export const flows: Readonly<Record<FlowSlug, Flow>> = { upgrade, new: fresh, renew, replace, unlock };

/** The order of the cards: what brings most people here comes first. */
export const flowOrder: readonly FlowSlug[] = ['renew', 'upgrade', 'unlock', 'replace', 'new'];

/** Everything a flow's page says, for finding the rules it rests on. */
export function rulesOf(flow: Flow): ReadonlySet<RuleId> {
  const statements: readonly { readonly rules: readonly RuleId[] }[] = [
    flow.summary,
    ...flow.forWhom,
    ...flow.ways.flatMap((way) => [way.intro, ...way.steps]),
    ...flow.checklists.flatMap((list) => list.items),
    ...flow.fee,
    ...flow.notes,
    ...(flow.originalProgram ? [flow.originalProgram] : []),
  ];
  return new Set(statements.flatMap((statement) => statement.rules));
}
