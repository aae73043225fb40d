/// What a new host needs to join: a shell script that writes the authorities and the profiles, and starts the node. It has no
/// secrets, and nothing in it can end its own quotes: what others have named is checked letter by letter.

import { yaml, type Plain } from "./yaml";

export type JoinRole = "SN" | "SL" | "SWOP";
export interface Wish {
  role: JoinRole;
  /** Of the node, unique in the network. */
  name: string;
  /** By which others reach the host. */
  host: string;
  /** Where it lives on that host, absolute. */
  folder: string;
  /** host:port of the SN that it asks first. */
  sn: string;
  genesis: string;
  anchors: { fingerprint: string; pem: string }[];
  /** Of an SN: those of its API and of P2P; of an SL: that of its files. */
  ports: string[];
  /** Of a SWOP. */
  taskrunner: string;
  pairs: number;
  manager: "PROCESS" | "DOCKER";
  /** A SWOP's own profile, as somebody has written it, in place of what is made of the three above; "": there is none. */
  profile?: string;
}
export const PROFILE_BYTES_MAX = 64 * 1024;

export const PORTS: Record<JoinRole, { word: string; key: string; usual: number }[]> = {
  SN: [
    { word: "API port", key: "sn-api-port", usual: 30304 },
    { word: "P2P port", key: "sn-p2p-port", usual: 30303 },
  ],
  SL: [{ word: "Port for models", key: "sl-fs-port", usual: 30305 }],
  SWOP: [],
};
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const HOST = /^[A-Za-z0-9][A-Za-z0-9.:-]{0,252}$/;
const FOLDER = /^(\/[A-Za-z0-9][A-Za-z0-9._-]*)+$/;
const PEM = /^-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----\n$/;
const HASH = /^0x[0-9a-f]{64}$/;
const PORT = /^[1-9]\d{0,4}$/;
const END = "END-OF-THIS-FILE";
const NO_TEXT = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffd]/;

/** A text that can stand between the lines of a script. */
function wrongText(text: string): string {
  if (text.length > PROFILE_BYTES_MAX) return "The profile has more than 64 kB.";
  if (NO_TEXT.test(text)) return "The profile is no text.";
  return text.split(/\r?\n|\r/).includes(END) ? `The profile has a line "${END}", which ends it in the script.` : "";
}

/** Host and port of "10.0.0.1:30304" or "[fd00::1]:30304"; null: it is neither. */
export function endpointOf(text: string): { host: string; port: number } | null {
  const [, six, four, port] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = six ?? four ?? "";
  return HOST.test(host) && PORT.test(port ?? "") && Number(port) < 65536 ? { host, port: Number(port) } : null;
}

/** What is missing or cannot be; "" when the bundle can be made. */
export function wrongWith(wish: Wish): string {
  if (!HASH.test(wish.genesis)) return "The genesis block of the network is not known yet.";
  if (!wish.anchors.length || !wish.anchors.every(({ pem, fingerprint }) => PEM.test(pem) && HASH.test(fingerprint)))
    return "The authorities of the network are not known yet.";
  if (!endpointOf(wish.sn)) return "Choose an SN.";
  if (!NAME.test(wish.name)) return "A name has letters, digits, '.', '_' and '-'.";
  if (!HOST.test(wish.host)) return "The host's address or name is missing.";
  if (!FOLDER.test(wish.folder)) return "The folder is an absolute path of letters, digits, '.', '_' and '-'.";
  if (!wish.ports.every((port) => PORT.test(port) && Number(port) < 65536)) return "A port is a number up to 65535.";
  if (wish.role !== "SWOP") return "";
  if (wish.profile) return wrongText(wish.profile);
  if (!NAME.test(wish.taskrunner)) return "Choose a taskrunner.";
  return Number.isInteger(wish.pairs) && wish.pairs >= 0 && wish.pairs <= 64 ? "" : "A SWOP has 0 to 64 pairs.";
}

