#!/usr/bin/env bash
# The recorded GB200 tray, served by `zellige simulator --mockup`, imported by its MAC into `zellige serve` in observe mode:
# a lease file says where it is, the real client discovers and inspects it, and the node shows what the recording holds,
# counted here from its files. A second one, on no manifest, is found by a range scan.
#   tests/commands/recorded_tray.sh ZELLIGE
# Exit status 77: the recorded machines are not there (with CI=true that is a failure).
set -euo pipefail
zellige=$(realpath "$1")
tree=$(realpath -m "$(dirname "$0")/../../../shared/redfish/mockups/nvidia-gb200-nvl-compute-tray")
if [[ ! -d $tree ]]; then
  echo "$tree is missing"
  [[ ${CI-} == true ]] && exit 1
  exit 77
fi

scratch=$(mktemp -d)
children=()
finish() {
  local status=$?
  for child in "${children[@]}"; do kill "$child" 2>/dev/null || true; done
  wait
  ((status == 0)) || tail -n 5 "$scratch"/*.err
  rm -rf "$scratch"
}
trap finish EXIT

lineOf() {  # lineOf FILE PATTERN: waits for a line of a child's output
  local line
  for ((i = 0; i < 600; ++i)); do
    line=$(grep -sm 1 -E "$2" "$1" || true)
    if [[ -n $line ]]; then echo "$line"; return; fi
    sleep 0.1
  done
  echo "no '$2' in $1" >&2
  return 1
}

"$zellige" simulator --mockup "$tree" --listen 127.9.0.1:0 >"$scratch/simulator" 2>"$scratch/simulator.err" &
children+=($!)
cat >"$scratch/zellige.yaml" <<YAML
leases: [ { file: $scratch/leases, format: dnsmasq } ]
YAML
bmcPort=$(lineOf "$scratch/simulator" 'https://' | sed -E 's/.*:([0-9]+)$/\1/')
# The provisioning port goes into boot media and may not be 0; the recorded BMC's, on an address that is ours, is free.
# 60 times real speed, as the demo: what looks wrong is read three times, 30 s apart.
"$zellige" serve --config "$scratch/zellige.yaml" --data "$scratch/data" --api 127.0.0.1:0 \
  --provisioning "127.9.1.1:$bmcPort" --announce --speed 60 --origin "$(date +%s000)" >"$scratch/serve" 2>"$scratch/serve.err" &
children+=($!)
export HOME=$scratch
export ZELLIGE_PASSWORD ZELLIGE_NEW_PASSWORD ZELLIGE_URL ZELLIGE_PIN
ZELLIGE_PASSWORD=$(lineOf "$scratch/serve" admin_password | sed -E 's/.*"admin_password": *"([^"]+)".*/\1/')
ZELLIGE_NEW_PASSWORD=$(head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n')
ZELLIGE_URL=https://127.0.0.1:$(lineOf "$scratch/serve" api_port | sed -E 's/.*"api_port": *([0-9]+).*/\1/')
ZELLIGE_PIN=$(lineOf "$scratch/serve" '"pin"' | sed -E 's/.*"pin": *"([^"]+)".*/\1/')

# What it should become is what a simulated tray should; that simulator writes its site before it listens, and may find
# its addresses taken.
"$zellige" simulator --trays 1 --site "$scratch/site" >"$scratch/trays" 2>&1 &
children+=($!)
lineOf "$scratch/trays" . >/dev/null
kill "${children[-1]}" 2>/dev/null || true
cat >"$scratch/site/manifest.yaml" <<YAML
site: recorded
nodes:
  - serial: "1333024020524"
    kind: compute_tray
    place: H1/R01/RK001/U10
    sku: gb200-nvl-compute
    profile: gb200-sim
    bmc: { mac: "3c:6d:66:00:00:01", port: $bmcPort, user: root, password: as-recorded }
YAML
cat >"$scratch/site/compute_tray/sku.yaml" <<'YAML'
sku: gb200-nvl-compute
kind: compute_tray
memory_gib: 960
components:
  - { kind: cpu, count: 2 }
  - { kind: gpu, count: 4 }
YAML
"$zellige" login --user admin >/dev/null 2>"$scratch/cli.err"
"$zellige" import "$scratch/site" 2>>"$scratch/cli.err"
for ((i = 0; i < 100; ++i)); do
  "$zellige" node show 1333024020524 >"$scratch/waits" 2>>"$scratch/cli.err"
  grep -q 'with the MAC 3c:6d:66:00:00:01' "$scratch/waits" && break
  sleep 0.2
done
grep 'with the MAC 3c:6d:66:00:00:01' "$scratch/waits"
echo '0 3c:6d:66:00:00:01 127.9.0.1 gb200 *' >"$scratch/leases.new"
mv "$scratch/leases.new" "$scratch/leases"

"$zellige" simulator --mockup "$tree" --listen "127.9.0.2:$bmcPort" >"$scratch/other" 2>"$scratch/other.err" &
children+=($!)
lineOf "$scratch/other" 'https://' >/dev/null
for ((i = 0; i < 600; ++i)); do
  "$zellige" node show -o json 1333024020524 >"$scratch/node.json" 2>>"$scratch/cli.err"
  grep -q '"lifecycle": "quarantined"' "$scratch/node.json" && break
  sleep 0.2
done

"$zellige" scan 127.9.0.0/30 --port "$bmcPort" 2>>"$scratch/cli.err"
"$zellige" node unlisted -o json >"$scratch/unlisted.json" 2>>"$scratch/cli.err"

node - "$tree" "$scratch/node.json" "$scratch/unlisted.json" <<'JS'
const fs = require('fs'), path = require('path'), assert = require('assert');
const [tree, answer, strangers] = process.argv.slice(2);
const node = JSON.parse(fs.readFileSync(answer, 'utf8'));
const unlisted = JSON.parse(fs.readFileSync(strangers, 'utf8'));
const v1 = path.join(tree, 'redfish/v1');
const read = file => JSON.parse(fs.readFileSync(path.join(v1, file, 'index.json'), 'utf8'));
const collection = uri => read(uri).Members.map(member => read(member['@odata.id'].replace('/redfish/v1/', '')));
const parts = kind => node.inventory.components.filter(part => part.kind === kind);
const count = (what, shown, recorded) => {
  console.log(`${what}: ${shown}, recorded ${recorded}`);
  assert.strictEqual(shown, recorded, what);
};

const processors = collection('Systems/HGX_Baseboard_0/Processors');
const chassis = collection('Chassis');
const named = pattern => chassis.filter(one => pattern.test(one.Id)).length;
const system = read('Systems/System_0');
assert.deepStrictEqual([node.bmc.address, node.bmc.leased], ['127.9.0.1', true]);
assert.deepStrictEqual(unlisted.map(one => one.address), ['127.9.0.2']);
const root = JSON.parse(fs.readFileSync(path.join(v1, 'index.json'), 'utf8'));
for (const [shown, recorded] of [['product', 'Product'], ['vendor', 'Vendor'], ['uuid', 'UUID'],
                                 ['redfish_version', 'RedfishVersion']])
  assert.strictEqual(unlisted[0][shown], root[recorded] ?? null, shown);
assert.strictEqual(node.inventory.serial, read('Chassis/Chassis_0').SerialNumber);
count('GPUs', parts('gpu').length, processors.filter(one => one.ProcessorType === 'GPU').length);
count('CPUs', parts('cpu').length, processors.filter(one => one.ProcessorType === 'CPU').length);
count('DPUs', parts('dpu').length, named(/BlueField/));
count('roots of trust', parts('rot').length, named(/[EI]RoT/));
count('CPLDs', parts('cpld').length, named(/CPLD/));
count('memory modules', parts('memory').length, collection('Systems/System_0/Memory').length);
count('memory, GiB', node.inventory.memory_gib, system.MemorySummary.TotalSystemMemoryGiB);
count('drives', parts('drive').length,
      chassis.filter(one => one.Drives).flatMap(one => read(`Chassis/${one.Id}/Drives`).Members).length);
const firmware = collection('UpdateService/FirmwareInventory');
count('firmware items', node.inventory.firmware.length, firmware.length);
for (const item of firmware)
  assert.strictEqual(node.inventory.firmware.find(one => one.id === item.Id)?.version, (item.Version ?? '').trim(), item.Id);

const finding = cause => node.findings.find(one => one.cause === cause);
const absent = firmware.filter(one => /^HGX_FW_GPU_/.test(one.Id) && one.Status.State === 'Absent');
count('GPUs that are not whole', parts('gpu').filter(one => !one.complete).length, absent.length);
for (const item of absent) assert.match(finding('inventory.missing_part').detail, new RegExp(item.Id));
const critical = chassis.filter(one => /^HGX_CPU_/.test(one.Id) && one.Status.Health === 'Critical');
count('CPUs that are sick', parts('cpu').filter(one => one.sick).length, critical.length);
for (const one of critical) assert.match(finding('inventory.sick_part').detail, new RegExp(one.Id));
assert.strictEqual(node.health, 'failed');
console.log('quarantined:', node.findings.map(one => one.cause).join(', '));
JS
