// A firmware campaign on two live racks, by the command line alone: brought up, dry run, begun, halted, resumed, rolled
// back; then the simulator says what its machines really are. Prints one JSON object; how far it is goes to stderr.
// usage: node tests/acceptance/live_campaign.mjs ZELLIGE
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const program = process.argv[2];
const scratch = mkdtempSync(join(tmpdir(), 'zellige-live-'));
const speed = 60;
const origin = String(Date.now());
const children = [];
const environment = { ...process.env, HOME: scratch, ZELLIGE_PASSWORD: '', ZELLIGE_NEW_PASSWORD: 'Live-campaign-1' };

/// Starts a command of the program; resolves with what its JSON lines said, once one of them is "ready".
function start(...words) {
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'ignore'], env: environment });
  children.push(child);
  return new Promise((resolve, reject) => {
    const said = {};
    child.on('exit', () => reject(new Error(`zellige ${words[0]} ended`)));
    createInterface({ input: child.stdout }).on('line', line => {
      Object.assign(said, JSON.parse(line));
      if (said.ready) resolve(said);
    });
  });
}

/// A command for people, its JSON read.
async function ask(...words) {
  const { stdout } = await promisify(execFile)(program, [...words, '-o', 'json'], { env: environment });
  return JSON.parse(stdout);
}

const pause = ms => new Promise(resolve => setTimeout(resolve, ms));

async function until(what, read, holds, seconds) {
  const begin = Date.now(), end = begin + seconds * 1000;
  for (;;) {
    const seen = await read();
    if (holds(seen)) {
      console.error(`${what}: after ${Math.round((Date.now() - begin) / 1000)} s`);
      return seen;
    }
    if (Date.now() > end) throw new Error(`${what}: not in ${seconds} s; last ${JSON.stringify(seen).slice(0, 300)}`);
    await pause(500);
  }
}

async function truth(control, nodes) {
  const rows = nodes.map(n => ({ serial: n.serial, lifecycle: n.lifecycle, causes: n.cause ? [n.cause] : [] }));
  const reply = await fetch(`http://127.0.0.1:${control}/outcome`,
                            { method: 'POST', body: JSON.stringify({ nodes: rows }) });
  return reply.json();
}

async function run() {
  const simulator = await start('simulator', '--racks', '2', '--speed', String(speed), '--origin', origin, '--site',
                                join(scratch, 'site'), '--control', '127.0.0.1:0', '--next-release');
  const serve = await start('serve', '--data', join(scratch, 'data'), '--api', '127.0.0.1:0', '--provisioning',
                            '127.0.0.1:0', '--speed', String(speed), '--origin', origin, '--announce');
  environment.ZELLIGE_URL = `https://127.0.0.1:${serve.api_port}`;
  environment.ZELLIGE_PIN = serve.pin;
  environment.ZELLIGE_PASSWORD = serve.admin_password;
  await promisify(execFile)(program, ['login', '--user', 'admin'], { env: environment });
  await ask('import', join(scratch, 'site'));
  await ask('site', 'arm', '.');
  const accepted = racks => racks.length === 2 && racks.every(r => r.state === 'accepted');
  await until('two racks accepted', () => ask('rack', 'list'), accepted, 400);

  const wanted = ['campaign', 'create', 'spring', '--baseline', 'gb200-sim-2026.2', '--kind', 'compute_tray',
                  '--window', '1', '--canary', '1', '--reason', 'a rehearsal'];
  const preview = await ask(...wanted, '--dry-run');
  const { id } = await ask(...wanted);
  const show = () => ask('campaign', 'show', String(id));
  const windowHeld = [];
  const watch = async () => {
    const running = await ask('campaign', 'show', String(id), '--members', 'running');
    windowHeld.push(new Set(running.map(m => m.place.split('/').slice(0, 3).join('/'))).size);
    return show();
  };
  await until('the canary under way', watch, c => c.members.running > 0, 60);
  await ask('campaign', 'halt', String(id), '--reason', 'somebody wants to look');
  const halted = await show();
  const begun = c => c.members.running + c.members.done + c.members.failed;
  await pause(10_000);
  const later = await show();
  await ask('campaign', 'resume', String(id), '--reason', 'looked at');
  const forward = await until('all at the new baseline', watch, c => c.state === 'done', 900);
  await ask('campaign', 'rollback', String(id), '--reason', 'the rehearsal is over');
  const back = await until('all back', watch, c => c.state === 'done' && c.goal === 'back', 900);
  const racks = await until('two racks accepted again', () => ask('rack', 'list'), accepted, 300);
  const end = await truth(simulator.control_port, await ask('node', 'list'));
  return {
    nodes_selected: preview.nodes, behind: preview.behind, halted: halted.state,
    begun_while_halted: begun(later) - begun(halted), done: forward.members.done, went_back: back.members.done,
    most_racks_at_a_time: Math.max(...windowHeld), racks_accepted: racks.filter(r => r.state === 'accepted').length,
    available: end.available, duplicates: end.duplicates, wrong_end_states: end.wrong_end_states,
    budget_violations: end.budget_violations, unexpected: end.unexpected,
  };
}

function end(status) {
  for (const child of children) child.removeAllListeners('exit').kill('SIGKILL');
  rmSync(scratch, { recursive: true, force: true });
  process.exit(status);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => end(1));
try {
  console.log(JSON.stringify(await run(), null, 2));
  end(0);
} catch (error) {
  console.error(error.message);
  end(1);
}
