import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { openReferenceCa } from '../reference-ca/reference-ca.ts';
import { openOperator } from '../operator-api/operator.ts';
import { samplePassword } from '../reference-ca/personalise.ts';
import { listen, type Listening } from './listen.ts';
import { caDirectory, demoDirectory, productionDirectory, readOptions, repository } from './options.ts';
import { createDemoServer } from './server.ts';
import { staticFiles } from './static-files.ts';

/** Builds the demo in a process of its own, so that its memory and its environment end with it. */
function buildDemo(): Promise<boolean> {
  const vite = path.join(repository, 'node_modules/vite/bin/vite.js');
  const child = spawn(process.execPath, [vite, 'build', '--mode', 'demo', '--logLevel', 'warn'], {
    cwd: repository,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return new Promise((resolve) => {
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
  });
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

const options = readOptions(process.argv.slice(2), process.env, 4173);
if (options.build) {
  console.log('正在构建演示站点…… Building the demo…');
  if (!(await buildDemo())) fail('构建失败，原因见上。 The build failed; see above.');
}
if (!existsSync(path.join(demoDirectory, 'index.html'))) {
  fail('还没有构建演示站点：请不带 --no-build 运行。 There is no demo build yet: run without --no-build.');
}
if (options.productionPort !== undefined && !existsSync(path.join(productionDirectory, 'index.html'))) {
  fail('dist/ 里没有构建好的站点：先运行 npm run build。 There is no build in dist/: run npm run build first.');
}

const ca = await openReferenceCa({ directory: caDirectory }).catch((error: unknown) =>
  fail(
    `示例 CA 的数据无法读取，可删除后重来。 The sample CA's data cannot be read; delete it to begin anew: ${caDirectory}\n${String(error)}`,
  ),
);
const running: Listening[] = [];
const stop = async (): Promise<void> => {
  await Promise.all(running.map((listening) => listening.close()));
  await ca.close();
};

try {
  const { strictPort, host, authority } = options;
  const operator = openOperator(true);
  const demo = await listen(
    () => createDemoServer(ca, staticFiles(demoDirectory), { demo: true, authority, operator }),
    {
      port: options.port,
      strictPort,
      host,
    },
  );
  running.push(demo);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop());

  console.log(`
天津税务数字证书在线服务平台（演示）：站点、接口和示例 CA 都在本机运行，不连接任何真实系统。
在浏览器里打开下面的网址即为体验模式，虚拟 USBKEY 的密码是 ${samplePassword}；连接真实 USBKEY 请用 Chrome 或 Edge。
A demo: the site, its API and a sample CA, all on this machine and connected to nothing real. Open the address below;
the virtual USBKEY's password is ${samplePassword}. A real USBKEY needs Chrome or Edge. Ctrl-C ends it.
`);
  if (options.productionPort !== undefined) {
    const operator = openOperator(false);
    const production = await listen(
      () => createDemoServer(ca, staticFiles(productionDirectory), { demo: false, authority, operator }),
      {
        port: options.productionPort,
        strictPort: true,
        host,
      },
    );
    running.push(production);
    console.log(`正式版（无虚拟 USBKEY） The production build, without the virtual USBKEY: ${production.url}`);
  }
  console.log(demo.url);
} catch (error) {
  await stop();
  fail(`无法启动 Cannot start: ${error instanceof Error ? error.message : String(error)}`);
}
