#include "controller/commands/virtual_site.hpp"

#include <ctime>
#include <fmt/format.h>
#include <stdexcept>

#include "controller/base/random.hpp"
#include "drivers/simulator/site.hpp"
#include "web/api/keep.hpp"
#include "web/api/tokens.hpp"

namespace zellige {

namespace {

constexpr std::string_view kProvisioningUrl = "https://10.0.0.1:8444";

struct ControllerDied {};

std::chrono::nanoseconds threadCpu() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return std::chrono::seconds{t.tv_sec} + std::chrono::nanoseconds{t.tv_nsec};
}

template <class T>
T orThrow(Result<T> result, std::string_view doing) {
  if (!result) throw std::runtime_error(fmt::format("{}: {}", doing, result.error().what));
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

}  // namespace

// One life of the controller. Members die in reverse order; the executor's tasks first of all.
struct VirtualSite::Life {
  Life(VirtualSite& site)
      : executor(site.time_),
        store(orThrow(SqliteStore::open(site.directory_, executor, site.box_, storeOptions(site.crash_)),
                      "open the store")),
        wire(site.fleet_, site.world_, executor, site.crash_, site.exchanges_, site.options_.spoil),
        between(site.options_.between ? site.options_.between(wire) : nullptr),
        plane(*store, between ? *between : wire, executor, site.box_,
              planeOptions(site.options_, site.kills_, *this)) {}
  ~Life() { executor.shutDown(); }

  static StoreOptions storeOptions(CrashPlan& crash) {
    StoreOptions options;
    options.writing = StoreOptions::Writing::Virtual;
    options.durable = false;
    options.hook = [&crash](CommitPoint point) {
      const auto here = point == CommitPoint::Before ? CrashPoint::BeforeCommit : CrashPoint::AfterCommit;
      if (crash.reached(here)) throw ControllerDied{};
    };
    return options;
  }
  static ControlPlaneOptions planeOptions(const VirtualSiteOptions& site, int lives, Life& life) {
    ControlPlaneOptions options;
    options.provisioningUrl = kProvisioningUrl;
    options.engine = site.engine;
    options.leases = site.leases;
    options.leases.working = api::Working::Inline;
    // New passwords must be the same for the same seed, and different in every life: a password made up after a crash
    // must not happen to be the one made up before it. They only ever reach simulated machines.
    options.nvos.randomHex = options.redfish.randomHex = [&life](std::size_t bytes) {
      std::string hex;
      while (hex.size() < 2 * bytes) hex += fmt::format("{:016x}", life.passwords.next());
      return hex.substr(0, 2 * bytes);
    };
    life.passwords = Random(site.fleet.seed, fmt::format("passwords {}", lives));
    return options;
  }

