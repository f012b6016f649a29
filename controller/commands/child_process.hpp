// Another process of this very program, with pipes to its standard input and output.
#pragma once

#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace zellige {

class ChildProcess {
 public:
  /// Throws std::runtime_error when it cannot be started.
  explicit ChildProcess(const std::vector<std::string>& arguments);
  /// Closes its standard input and waits for its end.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;

  /// The next line of its output, without the line break. Throws std::runtime_error when it has ended.
  std::string readLine();
  /// All that is left of its output; waits for its end. Exit status, or −1: it was killed.
  int finish(std::string& output);

 private:
  bool readSome();
  int reap();

  pid_t pid_ = -1;
  int input_ = -1, output_ = -1;
  std::string pending_;
};

}  // namespace zellige
