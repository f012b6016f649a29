// What was really delivered to the machines: the ground truth of tests. Every state-changing request that a
// machine accepted or refused for its state is here, whether or not its reply ever arrived. It never looks at
// a controller.
//
// Duplicates: an act delivered again while an earlier one ran or had taken effect (DESIGN section 8):
//
// - firmware_start: the same package for the same component while it is being written, or when every version
//   in it is already pending or active there, or has been written three times and fell back to the old one each time.
//   Three is our own choice: FACTS 6 knows of one retry, and a part that went back three times goes back for ever.
// - reset: off while off or going off since an earlier off; on while on since an earlier on; a restart while
//   the host still boots from an earlier restart or on, with boot override and media unchanged; any, while the task of
//   the same reset runs.
// - bmc_reset: again, while the first has not begun yet, or with no BMC firmware pending that it would activate and no
//   task that it would end. The HGX BMC's activates none.
// - aux_cycle: again, while the first has not begun yet, or with no firmware pending and HGX not missing beyond its
//   start-up time.
// - media_insert: while any slot has media.
// - image_write: a new order for a digest that is on the disk, verified, or is being written. The same order
//   repeated is how the protocol works, and is no delivery.
// - password_set: to the password that is set.
// - settings, of the NVLink control plane: enabled where it is enabled, or while another switch tray of the rack has it.
//
// A request refused for a reason of its own (400 host is on, 412 wrong ETag) changes nothing and is no
// duplicate; a firmware push refused only because the same one is running is.
//
// Permitted repeats, where nothing on the machine tells a second wish from a first that came to nothing: a restart right
// after a restart whose boot is over; one BMC reset more where the first left the BMC's firmware as it was; one aux cycle
// more where a component fell back to its old version at the first.
//
// Beside the deliveries it counts what arrived that is no read, also what was refused before it became one (401, 403,
// 405, 412, 503), the passwords that were found wrong, and apart from them those that were sent while the account was
// locked: nobody compares these, but a BMC may count each and stay locked.
#pragma once

#include <cstdint>
#include <deque>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "controller/base/names.hpp"
#include "controller/base/time.hpp"

namespace zellige::sim {

// clang-format off
enum class ActKind : std::uint8_t {
  Session, PasswordSet, Settings, Reset, AuxCycle, BmcReset, MediaInsert, MediaEject, BootOverride,
  FirmwareStart, ImageWrite, BurnIn, OtherWrite,
};
// clang-format on

/// Strings that repeat over a fleet, stored once and named by a number. 0 is the empty string.
class Interner {
 public:
  Interner() { id(""); }
  std::uint32_t id(std::string_view text);
  std::string_view text(std::uint32_t id) const { return texts_[id]; }

 private:
  std::deque<std::string> texts_;
  std::map<std::string_view, std::uint32_t> ids_;
};

/// The texts live as long as the ledger.
struct LedgerEntry {
  Time at{};
  int machine = 0;
  ActKind kind = ActKind::OtherWrite;
  std::string_view component;  ///< what it was done to: "bmc_tray", "USB1", "ForceOff"
  std::string_view digest;     ///< of a package or image; else empty
};

struct Duplicate {
  LedgerEntry entry;
  std::string why;
};

class Ledger {
 public:
  /// `why` not empty: this delivery is a duplicate, and why.
  void add(Time at, int machine, ActKind kind, std::string_view component, std::string_view digest,
           std::string why = {});
  void countRead() { ++reads_; }
  /// `session`: it opens or ends one.
  void countWrite(bool session) { ++(session ? sessionRequests_ : writesArrived_); }
  /// This delivery is a repeat, and within the sender's rights.
  void allowRepeat() { ++repeatsAllowed_; }
  void countRefusedPassword(int machine) { ++refusedPasswords_[machine]; }
  /// A password was sent while the account was locked, the nth of this lockout.
  void countLockedPassword(int machine, int nth);

  std::vector<LedgerEntry> entries() const;
  std::vector<LedgerEntry> entriesOf(int machine) const;
  const std::vector<Duplicate>& duplicates() const { return duplicates_; }
  std::uint64_t reads() const { return reads_; }
  /// Requests that would open or end a session, answered or not.
  std::uint64_t sessionRequests() const { return sessionRequests_; }
  /// Every other request that is no read.
  std::uint64_t writesArrived() const { return writesArrived_; }
  int refusedPasswords(int machine) const;
  /// The most that were sent in one lockout.
  int lockedPasswords(int machine) const;
  int repeatsAllowed() const { return repeatsAllowed_; }
  std::size_t count(ActKind kind) const;
  /// What was delivered that is none of `kinds`: empty when nothing but those was.
  std::vector<LedgerEntry> writesOtherThan(std::initializer_list<ActKind> kinds) const;
  /// The same, only what came after `since`.
  std::vector<LedgerEntry> writesOtherThan(std::initializer_list<ActKind> kinds, Time since) const;

 private:
  struct Row {  // 24 bytes: a fleet of 57,600 trays keeps about a million of them
    Time at;
    std::int32_t machine;
    std::uint32_t component, digest;
    ActKind kind;
  };
  LedgerEntry expand(const Row& row) const;

  bool repeats(const Row& row) const;

  std::vector<Row> rows_;
  std::vector<std::uint32_t> lastAct_;  ///< by machine: its last row that is no session, from 1
  std::vector<Duplicate> duplicates_;
  Interner strings_;
  std::uint64_t reads_ = 0, sessionRequests_ = 0, writesArrived_ = 0;
  std::map<int, int> refusedPasswords_, lockedPasswords_;  ///< by machine
  int repeatsAllowed_ = 0;
};

}  // namespace zellige::sim

namespace zellige {
ZELLIGE_NAMES(sim::ActKind, {sim::ActKind::Session, "session"}, {sim::ActKind::PasswordSet, "password_set"},
              {sim::ActKind::Settings, "settings"}, {sim::ActKind::Reset, "reset"},
              {sim::ActKind::AuxCycle, "aux_cycle"}, {sim::ActKind::BmcReset, "bmc_reset"},
              {sim::ActKind::MediaInsert, "media_insert"}, {sim::ActKind::MediaEject, "media_eject"},
              {sim::ActKind::BootOverride, "boot_override"}, {sim::ActKind::FirmwareStart, "firmware_start"},
              {sim::ActKind::ImageWrite, "image_write"}, {sim::ActKind::BurnIn, "burn_in"},
              {sim::ActKind::OtherWrite, "other_write"});
}  // namespace zellige
