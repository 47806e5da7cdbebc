/** What the table of the configuration says in README.zh-CN.md. A new key gets its line here; then `npm run docs:config`. */
import type { ConfigKey } from '../../src/config/index.js';
import { ToolError } from '../shared/tool.js';

export const COLUMNS_IN_CHINESE = ['键', '环境变量', '类型', '默认值', '含义'];

/** Words of types; what is not here is a value to write, such as `warn`, and stays. */
const TYPES: Readonly<Record<string, string>> = {
  integer: '整数',
  number: '数',
  text: '文本',
  list: '列表',
  record: '映射',
};

/** What is in force when a key is not set; where that is code alone, it stays. */
const UNSET: Readonly<Record<string, string>> = {
  none: '无',
  'by memory': '按内存',
  off: '关闭',
  'those of Node': 'Node 自带',
  'as `listen.host`': '同 `listen.host`',
  '80 % of `listen.maxConnections`, at least 2000; loopback unlimited':
    '`listen.maxConnections` 的 80 %，至少 2000；回环地址不限',
  '100000; loopback unlimited': '100000；回环地址不限',
  '5000000; loopback unlimited': '5000000；回环地址不限',
  '`./data/history`: `history` beside a `journal.dir` of the name `journal`, else in it':
    '`./data/history`：`journal.dir` 名为 `journal` 时，为其旁边的 `history`，否则在其中',
};

const SECRET_FILE = '除其用户和用户组外任何人不得可读';
const READ_AGAIN = '重新读取配置时一并重读';

