import { sectionOf, type AssumptionId, type RuleId } from './rule-ids.ts';
import { filled, numbers } from './numbers.ts';
import { text, type Text } from './text.ts';

/** A sentence this site stands on: where it comes from, since when it holds, when somebody last checked it. */
export interface Rule {
  readonly id: RuleId | AssumptionId;
  /** Section of the service guide; undefined for an assumption. */
  readonly section: string | undefined;
  readonly sentence: Text;
  readonly source: Text;
  /** ISO days, Beijing. */
  readonly effectiveFrom: string;
  readonly reviewedAt: string;
  /** The guide does not say so: shown with “以服务网点或热线答复为准”. */
  readonly assumption: boolean;
}

/** The guide's own day of effect (R-1.1-1), and the day this text was last compared with it. */
const effectiveFrom = '2018-09-18';
export const reviewedAt = '2026-11-22';

/** R-1.3.1-1 and R-1.1-1 as numbers; operators may override them through the service's policy. */
export const guideNumbers = {
  /** R-1.1-1, A-1: 2018-09-18 00:00 in Beijing. */
  upgradeCutoff: new Date('2018-09-18T00:00:00+08:00'),
  /** R-1.3.1-1 */
  get renewalWindowDays(): number {
    return numbers().renewalWindowDays;
  },
  /** R-1-2 */
  get centreCount(): number {
    return numbers().centreCount;
  },
};

/** A sentence that an operator has published in the place of ours. */
export interface PublishedRule {
  readonly sentence: Text;
  /** ISO day, Beijing. */
  readonly effectiveFrom?: string | undefined;
}

let publishedRules: Readonly<Record<string, PublishedRule>> = {};
let publishedReview: string | undefined;

/** Takes the sentences of a content pack, and the day on which they were last compared with their source. */
export function publishRules(rules: Readonly<Record<string, PublishedRule>>, reviewed: string | undefined): void {
  publishedRules = rules;
  publishedReview = reviewed;
}

/** The day the words in use were last compared with the guide: ISO, Beijing. */
export const lastReview = (): string => publishedReview ?? reviewedAt;

