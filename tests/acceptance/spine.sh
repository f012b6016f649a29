#!/usr/bin/env bash
# Runs what the spine of Zellige is judged by, prints each line with its figures and whether it holds, and counts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

source tests/acceptance/judging.bash

if ((full)); then
  readonly pairs=200 every=1 kills=200 stormTrays=1000 stormSeeds=50 fleetTrays=6000
  echo 'Full sizes.'
else
  readonly pairs=0 every=5 kills=10 stormTrays=200 stormSeeds=5 fleetTrays=1000
  echo "Reduced sizes: every ${every}th crash point and no pairs instead of all and 200; $kills kill -9 instead of 200;"
  echo "$stormSeeds seeds of $stormTrays trays instead of 50 of 1000; a fleet of $fleetTrays trays instead of 6000."
fi

echo
echo 'Demo'
ask demo demo --headless
judge 'demo, no faults' '${o.available} of ${o.nodes} available, ${o.duplicates} duplicates, ${o.wall_s} s' \
  'o.nodes === 18 && o.available === 18 && o.duplicates === 0 && o.wall_s <= 240' demo
for seed in 1 2; do
  ask "demo-$seed" demo --headless --faults heavy --seed "$seed"
  judge "demo, heavy faults, seed $seed" \
    '${o.available} available, ${o.quarantined} quarantined, ${o.unexpected.length} unexpected, ${o.faults_fired} faults, ${o.wall_s} s' \
    'o.nodes === 18 && o.wall_s <= 360 && o.unexpected.length === 0 && o.faults_fired > 0 && o.duplicates === 0 &&
     o.wrong_end_states === 0' "demo-$seed"
done

echo
echo 'Kill at every point'
for workflow in qualify power; do ask "sweep-$workflow" killsweep --workflow "$workflow" --pairs "$pairs" --every "$every"; done
judge "killsweep of a compute tray, every $every, $pairs pairs" \
  '${sum("runs")} executions over ${sum("points")} points, ${sum("duplicates")} duplicates, ${sum("wrong_end_states")} wrong end states' \
  "sum('points') > 500 && all.every(r => r.runs >= Math.floor(r.points / $every) + $pairs) && sum('duplicates') === 0 &&
   sum('wrong_end_states') === 0" sweep-qualify sweep-power
mayFail=yes  # it must: the mutant is to be caught
for mutation in skip-look no-settle; do
  ask "$mutation" killsweep --workflow qualify --every "$every" --mutate "$mutation"
  judge "killsweep --mutate $mutation is caught" '${o.duplicates} duplicates in ${o.runs} executions' 'o.duplicates > 0' \
    "$mutation"
done
mayFail=''
ask kill9 demo --headless --kill9 "$kills"
judge "demo --kill9 $kills" \
  '${o.kills} kills, ${o.duplicates} duplicates, ${o.wrong_end_states} wrong end states, ${o.available} of ${o.nodes} available' \
  "o.kills >= $kills && o.duplicates === 0 && o.wrong_end_states === 0 && o.available === o.nodes &&
   o.nodes >= 18 && o.nodes % 18 === 0 && o.stuck === 0 && o.unexpected.length === 0" kill9

echo
echo 'Fleets in virtual time'
names=()
for ((seed = 1; seed <= stormSeeds; ++seed)); do
  ask "storm-$seed" simulate --trays "$stormTrays" --faults heavy --storm 30 --seed "$seed"
  names+=("storm-$seed")
done
storm="$stormSeeds seeds of $stormTrays trays, heavy faults, crashes every 30 min"
judge "$storm: all accounted for" \
  '${sum("available")} available + ${sum("quarantined")} quarantined of ${sum("nodes")}, ${sum("stuck")} stuck' \
  "all.every(r => r.nodes === $stormTrays && r.available + r.quarantined === r.nodes && r.stuck === 0)" "${names[@]}"
judge "$storm: as expected" \
  '${all.flatMap(r => r.unexpected).length} unexpected, ${sum("wrong_end_states")} wrong end states' \
  'all.every(r => r.unexpected.length === 0 && r.wrong_end_states === 0)' "${names[@]}"
judge "$storm: no duplicates" '${sum("duplicates")} duplicates over ${sum("kills")} kills' \
  'all.every(r => r.duplicates === 0 && r.kills > 0)' "${names[@]}"
judge "$storm: every kind of fault fired" \
  '${kinds.size} of ${allKinds.size} kinds, ${sum("faults_fired")} faults; never: ${[...allKinds].filter(k => !kinds.has(k))}' \
  'allKinds.size > 0 && kinds.size === allKinds.size' "${names[@]}"
ask again simulate --trays "$stormTrays" --faults heavy --storm 30 --seed 1
judge 'the same seed in two processes' '${o.event_hash.slice(0, 16)}…, ${all[1].event_hash.slice(0, 16)}…' \
  'o.event_hash.length === 64 && o.event_hash === all[1].event_hash' storm-1 again

