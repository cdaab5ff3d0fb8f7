import type { InvoiceProblem } from '../../guidance/invoice.ts';

const zhProblems: Readonly<Record<InvoiceProblem, string>> = {
  tooLong: '太长了，请写短一些。',
  taxpayerNumberShape: '应为 18 位统一社会信用代码，或 15 至 20 位旧税号。',
  taxpayerNumberCheck: '和校验位对不上，请再核对一遍。',
  email: '邮箱应像 name@example.cn 这样。',
  phone: '应为手机号码，或带区号的座机号码。',
};
const enProblems: typeof zhProblems = {
  tooLong: 'Too long, please shorten it.',
  taxpayerNumberShape: 'A unified social credit code has 18 characters, an older tax number 15 to 20.',
  taxpayerNumberCheck: 'The check character does not fit; please look again.',
  email: 'An address looks like name@example.cn.',
  phone: 'A mobile number, or a land line with its area code.',
};

const zh = {
  title: '开票信息单',
  sentence: '补办交费时要登记开票信息。填好打印带去，窗口照着登记。',
  later: '电子发票由 CFCA 以后统一开具，不是当场出票。',
  print: '打印信息单',
  printAnyway: '仍然打印',
  clear: '清空',
  cleared: '已清空。',
  back: '回到补办指南',
  private: '填的内容只在这一页上，不保存，不上传。空着的地方可以打印出来手写。',
  fields: { title: '发票抬头（公司名称）', taxNumber: '纳税人识别号', email: '接收电子发票的邮箱', phone: '联系电话' },
  problems: zhProblems,
  look: '有几处请再看一眼，改好或清空后再打印：',
  preview: '信息单预览',
};
const en: typeof zh = {
  title: 'Invoice slip',
  sentence: 'Your invoice details are taken down when you pay for a replacement. Print them and take them along.',
  later: 'CFCA issues the electronic invoice later, not on the spot.',
  print: 'Print the slip',
  printAnyway: 'Print anyway',
  clear: 'Clear',
  cleared: 'Cleared.',
  back: 'Back to the replacement guide',
  private: 'What you type stays on this page: neither stored nor sent. What is left blank can be written by hand.',
  fields: { title: 'Name on the invoice (company)', taxNumber: 'Taxpayer number', email: 'E-mail', phone: 'Telephone' },
  problems: enProblems,
  look: 'Please look again at these; correct or clear them before you print:',
  preview: 'Preview of the slip',
};
export const invoiceSlip = { 'zh-CN': zh, en };