const sentences: Readonly<Record<RuleId, Text>> = {
  'R-1-1': text(
    'CA 数字证书由中金金融认证中心有限公司（CFCA）提供服务。',
    'The certificates are served by China Financial Certification Authority (CFCA).',
  ),
  'R-1-2': text(
    'CFCA 在天津市设立了 {centreCount} 个 CA证书服务中心，可以现场办理。',
    'CFCA runs {centreCount} CA certificate service centres in Tianjin, where everything can be done in person.',
  ),
  'R-1-3': text(
    '网上办理的入口是“CA证书在线服务平台”：https://www.casupport.cn。',
    'The online entrance is the CA certificate online service platform, https://www.casupport.cn.',
  ),
  'R-1-4': text(
    '原来的网上办理方式，是在平台下载“数字证书管理系统”软件。',
    'The original way to do it online is the program “数字证书管理系统”, downloaded from the platform.',
  ),
  'R-1-5': text(
    '有问题可以拨打服务热线 400-880-9888、95105345-2，或登录平台咨询。',
    'Questions: call 400-880-9888 or 95105345-2, or ask on the platform.',
  ),
  'R-1.1-1': text(
    '国家税务总局天津市税务局定于 2018年9月18日起，为全市纳税人升级 CA 数字证书。',
    'From 18 September 2018 the Tianjin Tax Service has the certificates of all taxpayers in the city upgraded.',
  ),
  'R-1.1-2': text(
    '2018年9月18日前领取的证书，可以在网上自助升级。',
    'Certificates collected before 18 September 2018 can be upgraded online by yourself.',
  ),
  'R-1.1-3': text('也可以到任意一个 CA证书服务中心升级。', 'Any CA certificate service centre can upgrade it as well.'),
  'R-1.1.1-1': text(
    '证书升级只适用于 2018年9月18日前已经领取证书的纳税人。',
    'The upgrade is only for taxpayers who collected their certificate before 18 September 2018.',
  ),
  'R-1.1.2-1': text('方式一：在线自助升级。', 'First way: upgrade online by yourself.'),
  'R-1.1.2-2': text('方式二：到任意服务中心升级。', 'Second way: have it upgraded at any service centre.'),
  'R-1.1.3.1-1': text(
    '“数字证书管理系统”可以从天津市税务局门户网站或 CA证书在线服务平台下载。',
    'The program can be downloaded from the Tianjin Tax Service portal or from the online service platform.',
  ),
  'R-1.1.3.1-2': text(
    '插入 USBKEY 后会自动检测，需要升级的就进入升级。',
    'Once the USBKEY is in, it is checked by itself, and the upgrade starts when one is needed.',
  ),
  'R-1.1.3.1-3': text(
    '升级时会请您输入 USBKEY 密码，输入后等待完成。',
    'The upgrade asks for the password of the USBKEY; after that, wait until it is done.',
  ),
  'R-1.1.3.1-4': text(
    '升级成功后，可以做系统检测并修复。',
    'After the upgrade you can run the system check and repair.',
  ),
  'R-1.1.3.2-1': text(
    '网上升级有问题，或没有网上升级的条件，带上 USBKEY 到任意服务中心。',
    'If the online upgrade fails or is not possible for you, take the USBKEY to any service centre.',
  ),
  'R-1.1.3.2-2': text('服务中心人员会协助您完成升级。', 'The staff there help you to finish the upgrade.'),
  'R-1.2.1-1': text(
    '证书新办适用于以前没有申请过、第一次申请的纳税人。',
    'A new certificate is for taxpayers who have never applied for one before.',
  ),
  'R-1.2.2-1': text(
    '证书新办只能到服务中心现场办理。',
    'A new certificate is only issued in person, at a service centre.',
  ),
  'R-1.2.3-0': text(
    '先到办税服务厅开“证书协办函”，再带着它到任意服务中心办理。',
    'First get the assistance letter (证书协办函) at the tax service hall, then take it to any service centre.',
  ),
  'R-1.2.3-1a': text(
    '登录天津市网上税务局，到所属地税务机关申请办理 CA 数字证书。',
    'Log in to the Tianjin online tax office and apply to the tax authority of your district.',
  ),
  'R-1.2.3-1b': text(
    '准备税务登记证件原件（一照一码纳税人提供营业执照）和本人身份证件。',
    'Prepare the original tax registration certificate (with a unified code: the business licence) and your own identity document.',
  ),
  'R-1.2.3-2a': text(
    '带上税务机关要求的材料，前往办税服务厅。',
    'Take the papers the tax authority asks for to the tax service hall.',
  ),
  'R-1.2.3-2b': text(
    '办税服务厅受理人员审核企业信息，审核无误后开出“证书协办函”。',
    'The staff of the hall check the company’s details and then issue the assistance letter.',
  ),
  'R-1.2.3-3': text(
    '带上加盖企业公章、经办人签字的“证书协办函”和经办人身份证原件，到服务中心申领。',
    'Take the assistance letter, sealed by the company and signed by the person who comes, and that person’s original identity card to a service centre.',
  ),
  'R-1.2.3-4': text('服务中心人员核验“证书协办函”。', 'The staff of the centre verify the assistance letter.'),
  'R-1.2.3-5': text(
    '服务中心人员制作并发放 CA 数字证书。',
    'The staff of the centre make the certificate and hand it over.',
  ),
  'R-1.3.1-1': text(
    '证书 {renewalWindowDays} 天内到期，或者已经过期，需要更新。',
    'A certificate that expires within {renewalWindowDays} days, or has expired, needs to be renewed.',
  ),
  'R-1.3.2-1': text('方式一：网上自助更新。', 'First way: renew online by yourself.'),
  'R-1.3.2-2': text('方式二：到服务中心现场更新。', 'Second way: renew in person at a service centre.'),
  'R-1.3.3.1-1': text(
    '“数字证书管理系统”可以从天津市税务局门户网站或 CA证书在线服务平台下载安装。',
    'The program can be downloaded from the Tianjin Tax Service portal or from the online service platform.',
  ),
  'R-1.3.3.1-2': text(
    '把天津税务 USBKEY 插入电脑，按更新提示操作。',
    'Plug the Tianjin tax USBKEY into the computer and follow the prompts.',
  ),
  'R-1.3.3.1-3': text(
    '插入 USBKEY 后，会自动检测证书的有效期。',
    'Once the USBKEY is in, the certificate’s validity is read by itself.',
  ),
  'R-1.3.3.1-4': text(
    '在“证书管理”页面可以看到证书的有效期。',
    'The page “证书管理” (certificates) shows how long it is valid.',
  ),
  'R-1.3.3.1-5': text(
    '证书快到期时，可以点“更新证书”。',
    'When the certificate is about to expire, press “更新证书” (renew).',
  ),
  'R-1.3.3.1-6': text(
    '按提示输入 USBKEY 密码，然后请耐心等待，直到提示成功。',
    'Enter the password of the USBKEY when asked, then wait until it says that it has succeeded.',
  ),
  'R-1.3.3.1-7': text(
    '如果更新失败，拔出 USBKEY 再插入，重新操作。',
    'If the renewal fails, unplug the USBKEY, plug it in and start again.',
  ),
  'R-1.3.3.2-1': text(
    '网上更新有问题，或没有网上更新的条件，带上 USBKEY 到任意服务中心。',
    'If the online renewal fails or is not possible for you, take the USBKEY to any service centre.',
  ),
  'R-1.3.3.2-2': text('服务中心人员会协助您完成更新。', 'The staff there help you to finish the renewal.'),
  'R-1.4.1-1': text('USBKEY 丢失或损坏，办理补办。', 'A lost or damaged USBKEY is replaced.'),
  'R-1.4.2-1': text('USBKEY 补办只能到服务中心现场办理。', 'A USBKEY is only replaced in person, at a service centre.'),
  'R-1.4.3-1': text(
    '授权经办人带身份证原件和加盖公章的授权书，到任意服务中心办理。',
    'The authorised person takes their original identity card and the sealed letter of authorisation to any service centre.',
  ),
  'R-1.4.3-2': text('服务中心人员核验信息。', 'The staff of the centre verify the details.'),
  'R-1.4.3-3': text(
    '核验通过后，现场交 {replacementFeeYuan} 元 USBKEY 介质费。',
    'Once verified, {replacementFeeYuan} yuan for the new USBKEY are paid there.',
  ),
  'R-1.4.3-4': text(
    '交费时登记发票信息，以后由 CFCA 统一开具电子发票。',
    'Your invoice details are taken down; CFCA issues the electronic invoice later.',
  ),
  'R-1.4.3-5': text(
    'USBKEY 不是人为损坏、外观完好的，可以免费更换。',
    'A USBKEY whose damage is not man-made and whose outside is intact can be exchanged free of charge.',
  ),
  'R-1.4.3-6': text(
    '服务中心人员制作并发放 CA 数字证书。',
    'The staff of the centre make the certificate and hand it over.',
  ),
  'R-1.5.1-1': text('忘记 USBKEY 密码、不能使用时，办理解锁。', 'A forgotten password: the USBKEY has to be unlocked.'),
  'R-1.5.1-2': text(
    '密码输错次数过多、USBKEY 锁死时，办理解锁。',
    'Too many wrong passwords lock the USBKEY: it has to be unlocked.',
  ),
  'R-1.5.2-1': text('USBKEY 解锁只能到服务中心现场办理。', 'A USBKEY is only unlocked in person, at a service centre.'),
  'R-1.5.3-1': text(
    '授权经办人带身份证原件和加盖公章的授权书，到任意服务中心办理。',
    'The authorised person takes their original identity card and the sealed letter of authorisation to any service centre.',
  ),
  'R-1.5.3-2': text('服务中心人员审核信息。', 'The staff of the centre check the details.'),
  'R-1.5.3-3': text(
    '信息确认无误后，服务中心人员办理解锁。',
    'Once the details are confirmed, the staff unlock the USBKEY.',
  ),
  'R-2-1': text(
    '授权书的全名是“天津税务证书办理业务授权书”，正文标题是“授 权 书”。',
    'The letter is called “天津税务证书办理业务授权书”; its heading is “授 权 书”.',
  ),
  'R-2-2': text(
    '授权书的正文按指南附录，一字不改。',
    'The letter’s wording is that of the guide’s appendix, unchanged.',
  ),
  'R-2-3': text(
    '要填五项：公司名称、纳税人识别号、员工姓名、身份证号、手机号码。空着的可以手写。',
    'Five things are filled in: company, taxpayer number, name, identity number, mobile phone. What is left blank can be written by hand.',
  ),
  'R-2-4': text(
    '授权书上的业务类型只有两种：USBKEY补办、USBKEY解锁。',
    'The letter knows two kinds of business: replacement and unlocking.',
  ),
  'R-2-5': text('在选择的业务类型的 □ 里划勾。', 'Tick the box of the business you choose.'),
  'R-2-6': text('写明授权期限：从哪天到哪天。', 'State from which day to which day the authority holds.'),
  'R-2-7': text('落款写单位名称，盖公章，写日期。', 'Signed off with the company’s name, its seal and the date.'),
  'R-2-8': text(
    '授权书只用于补办和解锁。新办用“证书协办函”；升级和更新，指南没有要求授权书。',
    'The letter is only for replacement and unlocking. A new certificate takes the assistance letter; upgrade and renewal ask for neither.',
  ),
};

