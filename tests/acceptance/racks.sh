#!/usr/bin/env bash
# Runs what whole racks and campaigns are judged by, prints each line with its figures and whether it holds, and counts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

source tests/acceptance/judging.bash

if ((full)); then
  readonly every=1 stormRacks=20 stormSeeds=50 fleetRacks=100 campaignRacks=100
  echo 'Full sizes.'
else
  readonly every=9 stormRacks=5 stormSeeds=3 fleetRacks=20 campaignRacks=6
  echo "Reduced sizes: every ${every}th crash point of a rack instead of all; $stormSeeds seeds of $stormRacks racks instead"
  echo "of 50 of 20; a site of $fleetRacks racks instead of 100; a campaign over $campaignRacks racks instead of 100."
fi

echo
echo 'Demo'
ask demo demo --racks 1 --headless
judge 'one rack, no faults' \
  '${o.available} of ${o.nodes} available, ${o.racks_accepted} of ${o.racks} racks accepted, ${o.duplicates} duplicates, ${o.wall_s} s' \
  'o.nodes === 35 && o.available === 35 && o.racks_accepted === 1 && o.duplicates === 0 &&
   o.budget_violations === 0 && o.wall_s <= 300' demo
for seed in 1 2; do
  ask "demo-$seed" demo --racks 1 --headless --faults heavy --seed "$seed"
  judge "one rack, heavy faults, seed $seed" \
    '${o.available} available, ${o.quarantined} quarantined, ${o.unexpected.length} unexpected, ${o.faults_fired} faults, ${o.wall_s} s' \
    'o.nodes === 35 && o.unexpected.length === 0 && o.faults_fired > 0 && o.duplicates === 0 && o.wrong_end_states === 0' \
    "demo-$seed"
done

echo
echo 'Kill at every point'
for workflow in qualify_switch qualify_shelf; do
  ask "sweep-$workflow" killsweep --workflow "$workflow"
  judge "killsweep of $workflow" \
    '${o.runs} executions over ${o.points} points, ${o.duplicates} duplicates, ${o.wrong_end_states} wrong end states' \
    'o.points > 100 && o.runs >= o.points && o.duplicates === 0 && o.wrong_end_states === 0' "sweep-$workflow"
done
ask sweep-rack killsweep --workflow bring_up --every "$every"
judge "killsweep of a small rack, every $every" \
  '${o.runs} executions over ${o.points} points, ${o.duplicates} duplicates, ${o.wrong_end_states} wrong end states' \
  "o.points > 800 && o.runs >= Math.floor(o.points / $every) && o.duplicates === 0 && o.wrong_end_states === 0" sweep-rack

echo
echo 'Racks in virtual time'
names=()
for ((seed = 1; seed <= stormSeeds; seed++)); do
  ask "storm-$seed" simulate --racks "$stormRacks" --faults heavy --storm 30 --seed "$seed"
  names+=("storm-$seed")
done
storm="$stormSeeds seeds of $stormRacks racks, heavy faults, crashes every 30 min"
judge "$storm: all accounted for" \
  '${sum("available")} available + ${sum("quarantined")} quarantined of ${sum("nodes")}, ${sum("stuck")} stuck' \
  "sum('stuck') === 0 && sum('available') + sum('quarantined') === sum('nodes') && sum('nodes') === 35 * $stormRacks * $stormSeeds" \
  "${names[@]}"
judge "$storm: as expected, within the limits" \
  '${all.flatMap(r => r.unexpected).length} unexpected, ${sum("wrong_end_states")} wrong end states, ${sum("duplicates")} duplicates, ${sum("budget_violations")} budget violations, ${sum("kills")} kills' \
  "sum('budget_violations') === 0 && all.every(r => r.unexpected.length === 0 && r.kills > 0) && sum('wrong_end_states') === 0 && sum('duplicates') === 0" \
  "${names[@]}"
names=()
for ((seed = 1; seed <= stormSeeds; seed++)); do
  ask "power-$seed" simulate --racks 2 --faults heavy --storm 30 --watts 120000 --watts-per-minute 12000 --hours 96 \
    --seed "$seed"
  names+=("power-$seed")
done
judge "$stormSeeds seeds of 2 racks, stress limited to 120 kW and 12 kW/min, heavy faults, crashes every 30 min" \
  '${sum("available")} available, ${sum("quarantined")} quarantined, ${all.flatMap(r => r.unexpected).length} unexpected, ${sum("budget_violations")} limits exceeded, ${sum("kills")} kills' \
  "sum('budget_violations') === 0 && all.every(r => r.unexpected.length === 0 && r.kills > 0) && sum('wrong_end_states') === 0 && sum('duplicates') === 0" \
  "${names[@]}"
ask fleet simulate --racks "$fleetRacks" --seed 1
judge "$fleetRacks racks: makespan" \
  '${o.ratio.toFixed(3)} of the lower bound; nodes against their own oracle p50 ${o.oracle_p50.toFixed(3)}, p99 ${o.oracle_p99.toFixed(3)}; ${o.racks_accepted} accepted' \
  "o.racks_accepted === $fleetRacks && o.ratio >= 1 && o.ratio <= 1.10" fleet
judge "$fleetRacks racks: CPU" '${o.engine_cpu_ms_per_node.toFixed(2)} ms a node' 'o.engine_cpu_ms_per_node <= 30' fleet

