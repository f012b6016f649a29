// The machines of `bench redfish`: one constant reply on thousands of addresses. Not the simulator: its physics would
// take the CPU that a client's GETs shall be seen in.
#include <atomic>
#include <csignal>
#include <fmt/format.h>
#include <stdexcept>

#include "controller/base/log.hpp"
#include "controller/commands/bench.hpp"
#include "controller/listener/listener.hpp"

namespace zellige::commands {

namespace {

// A ComputerSystem with the members and in the layout (two spaces, one member a line) that BMCs answer with; invented.
constexpr std::string_view kSystem = R"({
  "@Redfish.Settings": {
    "@odata.type": "#Settings.v1_3_5.Settings",
    "SettingsObject": {
      "@odata.id": "/redfish/v1/Systems/System_0/Settings"
    }
  },
  "@odata.id": "/redfish/v1/Systems/System_0",
  "@odata.type": "#ComputerSystem.v1_22_0.ComputerSystem",
  "Actions": {
    "#ComputerSystem.Reset": {
      "@Redfish.ActionInfo": "/redfish/v1/Systems/System_0/ResetActionInfo",
      "target": "/redfish/v1/Systems/System_0/Actions/ComputerSystem.Reset"
    }
  },
  "Bios": {
    "@odata.id": "/redfish/v1/Systems/System_0/Bios"
  },
  "Boot": {
    "BootOptions": {
      "@odata.id": "/redfish/v1/Systems/System_0/BootOptions"
    },
    "BootOrder": [
      "Boot0000",
      "Boot0001",
      "Boot0002",
      "Boot0003"
    ],
    "BootSourceOverrideEnabled": "Disabled",
    "BootSourceOverrideEnabled@Redfish.AllowableValues": [
      "Once",
      "Continuous",
      "Disabled"
    ],
    "BootSourceOverrideMode": "UEFI",
    "BootSourceOverrideTarget": "None",
    "BootSourceOverrideTarget@Redfish.AllowableValues": [
      "None",
      "Pxe",
      "Hdd",
      "Cd",
      "Diags",
      "BiosSetup",
      "Usb"
    ]
  },
  "BootProgress": {
    "LastState": "OSRunning",
    "LastStateTime": "2026-01-01T00:00:00.000000+00:00"
  },
  "Description": "Computer System",
  "EthernetInterfaces": {
    "@odata.id": "/redfish/v1/Systems/System_0/EthernetInterfaces"
  },
  "GraphicalConsole": {
    "ConnectTypesSupported": [
      "KVMIP"
    ],
    "MaxConcurrentSessions": 4,
    "ServiceEnabled": true
  },
  "Id": "System_0",
  "IndicatorLED": "Off",
  "LastResetTime": "2026-01-01T00:00:00+00:00",
  "Links": {
    "Chassis": [
      {
        "@odata.id": "/redfish/v1/Chassis/BMC_0"
      }
    ],
    "ManagedBy": [
      {
        "@odata.id": "/redfish/v1/Managers/BMC_0"
      }
    ]
  },
  "LocationIndicatorActive": false,
  "LogServices": {
    "@odata.id": "/redfish/v1/Systems/System_0/LogServices"
  },
  "Manufacturer": "NVIDIA",
  "Memory": {
    "@odata.id": "/redfish/v1/Systems/System_0/Memory"
  },
  "MemorySummary": {
    "TotalSystemMemoryGiB": 960
  },
  "Model": "GB200 NVL",
  "Name": "System_0",
  "PCIeDevices": [
    {
      "@odata.id": "/redfish/v1/Systems/System_0/PCIeDevices/NIC_0"
    },
    {
      "@odata.id": "/redfish/v1/Systems/System_0/PCIeDevices/NIC_1"
    }
  ],
  "PowerRestorePolicy": "AlwaysOff",
  "PowerState": "On",
  "ProcessorSummary": {
    "CoreCount": 144,
    "Count": 2,
    "Model": "ARMv9"
  },
  "Processors": {
    "@odata.id": "/redfish/v1/Systems/System_0/Processors"
  },
  "SerialConsole": {
    "IPMI": {
      "ServiceEnabled": true
    },
    "MaxConcurrentSessions": 15,
    "SSH": {
      "HotKeySequenceDisplay": "Press ~. to exit console",
      "Port": 2200,
      "ServiceEnabled": true
    }
  },
  "SerialNumber": "1334567890123",
  "Status": {
    "Conditions": [],
    "Health": "OK",
    "State": "Enabled"
  },
  "Storage": {
    "@odata.id": "/redfish/v1/Systems/System_0/Storage"
  },
  "SystemType": "Physical",
  "UUID": "7f3f1c50-5b1e-4f6e-9d2a-0c5d1e7a9b42"
}
)";

/// 127.64.0.1 and on, 250 to a net.
std::string address(int n) { return fmt::format("127.64.{}.{}", n / 250, n % 250 + 1); }

}  // namespace

int benchServer(int bmcs) {
  log::setLevel(log::Level::Error);
  sigset_t end;
  sigemptyset(&end);
  sigaddset(&end, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &end, nullptr);  // before any other thread starts
  listener::ListenerOptions options;
  for (int i = 0; i < bmcs; ++i) options.addresses.push_back({address(i), 0});
  options.tls = listener::makeSelfSigned("bench", {});
  options.maxConnections = static_cast<std::size_t>(bmcs) * 3;
  options.idleTimeout = std::chrono::hours{
      1};  // a slow machine must not have its connections closed between rounds
  const auto pin = listener::spkiPin(options.tls->certificatePem);
  auto connections = std::make_shared<std::atomic<std::int64_t>>(0);
  auto server = listener::HttpsServer::start(
      options, [connections](std::shared_ptr<listener::Exchange> exchange) {
        if (exchange->connection.request == 0) ++*connections;
        HttpReply reply;
        reply.status = 200;
        reply.headers.add("Content-Type", "application/json");
        reply.headers.add("OData-Version", "4.0");
        reply.headers.add("Cache-Control", "no-store, max-age=0");
        reply.headers.add("ETag", "\"4F1C2A90\"");
        const bool counts = exchange->request.target == "/connections";
        reply.body = counts ? std::to_string(connections->load()) : std::string(kSystem);
        exchange->respond(std::move(reply));
      });
  if (!server) throw std::runtime_error(server.error().what);
  fmt::print("{}\n", *pin);
  for (const auto& at : (*server)->addresses()) fmt::print("{} {}\n", at.ip, at.port);
  std::fflush(stdout);
  int which = 0;
  sigwait(&end, &which);
  (*server)->stop(Duration{0});
  return 0;
}

}  // namespace zellige::commands
