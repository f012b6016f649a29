// A directory that is gone when its owner is: simulations keep their databases here. In memory where the system offers
// it, since nothing in it is meant to last.
#pragma once

#include <filesystem>
#include <fmt/format.h>
#include <unistd.h>

#include "controller/base/secret.hpp"

namespace zellige {

class Scratch {
 public:
  Scratch() : Scratch(inMemory()) {}
  /// In this directory: where it matters what a write to the disk costs.
  explicit Scratch(const std::filesystem::path& parent)
      : path_(parent / fmt::format("zellige-{}-{}", ::getpid(), randomHex(4))) {
    std::filesystem::create_directories(path_);
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  static std::filesystem::path inMemory() {
    const std::filesystem::path shm = "/dev/shm";
    return ::access(shm.c_str(), W_OK) == 0 ? shm : std::filesystem::temp_directory_path();
  }
  std::filesystem::path path_;
};

}  // namespace zellige