/** What swarmd itself is told: `swarmd --profile`. */
export function profileOf(wish: Wish): string {
  const { host, port } = endpointOf(wish.sn)!;
  const ports = Object.fromEntries(PORTS[wish.role].map(({ key }, i) => [key, Number(wish.ports[i])]));
  const asks = wish.role === "SN" ? "sentinel" : "sn";
  return yaml({
    "data-dir": `${wish.folder}/data`,
    "host-ip": wish.host,
    key: `${wish.folder}/cert/${wish.name}-key.pem`,
    cert: `${wish.folder}/cert/${wish.name}-cert.pem`,
    capath: `${wish.folder}/ca`,
    "genesis-hash": wish.genesis,
    [wish.role.toLowerCase()]: {
      "node-name": wish.name,
      [`${asks}-ip`]: host,
      [asks === "sn" ? "sn-api-port" : "sentinel-api-port"]: port,
      ...ports,
      ...(wish.role === "SWOP" ? { "usr-dir": `${wish.folder}/usr`, "profile-file-name": "swop.yaml" } : {}),
    },
  });
}

const file = (type: string, src: string, tgt: string): Plain => ({ attribute: { aType: type, mType: "BIND", src, tgt } });

/** Names of the SLs of a SWOP, by which their certificates are called. */
export const pairNames = (wish: Wish): string[] =>
  Array.from({ length: wish.role === "SWOP" && !wish.profile ? wish.pairs : 0 }, (_, i) => `${wish.name}-sl-${i + 1}`);

/** What a SWOP manages. */
export function swopProfileOf(wish: Wish): string {
  if (wish.profile) return wish.profile;
  return yaml({
    groupname: wish.name,
    taskrunner: wish.taskrunner,
    network: null,
    policyuri: null,
    resourcemgr: { mgrtype: wish.manager, accessinfo: { accesstype: "FROMENV" } },
    apls: null,
    apisrv: null,
    envvars: null,
    nodes: pairNames(wish).map((name, idx) => ({
      slnodedef: {
        idx,
        identity: [
          file("KEY", `${wish.folder}/cert/${name}-key.pem`, "/swarm/cert/key.pem"),
          file("CERT", `${wish.folder}/cert/${name}-cert.pem`, "/swarm/cert/cert.pem"),
          file("CAPATH", `${wish.folder}/ca`, "/swarm/cert/ca"),
        ],
        slhostname: name,
        slhostip: wish.host,
        slport: null,
        slenvvars: null,
        usrhostname: `${name}-user`,
        usrenvvars: null,
        privatedata: { src: `${wish.folder}/usr/${name}`, mType: "BIND" },
      },
    })),
  });
}

/** Whose certificates the organisation has to make: of the node, and of a SWOP's SLs. */
export const certified = (wish: Wish): string[] => [wish.name, ...pairNames(wish)];

const put = (path: string, text: string): string[] => [`cat > ${path} <<'${END}'`, text.trimEnd(), END];

/** One text, to be pasted into a shell of the new host or run there as a file. Running it again changes nothing but what it
 *  writes itself. */
export function bundleOf(wish: Wish): string {
  const swop = wish.role === "SWOP";
  const folders = ["ca", "cert", ...(swop ? ["usr", ...pairNames(wish).map((name) => `usr/${name}`)] : [])];
  const keys = certified(wish).flatMap((name) => [`cert/${name}-key.pem`, `cert/${name}-cert.pem`]);
  return [
    `# ${wish.role} ${wish.name}: it joins the network with the genesis block ${wish.genesis}`,
    "(",
    "set -eu",
    "umask 077",
    `mkdir -p ${folders.map((each) => `${wish.folder}/${each}`).join(" ")}`,
    `cd ${wish.folder}`,
    ...wish.anchors.flatMap(({ fingerprint, pem }) => put(`ca/${fingerprint.slice(2, 18)}.pem`, pem)),
    ...put("node.yaml", profileOf(wish)),
    ...(swop ? put("usr/swop.yaml", swopProfileOf(wish)) : []),
    `for file in ${keys.join(" ")}; do`,
    `  [ -f "$file" ] && continue`,
    `  echo "${wish.folder}/$file is missing: your organisation's authority makes it. Then run this again." >&2`,
    `  echo "(A new organisation puts the certificate of its authority into ${wish.folder}/ca as well.)" >&2`,
    "  exit 1",
    "done",
    "swarmd doctor --profile node.yaml",
    "exec swarmd --profile node.yaml",
    ")",
    "",
  ].join("\n");
}
