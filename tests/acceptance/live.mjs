// A simulator and a controller as two processes, and the command line in front of them, for the acceptance scripts that
// work on a live site. How far it is goes to stderr; what was started ends with the script.
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

export const program = process.argv[2];
export const scratch = mkdtempSync(join(tmpdir(), 'zellige-live-'));
const speed = '60';
const origin = String(Date.now());
const children = [];
const environment = { ...process.env, HOME: scratch, ZELLIGE_PASSWORD: '', ZELLIGE_NEW_PASSWORD: 'Live-acceptance-1' };

/// Starts a command of the program; resolves with what its JSON lines said, once one of them is "ready".
function start(...words) {
  const child = spawn(program, [...words, '--speed', speed, '--origin', origin],
                      { stdio: ['ignore', 'pipe', 'ignore'], env: environment });
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

function freePort() {
  return new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/// A command for people, its JSON read.
export async function ask(...words) {
  const { stdout } = await promisify(execFile)(program, [...words, '-o', 'json'], { env: environment });
  return JSON.parse(stdout);
}

export const pause = ms => new Promise(resolve => setTimeout(resolve, ms));

export async function until(what, read, holds, seconds) {
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

/// Racks that bring themselves up, with a person signed in; resolves with where the simulator is controlled, "IP:PORT".
export async function beginSite(racks, ...simulatorWords) {
  const simulator = await start('simulator', '--racks', String(racks), '--site', join(scratch, 'site'), '--control',
                                '127.0.0.1:0', ...simulatorWords);
  // Known beforehand: it goes into the boot media.
  const provisioning = `127.0.0.1:${await freePort()}`;
  const serve = await start('serve', '--data', join(scratch, 'data'), '--api', '127.0.0.1:0', '--provisioning',
                            provisioning, '--announce');
  environment.ZELLIGE_URL = `https://127.0.0.1:${serve.api_port}`;
  environment.ZELLIGE_PIN = serve.pin;
  environment.ZELLIGE_PASSWORD = serve.admin_password;
  await promisify(execFile)(program, ['login', '--user', 'admin'], { env: environment });
  await ask('import', join(scratch, 'site'));
  await ask('site', 'arm', '.');
  return `127.0.0.1:${simulator.control_port}`;
}

export const acceptedRacks = count => racks => racks.length === count && racks.every(r => r.state === 'accepted');

/// What the machines really are, as the simulator judges it.
export async function truth(control) {
  const nodes = await ask('node', 'list');
  const rows = nodes.filter(n => n.lifecycle !== 'retired')
                   .map(n => ({ serial: n.serial, lifecycle: n.lifecycle, causes: n.cause ? [n.cause] : [] }));
  const reply = await fetch(`http://${control}/outcome`, { method: 'POST', body: JSON.stringify({ nodes: rows }) });
  return reply.json();
}

function end(status) {
  for (const child of children) child.removeAllListeners('exit').kill('SIGKILL');
  rmSync(scratch, { recursive: true, force: true });
  process.exit(status);
}

/// Prints what `run` resolves with as one JSON object, and ends the process.
export async function report(run) {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => end(1));
  try {
    console.log(JSON.stringify(await run(), null, 2));
    end(0);
  } catch (error) {
    console.error(error.stderr || error.message);
    end(1);
  }
}
