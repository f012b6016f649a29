#include "controller/cli/cli.hpp"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <sys/ioctl.h>
#include <unistd.h>

#include "controller/base/loop_executor.hpp"
#include "controller/cli/actions.hpp"
#include "drivers/http/curl_transport.hpp"

namespace zellige::cli {

namespace {

using Chosen = std::function<Task<int>(World&)>;

/// The words of one command line: what CLI11 writes into, kept alive by the callbacks.
struct Words {
  Options options;
  NodeQuery nodes;
  RackQuery racks;
  RunQuery runs;
  NewCampaign campaign;
  ScanOptions scan;
  Swap swap;
  std::string place, stage, serial, parameter, workflow, id, name, user, state, members;
  std::vector<std::filesystem::path> paths;
  std::filesystem::path file;
  bool dryRun = false, all = false;
};

class Adder {
 public:
  Adder(CLI::App& app, Chosen& chosen) : app_(app), chosen_(chosen), words_(std::make_shared<Words>()) {}

  void add() {
    addSite();
    addNode();
    addRack();
    addCampaign();
    addRun();
    addFinding();
    addToken();
    addScan();
    auto* bundle = command(app_, "import",
                           "Import a site: its YAML files with the packages and images they name", true);
    bundle->add_option("path", words_->paths, "Files and directories")->required();
    bundle->add_flag("--dry-run", words_->dryRun, "Only tell what would change");
    on(bundle, [](World& w, const Words& x) { return importSite(w, x.options, x.paths, x.dryRun); });
    auto* backup = command(app_, "backup",
                           "Take a backup of the controller's database, while it runs, into a new file here",
                           true);
    backup->add_option("file", words_->file, "Must not exist")->required();
    on(backup, [](World& w, const Words& x) { return backUp(w, x.options, x.file); });
    auto* signIn = command(
        app_, "login", "Sign in; takes the server's key on first use and keeps a token for 12 hours", false);
    signIn->add_option(
        "--user", words_->user,
        "Asked for if not given; the password is ZELLIGE_PASSWORD or asked for, and the one to "
        "replace a one-time password ZELLIGE_NEW_PASSWORD");
    on(signIn, [](World& w, const Words& x) { return cli::login(w, x.options, x.user); });
  }

 private:
  CLI::App* group(const std::string& name, const std::string& about) {
    auto* out = app_.add_subcommand(name, about);
    out->require_subcommand(1);
    return out;
  }
  CLI::App* command(CLI::App& parent, const std::string& name, const std::string& about, bool writes) {
    auto* out = parent.add_subcommand(name, about);
    auto& o = words_->options;
    out->add_option("--url", o.url, "Of the controller; else ZELLIGE_URL, else where you signed in");
    out->add_option("--ca", o.ca, "Check the server's certificate against this CA file")
        ->check(CLI::ExistingFile);
    out->add_option("--pin", o.pin,
                    "SHA-256 of the server's key, base64; else ZELLIGE_PIN, else from signing in");
    out->add_option("-o,--output", o.output, "table, or json for scripts")
        ->check(CLI::IsMember({"table", "json"}));
    if (writes) out->add_option("--reason", o.reason, "Why, for the audit trail");
    return out;
  }
  void waits(CLI::App* command) {
    command->add_flag("--wait", words_->options.wait, "Stay until the run has ended; the exit code tells how");
  }
  /// What the command does. Without --reason, the command's own words are the reason.
  void on(CLI::App* command, std::function<Task<int>(World&, const Words&)> action) {
    std::string spoken = command->get_name();
    for (auto* parent = command->get_parent(); parent && !parent->get_name().empty() && parent != &app_;
         parent = parent->get_parent())
      spoken.insert(0, parent->get_name() + " ");
    command->callback(
        [&chosen = chosen_, words = words_, action = std::move(action), spoken = std::move(spoken)] {
          if (words->options.reason.empty()) words->options.reason = "command line: zellige " + spoken;
          chosen = [words, action](World& world) { return action(world, *words); };
        });
  }

  void addSite() {
    auto* site = group("site", "The site as a whole");
    on(command(*site, "show", "What is armed, how far the nodes are, what is scarce", false),
       [](World& w, const Words& x) { return showSite(w, x.options); });
    auto* arm = command(*site, "arm", "Allow writes to devices in a place", true);
    arm->add_option("place", words_->place, "H1/R01/RK001; '.' is the whole site")->required();
    on(arm, [](World& w, const Words& x) { return armSite(w, x.options, x.place, true); });
    auto* disarm = command(*site, "disarm", "Go back to reads only in a place", true);
    disarm->add_option("place", words_->place, "H1/R01/RK001; '.' is the whole site")->required();
    on(disarm, [](World& w, const Words& x) { return armSite(w, x.options, x.place, false); });
  }

