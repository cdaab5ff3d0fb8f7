/** What people say, and the words of the guide it stands for. Lower case; compared by containment. */
const groups: readonly { readonly said: readonly string[]; readonly meant: readonly string[] }[] = [
  {
    said: [
      'u盾',
      'u棒',
      'ukey',
      'u key',
      '优盾',
      '优盘',
      'u盘',
      '税盘',
      '金税盘',
      '税控盘',
      '密钥',
      '证书盘',
      'ca盘',
      'ca锁',
      'key',
    ],
    meant: ['usbkey'],
  },
  { said: ['口令', 'pin', 'pin码', '密码', 'password', '秘码', '暗码'], meant: ['密码'] },
  { said: ['锁死', '锁定', '锁了', '锁住', '被锁', '死锁', '锁上', '上锁', '自锁', 'locked'], meant: ['锁死', '解锁'] },
  { said: ['开锁', '解开', '解除', 'unlock'], meant: ['解锁'] },
  { said: ['忘了', '忘记', '想不起', '不记得', '记不得', '记不清'], meant: ['忘记'] },
  { said: ['输错', '错了', '输多', '试错'], meant: ['次数', '锁死'] },
  { said: ['到期', '过期', '失效', '逾期', '超期', '截止', '快到'], meant: ['到期', '过期', '更新'] },
  {
    said: ['续期', '续费', '延期', '换证', '年检', '续签', '展期', '延长', '续证', '更换证书', 'renew', '年审', '更新'],
    meant: ['更新'],
  },
  { said: ['升级', '换代', 'upgrade'], meant: ['升级'] },
  { said: ['丢失', '遗失', '丢了', '不见了', '弄丢', '找不到', '掉了', '被偷', 'lost'], meant: ['丢了', '补办'] },
  { said: ['坏了', '损坏', '坏掉', '不亮', '烧了', '断了', '摔了', '故障', 'broken'], meant: ['坏了', '补办'] },
  { said: ['补办', '补领', '重办', '重新办', '换一个'], meant: ['补办'] },
  {
    said: ['首次', '第一次', '新公司', '新企业', '刚注册', '没办过', '新办', '申领', '办一个'],
    meant: ['新办', '第一次'],
  },
  {
    said: ['多少钱', '费用', '收费', '价格', '要钱', '工本费', '交钱', '花钱', '免费', 'fee'],
    meant: ['多少钱', '费用', '26'],
  },
  { said: ['发票', '开票', '报销', 'invoice'], meant: ['发票'] },
  { said: ['材料', '资料', '带什么', '带啥', '证件', '手续'], meant: ['材料', '带什么'] },
  { said: ['委托书', '授权', '授权书', '介绍信'], meant: ['授权书'] },
  { said: ['公章', '盖章', '章'], meant: ['公章', '盖章'] },
  { said: ['电话', '客服', '人工', '联系', '热线', 'phone', 'hotline'], meant: ['热线'] },
  { said: ['网点', '地址', '在哪', '附近', '大厅', '营业厅', '窗口'], meant: ['服务中心', '网点'] },
  { said: ['几点', '上班', '营业时间', '下班', '周末', '周六'], meant: ['几点上班'] },
  { said: ['没反应', '不识别', '识别不', '认不', '读不', '检测不', '插上'], meant: ['认不出', '没反应'] },
  { said: ['浏览器', 'ie', '360', 'chrome', '谷歌', 'edge', '火狐'], meant: ['浏览器'] },
  { said: ['手机', 'iphone', '苹果', '安卓', '平板', 'ipad', '微信'], meant: ['手机'] },
  { said: ['下载', '安装', '软件', '客户端', '驱动'], meant: ['数字证书管理系统', '软件'] },
  { said: ['法人', '老板', '法定代表'], meant: ['法定代表人'] },
  { said: ['骗', '钓鱼', '假网站', '真假'], meant: ['假网站'] },
];

/** Latin words only count as words: the “ie” in “review” is no browser. */
const contains = (query: string, said: string) =>
  /^[a-z0-9 ]+$/.test(said) ? new RegExp(`(?<![a-z0-9])${said}(?![a-z0-9])`).test(query) : query.includes(said);

/** The guide's words for what a query says otherwise. */
export const expand = (query: string): readonly string[] => [
  ...new Set(groups.flatMap(({ said, meant }) => (said.some((one) => contains(query, one)) ? meant : []))),
];