/** By key, in the order of the table. */
const MEANINGS: Readonly<Record<string, string>> = {
  'listen.host': '代理连接的地址。',
  'listen.port': '代理连接的端口；0 表示任取一个空闲端口并打印出来。',
  'listen.maxConnections': '同时打开的连接数上限；超出的连接被拒绝。',
  'listen.maxBodyBytes': '帧体的最大长度，单位字节；更长的帧会使其连接被关闭。',
  'listen.maxInflightBytes': '已从所有套接字读入、尚未写入日志的字节数上限；达到上限时不再读任何套接字。',
  'listen.frameTimeoutMs':
    '在读取套接字期间，一帧或一个 PROXY 头最久可以不完整多长时间，单位毫秒；0 = 不限。',
  'listen.maxBadFrames': '连续多少个无法解码的帧之后关闭连接。',
  'listen.allow': '允许连接的地址，CIDR 网段；为空 = 全部允许。',
  'listen.deny': '不允许连接的地址，CIDR 网段，无论 `allow` 怎么写。',
  'listen.proxyFrom':
    '负载均衡器的地址，CIDR 网段：来自它们的连接以 PROXY 头（版本 1 或 2）开始，按头中写明的对端计。',
  'listen.verifyCaller':
    '上报中的调用方是否必须是来源地址：`warn` 对不符的计数并写运行日志，`reject` 拒绝其数据行。调用方 127.0.0.0/8 和 0.0.0.0 按来源地址计。',
  'listen.verifyExcept': '`verifyCaller` 不检查的地址，CIDR 网段。',
  'listen.perAddress.connections': '单个地址同时打开的连接数上限；超出的连接被拒绝。',
  'listen.perAddress.reportsPerSecond': '单个地址每秒的上报数上限；超出后推迟读取其套接字，不丢失任何数据。',
  'listen.perAddress.keys':
    '单个地址的值等待写入数据库的键数上限（约数）；超出后，等数据库写入一部分再读取其套接字。',
  'listen.tls.port':
    '代理使用 TLS（1.2 或更新版本）连接的端口，与 `listen.port` 并存；0 表示任取一个空闲端口并打印出来。',
  'listen.tls.host': '`listen.tls.port` 的地址。',
  'listen.tls.cert': `出示给代理的证书（PEM），其后是中间机构的证书。\`listen.tls\` 的所有文件都在${READ_AGAIN}。`,
  'listen.tls.key': `\`listen.tls.cert\` 的私钥（PEM）；${SECRET_FILE}。`,
  'listen.tls.ca': '为代理的证书作担保的机构的证书（PEM）。',
  'listen.tls.clientAuth':
    '代理是否出示证书：`optional` 检查出示的证书，`required` 还拒绝不出示证书的代理。设置了 `listen.tls.ca` 时必须写明。',
  'listen.tls.allowNames':
    '代理的证书可以使用的名称，通用名或备用名；`*.` 代表一级标签。名称和指纹都没有 = `listen.tls.ca` 担保的全部允许。',
  'listen.tls.allowFingerprints': '允许连接的代理证书的 SHA-256 指纹，十六进制，无论由谁签发。',
  'listen.tls.handshakeTimeoutMs': '从连接到握手结束的最长时间，包括等待轮到它的时间，单位毫秒。',
  'listen.tls.maxHandshakes': '同时进行的握手数，单个地址最多占一半；超出的连接等待轮到自己。',
  'writers.count': '分区数，每个分区有自己的写入器和数据库连接；3 到 4 个足以让一台数据库服务器忙起来。',
  'writers.maxBatchRows': '一次 upsert 的行数。',
  'writers.rewriteMs':
    '已存的键至少间隔这么多毫秒才再次写入，写的是它的最新值。新出现的键、久未变化的键以及 `overload` 的变化立即写入；0 = 全部立即写入。',
  'writers.maxPendingKeys':
    '等待写入数据库的不同键的数量上限，由各写入器平分。超出后，会增加键的批次等待，相应的代理被减速。默认为 40 % 的内存所能容纳的数量。',
  'journal.dir': '日志的目录；同一时间只有一个进程使用它。',
  'journal.groupMs':
    '上报写入日志之后，后面的上报等待这么多毫秒，以便与更多上报共用一次提交。安静之后的第一条上报、无法再发送的发送方不等待；0 = 都不等待。',
  'journal.snapshotBytes': '一个分区的日志达到多少字节后，为其待存行做快照并截断日志；至少为待存行的四倍。',
  'store.url':
    '数据行最终写到哪里：`embedded:DIR`（无需服务器）或 `mysql://user:password@host:port/database`；后面可加 `?ssl-mode=…`、`?socket=FILE`。',
  'store.passwordFile': `存放 \`store.url\` 密码的文件，此时地址中不写密码；${SECRET_FILE}。${READ_AGAIN}。`,
  'store.tls.mode':
    '到数据库的 TLS：`required` 加密，`verify-ca` 还验证服务器的证书，`verify-full` 再验证其主机名。',
  'store.tls.ca': '受信任的证书颁发机构的证书（PEM）；默认为 Node 自带的那些。',
  'store.tls.cert': '向数据库出示的证书（PEM）。',
  'store.tls.key': `\`store.tls.cert\` 的私钥（PEM）；${SECRET_FILE}。`,
  'store.connectTimeoutMs': '等待建立连接的最长时间，单位毫秒。',
  'store.queryTimeoutMs': '等待一条语句的最长时间，单位毫秒；超时后关闭其连接，数据行重新发送。',
  'view.enabled': '是否维护实时视图，它在单独的线程中运行；关闭后不提供与之有关的任何内容。',
  'view.freshS': '调用方最后一次上报之后多久以内仍计入，单位秒。',
  'view.holdS': '最后一次有调用方说主机过载之后，多久以内仍算过载，单位秒：代理会不断撤回标记又重新设置。',
  'view.errorShare': '失败调用所占的比例达到多少，主机或服务即为出错。',
  'view.minCalls': '计算错误率至少需要的调用数。',
  'view.hideS': '多久没有上报的服务不再列出，单位秒；仍可查询。',
  'view.forgetS': '多久没有上报的内容被视图忘记，单位秒；数据表仍保留。',
  'telemetry.otlpUrl':
    '通过 OTLP（HTTP）接收链路追踪和指标的 OpenTelemetry 收集器，例如 `http://127.0.0.1:4318`；需要另行安装软件包，见 docs/operations.md。',
  'telemetry.sampleRatio': '被追踪的批次所占比例；0 = 只发送指标。',
  'telemetry.metricsIntervalS': '每隔多久发送一次指标，单位秒。',
  'view.maxRows':
    '视图容纳的行数，每行 100 到 600 字节，主机的调用方越少越多；若会占用超过 20 % 的内存，则更少。行数超出，或主机数超出其四分之一时，只看一部分调用方，并在回答中说明。',
  'history.enabled':
    '是否把视图看到的内容保存在磁盘上：事件和变化 30 天，各服务每分钟的数据一天、每十分钟的数据 14 天。',
  'history.dir': '历史的目录；同一时间只有一个进程使用它。',
  'history.maxBytes': '历史文件最多占用的字节数；离到期最近的先删除。',
  names:
    '服务的名称：某个 `modid` 的全部服务（`4242`），或其中一个（`4242/17`）。其余的用数据库 `ModIDConfig` 和 `CmdIDConfig` 中的名称（如果有）。',
  'admin.host': '管理 HTTP 的地址：健康状况、指标、账目。',
  'admin.port': '管理 HTTP 的端口；0 表示任取一个空闲端口并打印出来。',
  'admin.token': 'HTTP 客户端出示的令牌；`admin.host` 不是回环地址时必填。',
  'admin.viewToken': '可读一切、不可更改任何内容的 HTTP 客户端的令牌。',
  'admin.tokenFile': `存放 \`admin.token\` 的文件；${SECRET_FILE}。${READ_AGAIN}。`,
  'admin.viewTokenFile': `存放 \`admin.viewToken\` 的文件；${SECRET_FILE}。${READ_AGAIN}。`,
  'admin.tls.cert': `管理 HTTP 的证书（PEM），其后是中间颁发机构的证书；设置后只提供 HTTPS。${READ_AGAIN}。`,
  'admin.tls.key': `\`admin.tls.cert\` 的私钥（PEM）；${SECRET_FILE}。`,
  'keeper.enabled': '`serve` 是否在一个保持连接的父进程之下运行：崩溃、升级、更改配置时连接都不断。',
  'shutdown.drainMs': '排空时等待待存行写入数据库的最长时间，单位毫秒；其余的留在日志中。',
  'supervision.maxRestarts':
    '一个写入器在 `supervision.periodMs` 内崩溃多少次之后算作反复崩溃；之后以最慢的节奏继续重启。',
  'supervision.periodMs': '统计崩溃次数的时间窗口，单位毫秒。',
  'supervision.backoffMs': '首次重启之前的停顿，单位毫秒；以后逐次加倍。',
  'supervision.maxBackoffMs': '重启之前最长的停顿，单位毫秒。',
  'log.level': '写入运行日志的最低级别；stderr 上每行一个 JSON，在终端上则为易读格式。',
};

/** Keys with what people read of them in Chinese. Throws ToolError that names each text that is missing, or of no key. */
export function inChinese(keys: readonly ConfigKey[]): ConfigKey[] {
  const missing = [
    ...keys.filter(({ key }) => !Object.hasOwn(MEANINGS, key)).map(({ key }) => `${key} has no meaning`),
    ...keys.filter((one) => unsetOf(one) === undefined).map(({ key, unset }) => `"${unset}" of ${key}`),
    ...Object.keys(MEANINGS)
      .filter((key) => !keys.some((one) => one.key === key))
      .map((key) => `${key} has a meaning and is no key`),
  ];
  if (missing.length > 0)
    throw new ToolError(`put into Chinese in tools/docs/config-zh.ts: ${missing.join('; ')}`);
  return keys.map((one) => ({
    ...one,
    type: one.type.replace(/^\w+/, (word) => TYPES[word] ?? word),
    unset: unsetOf(one) ?? one.unset,
    description: MEANINGS[one.key] ?? one.description,
  }));
}

/** Undefined when it was not put into Chinese. */
function unsetOf({ default: byDefault, unset }: ConfigKey): string | undefined {
  return byDefault !== undefined || /^`[^`]*`$/.test(unset) ? unset : UNSET[unset];
}