  void addNode() {
    auto* node = group("node", "Nodes");
    auto* list = command(*node, "list", "List nodes", false);
    list->add_option("--place", words_->nodes.place, "In this place");
    list->add_option("--lifecycle", words_->nodes.lifecycle, "One or several, comma-separated");
    list->add_option("-q", words_->nodes.text, "Contained in serial, place, MAC or BMC address");
    on(list, [](World& w, const Words& x) { return listNodes(w, x.options, x.nodes); });
    auto* show = command(*node, "show", "One node with everything", false);
    show->add_option("serial", words_->serial)->required();
    on(show, [](World& w, const Words& x) { return showNode(w, x.options, x.serial); });
    on(command(*node, "unlisted", "List devices that no manifest names, with what they say they are", false),
       [](World& w, const Words& x) { return listUnlisted(w, x.options); });
    auto* move = command(*node, "move",
                         "Move a node along its lifecycle: into service and out of it, into repair and back",
                         true);
    move->add_option("serial", words_->serial)->required();
    move->add_option("state", words_->state,
                     "in_service (also adopts a discovered one, untouched), sanitising, "
                     "qualifying, discovered, repair, retired")
        ->required();
    on(move, [](World& w, const Words& x) { return moveNode(w, x.options, x.serial, x.state); });
    auto* retire = command(
        *node, "retire",
        "Take a node out for good: its place is free for the serial that the next manifest puts there", true);
    retire->add_option("serial", words_->serial)->required();
    on(retire, [](World& w, const Words& x) { return moveNode(w, x.options, x.serial, "retired"); });
    auto* swap = command(
        *node, "swap",
        "Put another machine, or another GPU, in a place: simulated ones only, as a technician would", false);
    swap->add_option("place", words_->swap.place, "H1/R01/RK001/U10")->required();
    swap->add_option("--simulator", words_->swap.simulator, "IP:PORT of zellige simulator --control")
        ->required();
    auto* gpu = swap->add_option("--gpu", words_->swap.gpu, "Only this GPU, from 0")->check(CLI::Range(0, 3));
    swap->add_option("--manifest", words_->swap.manifest, "Where the manifest of the new machine is written")
        ->default_val("swapped.yaml")
        ->excludes(gpu);
    on(swap, [](World& w, const Words& x) { return swapSimulated(w, x.options, x.swap); });
    auto* accept = command(
        *node, "accept-certificate",
        "Accept that a node's BMC shows another TLS key: after a board swap or a factory reset", true);
    accept->add_option("serial", words_->serial)->required();
    accept->get_option("--reason")->required();
    on(accept, [](World& w, const Words& x) { return acceptCertificate(w, x.options, x.serial); });
    auto* power = command(
        *node, "power", "Switch a node's host on or off, or restart it: at once, whatever it is doing", true);
    power->add_option("serial", words_->serial)->required();
    power->add_option("state", words_->parameter)->required()->check(CLI::IsMember({"on", "off", "restart"}));
    waits(power);
    on(power, [](World& w, const Words& x) { return startRun(w, x.options, x.serial, "power", x.parameter); });
  }

