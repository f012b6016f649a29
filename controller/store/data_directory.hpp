// The directory that holds a controller's data: held by one controller at a time, for as long as this object lives.
//   zellige.db (+ -wal, -shm)   the database
//   zellige.lock                 locked with flock, the holder's pid inside
//   files/ab/ab12…               the content store
//   incarnation                  which database last ran here (incarnation.hpp)
//   outgoing/                    a backup until it is fetched
//   site.key                     what seals the secrets in the database (site_key.hpp)
#pragma once

#include <filesystem>
#include <memory>

#include "controller/base/result.hpp"

namespace zellige {

class DataDirectory {
 public:
  /// Makes it, for its owner alone, if it is not there. Errc::Conflict: another controller holds it, and which.
  /// Errc::Invalid: it cannot be made or written, or another database's WAL lies in it.
  static Result<std::unique_ptr<DataDirectory>> claim(const std::filesystem::path& path);
  ~DataDirectory();
  DataDirectory(const DataDirectory&) = delete;
  DataDirectory& operator=(const DataDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path database() const { return path_ / "zellige.db"; }
  std::filesystem::path files() const { return path_ / "files"; }
  std::filesystem::path outgoing() const { return path_ / "outgoing"; }

 private:
  DataDirectory(std::filesystem::path path, int lock) : path_(std::move(path)), lock_(lock) {}
  std::filesystem::path path_;
  int lock_;
};

}  // namespace zellige
