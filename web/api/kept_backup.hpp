// The backup that waits to be fetched: one at a time, and not for long. It is as secret as the database.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "controller/base/executor.hpp"

namespace zellige::api {

class KeptBackup {
 public:
  static constexpr Duration kPatience{15min};   ///< wall time since it was made, or a part of it was read
  static constexpr Duration kFetching{60'000};  ///< so long after that somebody is still fetching it

  /// In this directory, made when needed; what a process that was killed left there is removed.
  KeptBackup(std::filesystem::path directory, Executor& executor, double clockSpeed);
  ~KeptBackup();
  KeptBackup(const KeptBackup&) = delete;

  struct File {
    std::string id;
    std::uint64_t bytes = 0;
    std::string sha256;
    Time made{};
  };
  std::filesystem::path pathOf(const std::string& id) const { return directory_ / (id + ".db"); }
  void keep(File file);
  /// nullptr: there is none of this id, or not any more.
  const File* find(const std::string& id);
  void remove();
  bool isBeingFetched() const;

  bool making = false;  ///< the next one is on its way

 private:
  void waitOn();
  Duration wall(Duration span) const;
  std::filesystem::path directory_;
  Executor& executor_;
  double clockSpeed_;
  std::optional<File> file_;
  Time touched_{};  // made, or a part of it was read
  TimerId timer_ = TimerId::None;
};

}  // namespace zellige::api