const assumed: Readonly<Record<AssumptionId, Text>> = {
  'A-1': text(
    '“9月18日前”不含 9月18日当天，按北京时间算。',
    '“Before 18 September” does not include that day, by Beijing time.',
  ),
  'A-2': text(
    '是否需要升级，先看证书的颁发机构和算法，再看证书的起始日期；两者对不上时，请向热线核对。',
    'Whether an upgrade is needed is read from issuer and algorithm first, then from the start date; where they differ, please ask the hot-line.',
  ),
  'A-3': text('升级具体更换什么，由证书机构决定。', 'What exactly an upgrade changes is up to the authority.'),
  'A-4': text(
    '剩余天数按北京时间的自然日算，第 {renewalWindowDays} 天和到期当天都算在“{renewalWindowDays}天内”。',
    'Days are natural days in Beijing; day {renewalWindowDays} before the end and the day of expiry both count as “within {renewalWindowDays} days”.',
  ),
  'A-5': text(
    '过期多久还能在网上更新，指南没有限制；证书机构可能有自己的规定。',
    'The guide sets no limit to how long after expiry a certificate can be renewed online; the authority may.',
  ),
  'A-6': text(
    '更新后从哪天算起，以新证书上写的日期为准。',
    'From when the renewed certificate is valid is what the new certificate says.',
  ),
  'A-7': text(
    '既要升级又要更新的，先升级，再看新证书是否还要更新。',
    'Where both are due, upgrade first, then see whether the new certificate still needs renewal.',
  ),
  'A-8': text(
    '解锁和补办，建议把 USBKEY 也带上（丢失的除外）。指南没有写这一条。',
    'For unlocking and replacement, better bring the USBKEY as well, unless it is lost. The guide does not say so.',
  ),
  'A-9': text(
    '密码可以试几次，以 USBKEY 自己报的次数为准；读不到时，只能说次数有限。',
    'How many tries are left is what the USBKEY itself reports; when it does not, all we know is that they are limited.',
  ),
  'A-10': text(
    '办理中途锁死的，立即停下；原来的证书保留，解锁后可以接着办。',
    'If the USBKEY locks in the middle, everything stops; the old certificate stays, and you can go on after it is unlocked.',
  ),
  'A-11': text(
    '中途断电或拔出的，先读 USBKEY 里的实际内容，再接着办；新证书核对好之前，不动原来的证书。',
    'After an interruption we first read what is really on the USBKEY; the old certificate is not touched before the new one has been checked.',
  ),
  'A-12': text(
    '法定代表人本人来办，是否也要授权书，指南没有写；建议带上，或先打热线问。',
    'Whether a legal representative needs the letter too is not in the guide; bring it, or ask the hot-line first.',
  ),
  'A-13': text(
    '授权书上的两种业务可以同时勾选；本站默认只勾您要办的一种。',
    'Both kinds of business may be ticked on one letter; this site ticks the one you came for.',
  ),
  'A-14': text(
    'USBKEY 丢了，请尽快打热线，问是否需要挂失。',
    'If the USBKEY is lost, call the hot-line soon and ask whether it should be reported.',
  ),
  'A-15': text('95105345-2 的“-2”，是接通后按 2。', 'The “-2” of 95105345-2 means: press 2 once connected.'),
  'A-16': text(
    '新办先在网上税务局申请，再去办税服务厅；具体以主管税务机关的要求为准。',
    'For a new certificate, apply online first, then go to the hall; your tax authority has the last word.',
  ),
  'A-17': text(
    '补办后证书的有效期、旧证书怎么处理，指南没有写。',
    'How long a replaced certificate is valid, and what becomes of the old one, is not in the guide.',
  ),
  'A-18': text(
    '网点的办公时间、要不要预约，指南没有写；出发前请先打电话确认。',
    'Opening hours, and whether a booking is needed, are not in the guide; please call before you go.',
  ),
  'A-19': text(
    '是不是人为损坏，由服务中心判断；本站只能预估。',
    'Whether damage is man-made is judged by the centre; this site can only estimate.',
  ),
  'A-20': text(
    '更新或升级后证书序列号会变。如果登录电子税务局异常，请在电子税务局更新证书绑定。',
    'The certificate’s serial number changes. If logging in to the e-tax office fails afterwards, bind the new certificate there.',
  ),
  'A-21': text(
    '一把 USBKEY 里有两张证书、到期日不同的，按较早的提醒。',
    'Where a USBKEY holds two certificates with different ends, the earlier one counts.',
  ),
  'A-22': text(
    '指南是 2018 年的口径；现在怎样执行，以服务网点和热线答复为准。',
    'The guide dates from 2018; how it is applied today is for the centres and the hot-line to say.',
  ),
};

const guide = text('CA 数字证书业务办理指南', 'Service guide for CA certificates');
const own = text('本站的理解，以服务网点或热线答复为准', 'Our reading; the centre or the hot-line has the last word');

const isAssumption = (id: RuleId | AssumptionId): id is AssumptionId => id.startsWith('A-');

const filledText = (sentence: Text): Text => ({ 'zh-CN': filled(sentence['zh-CN']), en: filled(sentence.en) });

/** A rule as it holds now: the guide's sentence, or the one a content pack has put in its place. */
export function rule(id: RuleId | AssumptionId): Rule {
  const published = publishedRules[id];
  const assumption = isAssumption(id);
  return {
    id,
    section: assumption ? undefined : sectionOf(id),
    sentence: filledText(published?.sentence ?? (assumption ? assumed[id] : sentences[id])),
    source: assumption ? own : guide,
    effectiveFrom: published?.effectiveFrom ?? effectiveFrom,
    reviewedAt: lastReview(),
    assumption,
  };
}
