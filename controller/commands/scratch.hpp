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
  Scratch() {
    const std::filesystem::path shm = "/dev/shm";
    const bool inMemory = ::access(shm.c_str(), W_OK) == 0;
    path_ = (inMemory ? shm : std::filesystem::temp_directory_path()) / fmt::format("zellige-{}-{}", ::getpid(), randomHex(4));
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
  std::filesystem::path path_;
};

}  // namespace zellige
