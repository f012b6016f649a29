// A firmware campaign on two live racks, by the command line alone: brought up, dry run, begun, halted, resumed, rolled
// back; then the simulator says what its machines really are. Prints one JSON object.
// usage: node tests/acceptance/live_campaign.mjs ZELLIGE
import { acceptedRacks, ask, beginSite, pause, report, truth, until } from './live.mjs';

await report(async () => {
  const control = await beginSite(2, '--next-release');
  await until('two racks accepted', () => ask('rack', 'list'), acceptedRacks(2), 400);

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
  const racks = await until('two racks accepted again', () => ask('rack', 'list'), acceptedRacks(2), 300);
  const end = await truth(control);
  return {
    nodes_selected: preview.nodes, behind: preview.behind, halted: halted.state,
    begun_while_halted: begun(later) - begun(halted), done: forward.members.done, went_back: back.members.done,
    most_racks_at_a_time: Math.max(...windowHeld), racks_accepted: racks.filter(r => r.state === 'accepted').length,
    available: end.available, duplicates: end.duplicates, wrong_end_states: end.wrong_end_states,
    budget_violations: end.budget_violations, unexpected: end.unexpected,
  };
});
