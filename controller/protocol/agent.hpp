// What the agent on a node and the controller say to each other. One exchange does everything:
//
//   POST /agent/v1/report      Authorization: Bearer <token>      AgentReport → AgentOrder
//
// The agent reports on change and every `reportEvery`; the controller answers only after the report is committed.
// Orders are level-triggered: the same order is repeated until the agent's reports show it done, and an agent that has
// done it already does nothing. The agent learns the URL and the first token from the boot media (BootMedia), and the
// token for the installed OS from the write order's seed.
//
// Other provisioning URLs (same listener, no session):
//   GET /boot/<token>/deploy.iso               the boot media; its first bytes are a BootMedia (see below)
//   GET /images/<digest>/manifest.json         ImageManifest
//   GET /images/<digest>/chunks/<n>            the n-th chunk, as it lies on disk; any HTTP cache may relay it
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "controller/base/json.hpp"
#include "controller/base/names.hpp"
#include "controller/base/time.hpp"

namespace zellige {

/// The head of the boot media: the line "ZELLIGE-BOOT 1", then this as one line of JSON, then whatever boots.
struct BootMedia {
  std::string reportUrl;  ///< absolute, numeric address
  std::string token;
};
std::string encodeBootMedia(const BootMedia& media);
Result<BootMedia> decodeBootMedia(std::string_view head);

struct ImageManifest {
  std::string digest;                     ///< SHA-256 of the whole image, hex
  std::uint64_t size = 0;                 ///< bytes
  std::uint64_t chunkSize = 0;            ///< bytes; the last chunk may be shorter
  std::vector<std::string> chunkDigests;  ///< SHA-256 each, hex
};
std::string toJson(const ImageManifest& manifest);
Result<ImageManifest> imageManifestFromJson(std::string_view text);

enum class AgentHome { Ramdisk, Os };
ZELLIGE_NAMES(AgentHome, {AgentHome::Ramdisk, "ramdisk"}, {AgentHome::Os, "os"});

enum class ImageState { None, Writing, Verified, Failed };
ZELLIGE_NAMES(ImageState, {ImageState::None, "none"}, {ImageState::Writing, "writing"},
              {ImageState::Verified, "verified"}, {ImageState::Failed, "failed"});

/// A test that could not be judged is not passed: Void (the environment was not valid), Skipped (no such hardware).
enum class TestOutcome { Pass, Fail, Void, Skipped };
ZELLIGE_NAMES(TestOutcome, {TestOutcome::Pass, "pass"}, {TestOutcome::Fail, "fail"},
              {TestOutcome::Void, "void"}, {TestOutcome::Skipped, "skipped"});

struct AgentDisk {
  std::string serial, model;
  std::uint64_t bytes = 0;
};

struct AgentInventory {
  std::string systemSerial;
  std::int64_t cpus = 0;  ///< sockets
  std::int64_t memoryGiB = 0;
  std::vector<std::string> gpuSerials;
  std::vector<std::string> nicMacs;
  std::vector<AgentDisk> disks;
};

struct AgentImage {
  ImageState state = ImageState::None;
  std::string digest;  ///< of what is on (or being written to) the system disk; empty: nothing of ours
  std::uint64_t bytesDone = 0;
  std::string error;  ///< when failed: what the agent saw
};

struct TestResult {
  std::string test;                         ///< id in the plan
  TestOutcome outcome = TestOutcome::Pass;  ///< what the test itself says; limits are judged by the controller
  std::map<std::string, double> values;     ///< by name with unit: "gemm_tflops", "copy_gb_per_s", "errors"
  std::string detail;
};

struct AgentBurnIn {
  std::string orderId;  ///< the order these results belong to, or that it is ready for; empty: none since this boot
  bool begun = false;     ///< alone at once; with others, when it was told to
  bool finished = false;  ///< and the machine is at idle again
  std::vector<TestResult> results;
};

struct AgentReport {
  std::string serial;  ///< of the system, as firmware tells it
  std::string bootId;  ///< new at every boot of the host
  AgentHome home = AgentHome::Ramdisk;
  std::int64_t sequence = 0;  ///< rises within a boot; an older one is answered but not stored
  AgentInventory inventory;
  AgentImage image;
  AgentBurnIn burnIn;
};
std::string toJson(const AgentReport& report);
Result<AgentReport> agentReportFromJson(std::string_view text);

enum class OrderKind { Wait, WriteImage, BurnIn };
ZELLIGE_NAMES(OrderKind, {OrderKind::Wait, "wait"}, {OrderKind::WriteImage, "write_image"},
              {OrderKind::BurnIn, "burn_in"});

struct BurnInTest {
  std::string id;  ///< "cpu", "memory", "disk", "gpu_gemm", "nvlink"
  Duration duration{0};
};

/// How a machine may be stressed. The agent goes from idle to `watts` above it, and back, along a straight line in `ramp`,
/// also when it stops early; the tests' time counts at full alone. `lease` runs from each answer that repeats the order;
/// when it ends, the agent goes back to idle, keeps what the tests had done, and goes on when the order is repeated.
struct StressTerms {
  std::int64_t watts = 0;
  Duration ramp{0};
  Duration lease{0};  ///< 0: nobody limits it: at full from the start
};

/// Tests that several machines run as one. Each agent gets ready, and says so by naming the order in its report; when all
/// have, the order comes with `begin`.
struct Together {
  std::vector<std::string> members;  ///< serials of all that take part, in the order of their ranks; empty: it is alone
  bool begin = false;
};

constexpr Duration kIdleReports = std::chrono::minutes{10};  ///< of a machine that nothing is done to
/// Of one whose rack comes up, or has lost a part of what it had shown: it is needed soon.
constexpr Duration kAwaitedReports = std::chrono::minutes{2};

struct AgentOrder {
  std::string id;  ///< the same id is the same order
  OrderKind kind = OrderKind::Wait;
  std::string imageUrl;  ///< WriteImage: absolute URL of …/images/<digest>
  std::string imageDigest;
  std::string seed;               ///< WriteImage: put beside the image; a BootMedia for the OS's own agent
  std::vector<BurnInTest> tests;  ///< BurnIn: in this order
  Together together;              ///< BurnIn
  StressTerms stress;             ///< BurnIn
  Duration reportEvery{5000};     ///< of the engine's clock

  bool mayBegin() const { return together.members.empty() || together.begin; }
};
std::string toJson(const AgentOrder& order);
Result<AgentOrder> agentOrderFromJson(std::string_view text);

}  // namespace zellige
