// A copy of the database, made while the controller works with it. It is taken from one snapshot: the writer goes on
// meanwhile, and what it commits is not in the copy. Made in steps, so that whoever shares the thread waits for one of
// them at most. The copy is one file without a WAL, and says of itself that it is a backup: as the database of a data
// directory it starts disarmed (incarnation.hpp). What is sealed in the database is sealed in the copy.
//
// Not thread-safe: one thread at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "controller/base/result.hpp"
#include "controller/base/time.hpp"

namespace zellige {

struct BackupSteps {
  int pages = 4096;                  ///< copied in one step: 16 MiB
  std::size_t digested = 16u << 20;  ///< bytes
};

class Backup {
 public:
  /// Begins one into a new file, mode 0600. Errc::Busy: there is no room for it beside the database, and how much is
  /// needed. Errc::Invalid: the file is there already, or cannot be made.
  static Result<std::unique_ptr<Backup>> begin(const std::filesystem::path& database,
                                               std::filesystem::path file, Time now, BackupSteps steps = {});
  /// What is not finished is removed.
  ~Backup();
  Backup(const Backup&) = delete;
  Backup& operator=(const Backup&) = delete;

  /// One step; true: the file is whole, was read over, and is on the disk. After an error, nothing but destroying it.
  /// Blocks: about as long as the disk takes for 16 MiB; reading the copy over is one step, a second per gigabyte.
  Result<bool> step();

  // When it is finished
  std::uint64_t bytes() const;
  const std::string& sha256() const;

 private:
  struct Impl;
  explicit Backup(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace zellige