  Random passwords{0};
  VirtualExecutor executor;
  std::unique_ptr<SqliteStore> store;
  InProcessTransport wire;
  std::unique_ptr<http::Transport> between;
  ControlPlane plane;
};

VirtualSite::VirtualSite(const std::filesystem::path& directory, VirtualSiteOptions options)
    : directory_(directory), options_(std::move(options)), box_(SecretBox::fromSeed("simulation")),
      world_(time_), fleet_(world_, options_.fleet), stormRandom_(options_.fleet.seed, "storm") {
  const auto files = directory / "site";
  orThrow(sim::writeSite(files, options_.fleet), "write the site's files");
  if (options_.editSite) options_.editSite(files);
  fleet_.setUplink(this);
  importSite(files);
  if (options_.fleet.asWanted) seedAgents();
  started_ = time_.now();
  if (options_.storm) scheduleStorm();
}

VirtualSite::~VirtualSite() = default;

void VirtualSite::setCrashPlan(CrashPlan::Decide decide) { crash_ = CrashPlan(std::move(decide)); }

namespace {

Task<void> importInto(SqliteStore& store, std::filesystem::path files, bool armed) {
  auto reading = readBundle({files});
  if (const auto* problems = std::get_if<std::vector<Problem>>(&reading))
    throw std::runtime_error(describe(problems->front()));
  auto bundle = orThrow(api::keepBundle(std::get<SiteBundle>(std::move(reading)), store.content()),
                        "keep the files");
  By by{"simulation", "a simulated site"};
  auto imported = co_await store.importSite(std::move(bundle), by);
  orThrow(std::move(imported), "import the site");
  if (!armed) co_return;
  By armedBy{"simulation", "a simulated site"};
  auto done = co_await store.armPlace("", armedBy);
  orThrow(std::move(done), "arm the site");
}

}  // namespace

void VirtualSite::importSite(const std::filesystem::path& files) {
  VirtualExecutor executor(time_);
  auto options = Life::storeOptions(crash_);
  options.hook = nullptr;
  auto store = orThrow(SqliteStore::open(directory_, executor, box_, options), "open the store");
  executor.spawn(importInto(*store, files, options_.armed));
  while (executor.spawnedCount() > 0 && time_.runOne()) {
  }
  executor.shutDown();
}

// Machines that are already as wanted run an installed system whose agent speaks to this controller.
void VirtualSite::seedAgents() {
  for (const auto machine : fleet_.machines()) {
    BootMedia seed;
    seed.reportUrl = std::string(kProvisioningUrl) + "/agent/v1/report";
    seed.token = api::issueToken(box_, fleet_.serial(machine), "os");
    fleet_.setAgentSeed(machine, encodeBootMedia(seed));
  }
}

void VirtualSite::spawn(Task<void> task) {
  if (!life_) begin();
  life_->executor.spawn(std::move(task));
}

SqliteStore& VirtualSite::store() {
  if (!life_) begin();
  return *life_->store;
}
ControlPlane& VirtualSite::plane() {
  if (!life_) begin();
  return life_->plane;
}

std::int64_t VirtualSite::transitions() const {
  return transitionsOfTheDead_ + (life_ ? life_->plane.engine().transitions() : 0);
}

void VirtualSite::begin() {
  crash_.revive();
  life_ = std::make_unique<Life>(*this);
  life_->plane.start();
}

void VirtualSite::stopController() {
  if (!life_) return;
  transitionsOfTheDead_ += life_->plane.engine().transitions();
  life_.reset();
}

void VirtualSite::die() {
  ++kills_;
  stopController();
  world_.after(options_.restartAfter, [this] {
    if (!life_) begin();  // unless somebody asked for one meanwhile
  });
}

void VirtualSite::scheduleStorm() {
  const auto wait = stormRandom_.exponential(static_cast<double>(options_.storm->count()));
  world_.after(Duration{static_cast<std::int64_t>(wait)}, [this] {
    if (life_) crash_.kill();
    scheduleStorm();
  });
}

// The clock is read only where the world hands over to the controller and back: reading it costs as much as a callback.
void VirtualSite::count(bool controllers) {
  if (controllers == bool(controllersTurn_)) return;
  const auto cpu = threadCpu();
  if (controllersTurn_) controllerCpu_ += cpu - *controllersTurn_;
  controllersTurn_ = controllers ? std::optional(cpu) : std::nullopt;
}

void VirtualSite::stepOnce() {
  count(life_ && time_.nextOwner() == &life_->executor);
  try {
    time_.runOne();
  } catch (const ControllerDied&) {
    crash_.kill();
  }
  if (life_ && crash_.dead()) die();
}

bool VirtualSite::isAtRest() {
  return plane().engine().unfinished() == 0 && plane().bringUp().idle() && plane().campaigns().idle() &&
         store().nodesIn(Lifecycle::Planned).empty() && store().nodesIn(Lifecycle::Discovered).empty();
}

bool VirtualSite::run(Duration horizon) {
  if (!life_) begin();
  const auto end = started_ + horizon;
  bool begun = false;
  for (int untilCheck = 0;; --untilCheck) {
    if (life_ && untilCheck <= 0) {
      begun = begun || life_->plane.engine().unfinished() > 0;
      if (begun && isAtRest()) return true;
      untilCheck = 64;
    }
    const auto due = time_.nextDue();
    if (!due || *due > end) return false;
    stepOnce();
  }
}

void VirtualSite::runFor(Duration span) {
  if (!life_) begin();
  const auto end = time_.now() + span;
  world_.at(end, [] {});  // the clock goes on also where nothing else is due
  for (auto due = time_.nextDue(); due && *due <= end; due = time_.nextDue()) stepOnce();
}

namespace {

Task<void> provision(api::Provisioning& provisioning, HttpRequest request, Executor& world,
                     std::function<void(Result<HttpReply>)> done) {
  api::Caller caller{"10.1.0.1"};
  auto answer = co_await provisioning.handle(std::move(request), std::move(caller));
  auto reply = api::inMemory(std::move(answer));
  world.after(1ms, [done = std::move(done), reply = std::move(reply)]() mutable { done(std::move(reply)); });
}

}  // namespace

void VirtualSite::send(std::string url, HttpRequest request, std::function<void(Result<HttpReply>)> done) {
  const auto afterHost = url.find('/', std::string_view("https://").size());
  if (!url.starts_with(kProvisioningUrl) || afterHost == std::string::npos || !life_) {
    world_.after(1s, [done = std::move(done), url] {
      done(Error{Errc::Unreachable, "nobody answers at " + url});
    });
    return;
  }
  request.target = url.substr(afterHost);
  auto& life = *life_;
  life.executor.spawn(provision(life.plane.provisioning(), std::move(request), world_, std::move(done)));
}

}  // namespace zellige
