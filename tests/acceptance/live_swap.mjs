// A tray of a live rack swapped by the command line alone: the old one retired, the new one's manifest imported, the rack
// accepted again; then the simulator says what its machines really are. Prints one JSON object.
// usage: node tests/acceptance/live_swap.mjs ZELLIGE
import { join } from 'node:path';
import { acceptedRacks, ask, beginSite, report, scratch, truth, until } from './live.mjs';

await report(async () => {
  const place = 'H1/R01/RK001/U12', manifest = join(scratch, 'swapped.yaml');
  const control = await beginSite(1);
  await until('the rack accepted', () => ask('rack', 'list'), acceptedRacks(1), 400);
  const swapped = await ask('node', 'swap', place, '--simulator', control, '--manifest', manifest);
  await ask('node', 'retire', swapped.was, '--reason', 'swapped');
  await ask('import', manifest);
  const began = Date.now();
  const fresh = () => ask('node', 'show', swapped.serial);
  await until('the new tray available', fresh, n => n.lifecycle === 'available', 300);
  const racks = await until('the rack accepted again', () => ask('rack', 'list'), acceptedRacks(1), 300);
  const end = await truth(control);
  return {
    was: swapped.was, serial: swapped.serial, place: (await fresh()).place, again_s: (Date.now() - began) / 1000,
    racks_accepted: racks.length, available: end.available, duplicates: end.duplicates,
    wrong_end_states: end.wrong_end_states, budget_violations: end.budget_violations, unexpected: end.unexpected,
  };
});