  void addScan() {
    auto* scan = command(
        app_, "scan",
        "Ask every address of some ranges who it is, without signing in anywhere; stays until it "
        "is over",
        true);
    auto* ranges = scan->add_option("range", words_->scan.ranges,
                                    "10.20.0.0/22; at most 65,536 addresses in all");
    scan->add_option("--port", words_->scan.port, "Where the service roots are")->check(CLI::Range(1, 65'535));
    scan->add_flag("--public", words_->scan.publicToo, "Also ranges that are routed on the Internet");
    auto* stop = scan->add_flag("--stop", words_->scan.stop, "End the running scan; what it found stays");
    stop->excludes(ranges);
    on(scan, [](World& w, const Words& x) {
      return x.scan.stop ? stopScan(w, x.options) : cli::scan(w, x.options, x.scan);
    });
  }

  void addRack() {
    auto* rack = group("rack", "Racks that come up by a recipe");
    auto* list = command(*rack, "list", "List racks, and what each waits for", false);
    list->add_option("--place", words_->racks.place, "In this place");
    list->add_option("--state", words_->racks.state,
                     "installing, bring_up, accepted, degraded; comma-separated");
    on(list, [](World& w, const Words& x) { return listRacks(w, x.options, x.racks); });
    auto* show = command(*rack, "show", "One rack, stage by stage", false);
    show->add_option("place", words_->place, "H1/R01/RK001")->required();
    on(show, [](World& w, const Words& x) { return showRack(w, x.options, x.place); });
    auto* bringUp = command(*rack, "bring-up", "Begin what is missing, also what had failed or was cancelled",
                            true);
    bringUp->add_option("place", words_->place, "H1/R01/RK001")->required();
    bringUp->add_option("--stage", words_->stage, "Of the recipe; without it, all that may begin");
    bringUp->get_option("--reason")->required();
    on(bringUp, [](World& w, const Words& x) { return bringUpRack(w, x.options, x.place, x.stage); });
  }

  void addCampaign() {
    auto* campaign = group("campaign", "Firmware campaigns: one baseline over many nodes, rack by rack");
    auto& wanted = words_->campaign;
    auto* create = command(*campaign, "create", "Make a campaign; it begins at once", true);
    create->add_option("name", wanted.name)->required();
    create->add_option("--baseline", wanted.baseline, "Of the catalogue")->required();
    create->add_option("--kind", wanted.kind, "Which nodes")
        ->required()
        ->check(CLI::IsMember({"compute_tray", "switch_tray", "power_shelf"}));
    create->add_option("--place", wanted.place, "Only in this place");
    create->add_option("--profile", wanted.profile, "Only of this profile");
    create->add_option("--window", wanted.window, "Racks at a time")->capture_default_str();
    create->add_option("--per-rack", wanted.perRack, "Nodes at a time in one rack; 0: all")
        ->capture_default_str();
    create->add_option("--canary", wanted.canary, "Racks that go first; one failure in them halts")
        ->capture_default_str();
    create->add_option("--failure-budget", wanted.failureBudget, "So many nodes may fail; the next one halts")
        ->capture_default_str();
    create->add_flag("--dry-run", wanted.dryRun, "Only tell what would change where");
    on(create, [](World& w, const Words& x) { return createCampaign(w, x.options, x.campaign); });
    auto* list = command(*campaign, "list", "List campaigns, newest first", false);
    list->add_option("--state", words_->state, "running, paused, halted, done, cancelled; comma-separated");
    on(list, [](World& w, const Words& x) { return listCampaigns(w, x.options, x.state); });
    auto* show = command(*campaign, "show", "One campaign: its limits, and how far it is", false);
    show->add_option("id", words_->id)->required();
    show->add_option("--members", words_->members,
                     "List its nodes too: all, or pending, running, done, failed, left_out; comma-separated");
    on(show, [](World& w, const Words& x) { return showCampaign(w, x.options, x.id, x.members); });
    for (const auto& [how, about] :
         {std::pair{"pause", "Begin nothing new; what is under way goes on to its end"},
          {"resume", "Go on; what has failed in a halted one is forgiven"},
          {"halt", "Begin nothing new, because something is wrong"},
          {"cancel", "End it; whoever has not begun is left out"},
          {"retry", "Take what has failed again"},
          {"rollback", "Bring what it has begun back to the baselines from before"}}) {
      auto* move = command(*campaign, how, about, true);
      move->add_option("id", words_->id)->required();
      on(move, [word = std::string(how)](World& w, const Words& x) {
        return moveCampaign(w, x.options, x.id, word);
      });
    }
    auto* leaveOut = command(*campaign, "leave-out", "Take a node out that has not begun", true);
    leaveOut->add_option("id", words_->id)->required();
    leaveOut->add_option("serial", words_->serial)->required();
    on(leaveOut, [](World& w, const Words& x) {
      return moveCampaign(w, x.options, x.id, "members/" + encodePercent(x.serial) + "/leave-out");
    });
  }

  void addRun() {
    auto* run = group("run", "Runs: what is being done to nodes");
    auto* list = command(*run, "list", "List runs, newest first", false);
    list->add_option("--state", words_->runs.state,
                     "active, blocked, done, failed, cancelled; comma-separated");
    list->add_option("--workflow", words_->runs.workflow);
    list->add_option("--node", words_->runs.node, "Serial");
    on(list, [](World& w, const Words& x) { return listRuns(w, x.options, x.runs); });
    auto* show = command(*run, "show", "One run with its steps", false);
    show->add_option("id", words_->id)->required();
    waits(show);
    on(show, [](World& w, const Words& x) { return showRun(w, x.options, x.id); });
    auto* start = command(*run, "start", "Start a workflow on a node", true);
    start->add_option("serial", words_->serial)->required();
    start->add_option("workflow", words_->workflow)->required();
    start->add_option("--parameter", words_->parameter);
    waits(start);
    on(start,
       [](World& w, const Words& x) { return startRun(w, x.options, x.serial, x.workflow, x.parameter); });
    auto* cancel = command(*run, "cancel", "End a run at its next safe point", true);
    cancel->add_option("id", words_->id)->required();
    waits(cancel);
    on(cancel, [](World& w, const Words& x) { return cancelRun(w, x.options, x.id); });
    auto* retry = command(*run, "retry", "Start a failed run's workflow again", true);
    retry->add_option("id", words_->id)->required();
    waits(retry);
    on(retry, [](World& w, const Words& x) { return retryRun(w, x.options, x.id); });
  }

  void addFinding() {
    auto* finding = group("finding", "Findings: what is wrong, and what to do");
    auto* list = command(*finding, "list", "List findings, newest first", false);
    list->add_option("--place", words_->place, "In this place");
    list->add_flag("--all", words_->all, "Resolved ones too");
    on(list, [](World& w, const Words& x) { return listFindings(w, x.options, x.place, x.all); });
    auto* show = command(*finding, "show", "One finding", false);
    show->add_option("id", words_->id)->required();
    on(show, [](World& w, const Words& x) { return showFinding(w, x.options, x.id); });
    auto* resolve = command(*finding, "resolve", "Say what was done about it (--reason)", true);
    resolve->add_option("id", words_->id)->required();
    resolve->get_option("--reason")->required();
    on(resolve, [](World& w, const Words& x) { return resolveFinding(w, x.options, x.id); });
  }

  void addToken() {
    auto* token = group("token", "API tokens for scripts and programs");
    auto* create = command(*token, "create", "Make a token; it is printed once", true);
    create->add_option("name", words_->name)->required();
    create->add_option("--user", words_->user, "For another user (admin)");
    on(create, [](World& w, const Words& x) { return createToken(w, x.options, x.name, x.user); });
    auto* list = command(*token, "list", "List tokens and sessions", false);
    list->add_option("--user", words_->user, "Of another user (admin)");
    on(list, [](World& w, const Words& x) { return listTokens(w, x.options, x.user); });
    auto* revoke = command(*token, "revoke", "Revoke a token", true);
    revoke->add_option("id", words_->id)->required();
    on(revoke, [](World& w, const Words& x) { return revokeToken(w, x.options, x.id); });
  }

  CLI::App& app_;
  Chosen& chosen_;
  std::shared_ptr<Words> words_;
};

Task<void> runAndStop(Task<int> action, LoopExecutor& executor, int& code) {
  code = co_await action;
  executor.stop();
}

std::size_t columnsOf(int terminal) {
  winsize size{};
  return ::ioctl(terminal, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

int runForReal(const Chosen& action) {
  LoopExecutor executor;
  http::CurlOptions curl;
  curl.shards = 1;
  curl.allowPlainHttp = true;  // for a simulator's control, on loopback (swap.cpp); all else is https
  http::CurlTransport transport(executor, curl);
  const auto environment = [](const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return std::string(value ? value : "");
  };
  World world{transport,           executor,    std::cin,
              std::cout,           std::cerr,   ::isatty(STDERR_FILENO) == 1 && ::isatty(STDIN_FILENO) == 1,
              environment("HOME"), environment, columnsOf(STDOUT_FILENO)};
  int code = 0;
  executor.spawn(runAndStop(action(world), executor, code));
  executor.run();
  executor.shutDown();
  std::cout.flush();
  return code;
}

}  // namespace

void addCommands(CLI::App& app, std::function<Task<int>(World&)>& chosen) { Adder(app, chosen).add(); }

std::optional<int> parseWords(CLI::App& app, int count, const char* const* words, std::ostream& out,
                              std::ostream& err) {
  try {
    app.parse(count, words);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    return app.exit(error, out, err) == 0 ? 0 : static_cast<int>(Exit::Usage);
  }
}

void addCommands(CLI::App& app, std::function<int()>& chosen) {
  const auto action = std::make_shared<Chosen>();
  addCommands(app, *action);
  // Runs after the command's own callback, which fills `action`. Other commands of the program leave it empty.
  app.final_callback([action, &chosen] {
    if (*action) chosen = [action] { return runForReal(*action); };
  });
}

}  // namespace zellige::cli