small=()
kindsOfBuild=''
for preset in release debug asan; do
  other=$(dirname "$build")/$preset/bin/zellige
  [[ -x $other ]] || continue
  "$other" simulate --trays 18 --seed 1 --faults heavy --storm 30 --json >"$scratch/$preset" 2>"$scratch/$preset.err" \
    && echo 0 >"$scratch/$preset.status" || echo 1 >"$scratch/$preset.status"
  small+=("$preset") kindsOfBuild+=" $preset"
done
if ((${#small[@]} > 1)); then
  judge "the same seed in every build:$kindsOfBuild" '${all.map(r => r.event_hash.slice(0, 16) + "…").join(", ")}' \
    'all.every(r => r.event_hash.length === 64 && r.event_hash === o.event_hash)' "${small[@]}"
else
  text='not run: build debug and asan as well'
  if ((full)); then verdict 'the same seed in every build' "$text" 1; else echo "The same seed in every build: $text"; fi
fi

ask fleet simulate --trays "$fleetTrays" --seed 1
judge "$fleetTrays trays: makespan" \
  '${o.ratio.toFixed(3)} of the lower bound; nodes against their own oracle p50 ${o.oracle_p50.toFixed(3)}, p99 ${o.oracle_p99.toFixed(3)}' \
  "o.nodes === $fleetTrays && o.available === o.nodes && o.ratio <= 1.10" fleet
judge "$fleetTrays trays: CPU" '${o.engine_cpu_ms_per_node.toFixed(2)} ms a node' 'o.engine_cpu_ms_per_node <= 30' fleet
judge 'memory: what 300 more trays take in a site of 400' '${o.bytes_per_run.toFixed(0)} bytes a run, ${o.bytes_per_node.toFixed(0)} an idle node' \
  'o.bytes_per_run > 0 && o.bytes_per_run <= 4096' fleet

echo
echo 'Benchmarks'
for turn in 1 2 3; do ask "store-$turn" bench store; done
judge 'bench store, median of three' \
  '${all.map(r => r.ratio_to_floor.toFixed(2)).sort()} of a bare sqlite3 loop, ${o.transitions_per_s.toFixed(0)}/s, commit p99 ${o.commit_p99_ms.toFixed(1)} ms' \
  'all.map(r => r.ratio_to_floor).sort((a, b) => a - b)[1] >= 0.8' store-1 store-2 store-3
ask redfish bench redfish
judge 'bench redfish' '${o.ratio_to_floor.toFixed(2)} of a bare libcurl loop, ${o.us_per_get.toFixed(1)} us a GET' \
  'o.ratio_to_floor <= 1.25 && o.bmcs === 2000 && o.bad_replies === 0 && o.new_connections * 1000 <= o.gets' redfish
ask restart bench restart
judge 'bench restart' \
  '${o.first_exchange_ms.toFixed(0)} ms to the first exchange (${o.nodes} nodes, ${o.runs} runs, WAL of ${o.wal_frames} frames)' \
  'o.first_exchange_ms < 1000 && o.wal_frames >= 20000 && o.runs === 60000 && o.nodes >= 60000' restart

echo
echo 'Proved by unit tests'
units 'recorded machines' \
  commands.RecordedTray.IsDiscoveredInspectedAndFoundSick \
  redfish.Gb200.InventoryCountsWhatTheTreeHolds \
  redfish.Gb200.FirmwareListsEveryItemWithItsVersion \
  redfish.Gb200.FindsAllFourGpusIncompleteAndSickWhateverTheirStatusSays \
  redfish.ReadListTest.KnowsWhatTheClientReadsAndOfWhichType \
  redfish.ReadListTest.WhatTheRecordedTrayDoesNotHaveIsKnownAndExplained \
  simulator.MockupOfRecordedMachines.ServesEveryRoot \
  simulator.Recorded.EveryPropertyIsThatOfTheRecordedMachine \
  simulator.Recorded.TheTrayHasTheSameFirmwareItemsAndChassis \
  simulator.Recorded.EveryLinkOfAHealthyTrayLeadsSomewhere
units 'bad input: a manifest with errors' \
  site.Manifest.SaysWhatIsWrongAndWhere \
  site.Manifest.CollectsEverythingWrongInOneReading \
  site.Manifest.TellsWhatIsOrderedTwiceAndWhereFirst \
  site.Document.LimitsBytesAndStructureBeforeParsing
units 'bad input: 100 MB, 100,000 brackets, cut short, wrong types, one byte a second' \
  base.ParseJson.RefusesAHundredThousandNestedBrackets \
  base.ParseJson.RefusesTooManyValuesAndTooManyBytes \
  base.ParseJson.SaysWhereABodyWasCutShort \
  http.Outcome.ABodyBeyondTheCapIsABadReply \
  http.Outcome.TakesAHundredMebibytesWhenAsked \
  http.Outcome.KeepsTheStatusOfAReplyThatWasCutShort \
  http.Outcome.OneByteASecondEndsByTheWholeTimeout \
  redfish.ClientTest.HostileBodiesAreBadRepliesAndNothingWorse \
  redfish.ClientTest.WrongTypesAreReadAsNotTold \
  commands.HostileBmc.AHundredMegabytes \
  commands.HostileBmc.AHundredThousandNestedBrackets \
  commands.HostileBmc.BodiesCutShort \
  commands.HostileBmc.WrongTypes \
  commands.HostileBmc.OneByteASecond \
  commands.HostileBmc.OneByteASecondOfEverythingIsNoContact
units 'bad input: a redirect, a changed certificate' \
  http.Outcome.ARedirectIsAReplyLikeAnyOther \
  redfish.ClientTest.RedirectsAreNotFollowed \
  commands.HostileBmc.ARedirectToAnotherHost \
  http.Pin.ThatDiffersSendsNothing \
  redfish.Session.ThePinOfTheFirstSignInIsKeptAndAnotherCertificateStopsEverything \
  commands.Swaps/OtherCertificate.GetsNothingUntilAPersonAcceptsIt/DuringTheFirstWrite \
  commands.Swaps/OtherCertificate.GetsNothingUntilAPersonAcceptsIt/DuringThePowerCycle
units 'bad input: full disk, read-only directory, second controller, damaged database' \
  store.Crash.AFullDiskEndsTheProcessAndLosesNothingAcknowledged \
  store.Threaded.EndsTheRunLoopWhenTheDiskIsFull \
  store.Open.RefusesADirectoryThatItCannotWrite \
  store.Open.RefusesADirectoryThatAnotherControllerHolds \
  commands.Serve.SaysWhatToDoAboutADirectoryThatCannotBeWritten \
  commands.Serve.RefusesADataDirectoryThatAnotherControllerHoldsAndMakesNoKeyInIt \
  commands.Serve.RefusesADamagedDatabase \
  store.Open.FindsEveryDamagedPage \
  store.Open.SaysWhatToDoWhenARowIsReadFromADamagedPage
units 'canaries: secrets are written nowhere' \
  commands.Canaries.OfAWholeFleetLieInNoByteThatIsWritten \
  store.Secrets.LieInNoByteOfAnyFile \
  store.Secrets.AreFoundByTheScannerWhenTheyLeak \
  store.Secrets.StaySealedWithAnotherSiteKey \
  site.Fields.NeverShowsASecret \
  site.Manifest.NeverShowsAPasswordInAComplaint \
  redfish.ClientTest.ExchangesAreKeptWithoutSecrets \
  redfish.Operations.ARefusedMediaUrlIsNotQuoted \
  commands.HostileBmc.QuotingTheMediaUrlBringsItsTokenNowhere \
  api.Session.NothingSecretIsKeptOrTold \
  api.Recorder.LeavesSecretsOut
units 'already as wanted: reads, logins and the burn-in, at the ledger' \
  commands.AtTheLedger.AnEmptyDatabaseAndMachinesAsWantedCostReadsLoginsAndTheBurnIn \
  engine.Turn.NeverActsWhenAlreadyAsWanted \
  workflows.Firmware.EverythingAlreadyAsWantedIsNoAct \
  workflows.Qualify.WithAnEmptyDatabaseAndAMachineAsWantedOnlyTheBurnInRuns
units 'observe mode: only reads and logins leave, at the ledger' \
  commands.AtTheLedger.InObserveModeNothingButReadsAndLoginsReachesNewMachines \
  commands.AtTheLedger.InObserveModeNothingButReadsAndLoginsReachesMachinesAsWanted \
  commands.AtTheLedger.InObserveModeFaultsLureNoWriteOut \
  engine.Observe.ADisarmedPlaceIsLookedAtAndNeverActedOn \
  redfish.Session.InObserveModeOnlyReadsAndOurOwnSessionLeave \
  redfish.Session.DisarmingWhileAWriteWaitsItsTurnStopsIt \
  workflows.Qualify.InObserveModeItReadsAndSaysWhatItWaitsFor
handlings=()
readonly kindsOfFaults=25  # all but those of whole racks
while read -r name; do handlings+=("$name"); done < <(ctest --test-dir "$build" -N -R '^commands\.OfEachFault/' |
  sed -nE 's/^ *Test +#[0-9]+: ([^ ]+).*/\1/p')
if ((${#handlings[@]} < kindsOfFaults)); then
  verdict 'every kind of fault has a test without its handling' "${#handlings[@]} tests" 1
fi
units 'every kind of fault: without its handling the expectation fails' commands.HandlingList.ForgetsNoKindOfFault \
  "${handlings[@]}"
units 'every kind of fault fires on the fleets of the storms' \
  commands.FaultsLongOnce.EveryKindFiresOnTheFleetsOfTheStorms

conclude