echo
echo 'Campaigns'
ask campaign simulate --campaign --racks "$campaignRacks" --window 2 --canary 1 --failure-budget 2 --failing 0.03 --seed 1
judge "a campaign over $campaignRacks racks, 3 % of the trays take no firmware" \
  '${o.done} done, ${o.failed} failed of ${o.nodes}, halted at ${o.failed_at_halts.join(", ")} failures, at most ${o.most_racks_flashing} racks at a time, ${o.went_back} went back, ${o.wrong.length} wrong' \
  "o.failed === o.failing && o.done + o.failed === o.nodes && o.failed_at_halts.length > 0 && o.most_racks_flashing <= 2 &&
   o.went_back === o.done && o.wrong.length === 0" campaign
judge "a campaign over $campaignRacks racks: makespan" \
  '${o.makespan_s.toFixed(0)} s against R·T/U + longest T of ${o.reference_s.toFixed(0)} s: ${o.ratio.toFixed(3)}' \
  'o.ratio > 0 && o.ratio <= 1.05' campaign

ask campaign-one-by-one simulate --campaign --racks 2 --window 2 --per-rack 6 --canary 0 --storm 60 --seed 1
judge 'a campaign over 2 racks, 6 trays of each at a time, crashes every 60 min' \
  '${o.done} done of ${o.nodes}, at most ${o.most_flashes_in_a_rack} trays of a rack at a time, ${o.went_back} went back, ${o.kills} kills, ${o.wrong.length} wrong' \
  'o.done === 36 && o.went_back === 36 && o.most_flashes_in_a_rack === 6 && o.kills > 0 && o.wrong.length === 0' campaign-one-by-one
live() {  # live NAME: tests/acceptance/live_NAME.mjs, as ask does
  node "tests/acceptance/live_$1.mjs" "$program" >"$scratch/live-$1" 2>"$scratch/live-$1.err" &&
    echo 0 >"$scratch/live-$1.status" || echo 1 >"$scratch/live-$1.status"
}
live campaign
judge 'a campaign on two live racks, by the command line' \
  '${o.nodes_selected} trays selected, ${o.behind} behind; ${o.halted}, ${o.begun_while_halted} begun meanwhile; ${o.done} done, ${o.went_back} went back, ${o.most_racks_at_a_time} rack at a time, ${o.racks_accepted} racks accepted' \
  'o.nodes_selected === 36 && o.behind === 36 && o.halted === "halted" && o.begun_while_halted === 0 && o.done === 36 &&
   o.went_back === 36 && o.most_racks_at_a_time === 1 && o.racks_accepted === 2 && o.available === 70 && o.duplicates === 0 &&
   o.wrong_end_states === 0 && o.budget_violations === 0 && o.unexpected.length === 0' live-campaign
live swap
judge 'a tray of a live rack swapped, by the command line' \
  '${o.serial} in the place of ${o.was} at ${o.place}; ${o.available} available, the rack accepted again after ${o.again_s} s' \
  'o.serial !== o.was && o.racks_accepted === 1 && o.available === 35 && o.duplicates === 0 && o.wrong_end_states === 0 &&
   o.budget_violations === 0 && o.unexpected.length === 0' live-swap

echo
echo 'Proved by unit tests'
units 'recorded switch tray and power shelf: recognised, inventoried, counted' \
  redfish.SwitchTray.IsRecognisedByItsSwitchAsicsAndInventoried \
  redfish.PowerShelf.IsRecognisedByItsChassisAndInventoried \
  redfish.PowerShelf.TellsWhetherItFeedsAndIsSwitchedOnByItsOwnAction
units 'a rollout that can never finish is refused before any node is touched' \
  engine.BringUp.RefusesARecipeThatCouldNeverFinish \
  store.Campaigns.AreRefusedWhereTheyCouldNeverEndWell \
  store.Campaigns.AreNotTurnedWhereThereIsNoWayBack \
  api.CampaignsApi.AreRefusedWithTheReasonBeforeAnyNodeIsTouched
units 'a swapped tray and a swapped GPU: what is shown again is the list written by hand; at most 1.2 of its path' \
  commands.BreakFix.ASwappedTrayIsShownAllAnewAndTheDomainWithIt \
  commands.BreakFix.ASwappedGpuIsShownAnewWithWhatRestedOnItAndNothingElse
units 'a scheduler that admits too many is caught' commands.Limits.ASchedulerThatAdmitsTooManyIsCaught \
  commands.Limits.ASchedulerThatLeasesTooManyWattsIsCaught
units 'the agents of a whole rack take part together, within its power, and what only then fails is found' \
  commands.Racks.AreBurntInAsOneWithinTheirPowerWheneverTheControllerDies \
  commands.Racks.ALinkThatFailsWhenAllAreAtItIsFoundByTheBurnInOfTheDomain
units 'power: within watts and ramps, also when the controller dies in the middle of a burn-in' \
  commands.Limits.StressIsLeasedWithinItsWattsAndItsRamps \
  commands.Limits.ADeadControllerBreaksNoRampAndNothingIsBurntInTwice \
  commands.Limits.ACancelledBurnInKeepsItsWattsUntilTheMachineIsIdle \
  simulator.SimHost.GoesUpAndDownSlowlyUnderALeaseAndOnlyWhileItIsRenewed
units 'campaigns and racks end the same wherever the controller dies' \
  engine.Campaigns.EndTheSameWhereverTheControllerDies \
  engine.BringUp.EndsTheSameWhereverTheControllerDies

conclude
